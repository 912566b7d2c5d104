"""Sound that waits to be heard."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from vivavoce.audio.frame import Pcm, sample_count, silence
from vivavoce.audio.queue import SampleQueue
from vivavoce.transport.interface import Played

FRAME: Final = sample_count(20)
"""Samples of one beat."""
HUSH_FRAMES: Final = 100
"""Frames of silence written after the last sound: two seconds. A WebRTC listener who gets nothing more at once hears
the last vowel drawn out for another 150 ms, and a scrap of it again before the next word, since a jitter buffer
invents what is missing from what it had; 60 ms cure that. The rest bridges the gaps between the sentences of an
answer, in which resting an encoder (`webrtc.gate`) is not worth while (both measured with libwebrtc)."""


@dataclass(frozen=True)
class _Silent:
    """Nothing sounds; `hush` frames of silence are still to be written."""

    hush: int


@dataclass(frozen=True)
class _Sounding:
    """Sound leaves."""


class Playback:
    """A queue of samples and the count of those that have left it.

    Called once per beat, it knows when sound starts and when it has run dry. It does not know where the samples go.
    """

    def __init__(self) -> None:
        self._queue = SampleQueue()
        self._played = 0
        self._state: _Silent | _Sounding = _Silent(hush=0)

    @property
    def played(self) -> int:
        """Samples that have left since the start."""
        return self._played

    @property
    def queued(self) -> int:
        """Samples that wait."""
        return len(self._queue)

    def push(self, samples: Pcm) -> None:
        """Add samples to the end of the queue."""
        self._queue.push(samples)

    def pull(self, count: int) -> tuple[Pcm | None, Played | None]:
        """What to write for the next `count` samples of time, and what to say about it.

        Returns:
            The samples, filled up with silence at the end of the queue, or None if nothing is to be written;
            and `Played` if sound has just started or has just run dry.
        """
        match self._state:
            case _Silent(hush) if not self._queue:
                self._state = _Silent(max(0, hush - count // FRAME))
                return (silence(count) if hush else None), None
            case _Silent():
                self._state = _Sounding()
                sound = self._take(count)
                return sound, Played(self._played)
            case _Sounding() if not self._queue:
                self._state = _Silent(HUSH_FRAMES - count // FRAME)
                return silence(count), Played(self._played)
            case _Sounding():
                return self._take(count), None

    def flush(self) -> int:
        """Drop what waits; return the count of what has left."""
        self._queue.clear()
        if isinstance(self._state, _Sounding):
            self._state = _Silent(HUSH_FRAMES)
        return self._played

    def _take(self, count: int) -> Pcm:
        samples = self._queue.take(count)
        self._played += len(samples)
        return samples if len(samples) == count else np.concatenate([samples, silence(count - len(samples))])
