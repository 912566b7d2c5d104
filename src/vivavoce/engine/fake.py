"""Engines that do what a script says, to the sample and the second: for tests of whatever uses engines.

A script has one entry for each utterance or answer, in the order in which they are asked for; give an endless
iterator (`itertools.repeat`) where the number does not matter. Time passes only in `Wait` steps and only through
`pause`, by default `asyncio.sleep`: on a loop whose time jumps, an hour of talk takes no time. `Hang` never comes back,
`Die` raises.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import repeat
from typing import Generic, Self, TypeAlias, TypeVar

import numpy as np

from vivavoce.audio.frame import RATE_HZ, Pcm, sample_count
from vivavoce.engine.interface import (
    DetectorTraits,
    Draft,
    Final,
    Mark,
    Partial,
    Prompt,
    Report,
    SpeakerTraits,
    Speech,
    ThinkerTraits,
    Thinking,
    Thought,
    ToolAddress,
    ToolArguments,
    ToolCall,
    ToolConnectionError,
    TranscriberTraits,
    Transcribing,
    TurnModelTraits,
    Words,
)
from vivavoce.errors import EngineError, Fault, Never
from vivavoce.wire.config import Transcription
from vivavoce.wire.item import McpListedTool, McpProtocolError

Pause: TypeAlias = Callable[[float], Awaitable[object]]
"""Waits for that many seconds."""


@dataclass(frozen=True)
class Wait:
    """Let time pass."""

    seconds: float


@dataclass(frozen=True)
class Hang:
    """Never go on; only cancelling ends it."""


@dataclass(frozen=True)
class Die:
    """Raise. Anything but an `EngineError` shows how a driver bears an engine that breaks its promise."""

    error: Exception = field(default_factory=lambda: EngineError("the script says that the engine fails here"))


@dataclass(frozen=True)
class Hear:
    """Transcriber: go on when that many samples of the utterance have come, or all of it (None)."""

    samples: int | None = None


@dataclass(frozen=True)
class Say:
    """Speaker: say that many more words."""

    words: int


HearStep: TypeAlias = Hear | Partial | Draft | Final | Wait | Hang | Die
ThinkStep: TypeAlias = Thinking | Wait | Hang | Die
SpeakStep: TypeAlias = Say | Wait | Hang | Die


def hearing(text: str, *, word_ms: int, final_s: float = 0.0) -> tuple[HearStep, ...]:
    """A transcript that grows by one word with every `word_ms` of sound and is final `final_s` after its end."""
    words = re.findall(r"\s*\S+", text)
    steps: list[HearStep] = []
    for number, word in enumerate(words, start=1):
        steps += [Hear(sample_count(number * word_ms)), Partial(word)]
    return (*steps, Hear(), Wait(final_s), Final(text))


def thinking(text: str, *, first_s: float = 0.0, word_s: float = 0.0) -> tuple[ThinkStep, ...]:
    """An answer whose first word comes after `first_s` and each further one `word_s` later; a word is a token."""
    words = re.findall(r"\s*\S+\s*?", text)
    steps: list[ThinkStep] = [Wait(first_s)]
    for number, word in enumerate(words):
        steps += [Wait(word_s), Words(word)] if number else [Words(word)]
    return (*steps, Thought(output_tokens=len(words)))


Entry = TypeVar("Entry")


class _Script(Generic[Entry]):
    """The entries of a script, handed out one by one, and the steps that all engines share."""

    def __init__(self, entries: Iterable[Entry], pause: Pause) -> None:
        self._entries: Iterator[Entry] = iter(entries)
        self._pause = pause
        self._taken = 0

    def next(self) -> Entry:
        for entry in self._entries:
            self._taken += 1
            return entry
        raise EngineError(
            f"the script has {self._taken} entries and was asked for one more", fault=Fault.CALLER, next=Never()
        )

    async def pass_time(self, step: Wait | Hang | Die) -> None:
        match step:
            case Wait(seconds):
                await self._pause(seconds)
            case Hang():
                await asyncio.Event().wait()
            case Die(error):
                raise error


class _Entered:
    """What entering and leaving a fake does: nothing but to be counted."""

    def __init__(self) -> None:
        self.entered = 0

    async def __aenter__(self) -> Self:
        self.entered += 1
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.entered -= 1


# ── who hears that somebody speaks ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Span:
    """From sample `start` up to `end` of a stream somebody speaks with that probability."""

    start: int
    end: int
    probability: float = 1.0


class ScriptedDetector(_Entered):
    """Reports probabilities by the position in the stream, whatever is in the sound; the same for every stream.

    Args:
        spans: where somebody speaks; the span at the middle of a window decides, the last one where several do.
        window: samples that make one report.
        otherwise: the probability outside of all spans.
    """

    def __init__(self, spans: Sequence[Span] = (), *, window: int = 768, otherwise: float = 0.0) -> None:
        super().__init__()
        self._spans = tuple(spans)
        self._window = window
        self._otherwise = otherwise

    @property
    def traits(self) -> DetectorTraits:
        """A window of the script's choice."""
        return DetectorTraits(name="scripted", window=self._window)

    def open(self, report: Report) -> "ScriptedEar":
        """A stream that reports while it is being pushed."""
        return ScriptedEar(report, self._window, self._probability)

    def _probability(self, sample: int) -> float:
        found = [span.probability for span in self._spans if span.start <= sample < span.end]
        return found[-1] if found else self._otherwise


