"""Items as they stand on the wire."""

import pytest
from msgspec import Struct, json

from vivavoce.wire.item import (
    AssistantMessage,
    FunctionCall,
    FunctionCallOutput,
    InputAudio,
    InputImage,
    InputText,
    ItemReference,
    McpCall,
    McpHttpError,
    OutputAudio,
    SystemMessage,
    UserMessage,
)


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (
            SystemMessage(content=[InputText(text="Be brief.")]),
            '{"type":"message","role":"system","content":[{"type":"input_text","text":"Be brief."}]}',
        ),
        (
            UserMessage(id="item_1", status="completed", content=[InputAudio(transcript=None)]),
            '{"type":"message","id":"item_1","status":"completed","role":"user",'
            '"content":[{"type":"input_audio","transcript":null}]}',
        ),
        (
            UserMessage(content=[InputImage(image_url="data:image/png;base64,AA==", detail="low")]),
            '{"type":"message","role":"user","content":'
            '[{"type":"input_image","image_url":"data:image/png;base64,AA==","detail":"low"}]}',
        ),
        (
            AssistantMessage(content=[OutputAudio(transcript="Hi.")]),
            '{"type":"message","role":"assistant","content":[{"type":"output_audio","transcript":"Hi."}]}',
        ),
        (
            FunctionCall(name="lamp", arguments="{}", call_id="call_1"),
            '{"type":"function_call","name":"lamp","arguments":"{}","call_id":"call_1"}',
        ),
        (
            FunctionCallOutput(call_id="call_1", output="on"),
            '{"type":"function_call_output","call_id":"call_1","output":"on"}',
        ),
        (
            McpCall(
                server_label="s", name="n", arguments="{}", output=None, error=McpHttpError(code=502, message="down")
            ),
            '{"type":"mcp_call","server_label":"s","name":"n","arguments":"{}","output":null,'
            '"error":{"type":"http_error","code":502,"message":"down"}}',
        ),
        (ItemReference(id="item_1"), '{"type":"item_reference","id":"item_1"}'),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Struct) else "",
)
def test_an_item_is_written_as_the_protocol_has_it(item: Struct, text: str) -> None:
    assert json.encode(item).decode() == text


def test_messages_of_different_speakers_are_different_classes() -> None:
    item = UserMessage(content=[InputText(text="hello")])
    assert item.role == "user"
    assert isinstance(item, UserMessage)
    assert item != SystemMessage(content=[InputText(text="hello")])
