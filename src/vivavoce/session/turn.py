"""Who holds the floor, by the detector's word.

One probability at a time goes in; the beginning and the end of speech come out. Time is counted in samples of
the input, so that a file sent faster than it was spoken gives the same turns.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, assert_never

from vivavoce.audio.frame import sample_count
from vivavoce.session.moves import Moves
from vivavoce.session.track import Window
from vivavoce.wire.config import SemanticVad, ServerVad, TurnDetection

HYSTERESIS: Final = 0.15
"""Speech ends only when the probability falls this far below the threshold that began it."""

LEAST: Final = 0.01
"""Speech ends below this however low the threshold is, as in the reference code of Silero."""

ONSET_MS: Final = 50
"""So much speech in a row takes the floor when nobody has it; a click does not."""

INTERRUPTION_MS: Final = 90
"""So much is needed to take the floor from the assistant; a cough should not."""

SEMANTIC_THRESHOLD: Final = 0.5

PauseMs = Callable[[int], int]
"""How long the pause that began at a position may last; asked again for every silent window of it."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nobody speaks."""


@dataclass(frozen=True, slots=True)
class Rising:
    """Perhaps somebody begins: voiced since `since`, not long enough yet."""

    since: int


@dataclass(frozen=True, slots=True)
class Speaking:
    """Somebody speaks; the last voiced window ended at `voiced_until`."""

    since: int
    voiced_until: int


@dataclass(frozen=True, slots=True)
class Pausing:
    """Somebody who was speaking has been silent since `voiced_until`, not long enough to have finished."""

    since: int
    voiced_until: int


Floor = Quiet | Rising | Speaking | Pausing

MOVES: Final = Moves(
    "turn",
    Quiet,
    {
        Quiet: {"voiced": Rising, "voiced long enough": Speaking},
        Rising: {"voiced": Rising, "voiced long enough": Speaking, "silent": Quiet, "reset": Quiet},
        Speaking: {"voiced": Speaking, "silent": Pausing, "silent long enough": Quiet, "reset": Quiet},
        Pausing: {"voiced": Speaking, "silent": Pausing, "silent long enough": Quiet, "reset": Quiet},
    },
)


@dataclass(frozen=True, slots=True)
class Onset:
    """Speech began at this sample."""

    at: int


@dataclass(frozen=True, slots=True)
class Pause:
    """Speech has ended; the silence rule was met at this sample."""

    at: int


def threshold(detection: TurnDetection) -> float:
    """Probability that counts as speech."""
    match detection:
        case ServerVad():
            return detection.threshold if isinstance(detection.threshold, float | int) else 0.5
        case SemanticVad():
            return SEMANTIC_THRESHOLD
        case _:
            assert_never(detection)


class Turn:
    """The turn detector of one call. `floor` says who has it."""

    def __init__(self) -> None:
        self.floor: Floor = Quiet()

    def reset(self) -> None:
        """Nobody speaks, whatever was heard before."""
        if not isinstance(self.floor, Quiet):
            self.floor = MOVES.take(self.floor, "reset", Quiet())

    def heard(
        self, probability: float, window: Window, detection: TurnDetection, onset_ms: int, pause_ms: PauseMs
    ) -> Onset | Pause | None:
        """One window's probability.

        Args:
            probability: 0 to 1.
            window: where in the session's input; windows come in order.
            detection: the settings in force now.
            onset_ms: speech in a row that takes the floor.
            pause_ms: silence in a row that gives it back.
        """
        level = threshold(detection)
        match self.floor:
            case Quiet() | Rising():
                return self._waiting(probability >= level, window, onset_ms)
            case Speaking() | Pausing():
                least = max(level - HYSTERESIS, LEAST)
                return self._speaking(self.floor, probability >= least, window.end, pause_ms)
            case _:
                assert_never(self.floor)

    def _waiting(self, voiced: bool, window: Window, onset_ms: int) -> Onset | None:
        if not voiced:
            if isinstance(self.floor, Rising):
                self.floor = MOVES.take(self.floor, "silent", Quiet())
            return None
        since = self.floor.since if isinstance(self.floor, Rising) else window.start
        if window.end - since < sample_count(onset_ms):
            self.floor = MOVES.take(self.floor, "voiced", Rising(since))
            return None
        self.floor = MOVES.take(self.floor, "voiced long enough", Speaking(since, voiced_until=window.end))
        return Onset(since)

    def _speaking(self, floor: Speaking | Pausing, voiced: bool, end: int, pause_ms: PauseMs) -> Pause | None:
        if voiced:
            self.floor = MOVES.take(floor, "voiced", Speaking(floor.since, voiced_until=end))
            return None
        if end - floor.voiced_until < sample_count(pause_ms(floor.voiced_until)):
            self.floor = MOVES.take(floor, "silent", Pausing(floor.since, floor.voiced_until))
            return None
        self.floor = MOVES.take(floor, "silent long enough", Quiet())
        return Pause(end)
