"""What a response and a transcript cost."""

from dataclasses import replace

import pytest
from msgspec import UNSET

from vivavoce.audio.frame import sample_count, silence
from vivavoce.session.effect import Think
from vivavoce.session.recording import Archive
from vivavoce.session.result import Thought
from vivavoce.session.usage import (
    IMAGE_TOKENS,
    assistant_audio_tokens,
    response_usage,
    text_tokens,
    transcription_usage,
    user_audio_tokens,
)
from vivavoce.wire.config import (
    FunctionTool,
    InputTokenDetails,
    OutputTokenDetails,
    Transcription,
    TranscriptionDuration,
    TranscriptionTokens,
    Usage,
)
from vivavoce.wire.item import (
    AssistantMessage,
    FunctionCall,
    FunctionCallOutput,
    InputAudio,
    InputImage,
    InputText,
    Item,
    McpApprovalRequest,
    McpApprovalResponse,
    McpCall,
    OutputAudio,
    OutputText,
    SystemMessage,
    UserMessage,
)


def asked(*items: Item, instructions: str = "", tools: tuple[FunctionTool, ...] = ()) -> Think:
    return Think(
        model="",
        instructions=instructions,
        items=items,
        tools=tools,
        tool_choice="auto",
        parallel_tool_calls=True,
        max_output_tokens=None,
        metadata={},
    )


def details(usage: Usage) -> tuple[InputTokenDetails, OutputTokenDetails]:
    assert usage.input_token_details is not UNSET
    assert usage.output_token_details is not UNSET
    return usage.input_token_details, usage.output_token_details


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("four", 1), ("fives", 2)])
def test_four_letters_are_a_token(text: str, tokens: int) -> None:
    assert text_tokens(text) == tokens


def test_sound_costs_by_its_length_and_by_who_made_it() -> None:
    assert user_audio_tokens(sample_count(1000)) == 10
    assert user_audio_tokens(sample_count(1001)) == 11
    assert assistant_audio_tokens(sample_count(1000)) == 20


def test_everything_that_the_thinker_was_given_counts() -> None:
    archive = Archive()
    archive.add("u", silence(sample_count(2000)))
    archive.add("a", silence(sample_count(1000)))
    prompt = asked(
        SystemMessage(id="s", content=[InputText(text="eight ch")]),
        UserMessage(id="u", content=[InputAudio(transcript="not counted"), InputText(text="four")]),
        AssistantMessage(id="a", content=[OutputAudio(transcript="nor this")]),
        AssistantMessage(id="w", content=[OutputText(text="fourfour")]),
        FunctionCall(id="f", name="look", arguments='{"a"'),
        FunctionCallOutput(id="o", call_id="c", output="ab"),
        instructions="ab",
        tools=(FunctionTool(name="look"),),
    )
    usage = response_usage(prompt, [], archive, Thought())
    read, made = details(usage)
    assert read.audio_tokens == 20 + 20
    assert read.text_tokens == 2 + 1 + 2 + 2 + 1 + 1 + text_tokens('{"type":"function","name":"look"}')
    assert (made.text_tokens, made.audio_tokens) == (0, 0)
    assert usage.total_tokens == usage.input_tokens


def test_a_picture_counts_by_its_detail() -> None:
    for detail, tokens in IMAGE_TOKENS.items():
        picture = InputImage(image_url="data:image/png;base64,AA==", detail=detail)
        usage = response_usage(
            asked(UserMessage(id="u", content=[picture, InputText(text="a")])), [], Archive(), Thought()
        )
        read, _ = details(usage)
        assert (read.image_tokens, read.text_tokens, usage.input_tokens) == (tokens, 1, tokens + 1)


def test_a_picture_is_part_of_what_the_thinker_counted() -> None:
    prompt = asked(UserMessage(id="u", content=[InputImage(image_url="data:image/png;base64,AA==", detail="low")]))
    read, _ = details(response_usage(prompt, [], Archive(), Thought(input_tokens=100)))
    assert (read.image_tokens, read.text_tokens) == (85, 15)
    read, _ = details(response_usage(prompt, [], Archive(), Thought(input_tokens=50)))
    assert (read.image_tokens, read.text_tokens) == (50, 0)


