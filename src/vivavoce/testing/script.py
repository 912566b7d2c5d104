"""A conversation as a script on virtual time.

A `Host`, engines whose answers are data and whose timings are exact, a microphone that never stops and a listener who
hears at the pace of sound. An hour of talk takes moments and gives the same events at the same times each time.

    call = Script(transcripts=["hello"], replies=["Hello to you. What can I do?"])
    call.speak(1.0)
    call.wait(4.0)
    print(call.timeline())
"""

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar, assert_never

import msgspec

from vivavoce.audio.frame import RATE_HZ, sample_count, silence
from vivavoce.session.answers import Sound
from vivavoce.session.effect import (
    Begin,
    Cancel,
    Effect,
    Feed,
    Finish,
    Flush,
    Hangup,
    Job,
    Listen,
    Play,
    Send,
    Speak,
    Think,
    Transcribe,
)
from vivavoce.session.host import Host
from vivavoce.session.result import CallArguments, CallBegun, Ended, Failed, Result, Spoken, Thought, Words
from vivavoce.session.result import Final as FinalText
from vivavoce.session.settings import effective
from vivavoce.wire.config import RealtimeSession, Session
from vivavoce.wire.event import ServerBase, ServerEvent

FRAME_S: Final = 0.02
WINDOW: Final = 768
"""Samples per probability, as Silero's at 24 kHz."""

PIECE: Final = sample_count(100)
CHARACTER: Final = sample_count(60)
"""Samples that the scripted voice needs for one character."""

E = TypeVar("E", bound=ServerBase)

Step = Words | CallBegun | CallArguments | Thought | Failed


@dataclass(frozen=True, slots=True)
class Hang:
    """In place of an answer: the engine never says anything."""


