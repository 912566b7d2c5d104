import base64
import json

import pytest

from vivavoce.dump.scrub import LONGEST, MARGIN, Scrub

CANARY = "sk-canary-0123456789abcdef"
HEX = "0f9d8c7b6a5e4d3c2b1a09f8e7d6c5b4"  # as Azure's keys are: nothing shows what it is

LEAKS: list[object] = [
    {"type": "session.update", "session": {"tools": [{"type": "mcp", "authorization": "canary words"}]}},
    {"type": "session.update", "session": {"tools": [{"headers": {"X-Key": "canary words"}}]}},
    {"type": "x", "client_secret": {"value": "canary words", "expires_at": 1}},
    {"type": "x", "api_key": "canary words"},
    {"type": "x", "Access-Token": "canary words"},
    {"type": "x", "password": ["canary words"]},
    {"type": "error", "error": {"message": f"Incorrect API key provided: {CANARY}."}},
    {"type": "x", "server_url": "https://someone:canary@far.example/mcp?key=canary"},
    {"type": "x", "text": "Authorization: Bearer canary-0123"},
    {"type": "x", "text": "ek_canary0123456"},
    {CANARY: 1},
]


@pytest.mark.parametrize("event", LEAKS)
def test_no_secret_is_written_wherever_it_stands(event: object) -> None:
    written = json.dumps(Scrub().event(json.dumps(event)))
    assert "canary" not in written
    assert "***" in written


def test_words_that_were_used_as_a_secret_are_struck_out_whatever_they_look_like() -> None:
    scrub = Scrub()
    scrub.hide(HEX)
    scrub.hide("")
    scrub.hide("short")
    assert HEX not in json.dumps(scrub.event(json.dumps({"type": "x", "text": f"it was {HEX}, short"})))
    assert HEX not in scrub.text(f"not json {HEX}")
    assert HEX not in scrub.sdp(f"a=note:{HEX}")


def test_words_stay_and_sound_and_pictures_leave_their_length() -> None:
    sound = base64.b64encode(bytes(4800)).decode()
    scrub = Scrub()
    told = scrub.event(json.dumps({"type": "input_audio_buffer.append", "audio": sound}))
    assert told == {"type": "input_audio_buffer.append", "audio": "<sound: 4800 bytes>"}
    told = scrub.event(json.dumps({"type": "response.output_audio.delta", "delta": sound, "item_id": "item_1"}))
    assert told == {"type": "response.output_audio.delta", "delta": "<sound: 4800 bytes>", "item_id": "item_1"}
    told = scrub.event(json.dumps({"type": "response.output_text.delta", "delta": "My token of love"}))
    assert told == {"type": "response.output_text.delta", "delta": "My token of love"}
    told = scrub.event(json.dumps({"image_url": "data:image/png;base64,AAAA"}))
    assert told == {"image_url": "<image/png: 26 characters>"}
    usage = {"usage": {"total_tokens": 3, "input_token_details": {"text_tokens": 1}}}
    assert scrub.event(json.dumps(usage)) == usage


def test_nothing_goes_on_for_ever() -> None:
    told = Scrub().text("word " * LONGEST)
    assert len(told) < LONGEST + 50
    assert f"{5 * LONGEST} characters" in told
    assert Scrub().event("[") == "["


@pytest.mark.parametrize("before", range(0, 40, 5))
def test_a_secret_does_not_come_through_where_a_text_is_cut(before: int) -> None:
    scrub = Scrub([HEX])
    for place in (LONGEST, LONGEST + MARGIN):
        told = scrub.text(f"{HEX} {'w' * (place - len(HEX) - 1 - before)}{HEX}{'w' * place}")
        assert not any(HEX[:length] in told for length in range(8, len(HEX)))


def test_of_an_sdp_nothing_is_written_that_a_stranger_could_join_in_with() -> None:
    sdp = "\r\n".join(
        [
            "v=0",
            "a=ice-ufrag:abcd",
            "a=ice-pwd:canary",
            "a=fingerprint:sha-256 AB:CD",
            "a=crypto:1 AES canary",
            "k=clear:canary",
            "a=candidate:1 1 udp 1 192.0.2.1 4000 typ host",
        ]
    )
    assert Scrub().sdp(sdp).splitlines() == [
        "v=0",
        "a=ice-ufrag:abcd",
        "a=fingerprint:sha-256 AB:CD",
        "a=candidate:1 1 udp 1 192.0.2.1 4000 typ host",
    ]
