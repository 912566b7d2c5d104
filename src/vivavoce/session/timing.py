"""How long a user waits for an answer, and for silence.

Fed with what both sides do and when. The user's own sound, where it passes through here, says more exactly than the
server's events when somebody began and stopped to speak.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from vivavoce.audio.frame import RATE_HZ, Pcm, sample_count

LOUD_DB: Final = -50.0
"""Sound above it is something that a person would call sound."""
PAUSE_S: Final = 0.3
"""A gap that does not end a stretch of sound: between two words, or inside one."""
ONSET_S: Final = 1.5
"""A server hears the user within that time; sound from longer ago is not what it has heard."""
RELEASE_S: Final = 10.0
"""A server takes the turn as finished within that time after the last sound."""
STRETCHES: Final = 64
TURNS: Final = 512
"""Turns that are remembered; the oldest are forgotten."""

Piece = tuple[int, int]
"""A stretch of samples: its first, and the one after its last."""

_FRAME: Final = sample_count(10)
_LOUD_SQUARE: Final = (32_768.0 * 10 ** (LOUD_DB / 20)) ** 2


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the user and its answer; None where it did not happen, or has not yet. Times are monotonic seconds.

    `asked_at` is the end of the user's speech, or the moment of a written request. `interrupted_at` is when the
    user began to speak over the assistant, `silenced_at` when the assistant was heard no more.
    """

    asked_at: float | None = None
    answered_at: float | None = None
    interrupted_at: float | None = None
    silenced_at: float | None = None

    @property
    def answer_ms(self) -> float | None:
        """From the end of the user's speech to the first sound of the answer."""
        return _between_ms(self.asked_at, self.answered_at)

    @property
    def barge_in_ms(self) -> float | None:
        """From the user's first sound over the assistant to the assistant's silence."""
        return _between_ms(self.interrupted_at, self.silenced_at)


@dataclass(slots=True)
class _Open:
    """A turn in the making."""

    asked_at: float | None = None
    answered_at: float | None = None
    interrupted_at: float | None = None
    silenced_at: float | None = None
    response_id: str | None = None
    told_at: float | None = None
    """When the server said that it began to play the answer."""


class Stretches:
    """Stretches of time with sound in them, newest last. Pauses shorter than `PAUSE_S` do not divide one."""

    def __init__(self) -> None:
        self._stretches: deque[tuple[float, float]] = deque(maxlen=STRETCHES)

    def push(self, pieces: Sequence[Piece], at: float, samples_per_s: float = RATE_HZ) -> None:
        """Loud pieces of some sound that begins at a time; `inf` samples a second when all of it is heard at once."""
        for first, last in pieces:
            self._add(at + first / samples_per_s, at + last / samples_per_s)

    def clip(self, now: float) -> None:
        """What was to be heard after now will not be."""
        kept = [(start, min(end, now)) for start, end in self._stretches if start <= now]
        self._stretches = deque(kept, maxlen=STRETCHES)

    def start(self, now: float, within_s: float) -> float | None:
        """When the stretch began that goes on now, or has ended within that time."""
        stretches = reversed(self._stretches)
        return next((start for start, end in stretches if start <= now and now - end <= within_s), None)

    def end(self, now: float, within_s: float) -> float | None:
        """When sound was last heard within that time; now, if it is being heard."""
        stretches = reversed(self._stretches)
        return next((min(end, now) for start, end in stretches if start <= now and now - end <= within_s), None)

    def _add(self, start: float, end: float) -> None:
        if self._stretches and start - self._stretches[-1][1] < PAUSE_S:
            begun, ended = self._stretches.pop()
            start, end = begun, max(end, ended)
        self._stretches.append((start, end))


