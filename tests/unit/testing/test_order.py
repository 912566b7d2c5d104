"""A judge of order must acquit what is right and catch every kind of wrong."""

from collections.abc import Sequence

import msgspec
import pytest

from vivavoce.session.answers import Sound
from vivavoce.session.result import CallArguments, CallBegun, Thought, Words
from vivavoce.testing.order import OrderChecker
from vivavoce.testing.script import Script
from vivavoce.wire.codec import decode_server
from vivavoce.wire.event import ServerEvent, UnknownEvent

Event = dict[str, object]


def make(type: str, **fields: object) -> Event:
    return {"type": type, **fields}


def made(type: str, item_id: str = "a", **fields: object) -> Event:
    """Something of an item of the response."""
    place: Event = {"response_id": "r", "item_id": item_id, "output_index": 0}
    return make(f"response.{type}") | place | fields


def part(type: str, content_index: int = 0, **fields: object) -> Event:
    """Something of a part of the message."""
    return made(type) | {"content_index": content_index} | fields


def message(words: str | None, status: str) -> Event:
    content = [] if words is None else [{"type": "output_audio", "transcript": words}]
    return {"id": "a", "type": "message", "role": "assistant", "status": status, "content": content}


def response(status: str, id: str = "r", conversation_id: str | None = "c", **fields: object) -> Event:
    whole: Event = {"id": id, "status": status, "output": [], "usage": None, "conversation_id": conversation_id}
    return {"response": whole | fields}


EMPTY, SAID = message(None, "in_progress"), message("Yes.", "completed")
ASKED: Event = {"id": "u", "type": "message", "role": "user", "status": "completed", "content": []}
USED: Event = {"total_tokens": 3, "input_tokens": 1, "output_tokens": 2}
DONE: Event = make("response.done") | response("completed", output=[SAID], usage=USED)

TURN = [
    make("session.created", session={"type": "realtime"}),
    make("input_audio_buffer.speech_started", item_id="u", audio_start_ms=100),
    make("input_audio_buffer.speech_stopped", item_id="u", audio_end_ms=900),
    make("input_audio_buffer.committed", item_id="u", previous_item_id=None),
    make("conversation.item.added", previous_item_id=None, item=ASKED),
    make("conversation.item.done", previous_item_id=None, item=ASKED),
]
ANSWER = [
    make("response.created") | response("in_progress"),
    make("response.output_item.added", response_id="r", output_index=0, item=EMPTY),
    make("conversation.item.added", previous_item_id="u", item=EMPTY),
    part("content_part.added", part={"type": "audio", "transcript": ""}),
    part("output_audio_transcript.delta", delta="Yes."),
    make("output_audio_buffer.started", response_id="r"),
    part("output_audio.done"),
    part("output_audio_transcript.done", transcript="Yes."),
    part("content_part.done", part={"type": "audio", "transcript": "Yes."}),
    make("response.output_item.done", response_id="r", output_index=0, item=SAID),
    make("conversation.item.done", previous_item_id="u", item=SAID),
    DONE,
    make("output_audio_buffer.stopped", response_id="r"),
]
WHOLE = [*TURN, *ANSWER]


def told(events: Sequence[Event]) -> list[ServerEvent]:
    """The events as a client reads them, each with an id of its own."""
    found: list[ServerEvent] = []
    for place, event in enumerate(events):
        read = decode_server(msgspec.json.encode({"event_id": f"event_{place}"} | event))
        assert not isinstance(read, UnknownEvent), read.why
        found.append(read)
    return found


def judge(events: Sequence[Event]) -> OrderChecker:
    checker = OrderChecker()
    for event in told(events):
        checker.see(event)
    return checker


def fault(events: Sequence[Event]) -> str:
    """What the judge says of the last event; all before it is right."""
    checker = judge(events[:-1])
    with pytest.raises(AssertionError) as caught:
        checker.see(told(events)[-1])
    return str(caught.value)


def test_a_spoken_turn_and_its_answer_are_in_order() -> None:
    checker = judge(WHOLE)
    assert checker.item_ids == ["u", "a"]
    assert checker.open == []


def test_what_is_open_can_be_told() -> None:
    assert judge(WHOLE[:4]).open == ["u was committed, not added"]
    assert judge(WHOLE[:8]).open == ["r is running"]
    assert judge(WHOLE[:12]).open == ["r is running", "r is playing"]
    assert judge(WHOLE[:-1]).open == ["r is playing"]
    assert judge(WHOLE[:8]).active == "r"
    assert judge(WHOLE).active is None
    assert judge(WHOLE).in_band("r")


# What may be missing without anybody noticing: a turn that the client commits or puts in itself, a silent answer.
SPARE = [[1, 2], [2], [1, 2, 3], [11, 18], [18]]


