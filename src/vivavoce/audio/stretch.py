"""Speech made longer and no deeper, as a stream: waveform-similarity overlap-add (WSOLA; Verhelst and Roelands, 1993).

Windows of the input are laid over one another more closely spaced than they were taken. Each is taken from where it
continues best what the one before it began, within `SEARCH` of where it should be, so that pitch periods meet.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.frame import Pcm, sample_count

WINDOW: Final = sample_count(40)
HOP: Final = WINDOW // 2
SEARCH: Final = sample_count(10)
"""Half the period of the deepest voice."""

Floats = NDArray[np.float32]

_FADE: Final[Floats] = np.hanning(WINDOW + 1)[:HOP].astype(np.float32)


class Stretch:
    """One stream, int16 mono at 24 kHz. Looks ahead by up to `WINDOW + HOP + SEARCH` samples, 70 ms."""

    def __init__(self, factor: float) -> None:
        """Begin.

        Args:
            factor: how many times as long it becomes, from 1 to 4.

        Raises:
            ValueError: another factor.
        """
        if not 1 <= factor <= 4:
            raise ValueError(f"speech can be stretched 1 to 4 times, not {factor}")
        self._factor = factor
        self._sound: Floats = np.zeros(0, np.float32)
        self._first = 0  # which sample of the stream `_sound` begins with
        self._count = 0  # windows laid so far
        self._next = 0  # where the last window goes on
        self._given = 0

    def push(self, samples: Pcm) -> Pcm:
        """More sound in; what is ready of the longer one."""
        self._sound = np.concatenate((self._sound, samples.astype(np.float32)))
        pieces: list[Floats] = []
        while (place := self._place()) is not None:
            pieces.append(self._lay(place))
        return self._give(pieces)

    def flush(self) -> Pcm:
        """The rest, now that no more comes: in all `factor` times what was pushed, rounded."""
        wanted = round((self._first + len(self._sound)) * self._factor)
        tail = np.zeros(WINDOW + HOP + SEARCH, np.int16)
        pieces: list[Pcm] = []
        while self._given < wanted:
            pieces.append(self.push(tail))
        surplus = self._given - wanted
        rest = np.concatenate(pieces) if pieces else np.zeros(0, np.int16)
        return rest[: len(rest) - surplus]

    def _place(self) -> int | None:
        """Where the next window is taken; None while it cannot be known."""
        ideal = round(self._count * HOP / self._factor)
        low, high = max(0, ideal - SEARCH), ideal + SEARCH
        if self._first + len(self._sound) < max(high, self._next) + WINDOW:
            return None
        if self._count == 0:
            return 0
        begun = self._cut(self._next, WINDOW)
        field = self._cut(low, high - low + WINDOW)
        likeness = np.correlate(field, begun, "valid")
        squares = np.concatenate(([0.0], np.cumsum(np.square(field, dtype=np.float64))))
        power = squares[WINDOW:] - squares[:-WINDOW]
        return low + int(np.argmax(likeness / np.sqrt(power + 1.0)))

    def _lay(self, place: int) -> Floats:
        """Half a window of the longer sound: what the last window began fades into the one that is taken at `place`."""
        taken = self._cut(place, HOP)
        if self._count:
            taken = taken * _FADE + self._cut(self._next, HOP) * (1 - _FADE)
        self._count += 1
        self._next = place + HOP
        unneeded = min(self._next, max(0, round(self._count * HOP / self._factor) - SEARCH)) - self._first
        if unneeded > 0:
            self._sound = self._sound[unneeded:]
            self._first += unneeded
        return taken.astype(np.float32, copy=False)

    def _cut(self, start: int, length: int) -> Floats:
        return self._sound[start - self._first : start - self._first + length]

    def _give(self, pieces: list[Floats]) -> Pcm:
        sound = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
        self._given += len(sound)
        return np.rint(sound).clip(-32_768, 32_767).astype(np.int16)
