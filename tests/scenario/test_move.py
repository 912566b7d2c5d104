"""Every legal move of the machines is taken by some conversation: a move that nobody needs has no place in a table."""

from typing import Final

from tests.scenario.taken import Row, rows, watched
from vivavoce.audio.frame import sample_count
from vivavoce.session import output, replies, response, turn
from vivavoce.session.result import CallBegun, Failed, Listed, Thought
from vivavoce.session.track import Window
from vivavoce.testing.cast import Hang, Remote
from vivavoce.testing.script import Script, Terms
from vivavoce.wire.config import Response, ServerVad
from vivavoce.wire.item import McpListedTool

MACHINES: Final = (turn.MOVES, response.MOVES, output.MOVES, replies.MOVES)
LONG: Final = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen."


def talk_it_through() -> None:
    """A few conversations in which everything happens once."""
    call = Script(transcripts=["count", "stop"], replies=[LONG, "All right.", "And more.", "Last."])
    call.speak(0.04)  # a click
    call.wait(0.2)
    call.speak(1.0)
    call.wait(2.0)
    call.speak(0.5)
    call.wait(3.0)
    call.send({"type": "response.create"})
    call.wait(0.1)
    call.send({"type": "response.create", "response": {"conversation": "none"}})
    call.wait(0.3)
    call.send({"type": "output_audio_buffer.clear"})
    call.send({"type": "response.create", "response": {"output_modalities": ["text"]}})
    call.send({"type": "response.cancel"})
    call.send({"type": "response.create", "response": {"output_modalities": ["text"]}})
    call.wait(1.0)
    call.speak(0.5)
    call.send({"type": "input_audio_buffer.commit"})
    call.speak(0.04)
    call.send({"type": "input_audio_buffer.clear"})

    approved = [CallBegun(0, "look"), Thought()]
    remote = Remote({"https://a.example": [Listed((McpListedTool(name="look", input_schema={}),))]}, ["seen", Hang()])
    asking = Script(replies=[approved, approved], remote=remote)
    tools = [{"type": "mcp", "server_label": "a", "server_url": "https://a.example"}]
    asking.send({"type": "session.update", "session": {"type": "realtime", "tools": tools}})
    asking.wait(1.0)
    for _ in range(2):
        asking.send({"type": "response.create"})
        asking.wait(1.0)
        item = {"type": "mcp_approval_response", "approve": True, "approval_request_id": asking.host.items[-1].id}
        asking.send({"type": "conversation.item.create", "item": item})
        asking.wait(1.0)
    asking.send({"type": "response.cancel"})

    broken = Script(transcripts=[Failed("gone"), "go on"], replies=["Two words."], voice=[Hang()])
    broken.speak(0.5)
    broken.wait(1.0)
    broken.speak(0.5)
    broken.wait(40.0)

    limited = Script(terms=Terms(purse=lambda _: []))
    limited.send({"type": "response.create"})
    limited.send({"type": "response.cancel"})
    limited.send({"type": "response.create"})
    limited.wait(0.1)

    turn.Turn().heard(1.0, Window(0, sample_count(100)), ServerVad(), turn.ONSET_MS, lambda _: 0)


def pause_in_mid_turn() -> None:
    """Somebody pauses and goes on, pauses and is committed, and is not waited for at all."""
    halting = Script()
    halting.speak(0.5)
    halting.wait(0.1)
    halting.speak(0.5)
    halting.wait(0.1)
    halting.send({"type": "input_audio_buffer.commit"})
    vad = {"type": "server_vad", "silence_duration_ms": 0}
    audio = {"input": {"turn_detection": vad}}
    halting.send({"type": "session.update", "session": {"type": "realtime", "audio": audio}})
    halting.speak(0.5)
    halting.wait(0.1)


def ask_for_answers() -> None:
    """A client's requests, and everything that a server may do with them."""
    asking = replies.Replies()
    asking.asked("e1")
    asking.asked("e2")
    asking.refused("e2", "conversation_already_has_active_response")
    asking.end(Response(id="r1", conversation_id="c"))
    for id in ("r2", "r3"):
        asking.asked(id)
        asking.refused(id, "conversation_already_has_active_response" if id == "r2" else "invalid_value")
        asking.asked(id)
        asking.begin(Response(id=id, conversation_id="c"))
    asking.asked("e3")
    asking.refused("e3", "conversation_already_has_active_response")
    asking.begin(Response(id="r4", conversation_id="c"))


def test_every_move_in_the_tables_is_taken_by_somebody() -> None:
    with watched() as taken:
        talk_it_through()
        pause_in_mid_turn()
        ask_for_answers()
    allowed = set[Row]().union(*map(rows, MACHINES))
    assert {name for name, *_ in taken} == {machine.name for machine in MACHINES}
    assert allowed - taken == set(), "nobody takes these moves"
    assert taken <= allowed