class ScriptedEar:
    """One stream of a `ScriptedDetector`."""

    def __init__(self, report: Report, window: int, probability: Callable[[int], float]) -> None:
        self._report: Report | None = report
        self._window = window
        self._probability = probability
        self._pushed = 0
        self._reported = 0

    def push(self, samples: Pcm) -> None:
        """Counts the samples and reports every window that they complete."""
        self._pushed += len(samples)
        while self._report is not None and self._reported + self._window <= self._pushed:
            middle = self._reported + self._window // 2
            self._reported += self._window
            self._report(self._probability(middle), self._reported)

    def close(self) -> None:
        """No more reports, not even from within one."""
        self._report = None


# ── who writes down what was said ───────────────────────────────────────────────────────────────────────


class ScriptedTranscriber(_Entered):
    """Hears what the script says, one entry for each utterance.

    Args:
        script: for each utterance its text, final as soon as the sound ends, or steps (see `hearing`).
        pause: how to wait.
    """

    def __init__(self, script: Iterable[str | Sequence[HearStep]], pause: Pause = asyncio.sleep) -> None:
        super().__init__()
        self._script = _Script(script, pause)
        self.heard: list[int] = []
        """Samples taken of each utterance."""
        self.wishes: list[Transcription | None] = []

    @property
    def traits(self) -> TranscriberTraits:
        """Partial texts, any language."""
        return TranscriberTraits(name="scripted", partials=True)

    async def transcribe(
        self, sound: AsyncIterator[Pcm], wish: Transcription | None
    ) -> AsyncGenerator[Transcribing, None]:
        """The next entry of the script.

        Raises:
            EngineError: the script says so, or has come to its end.
        """
        entry = self._script.next()
        number = len(self.heard)
        self.heard.append(0)
        self.wishes.append(wish)
        for step in (Hear(), Final(entry)) if isinstance(entry, str) else entry:
            match step:
                case Hear(samples):
                    while samples is None or self.heard[number] < samples:
                        piece = await anext(sound, None)
                        if piece is None:
                            break
                        self.heard[number] += len(piece)
                case Partial() | Draft() | Final():
                    yield step
                case _:
                    await self._script.pass_time(step)


# ── who hears that somebody has finished ────────────────────────────────────────────────────────────────


