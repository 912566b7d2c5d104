"""A conversation as a script on virtual time.

A `Host`, engines whose answers are data and whose timings are exact, a microphone that never stops and a listener who
hears at the pace of sound. An hour of talk takes moments and gives the same events at the same times each time.

    call = Script(transcripts=["hello"], replies=["Hello to you. What can I do?"])
    call.speak(1.0)
    call.wait(4.0)
    print(call.timeline())
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from vivavoce.audio.frame import Pcm, sample_count, silence
from vivavoce.session.answers import Sound
from vivavoce.session.declaration import ToolServing
from vivavoce.session.effect import Effect, Flush, Hangup, Job, Listen, Play, Send, Think
from vivavoce.session.host import Host, Service
from vivavoce.session.result import Charged, Ended, Failed, Judged, Listed, Result, Returned, Thought, ToolFailed
from vivavoce.session.result import Final as FinalText
from vivavoce.session.settings import effective
from vivavoce.session.voices import Voices
from vivavoce.session.window import Mind
from vivavoce.testing.agenda import Agenda
from vivavoce.testing.along import Along
from vivavoce.testing.cast import CHARACTER, Answer, Cast, Hang, Hearing, Pace, Purse, Remote, Trouble
from vivavoce.testing.ear import Ear, voice
from vivavoce.testing.listener import Listener
from vivavoce.testing.order import OrderChecker
from vivavoce.wire.config import RealtimeSession, Session
from vivavoce.wire.event import ServerBase, ServerEvent

__all__ = ["CHARACTER", "Answer", "Hang", "Pace", "Script", "Terms"]

VOICES: Final = Voices(("voice_of_anna",))
"""The speaker of a script has one voice of its own."""
FRAME_S: Final = 0.02
TURN_WINDOW: Final = sample_count(8000)
"""Samples that the scripted turn model wants."""
AT_ONCE: Final = 100
"""So often may a host ask to be woken at one and the same moment."""

E = TypeVar("E", bound=ServerBase)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a server grants a call."""

    lifetime_s: float = 3600.0
    purse: Purse | None = None
    """Counts what responses cost; without one nobody does."""
    mind: Mind = Mind()


