"""How long a pause may last before the turn is over, when that is judged by meaning.

What was said is judged by its words; a turn model, where there is one, judges how it sounded. The more finished both
seem, the shorter the wait. An eagerness has a shortest and a longest wait; the longest ones are documented.
"""

from dataclasses import dataclass
from math import exp, log
from typing import Final

from vivavoce.audio.frame import sample_count
from vivavoce.session.buffer import InputBuffer
from vivavoce.session.completeness import NEUTRAL, completeness
from vivavoce.session.effect import Cancel, Job, Judge
from vivavoce.session.outbox import Outbox
from vivavoce.session.result import Failed, Judged
from vivavoce.session.scribe import Utterance
from vivavoce.session.turn import Pausing
from vivavoce.wire.config import SemanticVad

WAITS_MS: Final = {"low": (600, 8000), "medium": (300, 4000), "auto": (300, 4000), "high": (200, 2000)}
"""Shortest and longest wait by eagerness."""
SURE: Final = 0.99
"""Nobody is surer than this, so the longest wait ends within its bound, however long a detector's window is."""
JUDGE_AFTER_MS: Final = 200
"""A pause this long is worth a turn model's time."""


def wait_ms(eagerness: str, probability: float) -> int:
    """The pause that ends a turn which is finished with that probability."""
    shortest, longest = WAITS_MS[eagerness]
    return round(shortest + (longest - shortest) * (1 - _sober(probability)) ** 2)


def together(words: float, sound: float) -> float:
    """Two opinions as one. One that is neutral changes nothing."""
    return 1 / (1 + exp(-_logit(words) - _logit(sound)))


@dataclass(frozen=True, slots=True)
class Hunch:
    """What a turn model says of the pause that began at `since`; no probability yet while its job runs."""

    since: int
    job: Job
    probability: float | None = None


class Patience:
    """The judge of one call's pauses."""

    def __init__(self, out: Outbox, window: int) -> None:
        """Nothing is judged yet.

        Args:
            out: takes the work for the turn model.
            window: so many of the last samples the turn model wants; 0 when there is none.
        """
        self._out = out
        self._window = window
        self._hunch: Hunch | None = None
        self._judged = ("", NEUTRAL)
        """The words judged last, and how complete they are: most windows bring no new ones."""

    def wait_ms(self, detection: SemanticVad, utterance: Utterance | None, voiced_until: int) -> int:
        """How long the pause that began at a position may last."""
        words = NEUTRAL if utterance is None else self._completeness(utterance, voiced_until)
        sound = NEUTRAL
        if self._hunch is not None and self._hunch.since == voiced_until and self._hunch.probability is not None:
            sound = self._hunch.probability
        eagerness = detection.eagerness if isinstance(detection.eagerness, str) else "auto"
        return wait_ms(eagerness, together(words, sound))

    def look(self, pause: Pausing, now: int, buffer: InputBuffer) -> None:
        """A pause has lasted until position `now`: ask the turn model about it, once."""
        if not self._window or now - pause.voiced_until < sample_count(JUDGE_AFTER_MS):
            return
        if self._hunch is None or self._hunch.since != pause.voiced_until:
            self.forget()
            samples = buffer.between(now - self._window, now).copy()
            self._hunch = Hunch(pause.voiced_until, self._out.begin(Judge(samples)))

    def owns(self, job: Job) -> bool:
        """Whether a result of that job is meant for this."""
        return self._hunch is not None and self._hunch.job == job and self._hunch.probability is None

    def result(self, result: Judged | Failed) -> None:
        """The turn model's word. Without it the words alone count."""
        if self._hunch is not None:
            probability = result.probability if isinstance(result, Judged) else NEUTRAL
            self._hunch = Hunch(self._hunch.since, self._hunch.job, probability)

    def forget(self) -> None:
        """The pause is over."""
        if self._hunch is not None and self._hunch.probability is None:
            self._out.add(Cancel(self._hunch.job))
        self._hunch = None

    def _completeness(self, utterance: Utterance, voiced_until: int) -> float:
        draft = utterance.draft
        text = utterance.text if draft is None else draft.text
        if draft is not None and utterance.start + draft.samples < voiced_until:
            return NEUTRAL  # the last words are still to come
        if text != self._judged[0]:
            self._judged = text, completeness(text, _languages(utterance))
        return self._judged[1]


def _languages(utterance: Utterance) -> tuple[str, ...]:
    wish = utterance.wish
    if wish is None:
        return ()
    if isinstance(wish.language, str):
        return (wish.language,)
    return tuple(wish.languages) if isinstance(wish.languages, list) else ()


def _sober(probability: float) -> float:
    return min(max(probability, 1 - SURE), SURE)


def _logit(probability: float) -> float:
    sober = _sober(probability)
    return log(sober / (1 - sober))
