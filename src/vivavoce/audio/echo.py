"""The echo of what a loudspeaker plays, in what a microphone hears: found, told from a voice, and taken out.

It works on powers in bands of the ear's width, not on waveforms. An echo that has come through two jitter buffers, two
codecs and a client's own player has lost its phase and moves by tens of milliseconds; the pattern of its bands has
not. What was measured, and why no waveform canceller was tried, is in docs/explain/decisions/0007-echo.md.

Three questions are asked every 10 ms. *How late is the echo?* The lag at which the bands of both sides move most
alike. *How loud is it?* A gain for each band. *Is this all?* Sound that is neither moving like the reference nor as
weak as the reference lets expect is somebody else's.
"""

from collections import deque
from dataclasses import dataclass
from math import log10
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.frame import Pcm
from vivavoce.audio.spectrum import BANDS, HOP, Floats, Overlap, floats, pcm, powers, spectra, weighted

LAGS: Final = 80
"""An echo may be up to this many frames of 10 ms late."""
LONGEST: Final = LAGS * HOP

# Levels are decimal logarithms of a band's power: 1.0 is 10 dB. Digital silence is at `_FLOOR`.
_FLOOR: Final = 4.0
_MOVES_ABOVE: Final = 5.5
"""Below this (about -65 dBFS in a band) nothing counts as a movement."""
_STRONG: Final = 7.0
"""From here on a band of the reference teaches how loud its echo is."""
_DECAY: Final = 0.6
"""Share of a band's power that a room keeps for 10 ms."""

_DRIFT: Final = 0.03
_KEPT: Floats = np.array([[0.9], [0.985]], np.float32)
"""What a frame leaves of the likeness before it: 100 ms say whether this is an echo, 700 ms how late it is."""
_ALIKE: Final = 0.65
"""Above this both sides move alike. Echoes stayed above 0.65 in 999 of 1000 frames, a voice over them below 0.6."""
_UNLIKE: Final = 0.62
_SURE: Final = 0.72
_ENERGY: Final = 60.0
"""So much must have moved (about 100 ms of speech) before a lag is believed."""
_NEAR_LAG: Final = 8
_SPREAD: Final = 2
"""Frames around the lag in which the echo may lie."""

_MARGIN: Final = 0.6
"""A band must be 6 dB above what is expected to count."""
_QUANTILE: Final = 0.6
_TAUGHT, _TRAINED = 10, 25
_FRESH: Final = 0.85
_CHANCE: Final = 1.5
_BEGINS, _GOES_ON = 0.14, 0.08
"""Share of the bands that is unexplained: above the first somebody speaks, down to the second he goes on."""
_PATIENCE: Final = 10
_RISING: Final = 3
"""So many loud frames before a lag is known: fewer show no pattern."""

_AUDIBLE: Final = 8.0
"""From here on a whole frame of the reference would be heard, were there an echo of it."""
_HIGHEST: Final = 1.0
"""An echo is at most 10 dB louder than what is played, as far as is known before anything is."""
_LOWERED: Final = 0.5
"""What share of the way to what it allows a quiet frame takes that bound down: no single one is believed."""
_ABOVE: Final = 1.0
"""Sound 10 dB louder than the bound allows at a lag is no echo of that lag."""

_LOUD: Final = 1.0
_OVERTAKE: Final = 4.0
_LEAST: Final = 0.1
"""The echo is taken down by 20 dB at most: more would make the rest sound torn."""
_NOTHING: Final = 1e-12
"""What is left of energies after a while in which nothing has moved; less would in the end be none to divide by."""


class Likeness:
    """How alike the bands of both sides move, for every lag at once; the longest lag first.

    Two rows: as of now, and lately. In one array, for with so few numbers each call of NumPy costs as much as the next.
    """

    def __init__(self) -> None:
        self._joint: Floats = np.zeros((2, LAGS), np.float32)
        self._theirs: Floats = np.empty((2, LAGS), np.float32)
        self.ours: Floats = np.empty((2, 1), np.float32)
        """Energy of the microphone's movements."""
        self._theirs[:], self.ours[:] = 0.1, 0.1

    def restart(self) -> None:
        """What is now is new; what was lately stays."""
        self._joint[0], self._theirs[0], self.ours[0] = 0, 0.1, 0.1

    def add(self, joint: Floats, theirs: Floats, ours: float) -> Floats:
        """One frame more; the correlation at each lag, -1 to 1, now and lately."""
        for history, more in ((self._joint, joint), (self._theirs, theirs), (self.ours, ours)):
            history *= _KEPT
            history += more
        both = self._theirs * self.ours
        np.sqrt(np.maximum(both, _NOTHING, out=both), out=both)
        return np.divide(self._joint, both, out=both)


