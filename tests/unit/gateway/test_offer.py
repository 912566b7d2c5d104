import pytest

from tests.unit.gateway.stand import OFFER
from tests.unit.gateway.test_form import body, part
from vivavoce.errors import RequestError
from vivavoce.gateway.offer import Offer, OfferReader
from vivavoce.gateway.settings import Limits
from vivavoce.wire.config import RealtimeSession

FORM = "multipart/form-data; boundary=b"
LIMITS = Limits(offer_bytes=1000, json_bytes=500)


def read(content_type: str | None, content: bytes) -> Offer:
    return OfferReader.of(content_type, LIMITS).read(content)


@pytest.mark.parametrize("content_type", ["application/sdp", "Application/SDP", "application/sdp; charset=utf-8"])
def test_a_raw_offer_is_taken_as_it_is(content_type: str) -> None:
    assert read(content_type, OFFER.encode()) == Offer(OFFER, None)


@pytest.mark.parametrize("content_type", [FORM, 'multipart/form-data; boundary="b"', "Multipart/Form-Data; Boundary=b"])
def test_a_form_holds_the_offer_and_the_session(content_type: str) -> None:
    session = '{"type":"realtime","model":"house"}'
    with_types = body(
        part("sdp", OFFER, "Content-Type: application/sdp"), part("session", session, "Content-Type: application/json")
    )
    without = body(part("session", session), part("sdp", OFFER))
    for content in (with_types, without):
        assert read(content_type, content) == Offer(OFFER, RealtimeSession(model="house"))


@pytest.mark.parametrize("parts", [[], [part("session", "null")], [part("session", " null\n")], [part("session", "")]])
def test_no_session_is_no_session_however_it_is_said(parts: list[str]) -> None:
    assert read(FORM, body(part("sdp", OFFER), *parts)) == Offer(OFFER, None)


@pytest.mark.parametrize(
    "content_type", [None, "", "text/plain", "application/json", "application/x-www-form-urlencoded", ";", "é"]
)
def test_other_content_types_are_refused_before_the_body(content_type: str | None) -> None:
    with pytest.raises(RequestError) as refused:
        OfferReader.of(content_type, LIMITS)
    assert (refused.value.status, refused.value.code) == (415, "unsupported_content_type")


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=", f"multipart/form-data; boundary={'x' * 71}"],
)
def test_a_form_needs_a_boundary_of_lawful_length(content_type: str) -> None:
    with pytest.raises(RequestError) as refused:
        OfferReader.of(content_type, LIMITS)
    assert (refused.value.status, refused.value.code) == (400, "invalid_multipart")


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff\xfe", b'{"sdp": "v=0"}', b" v=0\r\n"])
def test_what_is_not_sdp_is_an_invalid_offer(content: bytes) -> None:
    for content_type, sent in (
        ("application/sdp", content),
        (FORM, body(part("sdp", ""))[:-9] + content + b"\r\n--b--\r\n"),
    ):
        with pytest.raises(RequestError) as refused:
            read(content_type, sent)
        assert (refused.value.status, refused.value.code, refused.value.param) == (400, "invalid_offer", None)


@pytest.mark.parametrize(
    ("content", "status", "code", "param"),
    [
        (body(part("session", "null")), 400, "missing_required_parameter", "sdp"),
        (body(part("sdp", OFFER), part("model", "house")), 400, "unknown_parameter", "model"),
        (body(part("sdp", OFFER), part("session", "{")), 400, "invalid_json", None),
        (body(part("sdp", OFFER), part("session", "[]")), 400, "invalid_type", "session"),
        (body(part("sdp", OFFER), part("session", "{}")), 400, "missing_required_parameter", "session.type"),
        (
            body(part("sdp", OFFER), part("session", '{"type":"realtime","voise":1}')),
            400,
            "unknown_parameter",
            "session.voise",
        ),
        (
            body(part("sdp", OFFER), part("session", '{"type":"realtime","model":1}')),
            400,
            "invalid_type",
            "session.model",
        ),
        (body(part("sdp", OFFER + "a" * 1000)), 413, "request_too_large", "sdp"),
        (body(part("sdp", OFFER), part("session", " " * 501)), 413, "request_too_large", "session"),
    ],
)
def test_a_fault_in_a_form_is_named_with_its_place(content: bytes, status: int, code: str, param: str | None) -> None:
    with pytest.raises(RequestError) as refused:
        read(FORM, content)
    assert (refused.value.status, refused.value.code, refused.value.param) == (status, code, param)


def test_how_much_may_be_sent_depends_on_what_it_is() -> None:
    assert OfferReader.of("application/sdp", LIMITS).limit_bytes == 1000
    assert 1500 < OfferReader.of(FORM, LIMITS).limit_bytes < 1500 + 10_000
