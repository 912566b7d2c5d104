"""The sound formats that the protocol names, to and from samples at 24 kHz.

`audio/pcm` is 16-bit little-endian mono at 24 kHz; `audio/pcmu` and `audio/pcma` are G.711 at 8 kHz (the
`format.type` of OpenAI's realtime session). Base64 is not theirs. One `Decoder` or `Encoder` per stream:
between telephone and wideband each keeps the tail of what went before.
"""

from enum import Enum

import numpy as np

from vivavoce.audio import g711
from vivavoce.audio.frame import RATE_HZ, Pcm, from_bytes, to_bytes
from vivavoce.audio.resampler import Resampler


class Format(Enum):
    """A wire format by its name on the wire."""

    PCM = "audio/pcm"
    PCMU = "audio/pcmu"
    PCMA = "audio/pcma"

    @property
    def rate_hz(self) -> int:
        """Samples per second on the wire."""
        return RATE_HZ if self is Format.PCM else g711.RATE_HZ

    @property
    def sample_bytes(self) -> int:
        """Bytes per sample on the wire."""
        return 2 if self is Format.PCM else 1


def format_named(name: str) -> Format:
    """The format of that name.

    Raises:
        ValueError: an unknown name; the message lists the known ones.
    """
    try:
        return Format(name)
    except ValueError:
        known = ", ".join(one.value for one in Format)
        raise ValueError(f"unknown audio format {name!r}; known are {known}") from None


class Decoder:
    """Bytes of one stream to samples at 24 kHz."""

    def __init__(self, name: str) -> None:
        """Start a stream.

        Raises:
            ValueError: an unknown format name.
        """
        self.format = format_named(name)
        self._resampler = Resampler(self.format.rate_hz, RATE_HZ)

    def decode(self, data: bytes) -> Pcm:
        """Samples at 24 kHz that are ready; telephone formats hold back up to 5 ms.

        Raises:
            ValueError: 16-bit sound with an odd number of bytes. The stream is unharmed.
        """
        match self.format:
            case Format.PCM:
                if len(data) % 2:
                    raise ValueError(f"16-bit audio needs an even number of bytes, got {len(data)}")
                return from_bytes(data)
            case Format.PCMU:
                return self._resampler.push(g711.ulaw_to_pcm(data))
            case Format.PCMA:
                return self._resampler.push(g711.alaw_to_pcm(data))

    def flush(self) -> Pcm:
        """What was held back; afterwards a new stream may begin."""
        return self._resampler.flush()


class Encoder:
    """Samples at 24 kHz of one stream to bytes."""

    def __init__(self, name: str) -> None:
        """Start a stream.

        Raises:
            ValueError: an unknown format name.
        """
        self.format = format_named(name)
        self._resampler = Resampler(RATE_HZ, self.format.rate_hz)

    def encode(self, samples: Pcm) -> bytes:
        """Bytes that are ready; telephone formats hold back up to 5 ms."""
        return self._pack(self._resampler.push(np.ascontiguousarray(samples)))

    def flush(self) -> bytes:
        """What was held back; afterwards a new stream may begin."""
        return self._pack(self._resampler.flush())

    def _pack(self, samples: Pcm) -> bytes:
        match self.format:
            case Format.PCM:
                return to_bytes(samples)
            case Format.PCMU:
                return g711.pcm_to_ulaw(samples)
            case Format.PCMA:
                return g711.pcm_to_alaw(samples)
