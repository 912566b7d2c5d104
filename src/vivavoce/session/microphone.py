"""The way of the user's sound before anybody listens to it."""

from collections.abc import Callable, Sequence
from typing import Final, Literal, Protocol

import numpy as np
from msgspec import UnsetType

from vivavoce.audio.echo import Echo
from vivavoce.audio.frame import RATE_HZ, Pcm, silence
from vivavoce.audio.noise import NoiseFilter, Suppressor
from vivavoce.errors import RequestError
from vivavoce.session.effect import Effect, Flush, Play
from vivavoce.session.loudspeaker import Loudspeaker, Pace
from vivavoce.wire.config import NoiseReduction

LIVE: Final = RATE_HZ
"""More sound than this at once comes out of a file: no loudspeaker was beside it."""


class Microphone(Protocol):
    """What is done to sound on its way in. Every sample comes out at its own place in the stream."""

    def hear(self, samples: Pcm, now: float) -> Pcm:
        """More sound; returns what is ready, some milliseconds may be held back."""
        ...

    def release(self) -> Pcm:
        """What is held back: somebody needs every sample now."""
        ...

    def reduce(self, noise: NoiseReduction | None) -> None:
        """Have noise reduced from here on, or no more.

        Raises:
            RequestError: there is nothing here that could.
        """
        ...

    def echoes(self, start: int, end: int) -> bool:
        """Whether samples `start` to `end` are nothing but what the listener's loudspeaker played."""
        ...

    def play(self, samples: Pcm, now: float) -> None:
        """The listener's loudspeaker gets this."""
        ...

    def stop(self, now: float) -> None:
        """It plays nothing that was to be heard later than that."""
        ...

    def watch(self, effects: Sequence[Effect], now: float) -> None:
        """So it is told by effects, where the server plays."""
        ...


class Straight:
    """Nothing is done to it."""

    def hear(self, samples: Pcm, now: float) -> Pcm:
        """As it is."""
        return samples

    def release(self) -> Pcm:
        """Nothing is held back."""
        return silence(0)

    def reduce(self, noise: NoiseReduction | None) -> None:
        """Of no interest."""

    def echoes(self, start: int, end: int) -> bool:
        """Never."""
        return False

    def play(self, samples: Pcm, now: float) -> None:
        """Of no interest."""

    def stop(self, now: float) -> None:
        """Of no interest."""

    def watch(self, effects: Sequence[Effect], now: float) -> None:
        """Of no interest."""


Kind = Literal["near_field", "far_field"]


class Cleaned:
    """Noise is reduced where that is wanted, then the echo of the assistant's voice is taken out."""

    def __init__(self, suppressor: Callable[[Kind], Suppressor] | None = None) -> None:
        """Nothing has been heard.

        Args:
            suppressor: opens one of a kind, for one stream; None where there is none.
        """
        self._open = suppressor
        self._kind: Kind | None = None
        self._noise: NoiseFilter | None = None
        self._left = silence(0)
        """What a filter held when it was taken away."""
        self._held = 0
        self._loudspeaker = Loudspeaker()
        self._pace = Pace()
        self._echo = Echo()

    def hear(self, samples: Pcm, now: float) -> Pcm:
        """See `Microphone.hear`."""
        moment = self._pace.take(len(samples), now)
        self._held += len(samples)
        if self._noise is not None:
            samples = self._noise.push(samples)
        if len(self._left):
            samples, self._left = np.concatenate((self._left, samples)), silence(0)
        self._held -= len(samples)
        end = moment - self._held
        played = self._loudspeaker.between(end - len(samples), end) if len(samples) <= LIVE else None
        return self._echo.push(samples, played)

    def release(self) -> Pcm:
        """See `Microphone.release`."""
        noisy = self._left if self._noise is None else np.concatenate((self._left, self._noise.release()))
        self._left, self._held = silence(0), 0
        # The echo in these last milliseconds stays: what it was of is not asked any more.
        return np.concatenate((self._echo.release(), self._echo.push(noisy, None)))

    def reduce(self, noise: NoiseReduction | None) -> None:
        """See `Microphone.reduce`."""
        kind: Kind | None = None if noise is None else "near_field" if isinstance(noise.type, UnsetType) else noise.type
        strength = 1.0 if noise is None or isinstance(noise.strength, UnsetType) else noise.strength
        if kind != self._kind:
            opened = None if kind is None else NoiseFilter(self._suppressor(kind), strength)
            if self._noise is not None:
                self._left = np.concatenate((self._left, self._noise.release()))
            self._kind, self._noise = kind, opened
        elif self._noise is not None:
            self._noise.strength = strength

    def _suppressor(self, kind: Kind) -> Suppressor:
        if self._open is None:
            raise RequestError(
                "This server has nothing that reduces noise: leave noise_reduction out, or install webrtc-noise-gain.",
                code="invalid_value",
                param="session.audio.input.noise_reduction",
            )
        return self._open(kind)

    def echoes(self, start: int, end: int) -> bool:
        """See `Microphone.echoes`."""
        return self._echo.explains(start, end)

    def play(self, samples: Pcm, now: float) -> None:
        """See `Microphone.play`."""
        self._loudspeaker.play(samples, now)

    def stop(self, now: float) -> None:
        """See `Microphone.stop`."""
        self._loudspeaker.stop(now)

    def watch(self, effects: Sequence[Effect], now: float) -> None:
        """See `Microphone.watch`."""
        for effect in effects:
            match effect:
                case Play(samples):
                    self._loudspeaker.play(samples, now)
                case Flush():
                    self._loudspeaker.stop(now)
                case _:
                    pass
