"""What is left of events that a data channel cannot carry."""

from vivavoce.session.lean import OUTPUT_CHARS, lean
from vivavoce.wire.config import RealtimeSession, Response
from vivavoce.wire.event import ConversationItemDone, ResponseDone, SessionUpdated
from vivavoce.wire.item import InputImage, InputText, McpCall, McpListedTool, McpListTools, UserMessage


def call(output: str | None) -> McpCall:
    return McpCall(id="m", server_label="s", name="look", arguments="{}", output=output, error=None)


def test_a_picture_is_left_out_and_words_are_kept() -> None:
    words = InputText(text="look")
    item = UserMessage(id="u", content=[words, InputImage(image_url="data:image/png;base64,AAAA")])
    told = lean(ConversationItemDone(item=item, previous_item_id=None))
    assert isinstance(told, ConversationItemDone)
    assert told.item == UserMessage(id="u", content=[words, InputImage(image_url="")])


def test_the_tools_of_a_server_keep_their_names() -> None:
    tool = McpListedTool(name="look", description="Looks.", input_schema={"type": "object"})
    told = lean(ConversationItemDone(item=McpListTools(id="l", server_label="s", tools=[tool])))
    assert isinstance(told, ConversationItemDone)
    assert isinstance(told.item, McpListTools)
    assert told.item.tools == [McpListedTool(name="look", description="Looks.", input_schema={})]


def test_of_a_long_output_the_beginning_is_kept_wherever_it_is_told() -> None:
    done = ResponseDone(response=Response(output=[call("x" * (OUTPUT_CHARS + 7)), call("short"), call(None)]))
    told = lean(done)
    assert isinstance(told, ResponseDone)
    assert isinstance(told.response.output, list)
    first, *others = told.response.output
    assert isinstance(first, McpCall)
    assert isinstance(first.output, str)
    assert first.output.startswith("x" * OUTPUT_CHARS)
    assert "7 characters" in first.output
    assert others == [call("short"), call(None)]


def test_other_events_are_as_they_were() -> None:
    for event in (SessionUpdated(session=RealtimeSession()), ResponseDone(response=Response())):
        assert lean(event) is event
