"""What a dump tells: when the call was in which state, why it had gaps, its worst moments, its turns. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from vivavoce.dump.reader import Reading, Record

_WORD: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
AWAY: Final = ("Disrupted", "Restoring")
"""States in which the two sides do not hear each other."""
HEARD: Final = ("output_audio_buffer.started", "response.output_audio.delta", "response.output_text.delta")
"""Events of which the first shows that an answer has reached the listener."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened, in a few words."""

    t: float
    what: str
    words: str = ""


@dataclass(slots=True)
class Gap:
    """A time in which the sides did not hear each other; `end` is None where it had none."""

    begin: float
    end: float | None = None
    moments: list[Moment] = field(default_factory=list[Moment])
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """One reading of a connection; None for what it could not know. Ratios are 0 to 1."""

    t: float
    leg: int
    round_trip_ms: float | None
    jitter_ms: float | None
    loss: float | None
    concealed: float | None
    sent_bps: float | None
    received_bps: float | None
    mos: float | None
    user_db: float | None
    assistant_db: float | None
    path: str | None


@dataclass(slots=True)
class Answer:
    """One answer: asked for at `asked`, heard from `heard` on."""

    asked: float
    how: str
    response_id: str | None = None
    heard: float | None = None
    ended: float | None = None
    status: str = ""
    interrupted: bool = False
    words: str = ""

    @property
    def wait_ms(self) -> float | None:
        """How long it was waited for."""
        return None if self.heard is None else 1000 * (self.heard - self.asked)


@dataclass(frozen=True)
class Story:
    """All of it."""

    about: Record
    faults: tuple[str, ...]
    length_s: float
    states: tuple[Moment, ...]
    gaps: tuple[Gap, ...]
    figures: tuple[Figures, ...]
    answers: tuple[Answer, ...]
    refused: tuple[Moment, ...]
    connections: tuple[Moment, ...]
    """Which came to be, and how they ended."""


def story(reading: Reading) -> Story:
    """What a reading tells."""
    records = reading.records
    return Story(
        reading.about,
        reading.faults,
        max((_time(record) for record in records), default=0.0),
        tuple(_states(records)),
        tuple(_gaps(records)),
        tuple(_figures(records)),
        tuple(_answers(records)),
        tuple(_refused(records)),
        tuple(_connections(records)),
    )


# ── reading fields that may be anything ─────────────────────────────────────────────────────────────────


def at(value: object, *way: str) -> object:
    """A field inside objects; None where there is none."""
    for step in way:
        value = cast("Mapping[str, object]", value).get(step) if isinstance(value, Mapping) else None
    return value


def words(value: object, *way: str) -> str:
    """The same as text, fit for a terminal whatever was written; empty where there is none."""
    found = at(value, *way)
    return "".join(sign if sign.isprintable() else " " for sign in found) if isinstance(found, str) else ""


def number(value: object, *way: str) -> float | None:
    """The same as a number."""
    found = at(value, *way)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def _time(record: Record) -> float:
    return number(record, "t") or 0.0


def _of_kind(records: Iterable[Record], *kinds: str) -> Iterator[Record]:
    return (record for record in records if record["kind"] in kinds)


# ── states and gaps ─────────────────────────────────────────────────────────────────────────────────────


def _states(records: Iterable[Record]) -> Iterator[Moment]:
    for record in _of_kind(records, "state"):
        yield Moment(_time(record), words(record, "state"), _state_words(record))


def _connections(records: Iterable[Record]) -> Iterator[Moment]:
    for record in _of_kind(records, "opened", "gone"):
        leg = f"connection {int(number(record, 'leg') or 0)}"
        if record["kind"] == "opened":
            media = words(record, "traits", "sound") == "media"
            yield Moment(_time(record), f"{leg} open", "WebRTC" if media else "WebSocket")
        else:
            end = f"by {words(record, 'by')}, code {int(number(record, 'code') or 0)} {words(record, 'reason')}"
            yield Moment(_time(record), f"{leg} gone", end.rstrip())


def _state_words(record: Record) -> str:
    holds = at(record, "holds")
    match words(record, "state"):
        case "Connected":
            return _restored(holds) or words(holds, "call_id")
        case "Restoring":
            return _step_words(at(holds, "step"))
        case "Closed":
            return " ".join(filter(None, (f"by {words(holds, 'by')}", words(holds, "reason"))))
        case "Failed":
            return words(holds, "error", "message")
        case _:
            return ""


