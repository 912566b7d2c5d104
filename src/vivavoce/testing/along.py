"""A transcriber that writes along while somebody speaks, and a turn model that listens to their pauses."""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vivavoce.audio.frame import sample_count
from vivavoce.session.effect import Job
from vivavoce.session.result import Draft, Failed, Judged, Partial, Result


@dataclass(frozen=True, slots=True)
class Along:
    """One utterance: what the transcriber has, or adds for certain, when it has heard so many seconds."""

    steps: Sequence[tuple[float, str | Partial]]
    final: str
    sounds: Sequence[float | Failed | None] = ()
    """What the turn model says of each pause; None hangs, as it does afterwards. Without any there is no turn model."""


class Notes:
    """What is written along, by job."""

    def __init__(self, tell: Callable[[Job, Result], None]) -> None:
        self._tell = tell
        self._steps: dict[Job, deque[tuple[float, str | Partial]]] = {}
        self._finals: dict[Job, str] = {}
        self._fed: Counter[Job] = Counter()
        self._sounds = deque[float | Failed | None]()
        self.ended: set[Job] = set()
        """Jobs that ended before their sound did."""

    def begin(self, job: Job, along: Along) -> None:
        """Somebody begins to speak."""
        self._steps[job], self._finals[job] = deque(along.steps), along.final
        self._sounds = deque(along.sounds)

    def feed(self, job: Job, samples: int) -> None:
        """So much more is heard."""
        self._fed[job] += samples
        steps = self._steps.get(job, deque())
        while steps and sample_count(steps[0][0] * 1000) <= self._fed[job]:
            seconds, words = steps.popleft()
            self._tell(job, words if isinstance(words, Partial) else Draft(words, sample_count(seconds * 1000)))

    def judge(self, job: Job) -> None:
        """Somebody pauses."""
        sound = self._sounds.popleft() if self._sounds else None
        if sound is not None:
            self._tell(job, sound if isinstance(sound, Failed) else Judged(sound))

    def final(self, job: Job) -> str | None:
        """The whole of what was written along; None of a job that was not."""
        return self._finals.get(job)
