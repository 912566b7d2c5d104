"""One response, from its creation to its one end."""

import pytest

from tests.unit.session.outcome import counting, events, jobs, of_kind, the, types
from vivavoce.session.conversation import Conversation, item_id
from vivavoce.session.effect import Begin, Cancel, Effect, Speak, Think
from vivavoce.session.message import Voice
from vivavoce.session.outbox import Outbox
from vivavoce.session.output import OutputBuffer
from vivavoce.session.recording import Archive
from vivavoce.session.response import ENGINE_PATIENCE_S, Brief, Response, Waiting
from vivavoce.session.result import (
    CallArguments,
    CallBegun,
    Ended,
    Failed,
    Final,
    Result,
    Spoken,
    Thought,
    Words,
)
from vivavoce.session.settings import Wish
from vivavoce.testing.ear import voice
from vivavoce.wire.config import Modality, PcmFormat
from vivavoce.wire.event import (
    ConversationItemAdded,
    ConversationItemDone,
    ResponseCreated,
    ResponseDone,
    ResponseFunctionCallArgumentsDone,
    ResponseOutputItemDone,
)
from vivavoce.wire.item import AssistantMessage, FunctionCall, InputText, OutputAudio, SystemMessage

SENTENCE = "This is the first sentence. "

QUESTION = Think(
    model="house",
    instructions="",
    items=(),
    tools=(),
    tool_choice="auto",
    parallel_tool_calls=True,
    max_output_tokens=None,
    metadata={},
)


def wish(modality: Modality) -> Wish:
    return Wish(
        modality=modality,
        voice="ash",
        speed=1.0,
        format=PcmFormat(rate=24000),
        instructions="",
        tools=(),
        tool_choice="auto",
        parallel_tool_calls=True,
        max_output_tokens="inf",
    )


class Answer:
    """A response that has begun to think at second 100, and what it wants to be done."""

    def __init__(self, modality: Modality = "text", conversation_id: str | None = "conv") -> None:
        self.out = Outbox(counting())
        self.conversation = Conversation()
        self.archive = Archive()
        brief = Brief(
            id="r",
            conversation_id=conversation_id,
            wish=wish(modality),
            voice=Voice("ash", 1.0, None),
            context=None,
            metadata={"a": "b"},
        )
        self.response = Response(brief, self.out, self.conversation, self.archive, OutputBuffer(self.out))
        self.created = self.out.drain()
        self.response.think(QUESTION, 100.0)
        self.begun = self.out.drain()

    def tell(self, *results: Result) -> list[Effect]:
        for result in results:
            self.response.result(result, 101.0)
        return self.out.drain()


def calls(effects: list[Effect]) -> list[tuple[str, str]]:
    done = [event for event in events(effects) if isinstance(event, ResponseFunctionCallArgumentsDone)]
    return [(str(event.name), event.arguments) for event in done]


def test_it_is_told_before_anything_is_done() -> None:
    answer = Answer()
    created = the(answer.created, ResponseCreated).response
    assert (created.status, created.output, created.usage, created.metadata) == ("in_progress", [], None, {"a": "b"})
    assert of_kind(answer.begun, Begin) == answer.begun
    assert jobs(answer.begun, Think)


def test_it_begins_to_think_once() -> None:
    answer = Answer()
    answer.response.think(QUESTION, 102.0)
    assert answer.out.drain() == []