@pytest.mark.parametrize("missing", SPARE)
def test_something_may_be_missing(missing: list[int]) -> None:
    judge([event for place, event in enumerate(WHOLE) if place not in missing])


@pytest.mark.parametrize("missing", [0, 1, *range(4, 18)])
def test_but_nothing_else_may(missing: int) -> None:
    with pytest.raises(AssertionError):
        judge(WHOLE[:missing] + WHOLE[missing + 1 :])


@pytest.mark.parametrize("place", range(len(WHOLE)))
def test_nothing_may_come_twice(place: int) -> None:
    with pytest.raises(AssertionError):
        judge(WHOLE[: place + 1] + WHOLE[place:])


HARMLESS = {10, 11, 12, 15}
"""What may change places with the event behind it."""


@pytest.mark.parametrize("place", range(len(WHOLE) - 1))
def test_hardly_anything_may_change_places(place: int) -> None:
    swapped = [*WHOLE[:place], WHOLE[place + 1], WHOLE[place], *WHOLE[place + 2 :]]
    if place in HARMLESS:
        judge(swapped)
    else:
        with pytest.raises(AssertionError):
            judge(swapped)


WORDS = "conversation.item.input_audio_transcription"
WRONG: list[tuple[int, Event, str]] = [
    (6, make("error", error={"type": "x", "message": "x", "event_id": "nobody"}), "nobody sent"),
    (6, make("input_audio_buffer.speech_started", item_id="u", audio_start_ms=1), "used before"),
    (1, make("input_audio_buffer.speech_stopped", item_id="u", audio_end_ms=1), "no speech"),
    (2, make("input_audio_buffer.speech_stopped", item_id="u", audio_end_ms=99), "before it began"),
    (6, make("input_audio_buffer.committed", item_id="v", previous_item_id=None), "after u"),
    (6, make("input_audio_buffer.timeout_triggered", item_id="v", audio_start_ms=9, audio_end_ms=8), "before it began"),
    (6, make("input_audio_buffer.timeout_triggered", item_id="u", audio_start_ms=8, audio_end_ms=9), "used before"),
    (6, make(f"{WORDS}.delta", item_id="x", content_index=0, delta="a"), "nobody knows"),
    (2, make(f"{WORDS}.failed", item_id="u", content_index=0, error={}), "not entered"),
    (6, make("conversation.item.retrieved", item=ASKED | {"id": "x"}), "no such item"),
    (6, make("conversation.item.deleted", item_id="x"), "no such item"),
    (6, make("conversation.item.truncated", item_id="x", content_index=0, audio_end_ms=0), "no such item"),
    (6, make("conversation.item.truncated", item_id="u", content_index=0, audio_end_ms=0), "assistant"),
    (11, make("conversation.item.truncated", item_id="a", content_index=0, audio_end_ms=0), "being made"),
    (19, make("conversation.item.truncated", item_id="a", content_index=0, audio_end_ms=-1), "ended at"),
    (6, make("conversation.item.added", previous_item_id="x", item=ASKED | {"id": "v"}), "no item x"),
    (6, make("conversation.item.added", item=ASKED | {"id": None}), "has no id"),
    (6, make("conversation.item.added", previous_item_id="u", item=EMPTY), "nobody is making it"),
    (8, make("conversation.item.added", previous_item_id="u", item=SAID), "just begun"),
    (5, make("conversation.item.done", previous_item_id=None, item=ASKED | {"id": "v"}), "is owed"),
    (15, make("conversation.item.done", previous_item_id=None, item=SAID), "after u"),
    (15, make("conversation.item.done", previous_item_id="u", item=EMPTY), "in progress"),
    (19, make("output_audio_buffer.started", response_id="r"), "played to its end"),
    (19, make("output_audio_buffer.cleared", response_id="r"), "None is playing"),
    (6, make("output_audio_buffer.started", response_id="r"), "no response"),
    (9, make("output_audio_buffer.started", response_id="r"), "no audio part"),
    (13, make("output_audio_buffer.stopped", response_id="r"), "not done"),
    (19, part("output_audio.done"), "r is done"),
    (7, make("response.created") | response("in_progress", id="s"), "is running"),
    (6, make("response.created") | response("completed"), "in progress"),
    (6, make("response.created", response={"status": "in_progress", "output": [], "usage": None}), "no id"),
    (6, make("response.created") | response("in_progress", output=[SAID]), "no output"),
    (6, make("response.created") | response("in_progress", usage=USED), "cost nothing"),
    (7, make("response.output_item.added", response_id="r", output_index=1, item=EMPTY), "next place"),
    (7, make("response.output_item.added", response_id="r", output_index=0, item=SAID), "in progress"),
    (7, make("response.output_item.added", response_id="r", output_index=0, item=EMPTY | {"id": None}), "no id"),
    (9, part("content_part.added", 1, part={"type": "audio"}), "next part"),
    (10, part("output_text.delta", delta="x"), "the part is audio"),
    (10, part("output_audio.delta", 1, delta=""), "not added"),
    (10, made("output_audio.delta", item_id="b", content_index=0, delta=""), "not entered"),
    (10, made("function_call_arguments.delta", call_id="c", delta="x"), "no call"),
    (13, part("output_audio.delta", delta=""), "sound is done"),
    (14, part("output_audio_transcript.delta", delta="x"), "transcript is done"),
    (11, part("output_audio_transcript.done", transcript="No."), "deltas said"),
    (12, part("content_part.done", part={"type": "audio", "transcript": "Yes."}), "owed first"),
    (14, part("content_part.done", part={"type": "audio", "transcript": "No."}), "deltas said"),
    (15, part("output_audio.done"), "part is done"),
    (
        15,
        make("response.output_item.done", response_id="r", output_index=0, item=message("No.", "completed")),
        "told otherwise",
    ),
    (15, make("response.output_item.done", response_id="r", output_index=0, item=EMPTY), "completed or"),
    (15, make("response.output_item.done", response_id="r", output_index=0, item=ASKED | {"id": "a"}), "another kind"),
    (17, make("response.done") | response("in_progress"), "in progress"),
    (17, make("response.done") | response("completed", usage=USED | {"total_tokens": 4}, output=[SAID]), "not the sum"),
    (17, make("response.done") | response("completed"), "output is not"),
    (17, make("response.done") | response("completed", output=None), "no list"),
    (17, make("response.done") | response("completed", output=[SAID], conversation_id=None), "changed sides"),
    (
        17,
        make("response.done") | response("completed", output=[SAID], status_details={"type": "failed"}),
        "other status",
    ),
    (17, make("response.done") | response("completed", output=[SAID], metadata={"a": "b"}), "metadata"),
]