class Reference:
    """What the loudspeaker has played in the last `LAGS` frames: levels, and how they moved. The oldest first."""

    def __init__(self) -> None:
        self._levels: Floats = np.full((2 * LAGS, BANDS), _FLOOR, np.float32)
        self._moves: Floats = np.zeros((2 * LAGS, BANDS), np.float32)
        self._energy: Floats = np.zeros(2 * LAGS, np.float32)
        self._most: Floats = np.full(2 * LAGS, _FLOOR, np.float32)
        self._least: Floats = np.full(2 * LAGS, _FLOOR, np.float32)
        self._totals = deque([_FLOOR] * (_SPREAD + 1), maxlen=_SPREAD + 1)
        self._end = LAGS
        self._power: Floats = np.zeros(BANDS, np.float32)
        self._mean: Floats = np.full(BANDS, _MOVES_ABOVE, np.float32)

    @property
    def moves(self) -> Floats:
        """One row for each frame."""
        return self._moves[self._end - LAGS : self._end]

    @property
    def energy(self) -> Floats:
        """Of those movements, one for each frame."""
        return self._energy[self._end - LAGS : self._end]

    @property
    def most(self) -> Floats:
        """The highest level of all bands together around each frame."""
        return self._most[self._end - LAGS : self._end]

    @property
    def least(self) -> Floats:
        """The lowest."""
        return self._least[self._end - LAGS : self._end]

    def add(self, power: Floats) -> None:
        """The powers of one more frame."""
        if self._end == 2 * LAGS:
            for history in (self._levels, self._moves, self._energy, self._most, self._least):
                history[:LAGS] = history[LAGS:]
            self._end = LAGS
        self._power = np.maximum(power, _DECAY * self._power)
        move = np.log10(self._power + 10**_MOVES_ABOVE) - self._mean
        self._mean += _DRIFT * move
        self._levels[self._end] = np.log10(self._power + 10**_FLOOR)
        self._moves[self._end] = move
        self._energy[self._end] = move @ move
        total = log10(float(self._power.sum()) + 10**_FLOOR)
        near = slice(self._end - _SPREAD, self._end + 1)
        self._totals.append(total)
        self._most[near] = np.maximum(self._most[near], total)
        self._least[near] = np.minimum(self._least[near], total)
        self._most[self._end], self._least[self._end] = max(self._totals), min(self._totals)
        self._end += 1

    def around(self, lag: int) -> Floats:
        """The highest level of each band at about that lag."""
        place = self._end - 1 - lag
        return self._levels[max(self._end - LAGS, place - _SPREAD) : min(self._end, place + _SPREAD + 1)].max(axis=0)


