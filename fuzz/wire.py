"""Readers of JSON: events of both sides, and bodies of HTTP requests."""

from typing import Final

from fuzz import seed
from fuzz.target import Target
from vivavoce.errors import RefusedError, RequestError
from vivavoce.wire.codec import (
    decode_client,
    decode_secret,
    decode_secret_request,
    decode_server,
    decode_session,
    decode_session_part,
    encode,
)
from vivavoce.wire.event import UnknownEvent

CODES: Final = {"invalid_json", "invalid_type", "invalid_value", "missing_required_parameter", "unknown_parameter"}


def client_event(data: bytes) -> None:
    """An event is read as it would be written, or refused in the protocol's words."""
    try:
        event = decode_client(data)
    except RequestError as refused:
        assert refused.code in CODES, refused.code
        assert refused.type == "invalid_request_error"
        assert refused.message
        raise
    assert decode_client(encode(event)) == event


def server_event(data: bytes) -> None:
    """An event is never refused, and unknown ones stay as they were."""
    event = decode_server(data)
    if isinstance(event, UnknownEvent):
        assert event.why
        assert encode(event) == data.decode(errors="replace")
    else:
        assert decode_server(encode(event)) == event


def body(data: bytes) -> None:
    """Each reader of a body reads it or says why not; the provider's secret is never quoted."""
    for read in (decode_session, decode_session_part, decode_secret_request, decode_secret):
        try:
            read(data)
        except (RequestError, RefusedError) as refused:
            assert refused.message


def bodies() -> list[bytes]:
    """Good ones."""
    secret = {"value": "ek_of_the_fuzzer", "expires_at": 1_800_000_000, "session": seed.SESSION}
    wanted = {"expires_after": {"anchor": "created_at", "seconds": 600}, "session": seed.LISTENING}
    return [b"null", *map(seed.packed, (seed.SESSION, seed.LISTENING, secret, wanted))]


TARGETS: Final = (
    Target("client_event", client_event, seed.client_events, (RequestError,), seed.json_words()),
    Target("server_event", server_event, seed.server_events, (), seed.json_words()),
    Target("body", body, bodies, (), seed.json_words()),
)
