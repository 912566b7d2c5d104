"""Writes a conversation as the body of a chat completions request.

Shapes after https://platform.openai.com/docs/api-reference/chat/create, narrowed to what all the named servers take.
"""

from collections.abc import Iterable, Set
from typing import Final, TypeAlias

import msgspec
from msgspec import UNSET

from vivavoce.engine.chat.options import ChatOptions, Sight
from vivavoce.engine.chat.refusal import Quirk
from vivavoce.engine.interface import Prompt
from vivavoce.wire.config import FunctionTool
from vivavoce.wire.item import (
    AssistantMessage,
    FunctionCall,
    FunctionCallOutput,
    InputAudio,
    InputImage,
    InputText,
    Item,
    OutputText,
    SystemMessage,
    UserMessage,
)

Json: TypeAlias = dict[str, object]

_SILENT_CALLER: Final = "(The user is listening and has not said anything yet.)"
_SILENT_TURN: Final = "(The user says nothing more.)"
_UNHEARD: Final = "[inaudible]"
_UNSEEN: Final = "[an image that cannot be shown]"
_NO_RESULT: Final = "(no result yet)"


def body(prompt: Prompt, options: ChatOptions, quirks: Set[Quirk]) -> Json:
    """The request for one answer, without the parts that `quirks` says this server refuses."""
    written: Json = {"model": options.model, "messages": _messages(prompt, options, quirks), "stream": True}
    if Quirk.USAGE not in quirks:
        written["stream_options"] = {"include_usage": True}
    effort = options.effort or prompt.effort
    if effort is not None and Quirk.EFFORT not in quirks:
        written["reasoning_effort"] = effort
    if options.temperature is not None and Quirk.TEMPERATURE not in quirks:
        written["temperature"] = options.temperature
    if prompt.max_output_tokens is not None:
        written[_limit_name(options, quirks)] = prompt.max_output_tokens
    if tools := _offered(prompt):
        written["tools"] = [_tool(tool) for tool in tools]
        if Quirk.TOOL_CHOICE not in quirks and (choice := _tool_choice(prompt.tool_choice)):
            written["tool_choice"] = choice
        if not prompt.parallel_tool_calls and Quirk.PARALLEL not in quirks:
            written["parallel_tool_calls"] = False
    return written


# ── tools ───────────────────────────────────────────────────────────────────────────────────────────────


def _offered(prompt: Prompt) -> tuple[FunctionTool, ...]:
    """The tools that this answer may call: none, one by name, or all. No server refuses an absent list."""
    if prompt.tool_choice == "none":
        return ()
    if name := _forced_name(prompt.tool_choice):
        return tuple(tool for tool in prompt.tools if tool.name == name)
    return prompt.tools


def _tool(tool: FunctionTool) -> Json:
    function: Json = {"name": tool.name}
    if tool.description is not UNSET:
        function["description"] = tool.description
    function["parameters"] = {"type": "object", "properties": {}} if tool.parameters is UNSET else tool.parameters
    return {"type": "function", "function": function}


def _tool_choice(choice: str) -> str | Json | None:
    """`auto` is what an absent choice means, and what every server takes."""
    if name := _forced_name(choice):
        return {"type": "function", "function": {"name": name}}
    return "required" if choice == "required" else None


def _forced_name(choice: str) -> str:
    kind, _, name = choice.partition(":")
    return name if kind == "function" else ""


def _must_call(prompt: Prompt) -> str:
    """Says in words what `tool_choice` says, because Ollama and others take the field and ignore it."""
    if not prompt.tools:
        return ""
    if name := _forced_name(prompt.tool_choice):
        return f"Answer by calling the function {name}."
    return "Answer by calling one of the functions." if prompt.tool_choice == "required" else ""


def _limit_name(options: ChatOptions, quirks: Set[Quirk]) -> str:
    """OpenAI's newer models know only the long name, most other servers only the short one."""
    names = ("max_completion_tokens", "max_tokens")
    ours = names if "://api.openai.com" in options.url else names[::-1]
    return ours[1] if Quirk.TOKEN_LIMIT in quirks else ours[0]


# ── messages ────────────────────────────────────────────────────────────────────────────────────────────