def test_a_picture_that_nobody_could_see_costs_nothing() -> None:
    prompt = replace(
        asked(UserMessage(id="u", content=[InputImage(image_url="data:image/png;base64,AA==")])), sees=False
    )
    read, _ = details(response_usage(prompt, [], Archive(), Thought()))
    assert read.image_tokens == 0


def test_what_is_said_costs_as_sound_and_as_words() -> None:
    archive = Archive()
    archive.add("a", silence(sample_count(500)))
    output = [AssistantMessage(id="a", content=[OutputAudio(transcript="four"), OutputText(text="four")])]
    usage = response_usage(asked(), output, archive, Thought())
    _, made = details(usage)
    assert (made.audio_tokens, made.text_tokens) == (10, 2)
    assert usage.output_tokens == usage.total_tokens == 12


def test_the_thinkers_own_count_of_words_is_better_than_ours() -> None:
    output = [AssistantMessage(id="a", content=[OutputText(text="four")])]
    prompt = asked(instructions="a long, long instruction")
    usage = response_usage(prompt, output, Archive(), Thought(input_tokens=70, cached_tokens=30, output_tokens=9))
    read, made = details(usage)
    assert (read.text_tokens, read.cached_tokens, made.text_tokens) == (70, 30, 9)


@pytest.mark.parametrize(
    ("thought", "expected"),
    [
        (Thought(input_tokens=5, cached_tokens=9), (5, 5, 0)),
        (Thought(input_tokens=-5, cached_tokens=-9, output_tokens=-1), (0, 0, 0)),
    ],
)
def test_a_thinker_that_counts_nonsense_makes_no_nonsense_of_the_sums(
    thought: Thought, expected: tuple[int, int, int]
) -> None:
    usage = response_usage(asked(instructions="abcdefgh"), [], Archive(), thought)
    read, made = details(usage)
    assert (read.text_tokens, read.cached_tokens, made.text_tokens) == expected
    assert usage.total_tokens == expected[0] + expected[2]


def test_a_response_that_never_began_to_think_costs_nothing() -> None:
    assert response_usage(None, [], Archive(), Thought()).total_tokens == 0


def test_of_a_call_of_an_mcp_tool_only_what_the_thinker_wrote_counts_as_made() -> None:
    call = McpCall(id="m", server_label="s", name="look", arguments="{ }.", output="x" * 4000)
    assert response_usage(asked(), [call], Archive(), Thought()).output_tokens == 2
    request = McpApprovalRequest(id="m", server_label="s", name="look", arguments="{ }.")
    assert response_usage(asked(), [request], Archive(), Thought()).output_tokens == 2


def test_a_call_that_is_carried_out_after_its_approval_is_not_paid_for_twice() -> None:
    call = McpCall(id="m", server_label="s", name="look", arguments="{}", output="seen")
    assert response_usage(None, [call], Archive(), Thought()).total_tokens == 0


def test_items_of_other_kinds_count_as_their_text() -> None:
    prompt = asked(McpApprovalResponse(id="m", approval_request_id="r", approve=True))
    tokens = response_usage(prompt, [], Archive(), Thought()).input_tokens
    assert isinstance(tokens, int)
    assert tokens > 5


def test_a_transcript_is_billed_as_its_model_is() -> None:
    by_token = transcription_usage(Transcription(model="gpt-4o-transcribe"), sample_count(2010), "fives")
    assert isinstance(by_token, TranscriptionTokens)
    assert (by_token.input_tokens, by_token.output_tokens, by_token.total_tokens) == (21, 2, 23)
    for wish in (Transcription(model="whisper-1"), Transcription()):
        assert transcription_usage(wish, sample_count(2010), "fives") == TranscriptionDuration(seconds=3)
