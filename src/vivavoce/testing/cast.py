"""Engines that play a part: what they say is data, when they say it is exact.

The voice gives every word a sample value of its own, so that a listener can tell which words reached the ear.
"""

import itertools
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, assert_never

import numpy as np

from vivavoce.audio.frame import sample_count
from vivavoce.session.effect import (
    Begin,
    CallTool,
    Cancel,
    Charge,
    Feed,
    Finish,
    Job,
    Judge,
    ListTools,
    Speak,
    Think,
    Transcribe,
    Work,
)
from vivavoce.session.result import (
    CallArguments,
    CallBegun,
    Charged,
    Ended,
    Failed,
    Listed,
    Partial,
    Result,
    Returned,
    Spoken,
    Thought,
    ToolFailed,
    Words,
)
from vivavoce.session.result import Final as FinalText
from vivavoce.testing.along import Along, Notes
from vivavoce.wire.config import RateLimit

PIECE: Final = sample_count(100)
CHARACTER: Final = sample_count(60)
"""Samples that the scripted voice needs for one character."""

_VALUES: Final = 32_767


@dataclass(frozen=True, slots=True)
class Hang:
    """In place of an answer, or in the middle of one: from here on the engine says nothing.

    `after` counts the voice's pieces of 100 ms before it hangs.
    """

    after: int = 0


@dataclass(frozen=True, slots=True)
class Break:
    """The voice fails after so many pieces of 100 ms."""

    failure: Failed
    after: int = 0


@dataclass(frozen=True, slots=True)
class Early:
    """The transcriber ends by itself, before the user does."""

    result: FinalText | Failed


@dataclass(frozen=True, slots=True)
class Rest:
    """The thinker pauses for so many seconds before it goes on."""

    seconds: float


Step = Words | CallBegun | CallArguments | Thought | Failed | Hang | Rest
Answer = str | Sequence[Step] | Hang
Hearing = str | Hang | Failed | Early | Along | Sequence[Partial | FinalText | Failed | Hang]
Trouble = Hang | Failed | Break | None


