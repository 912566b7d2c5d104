"""Everything that a program may read from a call."""

from vivavoce.audio.frame import Pcm
from vivavoce.client.feed import CaptionFeed, Feed, SoundFeed
from vivavoce.client.quality import Watch
from vivavoce.errors import VivaError
from vivavoce.session.caption import Caption
from vivavoce.session.ledger import Ledger
from vivavoce.wire.event import ServerEvent, UnknownEvent


class Outlets:
    """The feeds of one call (one of events, and of sound and captions one for each reader), and what it costs."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.events: Feed[ServerEvent | UnknownEvent] = Feed()
        self._sounds: list[SoundFeed] = []
        self._captions: list[CaptionFeed] = []
        self._watches: list[Watch] = []
        self._end: tuple[VivaError | None] | None = None

    def tap_sound(self) -> SoundFeed:
        """A feed of the sound from now on."""
        feed = SoundFeed()
        self._end_early(feed)
        self._sounds.append(feed)
        return feed

    def tap_captions(self) -> CaptionFeed:
        """A feed of the captions from now on."""
        feed = CaptionFeed()
        self._end_early(feed)
        self._captions.append(feed)
        return feed

    def untap(self, feed: SoundFeed | CaptionFeed) -> None:
        """Its reader has gone."""
        if isinstance(feed, SoundFeed):
            self._sounds.remove(feed)
        else:
            self._captions.remove(feed)

    def watch(self) -> Watch:
        """Somebody wants to see how the call is doing from now on."""
        self._watches.append(watch := Watch())
        return watch

    def unwatch(self, watch: Watch) -> None:
        """And does no more."""
        self._watches.remove(watch)

    def spoken(self, samples: Pcm) -> None:
        """The user has said something."""
        for watch in self._watches:
            watch.spoke(samples)

    def sound(self, samples: Pcm) -> None:
        """Something is heard."""
        for watch in self._watches:
            watch.heard(samples)
        for feed in self._sounds:
            feed.put(samples)

    def caption(self, caption: Caption) -> None:
        """A caption is new or has changed."""
        for feed in self._captions:
            feed.put(caption)

    def close(self, error: VivaError | None) -> None:
        """The call is over."""
        self._end = (error,)
        self.events.close(error)
        for feed in (*self._sounds, *self._captions):
            feed.close(error)

    def _end_early(self, feed: SoundFeed | CaptionFeed) -> None:
        if self._end is not None:
            feed.close(*self._end)
