"""Laws of the beta dialect: whatever GA says, the beta's types take, and nothing that a client asks for is lost."""

import json
from itertools import count
from typing import cast, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests import beta
from tests.property.test_codec import CODES, Maker, relaxed
from vivavoce.errors import RequestError
from vivavoce.wire.beta.config import BetaResponseConfig, BetaSession, BetaTranscriptionSession
from vivavoce.wire.beta.event import BetaChanged, BetaKept
from vivavoce.wire.beta.interpreter import Interpreter
from vivavoce.wire.beta.inward import ga_event, ga_response, ga_session, ga_transcription_session
from vivavoce.wire.beta.item import BetaItem, beta_item, ga_item
from vivavoce.wire.beta.outward import CHANGED, DROPPED, RENAMED, beta_session
from vivavoce.wire.codec import decode_client, encode
from vivavoce.wire.event import ServerEvent
from vivavoce.wire.item import Item, McpApprovalRequest, McpApprovalResponse, McpCall, McpListTools

TAGS = [member.__struct_config__.tag for member in get_args(ServerEvent)]
REMOTE = (McpListTools, McpCall, McpApprovalRequest, McpApprovalResponse)

client = Maker(client=True)
beta_sessions = cast("SearchStrategy[BetaSession]", client.struct(BetaSession))
beta_transcriptions = cast("SearchStrategy[BetaTranscriptionSession]", client.struct(BetaTranscriptionSession))
beta_items = cast("SearchStrategy[BetaItem]", client.value(BetaItem))
beta_events = cast("SearchStrategy[BetaChanged]", client.value(BetaChanged))
server_events = cast("SearchStrategy[ServerEvent]", Maker(openai=True).value(ServerEvent))
bare_events = cast("SearchStrategy[ServerEvent]", Maker().value(ServerEvent))


def interpreter() -> Interpreter:
    numbers = count()
    return Interpreter(lambda prefix: f"{prefix}_{next(numbers)}")


# ── outward ─────────────────────────────────────────────────────────────────────────────────────────────


def is_remote(event: ServerEvent) -> bool:
    return isinstance(getattr(event, "item", None), REMOTE)


def test_every_event_of_the_server_has_a_rule() -> None:
    assert CHANGED | DROPPED | RENAMED.keys() <= set(TAGS)
    assert CHANGED.isdisjoint(DROPPED | RENAMED.keys())
    assert DROPPED.isdisjoint(RENAMED)
    kept = set(TAGS) - CHANGED - DROPPED - RENAMED.keys()
    assert kept <= beta.MODELS.keys()
    assert set(RENAMED.values()) <= beta.MODELS.keys()


@pytest.mark.parametrize("member", get_args(ServerEvent), ids=str)
def test_the_betas_own_types_take_every_event_that_is_not_dropped(member: type[ServerEvent]) -> None:
    made = cast("SearchStrategy[ServerEvent]", Maker(openai=True).struct(member))

    @settings(relaxed, max_examples=25)
    @given(made)
    def check(event: ServerEvent) -> None:
        told = interpreter().to_client(encode(event))
        if event.type in DROPPED or is_remote(event):
            assert told is None
        else:
            assert told is not None
            assert beta.parse(told).event_id == event.event_id

    check()


@relaxed
@given(bare_events)
def test_no_event_stops_the_interpreter_whatever_it_leaves_out(event: ServerEvent) -> None:
    told = interpreter().to_client(encode(event))
    assert told is None or isinstance(json.loads(told), dict)


# ── inward ──────────────────────────────────────────────────────────────────────────────────────────────


@relaxed
@given(beta_events)
def test_the_server_reads_of_an_event_what_its_client_meant(event: BetaChanged) -> None:
    try:
        meant = ga_event(event)
    except RequestError:
        body = getattr(event, "session", None) or getattr(event, "response", None)
        assert nothing_chosen(getattr(body, "tool_choice", None))
        return
    assert decode_client(interpreter().to_server(encode(event))) == meant


@relaxed
@given(cast("SearchStrategy[BetaKept]", client.value(BetaKept)))
def test_events_of_the_same_name_go_on_letter_by_letter(event: BetaKept) -> None:
    said = encode(event)
    assert interpreter().to_server(said) == said


def nothing_chosen(choice: object) -> bool:
    return isinstance(choice, msgspec.Struct) and getattr(choice, "name", choice) is getattr(choice, "function", None)


@relaxed
@given(beta_sessions)
def test_a_client_that_sends_back_what_it_was_shown_changes_nothing(session: BetaSession) -> None:
    try:
        meant = ga_session(session)
    except RequestError:
        assert nothing_chosen(session.tool_choice)
        return
    shown = beta_session(meant, 0.8)
    assert isinstance(shown, BetaSession)
    assert ga_session(shown) == meant


@relaxed
@given(beta_transcriptions)
def test_nor_does_one_that_only_has_things_written_down(session: BetaTranscriptionSession) -> None:
    meant = ga_transcription_session(session)
    shown = beta_session(meant, 0.8)
    assert isinstance(shown, BetaTranscriptionSession)
    assert ga_transcription_session(shown) == meant


@relaxed
@given(beta_items)
def test_an_item_comes_back_as_it_was_put_in(item: BetaItem) -> None:
    back = beta_item(ga_item(item))
    assert back == msgspec.structs.replace(item, object="realtime.item")


@relaxed
@given(cast("SearchStrategy[Item]", Maker().value(Item)))
def test_remote_tools_and_nothing_else_are_kept_from_the_client(item: Item) -> None:
    assert (beta_item(item) is None) == isinstance(item, REMOTE)


@relaxed
@given(cast("SearchStrategy[BetaResponseConfig]", client.struct(BetaResponseConfig)))
def test_a_response_keeps_every_wish_that_has_a_meaning(wanted: BetaResponseConfig) -> None:
    try:
        meant = ga_response(wanted)
    except RequestError:
        assert nothing_chosen(wanted.tool_choice)
        return
    for name in ("conversation", "instructions", "metadata"):
        assert getattr(meant, name) == getattr(wanted, name)
    limits = {wanted.max_response_output_tokens, wanted.max_output_tokens}
    assert meant.max_output_tokens in limits


def refusal(text: str) -> RequestError | None:
    try:
        interpreter().to_server(text)
    except RequestError as refused:
        return refused
    return None


@relaxed
@given(st.text() | st.binary().map(lambda noise: noise.decode(errors="replace")) | st.sampled_from(["[" * 5000, "{}"]))
def test_whatever_arrives_goes_on_or_is_refused_in_the_protocols_words(text: str) -> None:
    refused = refusal(text)
    assert refused is None or refused.code in CODES


@relaxed
@given(
    st.sampled_from(["session.update", "transcription_session.update", "response.create", "x"]), client.value(object)
)
def test_a_body_of_any_shape_is_translated_or_refused_with_its_event_id(name: str, body: object) -> None:
    keys = {"session": body, "response": body}
    said = msgspec.json.encode({"type": name, "event_id": "mine", **{key: keys[key] for key in keys if key in name}})
    refused = refusal(said.decode())
    assert refused is None or (refused.code in CODES and refused.event_id == "mine")