class EchoPath:
    """From loudspeaker to microphone: how late, how loud, and whether there is more than echo in a frame.

    `lag` is in frames, None until an echo has been found. `voice` is whether somebody speaks besides.
    """

    def __init__(self) -> None:
        self.lag: int | None = None
        self.voice = False
        self._reference = Reference()
        self._likeness = Likeness()
        self._mean: Floats | None = None
        self._smooth: Floats = np.zeros(BANDS, np.float32)
        self._noise: Floats = np.zeros(BANDS, np.float32)
        self._gains: Floats = np.zeros(BANDS, np.float32)
        self._taught: Floats = np.zeros(BANDS, np.float32)
        self._excess = 0.0
        self._loud_frames = 0
        self._bounds: Floats = np.full(LAGS, _HIGHEST, np.float32)
        self._doubt = self._denial = 0

    def restart(self) -> None:
        """The loudspeaker was silent for long: what is known of the way stays, what was heard does not."""
        self._reference = Reference()
        self._likeness.restart()
        self._mean = None
        self._excess = 0.0
        self._loud_frames = 0
        self.voice = False

    def step(self, heard: Floats, played: Floats) -> Floats:
        """One frame of both sides.

        Args:
            heard: powers of the microphone's bands.
            played: of the loudspeaker's.

        Returns:
            A gain for each band that takes the echo out.
        """
        self._reference.add(played)
        level = np.log10(heard + 10**_FLOOR)
        loud = self._above_noise(level)
        likeness = self._compare(heard)
        if self.lag is None:
            self._judge_blind(likeness, loud, log10(float(heard.sum()) + 10**_FLOOR))
            return np.ones(BANDS, np.float32)
        place = LAGS - 1 - self.lag
        alike = float(likeness[max(0, place - _NEAR_LAG) : place + _NEAR_LAG + 1].max())
        theirs = self._reference.around(self.lag)
        echo = self._gains + theirs
        over = np.minimum(np.maximum(level - np.maximum(echo, self._noise) - _MARGIN, 0), 1)
        self._excess = _FRESH * self._excess + (1 - _FRESH) * float(over @ loud) / BANDS
        if alike > _ALIKE:
            self._learn(level - theirs, theirs > _STRONG)
        self._judge(alike)
        share = np.where(self._taught > _TAUGHT, _OVERTAKE * 10 ** (echo - level), 0)
        return np.sqrt(np.maximum(1 - share, _LEAST**2))

    def _above_noise(self, level: Floats) -> Floats:
        if self._mean is None:
            self._noise, self._smooth = level.copy(), level.copy()
        self._smooth += 0.25 * (level - self._smooth)
        self._noise += np.where(self._smooth > self._noise, 0.003, np.maximum(self._smooth - self._noise, -0.1))
        return (level > self._noise + _LOUD).astype(np.float32)

    def _compare(self, heard: Floats) -> Floats:
        level = np.log10(heard + 10**_MOVES_ABOVE)
        if self._mean is None:
            self._mean = level.copy()
        move = level - self._mean
        self._mean += _DRIFT * move
        now, lately = self._likeness.add(self._reference.moves @ move, self._reference.energy, float(move @ move))
        best = int(lately.argmax())
        if lately[best] > _SURE and self._likeness.ours[1, 0] > _ENERGY:
            self.lag = LAGS - 1 - best
        return now

    def _learn(self, gains: Floats, strong: NDArray[np.bool_]) -> None:
        """Move each band's gain towards a quantile of those seen: a voice beside the echo only ever adds."""
        step = np.maximum(0.3 / (1 + self._taught / 5), 0.03)
        step = np.where(gains > self._gains, _QUANTILE * step, (_QUANTILE - 1) * step)
        self._gains = np.where(strong, self._gains + step, self._gains).astype(np.float32)
        self._taught += strong

    def _judge_blind(self, likeness: Floats, loud: Floats, level: float) -> None:
        """No echo has been found yet: whatever moves like nothing that was played is a voice.

        Each quiet frame under something loud bounds how loud an echo can be, at every lag at which that would be
        heard now. Only lags whose bound allows what is heard are asked: by chance a voice begins like something else
        that was played lately.
        """
        share = float(loud.mean())
        if share < 0.1:
            allowed = np.where(self._reference.least > _AUDIBLE, level - self._reference.least, self._bounds)
            self._bounds += _LOWERED * np.minimum(allowed - self._bounds, 0)
        self._loud_frames = self._loud_frames + 1 if share > 0.15 else max(0, self._loud_frames - 1)
        unlike = False
        if self._loud_frames >= _RISING and self._likeness.ours[0, 0] > 1:
            possible = self._bounds + self._reference.most + _ABOVE > level
            unlike = float(likeness[possible].max(initial=-1)) < _UNLIKE
        self._take(unlike, unlike, denied=not unlike)

    def _judge(self, alike: float) -> None:
        if np.count_nonzero(self._taught > _TRAINED) <= BANDS / 2:
            begins = self._excess > _BEGINS and alike < _UNLIKE
            self._take(begins, self._excess > _GOES_ON and alike < _SURE, denied=alike > _SURE)
            return
        # By chance a voice may move like the echo for some syllables; then it takes more to be believed.
        evidence = self._excess - _CHANCE * max(0.0, alike - _SURE)
        self._take(evidence > _BEGINS, evidence > _GOES_ON, denied=alike > _SURE and evidence < _GOES_ON)

    def _take(self, begins: bool, goes_on: bool, *, denied: bool) -> None:
        if not self.voice:
            self.voice, self._doubt, self._denial = begins, 0, 0
            return
        self._doubt = 0 if begins or goes_on else self._doubt + 1
        self._denial = self._denial + 1 if denied else 0
        self.voice = self._doubt <= _PATIENCE and self._denial < 3


