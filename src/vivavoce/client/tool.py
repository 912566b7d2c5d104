"""Python functions that the model may call.

What a function takes is read from its signature, what it is for from its docstring. What the model sends is checked
against the same signature before the function sees it.
"""

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum
from typing import Annotated, cast, get_args, get_origin, get_type_hints

import msgspec

from vivavoce.errors import ConfigError
from vivavoce.wire.config import FunctionTool

Function = Callable[..., object]
"""Any function or coroutine function whose parameters have types that JSON can carry."""

_HEADING = re.compile(r"(?:Args|Arguments|Returns?|Raises|Yields|Examples?|Notes?):\s*")
_ARGUMENT = re.compile(r"\s+\*{0,2}(?P<name>\w+)\s*(?:\([^)]*\))?:\s*(?P<text>.*?)\s*")


class Tool:
    """One function, ready to be declared and run. Knows nothing of calls.

    Raises:
        ConfigError: it has no name, takes arguments by position only or in any number, or a type that JSON has not.
    """

    def __init__(self, function: Function) -> None:
        self.name: str = getattr(function, "__name__", "")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", self.name):
            raise ConfigError(f"A tool needs a name like a function's, and {self.name!r} is none. Use `def`.")
        self._function = function
        summary, described = read_docstring(inspect.getdoc(function) or "")
        self._arguments, annotated = self._read(function)
        parameters = self._schema(described | annotated)
        self.declaration = FunctionTool(name=self.name, description=summary, parameters=parameters)

    async def run(self, arguments: str) -> str:
        """The output for the model, also when the function fails. A plain function runs in a thread.

        Args:
            arguments: the JSON text that the model made.
        """
        try:
            given = msgspec.json.decode(arguments or "{}", type=self._arguments)
            values = {
                name: value for name, value in msgspec.structs.asdict(given).items() if value is not msgspec.UNSET
            }
            if inspect.iscoroutinefunction(self._function):
                result: object = await self._function(**values)
            else:
                result = await asyncio.to_thread(self._function, **values)
            if inspect.isawaitable(result):
                result = await cast("Awaitable[object]", result)
            return written(result)
        except Exception as error:  # whatever the function raises is something to tell the model, not to die of
            return written({"error": f"{type(error).__name__}: {error}"})

    def _read(self, function: Function) -> tuple[type[msgspec.Struct], dict[str, str]]:
        """The arguments as a type, and what `Annotated` says of each in words."""
        hints = get_type_hints(function, include_extras=True)
        fields: list[tuple[str, object] | tuple[str, object, object]] = []
        described: dict[str, str] = {}
        for name, parameter in inspect.signature(function).parameters.items():
            if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                raise ConfigError(
                    f"The tool {self.name!r} takes {name!r} in a way that JSON cannot give; use plain parameters."
                )
            hint: object = hints.get(name, str)
            if get_origin(hint) is Annotated:
                described[name] = " ".join(note for note in get_args(hint)[1:] if isinstance(note, str))
            if parameter.default is parameter.empty:
                fields.append((name, hint))
            else:
                # Left out by the model, it is left to the function's own default.
                fields.append((name, cast("type", hint) | msgspec.UnsetType, msgspec.UNSET))
        try:
            return msgspec.defstruct(self.name, fields, kw_only=True, forbid_unknown_fields=True), described
        except (TypeError, ValueError) as error:
            raise ConfigError(f"The tool {self.name!r} has a parameter that JSON cannot carry: {error}.") from error

    def _schema(self, described: Mapping[str, str]) -> dict[str, object]:
        """The schema of the arguments, its own top level inlined as the models want it."""
        try:
            schema = msgspec.json.schema(self._arguments)
        except TypeError as error:
            raise ConfigError(f"The tool {self.name!r} has a parameter that JSON cannot carry: {error}.") from error
        definitions = cast("dict[str, dict[str, object]]", schema.pop("$defs", {}))
        top = definitions.pop(str(schema.get("$ref", "")).rpartition("/")[2], schema)
        top = {key: value for key, value in top.items() if key not in ("title", "description")}
        for name, schema_of in cast("dict[str, dict[str, object]]", top.get("properties", {})).items():
            if described.get(name):
                schema_of["description"] = described[name]
        return {**top, "$defs": definitions} if definitions else top


class _Part(Enum):
    """Where in a docstring one is."""

    SUMMARY = "summary"
    ARGUMENTS = "arguments"
    REST = "rest"


def read_docstring(text: str) -> tuple[str, dict[str, str]]:
    """What a docstring says of a function, and of each argument in its Google-style `Args` section."""
    summary, described = list[str](), dict[str, str]()
    part, current, depth = _Part.SUMMARY, "", 0
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if _HEADING.fullmatch(line):
            part = _Part.ARGUMENTS if "rg" in line else _Part.REST
        elif part is _Part.SUMMARY:
            summary.append(line)
        elif part is _Part.ARGUMENTS and line.strip():
            found = _ARGUMENT.fullmatch(line)
            if found and (not depth or indent <= depth):
                current, depth = found["name"], indent
                described[current] = found["text"]
            elif current:
                described[current] = f"{described[current]} {line.strip()}".strip()
    return "\n".join(summary).strip(), described


def written(result: object) -> str:
    """A result as text for the model: strings as they are, everything else as JSON."""
    if isinstance(result, str):
        return result
    try:
        return msgspec.json.encode(result).decode()
    except (TypeError, ValueError, RecursionError):
        return msgspec.json.encode(str(result)).decode()


def tools(functions: Sequence[Function]) -> dict[str, Tool]:
    """Functions by name.

    Raises:
        ConfigError: two of one name, or one that cannot be a tool.
    """
    found: dict[str, Tool] = {}
    for function in functions:
        tool = Tool(function)
        if tool.name in found:
            raise ConfigError(f"Two tools are called {tool.name!r}; rename one.")
        found[tool.name] = tool
    return found
