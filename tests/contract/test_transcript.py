"""Whole conversations, written down (`contract/transcripts`): valid, in order, read by the client as by the page."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from tests.architecture.source import ROOT
from tests.strict import Reader
from vivavoce.session.answers import Sound
from vivavoce.session.peer import Peer
from vivavoce.testing.order import OrderChecker
from vivavoce.wire.codec import decode_client, decode_server, encode
from vivavoce.wire.event import UnknownEvent

TRANSCRIPTS: Final = sorted((ROOT / "contract" / "transcripts").glob("*.jsonl"))

each = pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@each
def test_a_conversation_is_as_the_sdk_declares_it_and_ends_in_order(path: Path) -> None:
    reader, order = Reader(), OrderChecker()
    for line in lines(path):
        if event_id := line.get("client", {}).get("event_id"):
            reader.sent(event_id)
            order.sent(event_id)
        if "server" in line:
            reader.read(json.dumps(line["server"]))
            event = decode_server(json.dumps(line["server"]))
            assert not isinstance(event, UnknownEvent)
            order.see(event)
    assert order.open == []


@each
def test_what_is_read_is_written_again_word_for_word(path: Path) -> None:
    for line in lines(path):
        for side, decode in (("server", decode_server), ("client", decode_client)):
            if side in line:
                assert json.loads(encode(decode(json.dumps(line[side])))) == line[side]


@each
def test_the_client_shows_the_words_that_were_heard(path: Path) -> None:
    first, *conversation, last = lines(path)
    sound = {"track": Sound.MEDIA, "events": Sound.TEXT}[first["sound"]]
    peer = Peer(ids=lambda prefix: f"{prefix}_mine", sound=sound)
    for line in conversation:
        if "server" in line:
            peer.receive(decode_server(json.dumps(line["server"])), 0.0)
    assert [[caption.role.value, caption.text.strip()] for caption in peer.captions] == last["see"]["captions"]


def test_there_are_conversations_to_read() -> None:
    assert len(TRANSCRIPTS) >= 9