@dataclass(slots=True)
class Stretch:
    """Samples `start` to `end` are nothing but echo."""

    start: int
    end: int


KEPT: Final = 256
"""Stretches that are remembered."""


@dataclass(slots=True)
class _Resting:
    """The loudspeaker is silent: sound goes through untouched. `before` are the last `HOP` samples."""

    before: Floats


@dataclass(slots=True)
class _Listening:
    """It plays, or has just played. `heard` and `played` wait from the start of the next frame on."""

    heard: Floats
    played: Floats
    overlap: Overlap
    gains: Floats


class Echo:
    """Takes the loudspeaker's echo out of one microphone, and says which stretches were nothing else.

    Every sample comes out at its own place. While the loudspeaker plays, up to 20 ms are held back.
    """

    def __init__(self) -> None:
        self._path = EchoPath()
        self._state: _Resting | _Listening = _Resting(np.zeros(HOP, np.float32))
        self._taken = 0
        self._stretches: deque[Stretch] = deque(maxlen=KEPT)

    @property
    def lag_ms(self) -> int | None:
        """How late the echo is; None while none was found."""
        return None if self._path.lag is None else self._path.lag * 10

    def push(self, heard: Pcm, played: Pcm | None) -> Pcm:
        """More of both sides; returns what is clean.

        Args:
            heard: by the microphone.
            played: by the loudspeaker in the same time; None when it has been silent for `LONGEST`.
        """
        sound = floats(heard)
        self._taken += len(heard)
        match self._state:
            case _Listening() as state if played is not None:
                return self._listen(state, sound, floats(played))
            case _Listening():
                return np.concatenate((self._leave(self._state), heard))
            case _Resting(before) if played is not None:
                self._path.restart()
                silent = np.zeros(HOP, np.float32)
                self._state = _Listening(before, silent, Overlap(), np.ones(BANDS, np.float32))
                return self._listen(self._state, sound, floats(played))
            case _Resting() as state:
                state.before = np.concatenate((state.before, sound[-HOP:]))[-HOP:]
                return heard

    def release(self) -> Pcm:
        """What is held back: somebody needs every sample now."""
        return self._leave(self._state) if isinstance(self._state, _Listening) else np.zeros(0, np.int16)

    def explains(self, start: int, end: int) -> bool:
        """Whether what was heard at the end of samples `start` to `end` was nothing but echo. Asked in order."""
        while self._stretches and self._stretches[0].end <= start:
            self._stretches.popleft()
        return any(stretch.start < end <= stretch.end for stretch in self._stretches)

    def _leave(self, state: _Listening) -> Pcm:
        self._state = _Resting(state.heard[-HOP:])
        return pcm(state.overlap.end(state.heard))

    def _listen(self, state: _Listening, heard: Floats, played: Floats) -> Pcm:
        at = self._taken - len(heard) - len(state.heard)
        state.heard = np.concatenate((state.heard, heard))
        state.played = np.concatenate((state.played, played))
        count = len(state.heard) // HOP - 1
        if count < 1:
            return np.zeros(0, np.int16)
        frames = spectra(state.heard[: (count + 1) * HOP])
        gains = np.empty((count, BANDS), np.float32)
        theirs = powers(spectra(state.played[: (count + 1) * HOP]))
        for place, ours in enumerate(powers(frames)):
            # Half of the last gain stays, so that gains glide; they may rise at once.
            state.gains = np.maximum(self._path.step(ours, theirs[place]), state.gains / 2)
            gains[place] = state.gains
            # Where nothing was heard there is nothing to explain.
            if not self._path.voice and np.any(ours):
                self._explain(at + (place + 1) * HOP, at + (place + 2) * HOP)
        state.heard, state.played = state.heard[count * HOP :], state.played[count * HOP :]
        return pcm(state.overlap.add(weighted(frames, gains)))

    def _explain(self, start: int, end: int) -> None:
        if self._stretches and self._stretches[-1].end == start:
            self._stretches[-1].end = end
        else:
            self._stretches.append(Stretch(start, end))
