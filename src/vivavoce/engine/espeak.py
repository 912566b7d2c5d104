"""Speaks with espeak-ng, in one child process for all calls.

It sounds like a machine, and is ready in a millisecond. Utterances wait in the child's own pipe and are said one
after the other at about a thousand times the speed of speech; the sound of each waits here for its call.
The library is GPL and stays in the child: docs/explain/decisions/0004-embedded-speech.md.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Final, Self

import msgspec

from vivavoce.audio.frame import from_bytes
from vivavoce.clock import Clock
from vivavoce.engine.child import Child, Talk
from vivavoce.engine.interface import Mark, SpeakerTraits, Speech
from vivavoce.engine.pipe import Kind
from vivavoce.engine.slower import slower
from vivavoce.errors import ConfigError, EngineError, Fault, Never, Retry

WORKER: Final = "vivavoce.engine.espeak_worker"
LOAD_S: Final = 15.0
PATIENCE_S: Final = 30.0
"""A long queue takes seconds on a busy machine; a child that is silent for longer hangs."""
WAITING: Final = 64
LONGEST_TEXT: Final = 4_096
"""Characters, as in OpenAI's speech endpoint; about five minutes, 14 MB of samples."""

DEFAULT_VOICE: Final = "en-us+klatt4"
_PITCH: Final = 40
_WORDS_PER_MINUTE: Final = 175
_SLOWEST, _FASTEST = 80, 450


@dataclass(frozen=True)
class Tone:
    """What makes a voice: espeak's variant, its pitch and how far that moves (0–99; 50 is usual)."""

    variant: str
    pitch: int = 50
    range: int = 50


TONES: Final = {
    "alloy": Tone("klatt4", 40),
    "ash": Tone("klatt4", 30),
    "ballad": Tone("klatt4", 40, 80),
    "cedar": Tone("klatt4", 30, 25),
    "coral": Tone("klatt4", 70),
    "echo": Tone("klatt4", 50),
    "marin": Tone("klatt4", 85),
    "sage": Tone("klatt4", 60, 20),
    "shimmer": Tone("klatt4", 75, 75),
    "verse": Tone("klatt4", 50, 75),
}
"""OpenAI's voices by name. All by klatt4, which pocketsphinx mishears least (12 to 23 % of words)."""


class Espeak:
    """The speaker."""

    traits = SpeakerTraits(name="espeak", voices=tuple(TONES), marks=True)

    def __init__(
        self,
        *,
        voice: str = DEFAULT_VOICE,
        pitch: int | None = None,
        waiting: int = WAITING,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Not loaded yet.

        Args:
            voice: espeak's voice for names that it does not know, as `language+variant`; its language is that of all.
            pitch: the pitch of that voice, 0–99.
            waiting: how many utterances may be under way.
            patience_s: after so long without an answer the child is killed.
        """
        self._language, _, variant = voice.partition("+")
        self._default = Tone(variant, _PITCH if pitch is None else pitch)
        self._waiting = waiting
        self._patience_s = patience_s
        self._child: Child | None = None
        self._spawning = asyncio.Lock()
        self._under_way = 0
        self._entered = False

    @property
    def pids(self) -> tuple[int, ...]:
        """The process id of its child, if it lives."""
        return (self._child.pid,) if self._child is not None and self._child.alive else ()

    async def __aenter__(self) -> Self:
        """Start the child.

        Raises:
            EngineError: there is no espeak-ng on this machine, or it does not start.
        """
        self._entered = True
        try:
            await self._living_child()
        except BaseException:
            self._entered = False
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        """End the child."""
        self._entered = False
        async with self._spawning:
            if self._child is not None:
                await self._child.close()
                self._child = None

    def speak(self, text: str, voice: str, speed: float) -> AsyncGenerator[Speech, None]:
        """Sound at 24 kHz, first in pieces of 40 ms, then of 200.

        Args:
            text: what to say; nothing comes of blank text.
            voice: one of `TONES`; any other name is the default voice.
            speed: 1 is 175 words a minute. What is slower than 80 words a minute is said at 80 and made longer.

        Raises:
            EngineError: the text is too long, too much is under way, or the child failed, hung or died.
        """
        spoken = self._speak(text, voice, speed)
        drawn_out = _SLOWEST / (_WORDS_PER_MINUTE * speed)
        return spoken if drawn_out <= 1 else slower(spoken, drawn_out)

    async def _speak(self, text: str, voice: str, speed: float) -> AsyncGenerator[Speech, None]:
        if len(text) > LONGEST_TEXT:
            raise EngineError(
                f"{len(text)} characters are too many to say at once, the limit is {LONGEST_TEXT}; cut them up",
                fault=Fault.CALLER,
                next=Never(),
            )
        if not text.strip():
            return
        if self._under_way >= self._waiting:
            raise EngineError(f"espeak is busy: {self._under_way} utterances are under way", next=Retry(0.5))
        self._under_way += 1
        try:
            child = await self._living_child()
            talk = child.talk()
            try:
                talk.send(Kind.BEGIN, self._utterance(text, voice, speed))
                marks: tuple[Mark, ...] = ()
                while (frame := await talk.receive(self._patience_s)).kind is not Kind.END:
                    if frame.kind is Kind.WORDS:
                        marks = _marks(frame.body)
                    elif frame.kind is Kind.SOUND:
                        yield Speech(from_bytes(frame.body), marks)
                        marks = ()
            finally:
                _give_up(child, talk)
        finally:
            self._under_way -= 1

    async def _living_child(self) -> Child:
        async with self._spawning:
            if not self._entered:
                raise EngineError("espeak is not running; enter it with `async with` first", next=Never())
            if self._child is None or not self._child.alive:
                self._child = await Child.spawn("espeak", WORKER, patience_s=LOAD_S)
            return self._child

    def _utterance(self, text: str, voice: str, speed: float) -> bytes:
        tone = TONES.get(voice, self._default)
        rate = round(max(_SLOWEST, min(_FASTEST, _WORDS_PER_MINUTE * speed)))
        return msgspec.json.encode(
            {
                "text": text,
                "voice": f"{self._language}+{tone.variant}" if tone.variant else self._language,
                "pitch": tone.pitch,
                "range": tone.range,
                "rate": rate,
            }
        )


def _marks(body: bytes) -> tuple[Mark, ...]:
    try:
        return tuple(Mark(end, at) for end, at in msgspec.json.decode(body, type=list[tuple[int, int]]))
    except msgspec.MsgspecError as error:
        raise EngineError(f"the espeak process wrote no marks: {error}") from error


def _give_up(child: Child, talk: Talk) -> None:
    """Whether it is over or not: a child that has finished the job ignores this."""
    if child.alive:
        talk.send(Kind.CANCEL)
    talk.close()


def open_speaker(options: Mapping[str, str], clock: Clock) -> Espeak:
    """The engine `espeak`.

    Options: `voice`, espeak's own name of a voice such as `en-gb` or `de+klatt4` for everybody whose voice has no name
    here, its language for all; `pitch` of that voice, 0–99.

    Raises:
        ConfigError: an unknown option, or a pitch that is none.
    """
    if unknown := sorted(set(options) - {"voice", "pitch"}):
        raise ConfigError(f"espeak has no option {unknown[0]!r}; it has voice and pitch")
    pitch = options.get("pitch")
    if pitch is not None and not (pitch.isdecimal() and int(pitch) <= 99):
        raise ConfigError("the option 'pitch' of espeak must be a number from 0 to 99")
    return Espeak(voice=options.get("voice", DEFAULT_VOICE), pitch=None if pitch is None else int(pitch))
