"""What `POST /v1/realtime/calls` brings: an SDP offer and perhaps a session config. Pure.

Raw `application/sdp` comes from browsers that hold a client secret; a form with `sdp` and `session` from
backends. SDKs label the form's parts with content types, browser samples do not, and the Python SDK sends the
JSON text `null` when it was told to use no session; a part left empty means the same.
"""

from dataclasses import dataclass
from enum import Enum

from python_multipart.multipart import parse_options_header

from vivavoce.errors import RequestError
from vivavoce.gateway.form import Form
from vivavoce.gateway.settings import Limits
from vivavoce.wire.codec import decode_session_part
from vivavoce.wire.config import Session

_FRAME_BYTES = 8 * 1024
"""Room for boundaries and part headers."""
_BOUNDARY_BYTES = 70
"""RFC 2046, section 5.1.1."""


class BodyKind(Enum):
    """How the offer is wrapped."""

    RAW = "application/sdp"
    FORM = "multipart/form-data"


@dataclass(frozen=True)
class Offer:
    """The offer, line ends as they came, and the session that the same body asks for."""

    sdp: str
    session: Session | None


@dataclass(frozen=True)
class OfferReader:
    """Reads bodies of one content type."""

    kind: BodyKind
    boundary: bytes
    limits: Limits

    @classmethod
    def of(cls, content_type: str | None, limits: Limits) -> "OfferReader":
        """The reader for a request's `Content-Type`, before its body is read.

        Raises:
            RequestError: neither of the two kinds (415), or a form without a boundary.
        """
        name, options = parse_options_header(content_type)
        match name.decode("latin-1").lower():
            case BodyKind.RAW.value:
                return cls(BodyKind.RAW, b"", limits)
            case BodyKind.FORM.value:
                boundary = options.get(b"boundary", b"")
                if not 0 < len(boundary) <= _BOUNDARY_BYTES:
                    raise RequestError(
                        f"The Content-Type names no boundary of 1 to {_BOUNDARY_BYTES} characters.",
                        code="invalid_multipart",
                    )
                return cls(BodyKind.FORM, boundary, limits)
            case _:
                raise RequestError(
                    "Unsupported content type. Send an SDP offer as application/sdp, or multipart/form-data "
                    "with the parts sdp and session.",
                    code="unsupported_content_type",
                    status=415,
                )

    @property
    def limit_bytes(self) -> int:
        """How long such a body may be."""
        match self.kind:
            case BodyKind.RAW:
                return self.limits.offer_bytes
            case BodyKind.FORM:
                return self.limits.offer_bytes + self.limits.json_bytes + _FRAME_BYTES

    def read(self, body: bytes) -> Offer:
        """What the body holds.

        Raises:
            RequestError: not SDP, a missing, unknown or oversized part, or a session that cannot be read.
        """
        if self.kind is BodyKind.RAW:
            return Offer(_sdp(body), None)
        fields = Form.read(self.boundary, body).fields
        for name in fields.keys() - {"sdp", "session"}:
            raise RequestError(
                "The form has an unknown part; the parts are sdp and session.",
                code="unknown_parameter",
                param=name[:64],
            )
        if "sdp" not in fields:
            raise RequestError("The form has no part 'sdp'.", code="missing_required_parameter", param="sdp")
        self._bound(fields, "sdp", self.limits.offer_bytes)
        self._bound(fields, "session", self.limits.json_bytes)
        session = fields.get("session", b"")
        return Offer(_sdp(fields["sdp"]), decode_session_part(session) if session.strip() else None)

    @staticmethod
    def _bound(fields: dict[str, bytes], name: str, limit_bytes: int) -> None:
        if len(fields.get(name, b"")) > limit_bytes:
            raise RequestError(
                f"The part '{name}' is larger than the {limit_bytes} bytes that are allowed.",
                code="request_too_large",
                param=name,
                status=413,
            )


def invalid_offer(why: str) -> RequestError:
    """A 400 as the live service words it, with the reason."""
    return RequestError(
        f"Invalid SDP offer: {why.rstrip('.')}. Please try again with a WHIP-compliant offer.", code="invalid_offer"
    )


def _sdp(body: bytes) -> str:
    try:
        sdp = body.decode()
    except UnicodeDecodeError:
        raise invalid_offer("it is not UTF-8") from None
    if not sdp.startswith("v=0"):
        raise invalid_offer("it does not start with 'v=0'")
    return sdp
