"""One call's place at the detector. A detector is somebody else's code: whatever it does, the call goes on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, assert_never

from vivavoce.audio.frame import Pcm, sample_count
from vivavoce.clock import Clock
from vivavoce.engine.interface import Detector, Ear, Report
from vivavoce.errors import EngineError
from vivavoce.telemetry.log import Log

PATIENCE_S: Final = 10.0
"""A detector that has a whole window of sound and says nothing for so long is taken for dead."""
EARS: Final = 3
"""A detector that fails this often in one call is not asked again."""
UNNOTICED: Final = sample_count(300)
"""So little sound that nobody judged is no loss: it is taken for what follows it, and is within the usual padding."""

log = Log("answer")


@dataclass(slots=True)
class _New:
    """No sound has come yet."""


@dataclass(slots=True)
class _Listening:
    """The detector has an ear for this call. `proven` once it has reported; `owes_since` while it has something to."""

    ear: Ear
    first: int
    """Samples of the call before the first that this ear was given."""
    judged: int
    proven: bool = False
    owes_since: float | None = None


@dataclass(slots=True)
class _Deaf:
    """The detector has failed for good, or the call is over."""


class Attention:
    """Sound in, probabilities out, counted in samples of the whole call.

    An ear that fails is replaced, up to `EARS` times; one that has never reported is not. The call is told only if it
    loses by it: many clients take any error for the end.
    """

    def __init__(self, detector: Detector, clock: Clock, report: Report, fault: Callable[[str], None]) -> None:
        """No ear is opened yet.

        Args:
            detector: of the whole process.
            clock: tells when the detector has been silent for too long.
            report: gets each probability, with the number of samples pushed up to the end of its window.
            fault: gets the words for each failure that the call loses something by.
        """
        self._detector = detector
        self._clock = clock
        self._report = report
        self._fault = fault
        self._pushed = 0
        self._failures = 0
        self._state: _New | _Listening | _Deaf = _New()

    def push(self, samples: Pcm) -> None:
        """More sound, any length. Never raises."""
        if isinstance(self._state, _Deaf):
            return
        try:
            listening = self._state if isinstance(self._state, _Listening) else self._open()
            self._pushed += len(samples)
            listening.ear.push(samples)
        except Exception as error:  # an engine is somebody else's code: whatever it raises ends its ear, not the call
            self._fail(error)
            return
        self._watch()

    def close(self) -> None:
        """No more reports. Idempotent."""
        state, self._state = self._state, _Deaf()
        match state:
            case _Listening(ear):
                try:
                    ear.close()
                except Exception as error:  # the call ends all the same
                    log.failure("detector_raised", error)
            case _New() | _Deaf():
                pass
            case _:
                assert_never(state)

    def _open(self) -> _Listening:
        first = self._pushed
        ear = self._detector.open(lambda value, heard: self._hear(first, value, heard))
        self._state = _Listening(ear, first, judged=first)
        return self._state

    def _hear(self, first: int, value: float, heard: int) -> None:
        state = self._state
        if not isinstance(state, _Listening) or state.first != first:
            return  # an ear that was given up
        state.proven, state.owes_since, state.judged = True, None, first + heard
        self._report(value, state.judged)

    def _watch(self) -> None:
        """Give up on a detector that has been silent for too long."""
        state = self._state
        if not isinstance(state, _Listening) or self._pushed - state.judged < self._detector.traits.window:
            return
        now = self._clock.now()
        if state.owes_since is None:
            state.owes_since = now
        elif now - state.owes_since >= PATIENCE_S:
            self._fail(EngineError(f"it gave no sign for {PATIENCE_S:.0f} s"))

    def _fail(self, error: Exception) -> None:
        log.failure("detector_failed", error)
        failed = self._state
        self.close()
        self._failures += 1
        why = error.message.rstrip(".") if isinstance(error, EngineError) else type(error).__name__
        if not (isinstance(failed, _Listening) and failed.proven and self._failures < EARS):
            self._fault(f"The detector of speech failed ({why}). Commit turns yourself from here on.")
            return
        self._state = _New()
        if self._pushed - failed.judged > UNNOTICED:
            self._fault(f"The detector of speech failed ({why}). It listens again from here on.")
