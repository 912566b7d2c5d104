"""A detector that takes loud for spoken."""

import numpy as np

from vivavoce.audio.frame import Pcm, silence

WINDOW = 768
"""Samples per probability, as Silero's at 24 kHz."""

LOUD = 8000
"""A sample value that counts as speech."""


def voice(samples: int) -> Pcm:
    """So many samples of somebody speaking."""
    return np.full(samples, LOUD, dtype=np.int16)


class Ear:
    """Gives the share of loud samples in each window as its probability."""

    def __init__(self) -> None:
        self._held = silence(0)
        self._reported = 0

    def push(self, samples: Pcm) -> list[tuple[float, int]]:
        """More sound.

        Returns:
            For each window that is now whole: its probability, and the samples pushed up to its end.
        """
        sound = np.concatenate((self._held, samples))
        windows = len(sound) // WINDOW
        self._held = sound[windows * WINDOW :]
        reports: list[tuple[float, int]] = []
        for window in sound[: windows * WINDOW].reshape(windows, WINDOW):
            self._reported += WINDOW
            reports.append((np.count_nonzero(np.abs(window) > LOUD // 2) / WINDOW, self._reported))
        return reports
