"""The noise suppressor of WebRTC, from the package `webrtc-noise-gain`, which is there for Linux only."""

from typing import Final, Literal

import numpy as np

from vivavoce.audio.frame import Pcm, from_bytes, to_bytes
from vivavoce.audio.noise import FRAME
from vivavoce.errors import EngineError, Never

try:
    from webrtc_noise_gain import AudioProcessor

    found = True
except (ImportError, OSError):  # there is no wheel for this system
    AudioProcessor = None
    found = False

FOUND: Final = found
"""Whether the package is installed and can be loaded."""

DELAY: Final = 95
"""Samples at 16 kHz, measured."""
LEVELS: Final = {"near_field": 2, "far_field": 4}
"""WebRTC's levels, 0 to 4. Its gain control stays off: how loud somebody speaks is not noise."""


class WebRtcNoise:
    """One stream's suppressor."""

    delay = DELAY

    def __init__(self, kind: Literal["near_field", "far_field"]) -> None:
        """Load it.

        Raises:
            EngineError: the package is not installed.
        """
        if AudioProcessor is None:
            raise EngineError("noise cannot be reduced here; install webrtc-noise-gain", next=Never())
        self._processor = AudioProcessor(0, LEVELS[kind])

    def process(self, samples: Pcm) -> Pcm:
        """See `Suppressor.process`."""
        return np.concatenate(
            [
                from_bytes(self._processor.Process10ms(to_bytes(samples[at : at + FRAME])).audio)
                for at in range(0, len(samples), FRAME)
            ]
        )