def _restored(holds: object) -> str:
    restored = at(holds, "restored")
    if restored is None:
        return ""
    whole = "all of the conversation" if at(restored, "complete") else "not all of the conversation"
    return f"{words(restored, 'session')}, {whole}, {number(restored, 'gap_s') or 0.0:.2f} s without a word"


def _step_words(step: object) -> str:
    seconds = number(step, "seconds")
    name = _WORD.sub(" ", words(step, "is")).lower()
    return f"{name} {seconds:.2f} s" if seconds is not None else name


def _gaps(records: Iterable[Record]) -> Iterator[Gap]:
    gap: Gap | None = None
    for record in _of_kind(records, "state", "decision"):
        t, state = _time(record), words(record, "state")
        if record["kind"] == "decision":
            gap = gap or Gap(t)
            said = words(record, "failure", "message") or words(record, "failure", "is")
            gap.moments.append(Moment(t, _step_words(at(record, "step")), said))
        elif state in AWAY:
            gap = gap or Gap(t)
        elif gap is not None and state in ("Connected", "Failed", "Closed"):
            gap.end = t if state == "Connected" else None
            gap.outcome = f"{state.lower()}: {_state_words(record)}".rstrip(": ")
            yield gap
            gap = None
    if gap is not None:
        yield gap


# ── figures ─────────────────────────────────────────────────────────────────────────────────────────────


def _figures(records: Iterable[Record]) -> Iterator[Figures]:
    for record in _of_kind(records, "stats"):
        snapshot, link = at(record, "snapshot"), at(record, "snapshot", "link")
        yield Figures(
            t=_time(record),
            leg=int(number(record, "leg") or 0),
            round_trip_ms=number(link, "round_trip_ms"),
            jitter_ms=number(link, "jitter_ms"),
            loss=number(snapshot, "loss_ratio"),
            concealed=number(link, "concealed_ratio"),
            sent_bps=number(snapshot, "sent_bps"),
            received_bps=number(snapshot, "received_bps"),
            mos=number(record, "mos"),
            user_db=number(snapshot, "user", "peak_db"),
            assistant_db=number(snapshot, "assistant", "peak_db"),
            path=words(link, "path") or None,
        )


# ── answers ─────────────────────────────────────────────────────────────────────────────────────────────


def _answers(records: Iterable[Record]) -> Iterator[Answer]:
    """Answers in the order in which they were asked for."""
    asked: Answer | None = None
    made: dict[str, Answer] = {}
    for record in _of_kind(records, "in", "out"):
        t, event = _time(record), at(record, "event")
        type, id = words(event, "type"), words(event, "response_id") or words(event, "response", "id")
        answer = made.get(id)
        match type:
            case "input_audio_buffer.speech_stopped":
                asked = Answer(t, "spoken")
            case "response.create" if asked is None and words(event, "response", "conversation") != "none":
                asked = Answer(t, "asked for")
            case "response.created" if answer is None:
                answer = asked or Answer(t, "begun by the server")
                answer.response_id, asked = id, None
                made[id] = answer
                yield answer
            case "response.done" if answer is not None:
                answer.ended, answer.status = t, words(event, "response", "status")
            case "output_audio_buffer.cleared" if answer is not None:
                answer.interrupted = True
            case "response.output_audio_transcript.done" if answer is not None:
                answer.words += words(event, "transcript")
            case "response.output_text.done" if answer is not None:
                answer.words += words(event, "text")
            case _ if type in HEARD and answer is not None and answer.heard is None:
                answer.heard = t
            case _:
                pass


# ── refusals ────────────────────────────────────────────────────────────────────────────────────────────


def _refused(records: Iterable[Record]) -> Iterator[Moment]:
    sent: dict[str, str] = {}
    for record in _of_kind(records, "in", "out", "error"):
        t, event = _time(record), at(record, "event")
        type = words(event, "type")
        if record["kind"] == "out":
            sent[words(event, "event_id")] = type
        elif record["kind"] == "error":
            error = at(record, "error")
            yield Moment(t, words(error, "is"), words(error, "message"))
        elif type == "error":
            about = sent.get(words(event, "error", "event_id"), "")
            code = words(event, "error", "code") or words(event, "error", "type")
            yield Moment(
                t, " ".join(filter(None, (code, f"({about})" if about else ""))), words(event, "error", "message")
            )
        elif type == "response.done" and words(event, "response", "status") == "failed":
            error = at(event, "response", "status_details", "error")
            yield Moment(t, words(error, "code") or "failed", words(error, "message") or "the answer failed")
