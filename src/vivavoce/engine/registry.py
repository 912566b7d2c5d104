"""Finds engines by name among what is installed, and opens them with their options.

An engine is a factory `open_x(options, clock)` under one of five entry point groups, ours and other packages' alike.
Nothing is imported before it is chosen: a recogniser may weigh hundreds of megabytes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Final, Protocol, TypeVar, cast

from vivavoce.clock import Clock
from vivavoce.engine.interface import Detector, Speaker, Thinker, Transcriber, TurnModel
from vivavoce.errors import ConfigError

GROUPS: Final = {
    "detector": "vivavoce.detector",
    "transcriber": "vivavoce.transcriber",
    "thinker": "vivavoce.thinker",
    "speaker": "vivavoce.speaker",
    "turn model": "vivavoce.turn_model",
}
"""Kind of engine to entry point group."""

EngineT_co = TypeVar("EngineT_co", covariant=True)


class Opener(Protocol[EngineT_co]):
    """A factory of engines: what an entry point names. It only reads options; the engine loads when entered.

    Raises:
        ConfigError: an option is unknown, missing or impossible.
    """

    def __call__(self, options: Mapping[str, str], clock: Clock, /) -> EngineT_co:
        """An engine with these options, not entered yet."""
        ...


@dataclass(frozen=True)
class EngineSpec:
    """An engine's name and its options. The values of options never print: one may be a key."""

    name: str
    options: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def parse(cls, text: str) -> "EngineSpec":
        """Reads the form in which settings name an engine.

        Three forms: `house`; `espeak:voice=en-gb,pitch=40`; and for engines behind a URL
        `chat:http://127.0.0.1:11434/v1#llama3.2`, where the part after `#` is the option `model` and more options may
        follow it (`#llama3.2,effort=none`). A value that holds a comma has it doubled.

        Raises:
            ConfigError: no name, an option without `=`, or one given twice.
        """
        name, _, rest = text.strip().partition(":")
        if not name.replace("-", "").replace("_", "").isalnum():
            raise ConfigError(f"{_shown(text)} names no engine; write NAME, NAME:OPTION=VALUE or NAME:URL#MODEL")
        if not rest:
            return cls(name)
        if "://" not in rest.partition("=")[0]:
            return cls(name, _options(name, _split(rest)))
        url, _, fragment = rest.partition("#")
        model, *more = _split(fragment)
        given = {"url": url, "model": model} if model else {"url": url}
        return cls(name, _options(name, more, given))

    def __repr__(self) -> str:
        options = ", ".join(f"{name}=***" for name in self.options)
        return f"EngineSpec({self.name}{': ' + options if options else ''})"


class Registry:
    """The engines that are installed.

    Args:
        found: entry points to choose from; what is installed when not given.
    """

    def __init__(self, found: Iterable[EntryPoint] | None = None) -> None:
        if found is None:
            found = [point for group in GROUPS.values() for point in entry_points(group=group)]
        self._found = tuple(found)

    def names(self, kind: str) -> tuple[str, ...]:
        """The names of all engines of a kind (a key of `GROUPS`), sorted."""
        return tuple(sorted({point.name for point in self._found if point.group == GROUPS[kind]}))

    def detector(self, spec: EngineSpec, clock: Clock) -> Detector:
        """The detector of that name.

        Raises:
            ConfigError: there is none, it cannot be loaded, or its options are wrong.
        """
        return cast("Opener[Detector]", self._opener("detector", spec.name))(spec.options, clock)

    def transcriber(self, spec: EngineSpec, clock: Clock) -> Transcriber:
        """The transcriber of that name; raises as `detector` does."""
        return cast("Opener[Transcriber]", self._opener("transcriber", spec.name))(spec.options, clock)

    def thinker(self, spec: EngineSpec, clock: Clock) -> Thinker:
        """The thinker of that name; raises as `detector` does."""
        return cast("Opener[Thinker]", self._opener("thinker", spec.name))(spec.options, clock)

    def speaker(self, spec: EngineSpec, clock: Clock) -> Speaker:
        """The speaker of that name; raises as `detector` does."""
        return cast("Opener[Speaker]", self._opener("speaker", spec.name))(spec.options, clock)

    def turn_model(self, spec: EngineSpec, clock: Clock) -> TurnModel:
        """The turn model of that name; raises as `detector` does."""
        return cast("Opener[TurnModel]", self._opener("turn model", spec.name))(spec.options, clock)

    def _opener(self, kind: str, name: str) -> Opener[object]:
        values = sorted({point.value for point in self._found if (point.group, point.name) == (GROUPS[kind], name)})
        match values:
            case []:
                known = ", ".join(self.names(kind)) or "none at all"
                raise ConfigError(f"there is no {kind} called {name!r}; installed: {known}")
            case [value]:
                return _load(kind, EntryPoint(name, value, GROUPS[kind]))
            case _:
                raise ConfigError(
                    f"two packages offer a {kind} called {name!r} ({', '.join(values)}); uninstall one of them"
                )


def _load(kind: str, point: EntryPoint) -> Opener[object]:
    try:
        loaded: object = point.load()
    except (ImportError, AttributeError, OSError) as error:
        # OSError: a shared library that the package wants is not on this machine.
        raise ConfigError(
            f"the {kind} {point.name!r} ({point.value}) is installed but cannot be loaded: {error}; "
            "install what it asks for, or choose another"
        ) from error
    if not callable(loaded):
        raise ConfigError(f"the {kind} {point.name!r} ({point.value}) is not a function that opens an engine")
    return cast("Opener[object]", loaded)


def _split(text: str) -> list[str]:
    """Parts between single commas."""
    return [part.replace("\0", ",") for part in text.replace(",,", "\0").split(",")]


def _options(name: str, parts: list[str], given: Mapping[str, str] | None = None) -> Mapping[str, str]:
    options = dict(given or {})
    for part in parts:
        key, equals, value = part.partition("=")
        key = key.strip()
        if not key or not equals:
            raise ConfigError(f"an option of {name!r} must look like NAME=VALUE; number {len(options) + 1} does not")
        if key in options:
            raise ConfigError(f"the option {key!r} of {name!r} is given twice")
        options[key] = value.strip()
    return options


def _shown(text: str) -> str:
    """What may be shown of a spec that cannot be read: not its options."""
    return repr(text.partition(":")[0])
