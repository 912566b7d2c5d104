"""What people, programs and engines may do in a conversation, by the throw of dice.

Plain chance from a seed reaches deeper into a conversation than drawn structures do; a test draws one seed for each
move, so that a failing conversation still shrinks move by move.
"""

import base64
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import TypeVar

import numpy as np

from vivavoce.audio.frame import Pcm, sample_count, silence, to_bytes
from vivavoce.session.effect import Charge
from vivavoce.session.result import CallArguments, CallBegun, Failed, Listed, Partial, Thought, ToolFailed, Words
from vivavoce.session.result import Final as FinalText
from vivavoce.session.window import Mind
from vivavoce.testing.cast import Answer, Break, Early, Hang, Hearing, Pace, Purse, Remote, Rest, Step, Trouble
from vivavoce.testing.ear import voice
from vivavoce.wire.config import RateLimit
from vivavoce.wire.item import McpHttpError, McpListedTool

GONE = Failed("The engine is gone.", code="engine_error")
TOKEN = re.compile(r"q\d+q")
"""Every word of a scripted answer occurs once in a conversation, so that it can be told whether it was heard."""

Event = dict[str, object]
T = TypeVar("T")


class Dice:
    """Chance from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def one(self, options: Sequence[T]) -> T:
        """Any of them, each as likely as it occurs."""
        return self._random.choice(options)

    def chance(self, share: float) -> bool:
        """True so often."""
        return self._random.random() < share

    def number(self, least: int, most: int) -> int:
        """Any number in between, both included."""
        return self._random.randint(least, most)

    def share(self) -> float:
        """Any number from 0 to 1."""
        return self._random.random()

    def some(self, make: Callable[["Dice"], T], most: int, least: int = 0) -> list[T]:
        """So many at most, each made anew."""
        return [make(self) for _ in range(self.number(least, most))]

    def keys(self, options: Event, share: float = 0.4) -> Event:
        """Some keys of a dictionary; a function in it throws the dice for its value."""
        kept = [(key, value) for key, value in options.items() if self.chance(share)]
        return {key: value(self) if callable(value) else value for key, value in kept}


# ── engines ─────────────────────────────────────────────────────────────────────────────────────────────

FAIR: list[Hearing] = ["hello", "", " again ", [Partial("some "), Partial("words"), FinalText("some words")]]
FOUL: list[Hearing] = [GONE, Hang(), Early(GONE), Early(FinalText("early")), [Partial("some "), GONE]]
ENDS: list[Step] = [
    *[Thought()] * 6,
    Thought(cut="max_output_tokens"),
    Thought("content_filter", 7, 3, 5),
    GONE,
    Hang(),
]


def transcript(dice: Dice) -> Hearing:
    """What a transcriber makes of an utterance."""
    return dice.one([*FAIR * 3, *FOUL])


def trouble(dice: Dice) -> Trouble:
    """What goes wrong with a spoken sentence, mostly nothing."""
    after = dice.number(0, 9)
    return dice.one([*[None] * 8, Hang(after), Break(GONE, after)])


def pace(dice: Dice) -> Pace:
    """How long engines take."""
    return Pace(
        detector=dice.one([0.0, 0.0, 0.03, 0.4]),
        transcript=dice.one([0.1, 0.0, 1.0]),
        first_word=dice.one([0.05, 0.0, 0.7]),
        word=dice.one([0.01, 0.0, 0.1]),
        first_sound=dice.one([0.02, 0.0, 0.5]),
        piece=dice.one([0.01, 0.01, 0.0, 0.15]),
        marked=dice.chance(0.7),
    )


def mind(dice: Dice) -> Mind:
    """Mostly a large one."""
    return Mind(dice.one([0, 0, 0, 40, 400]), sees=dice.chance(0.5))


def purse(dice: Dice) -> Purse | None:
    """Nobody counts, or somebody does who cannot always, and lets so many answers through."""
    if dice.chance(0.7):
        return None
    left = itertools.count(dice.number(0, 6), -1)

    def count(charge: Charge) -> list[RateLimit]:
        if dice.chance(0.1):
            return []
        remaining = next(left) if charge.responses else 1
        return [RateLimit(name="requests", limit=6, remaining=remaining, reset_seconds=1.0)]

    return count


def replies(dice: Dice, most: int) -> list[Answer]:
    """Answers with words that occur once."""
    counter = itertools.count(1)
    return [[*_steps(dice, counter), dice.one(ENDS)] for _ in range(most)]


def _steps(dice: Dice, counter: Iterator[int]) -> Iterator[Step]:
    for _ in range(dice.number(1, 5)):
        kind = dice.one(["sentence"] * 6 + ["call", "arguments", "blank", "rest"])
        match kind:
            case "sentence":
                end = dice.one([". ", ". ", "? ", ", ", ".\n\n", " "])
                words = [f"q{next(counter)}q" for _ in range(dice.number(1, 12))]
                yield from (Words(word + " ") for word in words[:-1])
                yield Words(words[-1] + end)
            case "call":
                yield CallBegun(dice.number(0, 2), dice.one(["look", "note", "far", "far", "near__far"]))
            case "arguments":
                yield CallArguments(dice.number(0, 2), dice.one(["{}", '{"a":', "1}", ""]))
            case "blank":
                yield Words("\n\n")
            case _:
                yield Rest(dice.one([0.0, 0.5, 3.0]))


FAR = Listed((McpListedTool(name="far", input_schema={}), McpListedTool(name="near", input_schema={})))
DOWN = ToolFailed(McpHttpError(code=503, message="It is down."))
SERVERS = ["https://far.example/mcp", "https://near.example/mcp"]


def remote(dice: Dice) -> Remote:
    """MCP servers that mostly do as they should, however often they are asked."""
    told = [[dice.one([FAR, FAR, FAR, DOWN, Hang()]) for _ in range(99)] for _ in SERVERS]
    return Remote(dict(zip(SERVERS, told, strict=True)), [dice.one(["seen", "", DOWN, Hang()]) for _ in range(199)])


def tools(dice: Dice) -> list[Event]:
    """What a model may call, and whether somebody has to allow it."""
    look: Event = {"type": "function", "name": "look"}
    far: Event = {"type": "mcp", "server_label": "far", "require_approval": dice.one(["always", "never", "never"])}
    near: Event = {"type": "mcp", "server_label": "near", "server_url": SERVERS[1]}
    whole = far | {"server_url": dice.one([SERVERS[0], SERVERS[0], SERVERS[1]])}
    return dice.one([[], [look], [whole], [whole], [look, whole, near], [far], [whole, far]])


# ── what a client sends ─────────────────────────────────────────────────────────────────────────────────


def detection(dice: Dice) -> Event | None:
    """Turn detection."""
    server: Event = {
        "threshold": dice.one([0.5, 0.0, 0.1, 1.0]),
        "silence_duration_ms": dice.one([200, 0, 700]),
        "prefix_padding_ms": dice.one([300, 0, 20_000]),
        "create_response": dice.chance(0.7),
        "interrupt_response": dice.chance(0.7),
        "idle_timeout_ms": dice.one([None, 5000, 20_000]),
    }
    semantic: Event = {"eagerness": dice.one(["low", "high", "auto"])}
    return dice.one(
        [
            {"type": "server_vad"} | dice.keys(server),
            {"type": "server_vad"} | dice.keys(server),
            {"type": "semantic_vad"} | dice.keys(semantic),
            None,
        ]
    )


def form(dice: Dice) -> Event:
    """A sound format."""
    return {"type": dice.one([*["audio/pcm"] * 3, "audio/pcmu", "audio/pcma"])}


def _audio_input(dice: Dice) -> Event:
    models: list[Event | None] = [None, {"model": "whisper-1"}, {"model": "gpt-4o-transcribe"}]
    return dice.keys({"turn_detection": detection, "transcription": dice.one(models), "format": form})


def _audio_output(dice: Dice) -> Event:
    return dice.keys({"voice": dice.one(["ash", "marin"]), "speed": 1.2})


def session(dice: Dice, kind: str) -> Event:
    """A config, or a change of one."""
    if kind == "transcription":
        return {"type": kind, "audio": dice.keys({"input": _audio_input}, 0.8)}
    changes: Event = {
        "audio": dice.keys({"input": _audio_input, "output": _audio_output}, 0.7),
        "output_modalities": dice.one([["audio"], ["audio"], ["text"]]),
        "instructions": dice.one(["", "Be brief."]),
        "tools": tools,
        "parallel_tool_calls": dice.chance(0.7),
        "tool_choice": dice.one(["auto", "none", "required", {"type": "mcp", "server_label": "far"}]),
    }
    return {"type": kind} | dice.keys(changes)


def opening(dice: Dice, kind: str) -> Event:
    """A config that a call can begin with."""
    config = {key: value for key, value in session(dice, kind).items() if key not in ("tools", "tool_choice")}
    return config if kind == "transcription" else config | {"tools": [{"type": "function", "name": "look"}]}


def response(dice: Dice) -> Event:
    """What a response is to be, without its input."""
    return dice.keys(
        {
            "conversation": dice.one(["auto", "none"]),
            "output_modalities": dice.one([["audio"], ["audio"], ["text"]]),
            "audio": {"output": {"format": form(dice)}},
            "max_output_tokens": dice.one([1, "inf"]),
            "metadata": dice.one([None, {"a": "b"}]),
            "tools": tools if dice.chance(0.3) else [],
        }
    )


def coded(milliseconds: int, *, loud: bool) -> str:
    """Sound as base64 of 16-bit samples."""
    samples = sample_count(milliseconds)
    return base64.b64encode(to_bytes(voice(samples) if loud else silence(samples))).decode()


def piece(dice: Dice) -> str:
    """Sound as it is appended."""
    return dice.one(["!", "AAAA", *[coded(ms, loud=dice.chance(0.5)) for ms in (0, 20, 99, 100, 500, 3000)]])


def strip(dice: Dice) -> Pcm:
    """Speech and silence of many seconds, as from a file that is sent at once."""
    parts = [(dice.one([voice, silence]), dice.one([20, 300, 1000, 12_000])) for _ in range(dice.number(1, 4))]
    return np.concatenate([make(sample_count(ms)) for make, ms in parts])


def content(dice: Dice) -> Event:
    """An item without its id."""
    text: Event = {"type": "input_text", "text": dice.one(["hi", ""])}
    audio: Event = {"type": "input_audio", "audio": piece(dice)}
    written: Event = audio | {"transcript": "given"}
    parts = [dice.one([text, audio, written]) for _ in range(dice.number(0, 3))]
    unheard: Event = {"type": "output_audio", "transcript": "no"}
    user: Event = {"type": "message", "role": "user", "content": parts}
    items: list[Event] = [
        *[user] * 3,
        {"type": "message", "role": "system", "content": [text]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "so"}]},
        {"type": "message", "role": "assistant", "content": []},
        {"type": "message", "role": "assistant", "content": [unheard]},
        {"type": "function_call", "name": "look", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "nothing"},
    ]
    item = dice.one(items)
    return item | dice.keys({"status": dice.one(["completed", "incomplete", "in_progress"])}, 0.3)