def test_a_written_answer_runs_through_all_its_events() -> None:
    answer = Answer()
    assert types(answer.tell(Words("Two"), Words(" and two."), Thought())) == [
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    assert answer.response.finished


def test_its_jobs_are_its_own_until_they_end() -> None:
    answer = Answer("audio")
    (think,) = jobs(answer.begun, Think)
    assert answer.response.owns(think)
    (speak,) = jobs(answer.tell(Words(SENTENCE + "x")), Speak)
    assert answer.response.owns(speak)
    assert not answer.response.owns(speak + 1)
    answer.tell(Thought())
    assert not answer.response.owns(think)
    answer.tell(Ended())
    assert not answer.response.owns(speak)


def test_it_is_done_when_its_last_word_is_spoken() -> None:
    answer = Answer("audio")
    assert "response.done" not in types(answer.tell(Words("Yes."), Thought()))
    assert types(answer.tell(Spoken(voice(10)), Ended()))[-1] == "response.done"


def test_words_before_a_call_are_spoken_before_it_opens() -> None:
    answer = Answer("audio")
    effects = answer.tell(Words("Let me see."), CallBegun(0, "look"), CallArguments(0, "{}"), Thought())
    assert "response.function_call_arguments.done" not in types(effects)
    effects = answer.tell(Ended())
    assert calls(effects) == [("look", "{}")]
    assert types(effects)[-1] == "response.done"


def test_words_after_a_call_are_another_message() -> None:
    answer = Answer()
    effects = answer.tell(CallBegun(0, "look"), CallArguments(0, "{}"), Words("There."), Thought())
    done = [event.item for event in events(effects) if isinstance(event, ResponseOutputItemDone)]
    assert [type(item) for item in done] == [FunctionCall, AssistantMessage]
    assert [event.output_index for event in events(effects) if isinstance(event, ResponseOutputItemDone)] == [0, 1]


def test_blank_lines_are_no_message() -> None:
    answer = Answer()
    effects = answer.tell(
        Words("\n\n"), CallBegun(0, "look"), Words("\n"), CallArguments(0, "{}"), Words(""), Thought()
    )
    assert calls(effects) == [("look", "{}")]
    assert types(effects).count("response.output_item.added") == 1


@pytest.mark.parametrize(
    "steps",
    [
        [CallBegun(0, "look"), CallArguments(0, '{"a":1}'), CallBegun(1, "note"), CallArguments(1, '{"b":2}')],
        [CallBegun(0, "look"), CallBegun(1, "note"), CallArguments(0, '{"a":1}'), CallArguments(1, '{"b":2}')],
        [
            CallBegun(0, "look"),
            CallArguments(0, '{"a"'),
            CallBegun(1, "note"),
            CallArguments(1, '{"b":'),
            CallArguments(0, ":1}"),
            CallArguments(1, "2}"),
        ],
        [
            CallBegun(0, "look"),
            CallBegun(1, "note"),
            CallArguments(1, '{"b":2}'),
            CallArguments(0, '{"a":1}'),
        ],
    ],
)
def test_calls_may_be_written_side_by_side(steps: list[Result]) -> None:
    assert calls(Answer().tell(*steps, Thought())) == [("look", '{"a":1}'), ("note", '{"b":2}')]


def test_a_call_under_a_number_used_before_is_another_call() -> None:
    steps = [CallBegun(0, "look"), CallBegun(0, "note"), CallArguments(0, '{"b":2}')]
    assert calls(Answer().tell(*steps, Thought())) == [("look", "{}"), ("note", '{"b":2}')]


def test_a_call_closes_as_soon_as_it_is_whole_and_another_begins() -> None:
    answer = Answer()
    assert calls(answer.tell(CallBegun(0, "look"), CallArguments(0, "{}"), CallBegun(1, "note"))) == [("look", "{}")]


def test_a_function_without_arguments_is_given_none() -> None:
    assert calls(Answer().tell(CallBegun(0, "look"), Thought())) == [("look", "{}")]


def test_arguments_of_no_call_are_nothing() -> None:
    assert calls(Answer().tell(CallArguments(3, "{}"), CallBegun(0, "look"), CallArguments(1, "[]"), Thought())) == [
        ("look", "{}")
    ]


def test_an_answer_cut_short_is_incomplete_and_so_is_its_last_item() -> None:
    effects = Answer().tell(Words("Only this"), Thought(cut="max_output_tokens"))
    assert the(effects, ResponseOutputItemDone).item.status == "incomplete"
    assert the(effects, ResponseDone).response.status == "incomplete"
    effects = Answer().tell(CallBegun(0, "look"), CallArguments(0, '{"a'), Thought(cut="max_output_tokens"))
    assert calls(effects) == [("look", '{"a')]


def test_an_answer_without_words_is_an_answer() -> None:
    done = the(Answer().tell(Thought()), ResponseDone).response
    assert (done.status, done.output) == ("completed", [])


@pytest.mark.parametrize("reason", ["turn_detected", "client_cancelled"])
def test_cancelled_it_closes_what_is_open_and_stops_its_engines(reason: str) -> None:
    answer = Answer("audio")
    answer.tell(Words(SENTENCE + "x"))
    answer.response.cancel("turn_detected" if reason == "turn_detected" else "client_cancelled")
    effects = answer.out.drain()
    assert len(of_kind(effects, Cancel)) == 2
    done = the(effects, ResponseDone).response
    assert done.status == "cancelled"
    assert reason in repr(done.status_details)
    answer.response.cancel("client_cancelled")
    answer.response.fail(Failed("too late"))
    assert answer.out.drain() == []


def test_the_conversation_remembers_no_word_that_was_never_put_into_sound() -> None:
    answer = Answer("audio")
    answer.tell(Words(SENTENCE + "And this one is not spoken. x"), Spoken(voice(10)), Ended())
    answer.response.cancel("client_cancelled")
    effects = answer.out.drain()
    (kept,) = answer.conversation
    assert isinstance(kept, AssistantMessage)
    assert kept.content == [OutputAudio(transcript=SENTENCE)]
    assert the(effects, ConversationItemDone).item == kept
    told = the(effects, ResponseOutputItemDone).item
    assert isinstance(told, AssistantMessage)
    assert told.content == [OutputAudio(transcript=SENTENCE + "And this one is not spoken. x")]


def test_before_it_thinks_it_can_be_stopped_too() -> None:
    out = Outbox(counting())
    brief = Brief("r", "conv", wish("text"), Voice("ash", 1.0, None), None, None)
    response = Response(brief, out, Conversation(), Archive(), OutputBuffer(out))
    assert response.stage == Waiting()
    assert response.deadline is None
    out.drain()
    response.fail(Failed("No words came.", code="engine_error"))
    done = the(out.drain(), ResponseDone).response
    assert done.status == "failed"
    assert "No words came." in repr(done.status_details)


def test_an_engine_that_fails_fails_the_answer_with_its_words() -> None:
    done = the(Answer().tell(Words("I was"), Failed("The model is gone.", code="engine_error")), ResponseDone).response
    assert done.status == "failed"
    assert "The model is gone." in repr(done.status_details)
    assert "server_error" in repr(done.status_details)


def test_an_engine_that_is_silent_for_too_long_is_given_up() -> None:
    answer = Answer()
    answer.tell(Words("I was"))
    assert answer.response.deadline == 101.0 + ENGINE_PATIENCE_S
    answer.response.tick(101.0 + ENGINE_PATIENCE_S - 0.001)
    assert not answer.response.finished
    answer.response.tick(101.0 + ENGINE_PATIENCE_S)
    effects = answer.out.drain()
    assert "engine_timeout" in repr(the(effects, ResponseDone).response.status_details)
    assert answer.response.deadline is None
    answer.response.tick(1e9)
    assert answer.out.drain() == []


def test_out_of_band_it_leaves_the_conversation_alone() -> None:
    answer = Answer(conversation_id=None)
    effects = answer.tell(Words("Aside."), CallBegun(0, "look"), Thought())
    assert [type for type in types(effects) if type.startswith("conversation.")] == []
    assert list(answer.conversation) == []


def test_an_item_deleted_in_the_making_is_made_but_not_kept() -> None:
    answer = Answer()
    added = the(answer.tell(Words("One ")), ConversationItemAdded)
    answer.conversation.remove(item_id(added.item))
    effects = answer.tell(Words("two."), Thought())
    assert "response.output_item.done" in types(effects)
    assert "conversation.item.done" not in types(effects)
    assert list(answer.conversation) == []


def test_what_enters_the_conversation_meanwhile_moves_nothing() -> None:
    answer = Answer()
    answer.tell(Words("One "))
    answer.conversation.insert(SystemMessage(id="first", content=[InputText(text="x")]), "root")
    assert the(answer.tell(Thought()), ConversationItemDone).previous_item_id == "first"


def test_what_is_no_answer_is_a_fault_of_ours() -> None:
    with pytest.raises(TypeError, match="Final"):
        Answer().response.result(Final("text"), 101.0)