class Timing:
    """All turns of a call."""

    def __init__(self) -> None:
        self._user = Stretches()
        self._assistant = Stretches()
        self._turns: deque[_Open] = deque(maxlen=TURNS)
        self._listened_at: float | None = None

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Every turn so far, oldest first; the last may still be going on."""
        return tuple(
            Turn(turn.asked_at, self._answered_at(turn), turn.interrupted_at, turn.silenced_at) for turn in self._turns
        )

    # ── sound ──────────────────────────────────────────────────────────────────────────────────────────

    def spoke(self, samples: Pcm, at: float, samples_per_s: float = RATE_HZ) -> None:
        """The user's sound, the first sample of which is spoken at that time."""
        self._user.push(loud(samples), at, samples_per_s)

    def hushed(self, now: float) -> None:
        """What was queued of the user's sound will not be spoken."""
        self._user.clip(now)

    def heard(self, pieces: Sequence[Piece], now: float) -> None:
        """The assistant's sound as it arrives, by its loud pieces."""
        self._listened_at = now
        if not pieces:
            return
        self._assistant.push(pieces, now)
        if not self._turns:
            return
        turn, sounding_at = self._turns[-1], now + pieces[-1][1] / RATE_HZ
        if turn.silenced_at is not None and now - turn.silenced_at < PAUSE_S and turn.answered_at is None:
            turn.silenced_at = sounding_at
        elif turn.response_id is not None and turn.answered_at is None:
            turn.answered_at = now + pieces[0][0] / RATE_HZ

    # ── events ─────────────────────────────────────────────────────────────────────────────────────────

    def speech_started(self, now: float, *, over: bool) -> None:
        """The server hears the user; `over` the assistant, if the listener hears that now."""
        turn = _Open()
        self._turns.append(turn)
        if over:
            began = self._user.start(now, ONSET_S)
            heard_from = self._assistant.start(now, PAUSE_S)
            turn.interrupted_at = max(now if began is None else began, heard_from or 0.0)
            turn.silenced_at = max(turn.interrupted_at, self._assistant.end(now, PAUSE_S) or now)

    def speech_stopped(self, now: float) -> None:
        """The server hears that the user has finished."""
        turn = self._turns[-1] if self._turns and self._turns[-1].asked_at is None else self._begin()
        ended = self._user.end(now, RELEASE_S)
        turn.asked_at = now if ended is None else ended

    def asked(self, now: float) -> None:
        """The user asks for an answer, without having just spoken."""
        if not self._turns or self._turns[-1].response_id is not None or self._turns[-1].asked_at is None:
            self._begin().asked_at = now

    def interrupted(self, now: float) -> None:
        """The user's program stops the assistant."""
        turn = self._begin()
        turn.interrupted_at = turn.silenced_at = now

    def silenced(self, now: float) -> None:
        """This side's own player was stopped."""
        if self._turns and self._turns[-1].interrupted_at is not None:
            self._turns[-1].silenced_at = now

    def response_created(self, response_id: str) -> None:
        """The last turn is being answered."""
        turn = self._turns[-1] if self._turns else None
        if turn is not None and turn.asked_at is not None and self._answered_at(turn) is None:
            turn.response_id, turn.told_at = response_id, None

    def sounded(self, response_id: str, now: float) -> None:
        """The first sound of a response, by the server's word."""
        for turn in self._turns:
            if turn.response_id == response_id and turn.told_at is None:
                turn.told_at = now

    def _answered_at(self, turn: _Open) -> float | None:
        """When the answer was heard; by the server's word only where no sound is heard here at all."""
        return turn.told_at if turn.answered_at is None and self._listened_at is None else turn.answered_at

    def _begin(self) -> _Open:
        self._turns.append(_Open())
        return self._turns[-1]


def loud(samples: Pcm) -> list[Piece]:
    """Stretches of samples above `LOUD_DB`, in tens of milliseconds: first sample and end of each."""
    whole = len(samples) // _FRAME * _FRAME
    frames = [samples[:whole].reshape(-1, _FRAME)] if whole else []
    marks = [frame for block in frames for frame in (_power(block) > _LOUD_SQUARE).tolist()]
    if whole < len(samples):
        marks.append(bool(_power(samples[whole:].reshape(1, -1))[0] > _LOUD_SQUARE))
    edges = np.flatnonzero(np.diff([False, *marks, False]))
    return [
        (int(first) * _FRAME, min(int(end) * _FRAME, len(samples)))
        for first, end in zip(edges[::2], edges[1::2], strict=True)
    ]


def _power(frames: Pcm) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.square(frames.astype(np.float64)).mean(axis=1)


def _between_ms(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else (end - start) * 1000
