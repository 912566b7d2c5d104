"""Sound inside events."""

from base64 import b64encode
from typing import Final

import numpy as np

from fuzz.target import Target
from vivavoce.audio.format import Format
from vivavoce.errors import RequestError
from vivavoce.session.upload import Upload


def upload(data: bytes) -> None:
    """Two pieces of one stream in each format: what is refused in between harms nothing."""
    first, _, second = data.partition(b"\n")
    for format in Format:
        stream, same = Upload(format.value), Upload(format.value)
        samples = stream.read("AAAA", "audio"), same.read("AAAA", "audio")
        assert np.array_equal(*samples)
        try:
            piece = stream.read(first.decode(errors="surrogateescape"), "audio")
        except RequestError as refused:
            assert (refused.code, refused.param) == ("invalid_value", "audio")
            assert np.array_equal(stream.read("AAAA", "audio"), same.read("AAAA", "audio"))
        else:
            assert piece.dtype == np.int16
        if format is not Format.PCM:
            stream.read(second.decode(errors="replace"), "audio")


def pieces() -> list[bytes]:
    """Good ones."""
    return [b"AAAA\nAAAA", b64encode(bytes(range(256))) + b"\n" + b64encode(b"odd"), b"\n", b"AA==\nAA="]


TARGETS: Final = (Target("upload", upload, pieces, (RequestError,), (b"=", b"==", b"AAAA", b"-", b"_")),)
