"""The way of the user's sound before anybody listens to it."""

from collections.abc import Sequence
from typing import Final, Protocol

from vivavoce.audio.echo import Echo
from vivavoce.audio.frame import RATE_HZ, Pcm, silence
from vivavoce.session.effect import Effect, Flush, Play
from vivavoce.session.loudspeaker import Loudspeaker, Pace

LIVE: Final = RATE_HZ
"""More sound than this at once comes out of a file: no loudspeaker was beside it."""


class Microphone(Protocol):
    """What is done to sound on its way in. Every sample comes out at its own place in the stream."""

    def hear(self, samples: Pcm, now: float) -> Pcm:
        """More sound; returns what is ready, some milliseconds may be held back."""
        ...

    def release(self) -> Pcm:
        """What is held back: somebody needs every sample now."""
        ...

    def echoes(self, start: int, end: int) -> bool:
        """Whether samples `start` to `end` are nothing but what the listener's loudspeaker played."""
        ...

    def play(self, samples: Pcm, now: float) -> None:
        """The listener's loudspeaker gets this."""
        ...

    def stop(self, now: float) -> None:
        """It plays nothing that was to be heard later than that."""
        ...

    def watch(self, effects: Sequence[Effect], now: float) -> None:
        """So it is told by effects, where the server plays."""
        ...


class Straight:
    """Nothing is done to it."""

    def hear(self, samples: Pcm, now: float) -> Pcm:
        """As it is."""
        return samples

    def release(self) -> Pcm:
        """Nothing is held back."""
        return silence(0)

    def echoes(self, start: int, end: int) -> bool:
        """Never."""
        return False

    def play(self, samples: Pcm, now: float) -> None:
        """Of no interest."""

    def stop(self, now: float) -> None:
        """Of no interest."""

    def watch(self, effects: Sequence[Effect], now: float) -> None:
        """Of no interest."""


class Cleaned:
    """The echo of the assistant's voice is taken out."""

    def __init__(self) -> None:
        self._loudspeaker = Loudspeaker()
        self._pace = Pace()
        self._echo = Echo()

    def hear(self, samples: Pcm, now: float) -> Pcm:
        """See `Microphone.hear`."""
        end = self._pace.take(len(samples), now)
        played = self._loudspeaker.between(end - len(samples), end) if len(samples) <= LIVE else None
        return self._echo.push(samples, played)

    def release(self) -> Pcm:
        """See `Microphone.release`."""
        return self._echo.release()

    def echoes(self, start: int, end: int) -> bool:
        """See `Microphone.echoes`."""
        return self._echo.explains(start, end)

    def play(self, samples: Pcm, now: float) -> None:
        """See `Microphone.play`."""
        self._loudspeaker.play(samples, now)

    def stop(self, now: float) -> None:
        """See `Microphone.stop`."""
        self._loudspeaker.stop(now)

    def watch(self, effects: Sequence[Effect], now: float) -> None:
        """See `Microphone.watch`."""
        for effect in effects:
            match effect:
                case Play(samples):
                    self._loudspeaker.play(samples, now)
                case Flush():
                    self._loudspeaker.stop(now)
                case _:
                    pass