Answer = str | Sequence[Step] | Hang


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the engines take, in seconds."""

    transcript: float = 0.1
    first_word: float = 0.05
    word: float = 0.01
    first_sound: float = 0.02
    piece: float = 0.01
    """To make 100 ms of sound."""


class Script:
    """One call. `now` is virtual seconds since its start; `log` holds every event with its time."""

    def __init__(
        self,
        *,
        session: Session | None = None,
        sound: Sound = Sound.MEDIA,
        transcripts: Sequence[str | Hang | Failed] = (),
        replies: Sequence[Answer] = (),
        voice: Sequence[Hang | Failed] = (),
        pace: Pace | None = None,
        lifetime_s: float = 3600.0,
    ) -> None:
        """Begin a call whose channel is open.

        Args:
            session: what the caller asks for.
            sound: how sound travels; the listener plays only where it travels as media.
            transcripts: of the user's turns, in order; "" when they run out.
            replies: of the thinker, in order; "Yes." when they run out. A text is said word by word.
            voice: what goes wrong with the speaker's utterances, in order; afterwards they work.
            pace: the engines' timings.
            lifetime_s: of the session.
        """
        self.now = 0.0
        self.log: list[tuple[float, ServerEvent]] = []
        self.thoughts: list[Think] = []
        self.hung_up: Hangup | None = None
        counter = itertools.count(1)
        opening = effective(session or RealtimeSession(), "sess_1", "house", 3600)
        self.host = Host(
            opening, ids=lambda prefix: f"{prefix}_{next(counter)}", sound=sound, lifetime_s=lifetime_s, now=0.0
        )
        self._pace = pace or Pace()
        self._transcripts = deque(transcripts)
        self._replies = deque(replies)
        self._voice = deque(voice)
        self._agenda: list[tuple[float, int, Job, Callable[[], list[Effect]]]] = []
        self._order = itertools.count()
        self._cancelled: set[Job] = set()
        self._heard = 0
        self._reported = 0
        self._queued = 0
        self._played = 0.0
        self._carry_out(self.host.open())

    # ── what the caller does ───────────────────────────────────────────────────────────────────────────

    def send(self, event: Mapping[str, object]) -> None:
        """The client sends an event."""
        self._carry_out(self.host.receive(msgspec.json.encode(event), self.now))

    def speak(self, seconds: float) -> None:
        """The user speaks for so long."""
        self._pass(seconds, voiced=1.0)

    def wait(self, seconds: float) -> None:
        """The user is silent for so long; the microphone stays open."""
        self._pass(seconds, voiced=0.0)

    def lose_sound(self, seconds: float) -> None:
        """No sound arrives for so long."""
        self._pass(seconds, voiced=None)

    def report(self, fault: str) -> None:
        """Something that belongs to no response breaks on the server."""
        self._carry_out(self.host.fault(fault))

    def close(self) -> None:
        """The connection is gone, and with it what was not heard yet."""
        self._queued = int(self._played)
        self._carry_out(self.host.close(self.now))

    # ── what can be seen ───────────────────────────────────────────────────────────────────────────────

    @property
    def events(self) -> list[ServerEvent]:
        """Every event so far."""
        return [event for _, event in self.log]

    @property
    def types(self) -> list[str]:
        """The types of the events so far; a run of the same delta counts once."""
        return [type for type, _ in itertools.groupby(event.type for event in self.events)]

    def timeline(self) -> list[str]:
        """Milliseconds and type of the events so far; a run of the same delta counts once."""
        runs = itertools.groupby(self.log, key=lambda entry: entry[1].type)
        return [f"{round(next(run)[0] * 1000):6} {type}" for type, run in runs]

    def last(self, kind: type[E]) -> E:
        """The last event of a kind.

        Raises:
            LookupError: there is none.
        """
        for event in reversed(self.events):
            if isinstance(event, kind):
                return event
        raise LookupError(f"no {kind.__name__} among {self.types}")

    @property
    def heard_samples(self) -> int:
        """Samples that the listener has heard."""
        return int(self._played)

    # ── time ───────────────────────────────────────────────────────────────────────────────────────────

    def _pass(self, seconds: float, voiced: float | None) -> None:
        """Let time pass in frames; `voiced` is the detector's word on the sound of this time, None for no sound."""
        for _ in range(round(seconds / FRAME_S)):
            self._until(self.now + FRAME_S)
            if voiced is not None:
                self._carry_out(self.host.hear(silence(sample_count(FRAME_S * 1000)), self.now))
                while self._heard - self._reported >= WINDOW:
                    self._reported += WINDOW
                    self._carry_out(self.host.speech(voiced, self._reported, self.now))

    def _until(self, end: float) -> None:
        """Do everything that is due, in order of time."""
        while True:
            due = min(self.host.deadline(self.now), self._agenda[0][0] if self._agenda else end, end)
            self._play(max(0.0, due - self.now))
            self.now = max(self.now, due)
            if self._agenda and self._agenda[0][0] <= self.now:
                _, _, job, act = heapq.heappop(self._agenda)
                if job not in self._cancelled:
                    self._carry_out(act())
            elif self.host.deadline(self.now) <= self.now and self.hung_up is None:
                self._carry_out(self.host.played(int(self._played), self.now) + self.host.tick(self.now))
            elif self.now >= end:
                return

    def _play(self, seconds: float) -> None:
        """The listener hears; the transport reports the first samples after silence and the last before it."""
        before = self._played
        self._played = min(float(self._queued), before + seconds * RATE_HZ)
        if before < self._queued and self._played >= self._queued:
            self._carry_out(self.host.played(self._queued, self.now + (self._queued - before) / RATE_HZ))

    # ── effects ────────────────────────────────────────────────────────────────────────────────────────

    def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(event):
                    self.log.append((self.now, event))
                case Play(samples):
                    self._enqueue(len(samples))
                case Flush():
                    self._queued = int(self._played)
                    self._carry_out(self.host.flushed(self._queued, self.now))
                case Listen(samples):
                    self._heard += len(samples)
                case Hangup():
                    self.hung_up = effect
                    self.close()
                case _:
                    self._work(effect)

    def _work(self, effect: Begin | Feed | Finish | Cancel) -> None:
        match effect:
            case Begin(job, work):
                self._begin(job, work)
            case Cancel(job):
                self._cancelled.add(job)
            case Finish(job):
                self._finish(job)
            case Feed():
                pass
            case _:
                assert_never(effect)

    def _enqueue(self, samples: int) -> None:
        silent = self._played >= self._queued
        self._queued += samples
        if silent:
            self._at(FRAME_S, 0, lambda: self.host.played(int(self._played), self.now))

    def _at(self, delay: float, job: Job, act: Callable[[], list[Effect]]) -> None:
        heapq.heappush(self._agenda, (self.now + delay, next(self._order), job, act))

    def _result(self, delay: float, job: Job, result: Result) -> None:
        self._at(delay, job, lambda: self.host.result(job, result, self.now))

    # ── engines ────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, job: Job, work: Transcribe | Think | Speak) -> None:
        match work:
            case Transcribe():
                pass  # answers when the sound is finished
            case Think():
                self.thoughts.append(work)
                self._think(job, self._replies.popleft() if self._replies else "Yes.")
            case Speak(text):
                self._speak(job, text)
            case _:
                assert_never(work)

    def _finish(self, job: Job) -> None:
        text = self._transcripts.popleft() if self._transcripts else ""
        match text:
            case str():
                self._result(self._pace.transcript, job, FinalText(text))
            case Failed():
                self._result(self._pace.transcript, job, text)
            case Hang():
                pass

    def _think(self, job: Job, answer: Answer) -> None:
        if isinstance(answer, Hang):
            return
        steps = [*map(Words, _words(answer)), Thought()] if isinstance(answer, str) else answer
        for place, step in enumerate(steps):
            self._result(self._pace.first_word + place * self._pace.word, job, step)

    def _speak(self, job: Job, text: str) -> None:
        trouble = self._voice.popleft() if self._voice else None
        if isinstance(trouble, Hang):
            return
        if isinstance(trouble, Failed):
            self._result(self._pace.first_sound, job, trouble)
            return
        total = CHARACTER * len(text)
        ends = list(itertools.accumulate(map(len, _words(text))))
        for place, start in enumerate(range(0, total, PIECE)):
            stop = min(start + PIECE, total)
            marks = tuple((end, end * CHARACTER) for end in ends if start < end * CHARACTER <= stop)
            delay = self._pace.first_sound + place * self._pace.piece
            self._result(delay, job, Spoken(silence(stop - start), marks))
        self._result(self._pace.first_sound + (total // PIECE + 1) * self._pace.piece, job, Ended())


def _words(text: str) -> list[str]:
    """The words of a text, each with the blank behind it."""
    words = text.split(" ")
    return [word + " " for word in words[:-1]] + words[-1:]