class Script:
    """One call. `now` is virtual seconds since its start; `log` holds every event with its time.

    An event that breaks the protocol's order fails the script at once (`order`).
    """

    def __init__(
        self,
        *,
        session: Session | None = None,
        sound: Sound = Sound.MEDIA,
        transcripts: Sequence[Hearing] = (),
        replies: Sequence[Answer] = (),
        voice: Sequence[Trouble] = (),
        remote: Remote | None = None,
        pace: Pace | None = None,
        terms: Terms | None = None,
    ) -> None:
        """Begin a call whose channel is open.

        Args:
            session: what the caller asks for.
            sound: how sound travels; the listener plays only where it travels as media.
            transcripts: see `Cast`, like the next four.
            replies: of the thinker.
            voice: troubles of the speaker.
            remote: MCP servers.
            pace: the engines' timings.
            terms: what the server grants.
        """
        terms = terms or Terms()
        self.now = 0.0
        self.log: list[tuple[float, ServerEvent]] = []
        self.order = OrderChecker()
        self.hung_up: Hangup | None = None
        counter = itertools.count(1)
        opening = effective(session or RealtimeSession(), "sess_1", "house", 3600, ToolServing.MCP, VOICES)
        self.host = Host(
            opening,
            ids=lambda prefix: f"{prefix}_{next(counter)}",
            sound=sound,
            lifetime_s=terms.lifetime_s,
            now=0.0,
            service=Service(
                counted=terms.purse is not None,
                serving=ToolServing.MCP,
                mind=terms.mind,
                turn_window=TURN_WINDOW if any(isinstance(one, Along) and one.sounds for one in transcripts) else 0,
                voices=VOICES,
            ),
        )
        self.listener = Listener()
        self.cast = Cast(
            self._later,
            transcripts=transcripts,
            replies=replies,
            voice=voice,
            remote=remote,
            pace=pace,
            purse=terms.purse,
        )
        self._agenda: Agenda[list[Effect]] = Agenda()
        self._ear = Ear()
        self._detector_s = 0.0 if pace is None else pace.detector
        self.watch: Callable[[Script], None] | None = None
        """Looks on after every input that has an effect."""
        self._carry_out(self.host.open(0.0))

    # ── what the caller does ───────────────────────────────────────────────────────────────────────────

    def send(self, event: Mapping[str, object]) -> None:
        """The client sends an event."""
        event_id = event.get("event_id")
        if isinstance(event_id, str):
            self.order.sent(event_id)
        self.send_text(msgspec.json.encode(event))

    def send_text(self, text: str | bytes) -> None:
        """The client sends whatever it likes."""
        if self.hung_up is None:
            self._carry_out(self.host.receive(text, self.now))

    def speak(self, seconds: float) -> None:
        """The user speaks for so long."""
        self._pass(seconds, voice(sample_count(FRAME_S * 1000)))

    def wait(self, seconds: float) -> None:
        """The user is silent for so long; the microphone stays open."""
        self._pass(seconds, silence(sample_count(FRAME_S * 1000)))

    def lose_sound(self, seconds: float) -> None:
        """No sound arrives for so long."""
        self._pass(seconds, None)

    def hear(self, samples: Pcm) -> None:
        """Sound arrives at once, however long it is; after the end of the call nobody listens to it."""
        if self.hung_up is None:
            self._carry_out(self.host.hear(samples, self.now))

    def report(self, fault: str) -> None:
        """Something that belongs to no response breaks on the server."""
        self._carry_out(self.host.fault(fault))

    def close(self) -> None:
        """The connection is gone, and with it what was not heard yet."""
        self._carry_out(self.host.close(self.now))
        self.listener.flush()  # what was not heard by now never will be

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
    def thoughts(self) -> list[Think]:
        """All that the thinker was given."""
        return self.cast.thoughts

    @property
    def heard_samples(self) -> int:
        """Samples that the listener has heard."""
        return self.listener.played

    @property
    def heard_words(self) -> list[str]:
        """Words that the listener has heard from beginning to end."""
        return self.cast.words(self.listener.heard)

    # ── time ───────────────────────────────────────────────────────────────────────────────────────────

    def _pass(self, seconds: float, frame: Pcm | None) -> None:
        """Let time pass in frames of sound."""
        for _ in range(round(seconds / FRAME_S)):
            self._until(self.now + FRAME_S)
            if frame is not None:
                self.hear(frame)

    def _until(self, end: float) -> None:
        """Do everything that is due, in order of time."""
        woken_at, woken = self.now, 0
        while True:
            deadline = self.host.deadline(self.now) if self.hung_up is None else end
            due = max(self.now, min(deadline, self._agenda.next, self.now + self.listener.dry_after(), end))
            dry = self.listener.listen(due - self.now)
            self.now = due
            if dry:
                self._carry_out(self.host.played(self.listener.played, self.now))
            elif self._agenda.next <= self.now:
                self._carry_out(self._agenda.take()())
            elif deadline <= self.now and self.hung_up is None:
                woken_at, woken = self.now, woken + 1 if woken_at == self.now else 0
                if woken > AT_ONCE:
                    raise AssertionError(f"the host wants to be woken at {deadline} for ever; it is {self.now}")
                effects = self.host.played(self.listener.played, self.now) + self.host.tick(self.now)
                self._carry_out(effects)
            elif self.now >= end:
                return

    # ── effects ────────────────────────────────────────────────────────────────────────────────────────

    def _carry_out(self, effects: list[Effect]) -> None:
        self._apply(effects)
        if effects and self.watch is not None:
            self.watch(self)

    def _apply(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(event):
                    self.log.append((self.now, event))
                    self.order.see(event)
                case Play(samples):
                    self._play(samples)
                case Flush():
                    self._apply(self.host.flushed(self.listener.flush(), self.now))
                case Listen(samples):
                    self._listen(samples)
                case Hangup():
                    self.hung_up = effect
                    self._apply(self.host.close(self.now))
                case _:
                    self.cast.work(effect)

    def _play(self, samples: Pcm) -> None:
        silent = self.listener.silent
        self.listener.play(samples)
        if silent:
            self._agenda.note(self.now + FRAME_S, lambda: self.host.played(self.listener.played, self.now))

    def _listen(self, samples: Pcm) -> None:
        for probability, heard in self._ear.push(samples):
            if self._detector_s:
                self._agenda.note(
                    self.now + self._detector_s,
                    lambda probability=probability, heard=heard: self._judge(probability, heard),
                )
            else:
                self._apply(self._judge(probability, heard))

    def _judge(self, probability: float, heard: int) -> list[Effect]:
        return self.host.speech(probability, heard, self.now) if self.hung_up is None else []

    def _later(self, delay: float, job: Job, result: Result) -> None:
        def report() -> list[Effect]:
            if job not in self.cast.busy:
                return []
            if isinstance(
                result, FinalText | Judged | Thought | Ended | Charged | Failed | Listed | Returned | ToolFailed
            ):
                self.cast.ended(job)
            return self.host.result(job, result, self.now)

        self._agenda.note(self.now + delay, report)