class ScriptedTurnModel(_Entered):
    """Judges as the script says, one entry for each pause.

    Args:
        script: for each pause the probability, or what happens in its place.
        window: samples it wants.
        pause: how to wait.
    """

    def __init__(
        self, script: Iterable[float | Wait | Hang | Die], *, window: int = 8 * RATE_HZ, pause: Pause = asyncio.sleep
    ) -> None:
        super().__init__()
        self._script = _Script(script, pause)
        self._window = window
        self.heard: list[Pcm] = []
        """What was to be judged."""

    @property
    def traits(self) -> TurnModelTraits:
        """A window of the script's choice."""
        return TurnModelTraits(name="scripted", window=self._window)

    async def judge(self, sound: Pcm) -> float:
        """The next entry of the script; after a `Wait` the one behind it.

        Raises:
            EngineError: the script says so, or has come to its end.
        """
        self.heard.append(sound)
        while not isinstance(step := self._script.next(), float | int):
            await self._script.pass_time(step)
        return step


# ── who thinks ──────────────────────────────────────────────────────────────────────────────────────────


class ScriptedThinker(_Entered):
    """Thinks what the script says, one entry for each answer.

    Args:
        script: for each answer its text, or steps (see `thinking`). Steps that do not end in a `Thought` get one.
        pause: how to wait.
    """

    def __init__(self, script: Iterable[str | Sequence[ThinkStep]], pause: Pause = asyncio.sleep) -> None:
        super().__init__()
        self._script = _Script(script, pause)
        self.prompts: list[Prompt] = []
        """What was asked, in order."""
        self.abandoned = 0
        """Answers that nobody listened to until the end."""

    @property
    def traits(self) -> ThinkerTraits:
        """Answers to any model's name and takes anything."""
        return ThinkerTraits(name="scripted", sees=True)

    async def think(self, prompt: Prompt) -> AsyncGenerator[Thinking, None]:
        """The next entry of the script.

        Raises:
            EngineError: the script says so, or has come to its end.
        """
        entry = self._script.next()
        self.prompts.append(prompt)
        try:
            for step in thinking(entry) if isinstance(entry, str) else entry:
                match step:
                    case Words() | ToolCall() | ToolArguments():
                        yield step
                    case Thought():
                        yield step
                        return
                    case _:
                        await self._script.pass_time(step)
            yield Thought()
        except (GeneratorExit, asyncio.CancelledError):
            self.abandoned += 1
            raise


# ── who speaks ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Said:
    """One utterance as it was asked for."""

    text: str
    voice: str
    speed: float


class ScriptedSpeaker(_Entered):
    """Says every word as a stretch of one long tone, so that what was heard can be told from the samples.

    Args:
        script: for each utterance what else happens (`Say`, `Wait`, `Hang`, `Die`); words that are left are said at
            the end. By default every utterance is simply said.
        ms_per_character: how long a word is for each of its characters, at speed 1.
        ms_per_word: how much longer each word is.
        tone_hz: the pitch.
        level: the amplitude, of 32,767.
        pause: how to wait.
    """

    def __init__(
        self,
        script: Iterable[Sequence[SpeakStep]] | None = None,
        *,
        ms_per_character: float = 50.0,
        ms_per_word: float = 0.0,
        tone_hz: float = 440.0,
        level: int = 8_000,
        pause: Pause = asyncio.sleep,
    ) -> None:
        super().__init__()
        self._script = _Script[Sequence[SpeakStep]](repeat(()) if script is None else script, pause)
        self._ms_per_character = ms_per_character
        self._ms_per_word = ms_per_word
        self._tone_hz = tone_hz
        self._level = level
        self.said: list[Said] = []
        """What was asked for, in order."""
        self.abandoned = 0
        """Utterances that nobody listened to until the end."""

    @property
    def traits(self) -> SpeakerTraits:
        """One voice, every word timed."""
        return SpeakerTraits(name="scripted", voices=("tone",), marks=True)

    def samples(self, text: str, speed: float = 1.0) -> int:
        """How many samples saying `text` takes; that of its words added up."""
        return sum(self._word_samples(word[0], speed) for word in re.finditer(r"\S+", text))

    async def speak(self, text: str, voice: str, speed: float) -> AsyncGenerator[Speech, None]:
        """One piece of sound for each word, with one mark at its end.

        Raises:
            EngineError: the script says so, or has come to its end.
        """
        steps = self._script.next()
        self.said.append(Said(text, voice, speed))
        words = re.finditer(r"\S+", text)
        spoken = 0
        try:
            for step in (*steps, Say(len(text))):
                if not isinstance(step, Say):
                    await self._script.pass_time(step)
                    continue
                for _, word in zip(range(step.words), words, strict=False):
                    count = self._word_samples(word[0], speed)
                    spoken += count
                    yield Speech(self._tone(spoken - count, spoken), (Mark(word.end(), spoken),))
        except (GeneratorExit, asyncio.CancelledError):
            self.abandoned += 1
            raise

    def _word_samples(self, word: str, speed: float) -> int:
        return sample_count((self._ms_per_word + self._ms_per_character * len(word)) / speed)

    def _tone(self, start: int, end: int) -> Pcm:
        turns = np.arange(start, end, dtype=np.float64) * (self._tone_hz / RATE_HZ)
        return np.rint(self._level * np.sin(2 * np.pi * turns)).astype(np.int16)