@dataclass(frozen=True, slots=True)
class Remote:
    """MCP servers by their URLs, and what each says whenever it is asked for its tools; what tools say to calls.

    Whoever is not there, or has said all, says nothing.
    """

    listings: Mapping[str, Sequence[Listed | ToolFailed | Hang]]
    outcomes: Sequence[str | ToolFailed | Hang] = ()


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the engines take, in seconds."""

    detector: float = 0.0
    transcript: float = 0.1
    note: float = 0.05
    """From a sound to what a transcriber that writes along, or a turn model, makes of it."""
    first_word: float = 0.05
    word: float = 0.01
    first_sound: float = 0.02
    piece: float = 0.01
    """To make 100 ms of sound."""
    listing: float = 0.2
    """For an MCP server to tell its tools."""
    tool: float = 0.5
    """For a tool of an MCP server to answer."""
    marked: bool = True
    """Whether the voice tells when each word ends."""


Later = Callable[[float, Job, Result], None]
"""Has a result reported after so many seconds."""


Purse = Callable[[Charge], Sequence[RateLimit]]
"""Counts a charge and tells what is left."""


class Cast:
    """Transcriber, turn model, thinker and speaker of one call, and who counts what it costs."""

    def __init__(
        self,
        later: Later,
        *,
        transcripts: Sequence[Hearing] = (),
        replies: Sequence[Answer] = (),
        voice: Sequence[Trouble] = (),
        remote: Remote | None = None,
        pace: Pace | None = None,
        purse: Purse | None = None,
    ) -> None:
        """Nobody works yet.

        Args:
            later: takes what they say.
            transcripts: of the user's turns, in the order of their ends; "" when they run out.
            replies: of the thinker, in order; "Yes." when they run out. A text is said word by word.
            voice: what goes wrong with the speaker's utterances, in order; None and afterwards nothing.
            remote: MCP servers.
            pace: timings.
            purse: counts, at once.
        """
        self.thoughts: list[Think] = []
        self._later = later
        self._pace = pace or Pace()
        self._purse = purse
        self._transcripts = deque(transcripts)
        self._replies = deque(replies)
        self._voice = deque(voice)
        remote = remote or Remote({})
        self._listings = {url: deque(told) for url, told in remote.listings.items()}
        self._outcomes = deque(remote.outcomes)
        self.called: list[CallTool] = []
        self._notes = Notes(lambda job, result: self._later(self._pace.note, job, result))
        self._begun: set[Job] = set()
        self._gone: set[Job] = set()
        self._values = itertools.cycle(range(1, _VALUES + 1))
        self._words: dict[int, tuple[str, int]] = {}

    def work(self, effect: Begin | Feed | Finish | Cancel) -> None:
        """Carry out one effect."""
        match effect:
            case Begin(job, work):
                self._begun.add(job)
                self._begin(job, work)
            case Cancel(job):
                self._gone.add(job)
            case Finish(job):
                self._finish(job)
            case Feed(job, samples):
                self._notes.feed(job, len(samples))
            case _:
                assert_never(effect)

    @property
    def busy(self) -> set[Job]:
        """Jobs that have neither ended nor been cancelled."""
        return self._begun - self._gone

    def ended(self, job: Job) -> None:
        """A job has said its last word."""
        self._gone.add(job)

    def words(self, samples: Counter[int]) -> list[str]:
        """The words whose sound is among the samples from beginning to end, in the order of their speaking."""
        return [word.rstrip() for value, (word, length) in self._words.items() if samples[value] >= length]

    def lengths(self, samples: Counter[int]) -> dict[str, int]:
        """How many of the samples belong to each word, the silence after it included."""
        return {word.rstrip(): samples[value] for value, (word, _) in self._words.items()}

    def _begin(self, job: Job, work: Work) -> None:
        match work:
            case Transcribe():
                self._listen(job)
            case Judge():
                self._notes.judge(job)
            case Think():
                self.thoughts.append(work)
                self._think(job, self._replies.popleft() if self._replies else "Yes.")
            case Speak(text):
                self._speak(job, text)
            case Charge():
                self._later(0.0, job, Charged(tuple(self._purse(work)) if self._purse else ()))
            case ListTools(address):
                told = self._listings.get(address.url)
                self._tell(job, told.popleft() if told else Hang())
            case CallTool():
                self.called.append(work)
                self._answer(job, self._outcomes.popleft() if self._outcomes else Hang())
            case _:
                assert_never(work)

    def _tell(self, job: Job, told: Listed | ToolFailed | Hang) -> None:
        if not isinstance(told, Hang):
            self._later(self._pace.listing, job, told)

    def _answer(self, job: Job, outcome: str | ToolFailed | Hang) -> None:
        if not isinstance(outcome, Hang):
            self._later(self._pace.tool, job, Returned(outcome) if isinstance(outcome, str) else outcome)

    def _listen(self, job: Job) -> None:
        hearing = self._transcripts[0] if self._transcripts else ""
        match hearing:
            case Early(result):
                self._transcripts.popleft()
                self._later(self._pace.transcript, job, result)
                self._notes.ended.add(job)
            case Along():
                self._transcripts.popleft()
                self._notes.begin(job, hearing)
            case _:
                pass

    def _finish(self, job: Job) -> None:
        if job in self._notes.ended:
            return
        hearing = self._notes.final(job)
        if hearing is None:
            hearing = self._transcripts.popleft() if self._transcripts else ""
        for result in [hearing] if isinstance(hearing, str | Failed | Hang | Early | Along) else hearing:
            match result:
                case Hang():
                    return
                case str():
                    self._later(self._pace.transcript, job, FinalText(result))
                case Along(final=final):
                    self._later(self._pace.transcript, job, FinalText(final))
                case Early(result=early):
                    self._later(self._pace.transcript, job, early)
                case _:
                    self._later(self._pace.transcript, job, result)

    def _think(self, job: Job, answer: Answer) -> None:
        if isinstance(answer, Hang):
            return
        delay = self._pace.first_word
        for step in [*map(Words, words_of(answer)), Thought()] if isinstance(answer, str) else answer:
            match step:
                case Hang():
                    return
                case Rest(seconds):
                    delay += seconds
                case _:
                    self._later(delay, job, step)
                    delay += self._pace.word

    def _speak(self, job: Job, text: str) -> None:
        trouble = self._voice.popleft() if self._voice else None
        if isinstance(trouble, Failed):
            trouble = Break(trouble)
        sound = self._sound(text)
        ends = list(itertools.accumulate(map(len, words_of(text))))
        delay = self._pace.first_sound
        for place, start in enumerate(range(0, len(sound), PIECE)):
            if trouble is not None and place == trouble.after:
                break
            stop = min(start + PIECE, len(sound))
            marks = tuple((end, end * CHARACTER) for end in ends if start < end * CHARACTER <= stop)
            self._later(delay, job, Spoken(sound[start:stop], marks if self._pace.marked else ()))
            delay += self._pace.piece
        if trouble is None:
            self._later(delay, job, Ended())
        elif isinstance(trouble, Break):
            self._later(delay, job, trouble.failure)

    def _sound(self, text: str) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
        sound = np.zeros(CHARACTER * len(text), dtype=np.int16)
        start = 0
        for word in words_of(text):
            value = next(self._values)
            self._words[value] = (word, CHARACTER * len(word.rstrip()))
            sound[start : start + CHARACTER * len(word)] = value
            start += CHARACTER * len(word)
        return sound


def words_of(text: str) -> list[str]:
    """The words of a text, each with the blank behind it."""
    words = text.split(" ")
    return [word + " " for word in words[:-1]] + words[-1:]