@pytest.mark.parametrize(("after", "event", "why"), WRONG)
def test_each_kind_of_wrong_is_named(after: int, event: Event, why: str) -> None:
    assert why in fault([*WHOLE[:after], event])


CALL: Event = {"id": "f", "type": "function_call", "name": "look", "call_id": "c", "arguments": ""}
ASIDE = [
    TURN[0],
    make("response.created") | response("in_progress", conversation_id=None),
    make("response.output_item.added", response_id="r", output_index=0, item=CALL | {"status": "in_progress"}),
    made("function_call_arguments.delta", item_id="f", call_id="c", delta="{}"),
    made("function_call_arguments.done", item_id="f", call_id="c", name="look", arguments="{}"),
    make(
        "response.output_item.done",
        response_id="r",
        output_index=0,
        item=CALL | {"status": "completed", "arguments": "{}"},
    ),
]


@pytest.mark.parametrize(
    ("after", "event", "why"),
    [
        (2, ASIDE[2] | {"item": CALL | {"status": "in_progress", "name": ""}}, "its name"),
        (2, ASIDE[2] | {"item": CALL | {"status": "in_progress", "arguments": "{}"}}, "no arguments"),
        (3, make("conversation.item.added", item=CALL | {"status": "in_progress"}), "out of band"),
        (3, made("content_part.added", item_id="f", content_index=0, part={"type": "text"}), "only messages"),
        (4, made("function_call_arguments.done", item_id="f", call_id="d", arguments="{}"), "another call_id"),
        (4, made("function_call_arguments.done", item_id="f", call_id="c", arguments="[]"), "deltas said"),
        (5, ASIDE[3], "arguments are done"),
        (4, ASIDE[5], "still open"),
        (5, ASIDE[5] | {"item": CALL | {"status": "completed", "arguments": "[]"}}, "told otherwise"),
        (6, ASIDE[4], "f is done"),
        (3, ASIDE[2], "added before"),
        (3, ASIDE[3] | {"output_index": 1}, "stands at 0"),
        (3, make("response.done") | response("cancelled", conversation_id=None), "still open"),
    ],
)
def test_a_call_out_of_band_is_judged_as_well(after: int, event: Event, why: str) -> None:
    judge(ASIDE)
    assert why in fault([*ASIDE[:after], event])


def usage(**changes: object) -> Event:
    return {
        "total_tokens": 9,
        "input_tokens": 6,
        "output_tokens": 3,
        "input_token_details": {"text_tokens": 1, "audio_tokens": 2, "image_tokens": 3, "cached_tokens": 1},
        "output_token_details": {"text_tokens": 1, "audio_tokens": 2},
    } | changes