def _messages(prompt: Prompt, options: ChatOptions, quirks: Set[Quirk]) -> list[Json]:
    messages = _Messages(options)
    orders = "\n\n".join(part for part in (prompt.instructions.strip(), _must_call(prompt)) if part)
    if orders:
        messages.add("system", orders)
    for item in prompt.items:
        messages.add_item(item)
    written = messages.finished()
    if Quirk.LATE_SYSTEM in quirks:
        written = _system_first(written)
    if all(message["role"] == "system" for message in written):
        written.append({"role": "user", "content": _SILENT_CALLER})
    elif written[-1]["role"] == "assistant":
        # Without this some servers continue the last answer in the middle and others refuse.
        written.append({"role": "user", "content": _SILENT_TURN})
    return written


def _system_first(messages: list[Json]) -> list[Json]:
    orders = "\n\n".join(str(message["content"]) for message in messages if message["role"] == "system")
    rest = [message for message in messages if message["role"] != "system"]
    return [{"role": "system", "content": orders}, *rest] if orders else rest


class _Messages:
    """Messages so far. Every call in an assistant message is followed by its result, as servers demand."""

    def __init__(self, options: ChatOptions) -> None:
        self._options = options
        self._written: list[Json] = []
        self._open: dict[str, str] = {}
        """Calls of the last message that still need a result: call id to function name."""
        self._names: dict[str, str] = {}
        self._calls: list[Json] = []
        """Calls of the last assistant message."""

    def add(self, role: str, content: str | list[Json]) -> None:
        self._close_calls()
        self._calls = []
        self._written.append({"role": role, "content": content})

    def add_item(self, item: Item) -> None:
        match item:
            case SystemMessage(content=parts):
                if text := _joined(part.text for part in parts):
                    self.add("system", text)
            case UserMessage(content=parts):
                if content := self._user_content(parts):
                    self.add("user", content)
            case AssistantMessage(content=parts):
                texts = (part.text if isinstance(part, OutputText) else part.transcript or "" for part in parts)
                if text := _joined(texts):
                    self.add("assistant", text)
            case FunctionCall():
                self._add_call(item)
            case FunctionCallOutput():
                self._add_output(item)
            case _:
                pass  # what an MCP server did is written in the answer that followed

    def finished(self) -> list[Json]:
        self._close_calls()
        return self._written

    def _user_content(self, parts: list[InputText | InputAudio | InputImage]) -> str | list[Json]:
        written: list[Json] = []
        for part in parts:
            match part:
                case InputText(text=text):
                    written.append({"type": "text", "text": text})
                case InputAudio(transcript=transcript):
                    written.append({"type": "text", "text": transcript or _UNHEARD})
                case InputImage() if self._options.sight is Sight.NO:
                    written.append({"type": "text", "text": _UNSEEN})
                case InputImage(image_url=url, detail=detail):
                    image: Json = {"url": url} if detail is UNSET else {"url": url, "detail": detail}
                    written.append({"type": "image_url", "image_url": image})
        if any(part["type"] == "image_url" for part in written):
            return written
        return _joined(str(part["text"]) for part in written)

    def _add_call(self, call: FunctionCall) -> None:
        call_id = f"call_{len(self._names)}" if call.call_id is UNSET else call.call_id
        function = {"name": call.name, "arguments": _json_object(call.arguments)}
        written: Json = {"id": call_id, "type": "function", "function": function}
        if self._written and self._written[-1]["role"] == "assistant":
            # Words and calls of one answer belong into one message; strict templates want roles to alternate.
            self._calls.append(written)
        else:
            self._calls = [written]
            self._written.append({"role": "assistant", "content": None})
        self._written[-1]["tool_calls"] = self._calls
        self._open[call_id] = self._names[call_id] = call.name

    def _add_output(self, output: FunctionCallOutput) -> None:
        if output.call_id in self._open:
            del self._open[output.call_id]
            self._written.append({"role": "tool", "tool_call_id": output.call_id, "content": output.output})
        else:
            # Late (the user spoke in between) or its call was deleted: a note tells it where it happened.
            name = self._names.get(output.call_id, "a function")
            self.add("system", f"Result of {name}: {output.output}")

    def _close_calls(self) -> None:
        for call_id in self._open:
            self._written.append({"role": "tool", "tool_call_id": call_id, "content": _NO_RESULT})
        self._open.clear()


def _json_object(arguments: str) -> str:
    """Servers parse the arguments of past calls; those of a call that was cut short must not spoil the request."""
    try:
        msgspec.json.decode(arguments, type=dict[str, object])
    except msgspec.DecodeError:
        return "{}"
    return arguments


def _joined(texts: Iterable[str]) -> str:
    return "\n".join(text for text in texts if text.strip())
