"""The body of `POST /v1/realtime/calls`."""

from typing import Final

from fuzz import seed
from fuzz.target import Target
from vivavoce.errors import RequestError
from vivavoce.gateway.form import Form
from vivavoce.gateway.offer import OfferReader
from vivavoce.gateway.settings import Limits

LIMITS: Final = Limits(offer_bytes=4096, json_bytes=1024)
"""Small ones, so that they are met."""

BOUNDARY: Final = b"seam"


def form(data: bytes) -> None:
    """A form is a few named fields, all of them parts of the body."""
    fields = Form.read(BOUNDARY, data).fields
    assert len(fields) <= 8
    assert sum(map(len, fields.values())) <= len(data)


def call_body(data: bytes) -> None:
    """The first line is the request's Content-Type, the rest its body."""
    content_type, _, body = data.partition(b"\n")
    reader = OfferReader.of(content_type.decode("latin-1") or None, LIMITS)
    offer = reader.read(body[: reader.limit_bytes])
    assert offer.sdp.startswith("v=0")
    assert len(offer.sdp) <= LIMITS.offer_bytes


def parts(*parts: tuple[bytes, bytes]) -> bytes:
    """A form of parts: what stands after `name=`, and the data."""
    pieces = [b"--seam\r\nContent-Disposition: form-data; name=%s\r\n\r\n%s\r\n" % part for part in parts]
    return b"".join(pieces) + b"--seam--\r\n"


def forms() -> list[bytes]:
    """As SDKs and as browsers write them."""
    session = seed.packed({"type": "realtime", "model": "gpt-realtime"})
    return [
        parts((b'"sdp"', b"v=0\r\n"), (b'"session"', session)),
        parts((b'"sdp"; filename="blob"\r\nContent-Type: application/sdp', b"v=0\r\n"), (b"session", b"null")),
        b"preamble\r\n" + parts((b'"sdp"', b"")) + b"epilogue",
    ]


def bodies() -> list[bytes]:
    """Both kinds, under their content types."""
    types = (b"multipart/form-data; boundary=seam", b'multipart/form-data; charset=utf-8; boundary="seam"')
    wrapped = [kind + b"\n" + body for kind in types for body in forms()]
    return [b"application/sdp\n" + offer for offer in seed.offers() if len(offer) < 3000] + wrapped


DISPOSITION: Final = b"Content-Disposition: form-data; name="
WORDS: Final = (b"--seam", b"--seam--\r\n", DISPOSITION, b"name*=UTF-8''%FF", b"\r\n\r\n")

TARGETS: Final = (
    Target("form", form, forms, (RequestError,), WORDS),
    Target("call_body", call_body, bodies, (RequestError,), (*WORDS, b"boundary=", b'boundary="', b"v=0")),
)