# ── who carries out tools ───────────────────────────────────────────────────────────────────────────────

ToolStep: TypeAlias = str | Wait | Hang | Die
"""A text is the tool's answer, or a part of it."""


class ScriptedToolServers(_Entered):
    """Tool servers by their URLs. Each tells its tools and answers calls as the script says.

    Args:
        tools: for each URL the tools that are listed; there is no server at any other.
        script: for each call its answer, or steps whose texts are joined.
        pause: how to wait.
    """

    def __init__(
        self,
        tools: Mapping[str, Sequence[McpListedTool]],
        script: Iterable[str | Sequence[ToolStep]] = (),
        pause: Pause = asyncio.sleep,
    ) -> None:
        super().__init__()
        self._tools = tools
        self._script = _Script[str | Sequence[ToolStep]](script, pause)
        self.called: list[tuple[str, str]] = []
        """Name and arguments of each call, in order."""
        self.addresses: list[ToolAddress] = []
        """Where somebody has connected to, in order."""
        self.abandoned = 0
        """Calls that nobody waited for."""
        self.connected = 0
        """Connections that are open."""

    @asynccontextmanager
    async def connect(self, address: ToolAddress) -> AsyncGenerator["ScriptedToolConnection", None]:
        """A connection that is counted while it is open.

        Raises:
            ToolConnectionError: the script knows no such server.
        """
        self.addresses.append(address)
        if address.url not in self._tools:
            raise ToolConnectionError(McpProtocolError(code=-32000, message="there is no such server"))
        self.connected += 1
        try:
            yield ScriptedToolConnection(self, tuple(self._tools[address.url]))
        finally:
            self.connected -= 1

    async def answer(self, name: str, arguments: str) -> str:
        """The next entry of the script.

        Raises:
            EngineError: the script says so, or has come to its end.
        """
        entry = self._script.next()
        self.called.append((name, arguments))
        said: list[str] = []
        try:
            for step in (entry,) if isinstance(entry, str) else entry:
                if isinstance(step, str):
                    said.append(step)
                else:
                    await self._script.pass_time(step)
        except asyncio.CancelledError:
            self.abandoned += 1
            raise
        return "".join(said)


class ScriptedToolConnection:
    """One connection of `ScriptedToolServers`."""

    def __init__(self, servers: ScriptedToolServers, tools: tuple[McpListedTool, ...]) -> None:
        self._servers = servers
        self._tools = tools

    async def tools(self) -> tuple[McpListedTool, ...]:
        """All tools of the script."""
        return self._tools

    async def call(self, name: str, arguments: str) -> str:
        """What the script says; see `ScriptedToolServers.answer`."""
        return await self._servers.answer(name, arguments)
