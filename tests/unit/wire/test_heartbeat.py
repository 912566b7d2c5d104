"""A sign of life, as it travels."""

import pytest
from msgspec import UNSET

from vivavoce.wire.codec import encode
from vivavoce.wire.heartbeat import (
    ConnectionClosing,
    ConnectionPing,
    ConnectionPong,
    decode_closing,
    decode_ping,
    decode_pong,
)


@pytest.mark.parametrize("event_id", ["event_1", UNSET])
def test_a_ping_is_read_as_it_was_sent(event_id: str) -> None:
    ping = ConnectionPing(event_id=event_id)
    assert decode_ping(encode(ping)) == ping


def test_a_pong_names_the_ping_that_it_answers() -> None:
    pong = ConnectionPong(event_id="event_2", ping_event_id="event_1")
    assert encode(pong) == '{"type":"connection.pong","event_id":"event_2","ping_event_id":"event_1"}'
    assert decode_pong(encode(pong)) == pong


def test_last_words_say_what_a_close_frame_would() -> None:
    closing = ConnectionClosing(code=1012, reason="restart")
    assert encode(closing) == '{"type":"connection.closing","code":1012,"reason":"restart"}'
    assert decode_closing(encode(closing)) == closing
    assert decode_closing('{"type":"connection.closing"}') is None


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"input_audio_buffer.clear"}',
        '{"type":"input_audio_buffer.clear","event_id":"connection.ping"}',
        '{"type":"connection.ping","event_id":7}',
        '{"type":"connection.ping"',
        '{"type":"connection.ping","padding":"' + 1024 * "x" + '"}',
        '["connection.ping"]',
    ],
)
def test_what_is_no_ping_is_left_to_whoever_reads_the_rest(text: str) -> None:
    assert decode_ping(text) is None
