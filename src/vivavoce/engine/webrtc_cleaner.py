"""The sound processing of WebRTC (AEC3, noise suppression, AGC2), from the package `pywebrtc-audio`.

Why this one: docs/explain/decisions/0012-devices.md.
"""

from typing import Final

from vivavoce.audio.cleaner import Processing
from vivavoce.audio.frame import RATE_HZ, Pcm
from vivavoce.errors import EngineError, Never

try:
    from pywebrtc_audio import AudioProcessor

    found = True
except (ImportError, OSError):  # there is no wheel for this system
    AudioProcessor = None
    found = False

FOUND: Final = found
"""Whether the package is installed and can be loaded."""

NOISE_LEVEL: Final = 2
"""Of WebRTC's levels, 0 to 3."""
MOST_GAIN_DB: Final = 20.0
"""More would bring up a whole room for who sits far away."""


class WebRtcCleaner:
    """One microphone's."""

    def __init__(self, processing: Processing, delay_ms: int) -> None:
        """Begin.

        Args:
            processing: what is to be done.
            delay_ms: how much later than what is `played` an echo is expected at the least.

        Raises:
            EngineError: the package is not installed.
        """
        if AudioProcessor is None:
            raise EngineError("sound cannot be processed here; install pywebrtc-audio", next=Never())
        self._echoes = processing.echo_cancellation
        self._processor = AudioProcessor(
            sample_rate=RATE_HZ,
            echo_cancellation=processing.echo_cancellation,
            noise_suppression=processing.noise_suppression,
            high_pass_filter=True,
            ns_level=NOISE_LEVEL,
            auto_gain_control=processing.gain_control,
            agc_max_gain_db=MOST_GAIN_DB,
            stream_delay_ms=delay_ms,
        )

    def process(self, heard: Pcm, played: Pcm) -> Pcm:
        """See `Cleaner.process`. Other threads go on meanwhile."""
        return self._processor.process(heard, played) if self._echoes else self._processor.process(heard)