@pytest.mark.parametrize(
    "wrong",
    [
        usage(total_tokens=8),
        usage(input_token_details={"text_tokens": 1}),
        usage(output_token_details={"text_tokens": 1}),
        usage(input_token_details={"text_tokens": 6, "cached_tokens": 7}),
        usage(output_token_details={"text_tokens": 4, "audio_tokens": -1}),
    ],
)
def test_tokens_must_add_up(wrong: Event) -> None:
    whole = [TURN[0], make("response.created") | response("in_progress")]
    judge([*whole, make("response.done") | response("completed", usage=usage())])
    assert "token" in fault([*whole, make("response.done") | response("completed", usage=wrong)])


def test_ids_of_events_are_there_and_used_once() -> None:
    assert "used before" in fault([TURN[0], TURN[1] | {"event_id": "event_0"}])
    assert "no event_id" in fault([TURN[0], TURN[1] | {"event_id": None}])
    judge([TURN[0], make("input_audio_buffer.dtmf_event_received", event="5", received_at=1, event_id=None)])


def test_an_error_may_name_what_the_client_has_sent() -> None:
    checker = OrderChecker()
    checker.sent("mine")
    for event in told([TURN[0], make("error", error={"type": "x", "message": "x", "event_id": "mine"})]):
        checker.see(event)


def test_after_its_end_an_item_made_aside_may_be_put_in_by_a_client() -> None:
    aside = [*ASIDE, make("response.done") | response("completed", conversation_id=None, output=[ASIDE[5]["item"]])]
    added = [
        make(f"conversation.item.{verb}", previous_item_id=None, item=ASIDE[5]["item"]) for verb in ("added", "done")
    ]
    assert judge([*aside, *added]).item_ids == ["f"]


def test_an_item_that_comes_back_under_its_id_may_be_written_down_again() -> None:
    item: Event = {"id": "u", "type": "message", "role": "user", "status": "completed", "content": []}
    added = [make(f"conversation.item.{verb}", previous_item_id=None, item=item) for verb in ("added", "done")]
    words = make(
        "conversation.item.input_audio_transcription.completed",
        item_id="u",
        content_index=0,
        transcript="hi",
        usage={"type": "duration", "seconds": 1},
    )
    deleted = make("conversation.item.deleted", item_id="u")
    assert judge([TURN[0], *added, words, deleted, *added, words]).item_ids == ["u"]


def remote_call(*changes: Event) -> list[Event]:
    """A call of an MCP tool, with some events left out or changed."""
    tool: Event = {"id": "m", "type": "mcp_call", "server_label": "s", "name": "look"}
    begun, ended = (
        tool | {"arguments": "", "output": None, "error": None},
        tool | {"arguments": "{}", "output": "seen", "error": None},
    )
    place: Event = {"item_id": "m", "output_index": 0}
    here: Event = {"response_id": "r", "output_index": 0}
    story = [
        TURN[0],
        make("response.created") | response("in_progress"),
        make("response.output_item.added", item=begun, **here),
        make("conversation.item.added", previous_item_id=None, item=begun),
        make("response.mcp_call_arguments.done", response_id="r", arguments="{}", **place),
        make("response.mcp_call.in_progress", **place),
        make("response.mcp_call.completed", **place),
        make("response.output_item.done", item=ended, **here),
        make("conversation.item.done", previous_item_id=None, item=ended),
        make("response.done") | response("completed", output=[ended]),
    ]
    for change in changes:
        at = next(place for place, event in enumerate(story) if event["type"] == change["type"])
        story[at : at + 1] = [] if len(change) == 1 else [story[at] | change]
    return story


def test_a_remote_call_is_in_order() -> None:
    assert judge(remote_call()).open == []


@pytest.mark.parametrize(
    "change",
    [
        {"type": "response.mcp_call_arguments.done"},
        {"type": "response.mcp_call.in_progress"},
        {"type": "response.mcp_call.completed"},
        {"type": "response.mcp_call.completed", "item_id": "nobody"},
        {"type": "response.mcp_call_arguments.done", "arguments": "[]"},
    ],
)
def test_a_remote_call_whose_story_has_a_hole_is_caught(change: Event) -> None:
    with pytest.raises(AssertionError):
        judge(remote_call(change))


@pytest.mark.parametrize("sound", list(Sound))
def test_a_conversation_that_lacks_an_event_is_caught_or_unfinished(sound: Sound) -> None:
    steps = [Words("Let me look. "), CallBegun(0, "look"), CallArguments(0, '{"a":1}'), Thought()]
    call = Script(sound=sound, transcripts=["hello"], replies=[steps])
    call.speak(0.5)
    call.wait(3.0)
    spare = {
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "response.output_audio.delta",
        "response.function_call_arguments.delta",
    }
    for place, missing in enumerate(call.events):
        checker = OrderChecker()
        try:
            for event in call.events[:place] + call.events[place + 1 :]:
                checker.see(event)
        except AssertionError:
            continue
        assert checker.open or missing.type in spare
