"""Sound that a client sends inside events."""

from binascii import a2b_base64
from typing import Final

from vivavoce.audio.format import Decoder
from vivavoce.audio.frame import RATE_HZ, Pcm
from vivavoce.errors import RequestError

BYTES: Final = 15 * 1024 * 1024
"""Decoded bytes that one event may carry, by the published types."""

SECONDS: Final = BYTES / 2 / RATE_HZ
"""How long that is as 16-bit sound. A telephone format fits six times as much into as many bytes, more than any
call should have to hold."""

PIECE: Final = 2**18
"""Characters that are decoded in one go. The interpreter serves nobody else meanwhile, half a millisecond."""


def decoded(audio: str) -> bytes:
    """The bytes of base64 of any length.

    Raises:
        ValueError: it is none.
    """
    pieces: list[bytes] = []
    for start in range(0, len(audio), PIECE):
        piece = a2b_base64(audio[start : start + PIECE], strict_mode=True)
        if start + PIECE < len(audio) and len(piece) != PIECE // 4 * 3:
            raise ValueError("there is more behind the end")
        pieces.append(piece)
    return b"".join(pieces)


class Upload:
    """One stream of sound in one of the protocol's formats, in pieces."""

    def __init__(self, format_name: str) -> None:
        self._decoder = Decoder(format_name)
        self._limit = min(BYTES, int(SECONDS * self._decoder.format.rate_hz * self._decoder.format.sample_bytes))

    @property
    def format_name(self) -> str:
        """The format as the protocol names it."""
        return self._decoder.format.value

    def read(self, audio: str, param: str) -> Pcm:
        """The next piece, from base64.

        Raises:
            RequestError: not base64, too much, or half a sample (`invalid_value`). The stream is unharmed.
        """
        # Four characters for three bytes: what is too long need not be decoded to be known as such.
        size = len(audio) * 3 // 4
        if size > self._limit + 2:
            raise RequestError(
                f"Invalid '{param}': about {size} bytes of audio, at most {self._limit} of this format fit in one "
                "event. Send less at a time.",
                code="invalid_value",
                param=param,
            )
        try:
            data = decoded(audio)
        except ValueError:
            raise RequestError(
                f"Invalid '{param}': expected base64-encoded audio.", code="invalid_value", param=param
            ) from None
        try:
            return self._decoder.decode(data)
        except ValueError as problem:
            raise RequestError(f"Invalid '{param}': {problem}.", code="invalid_value", param=param) from None
