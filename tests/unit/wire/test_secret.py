"""Client secrets on the wire."""

from msgspec import json

from vivavoce.wire.config import RealtimeSession
from vivavoce.wire.secret import ClientSecret, ClientSecretRequest, ExpiresAfter


def test_a_secret_is_written_as_the_protocol_has_it() -> None:
    secret = ClientSecret(value="ek_x", expires_at=1790000000, session=RealtimeSession(id="sess_1", expires_at=0))
    assert json.encode(secret).decode() == (
        '{"value":"ek_x","expires_at":1790000000,"session":{"type":"realtime","id":"sess_1","expires_at":0}}'
    )


def test_a_request_leaves_out_what_it_does_not_ask_for() -> None:
    assert json.encode(ClientSecretRequest()) == b"{}"
    request = ClientSecretRequest(expires_after=ExpiresAfter(seconds=60))
    assert json.encode(request) == b'{"expires_after":{"seconds":60}}'
