"""The user's sound where it is spoken in real time beside text, over one connection after another.

Sound that comes as a microphone gives it is of its moment: nothing of it waits for a connection, since all that follows
would come later by that. Sound that was given ahead of time is said in full.
"""

from dataclasses import dataclass
from typing import Final

from vivavoce.audio.frame import RATE_HZ, Pcm
from vivavoce.audio.reel import Reel
from vivavoce.transport.interface import Transport

LIVE_S: Final = 0.5
"""Sound that waits for longer than that when it is given comes from no microphone."""
REPEATED_S: Final = 8.0
"""At most so much is said again. A connection that carries nothing is taken for a living one no longer."""


@dataclass(frozen=True, slots=True)
class _Mute:
    """No connection speaks: there is none, or sound travels in events."""


@dataclass(frozen=True, slots=True)
class _Speaking:
    """A connection speaks, in whose own count the first sample of the call would have that number."""

    transport: Transport
    first: int

    def of_call(self, samples: int) -> int:
        """What a count of the connection's is in the call's."""
        return samples - self.first


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Another connection, or the same again, is waited for. Without that all would have been said by then."""

    until: float


class Voice:
    """What was given, and how far it has been said. Every `now` is of one monotonic clock."""

    def __init__(self) -> None:
        self._reel = Reel(round(REPEATED_S * RATE_HZ))
        self._ahead_until = 0
        """The number of the sample before which the last sound ends that was given ahead of time."""
        self._state: _Mute | _Speaking | _Waiting = _Mute()

    @property
    def unsent(self) -> int:
        """Samples that are still to be said."""
        if isinstance(self._state, _Speaking):
            return max(0, self._reel.end - self._state.of_call(self._state.transport.played()))
        return self._reel.end - self._reel.played

    @property
    def in_real_time(self) -> bool:
        """Whether what is given is spoken in real time, now or once there is a connection again."""
        return not isinstance(self._state, _Mute)

    @property
    def cut(self) -> bool:
        """Whether sound that was given ahead of time waits."""
        return isinstance(self._state, _Waiting) and self._kept_ahead

    def speaks_over(self, transport: Transport | None) -> bool:
        """Whether this connection speaks."""
        return isinstance(self._state, _Speaking) and self._state.transport is transport

    def speak(self, samples: Pcm, now: float) -> int | None:
        """Say this after what was given before.

        Returns:
            How many samples that is; None if there is no connection: whoever goes on over another gives it again.
        """
        match self._state:
            case _Mute():
                return 0
            case _Speaking(transport):
                ahead = self.unsent
                transport.play(samples)
                self._keep(samples, ahead)
                return ahead
            case _Waiting(until):
                # As if it had been said all the time: otherwise whatever comes would count as given ahead.
                ahead = max(0, round((until - now) * RATE_HZ))
                self._state = _Waiting(now + (ahead + len(samples)) / RATE_HZ)
                self._keep(samples, ahead)
                if not self._kept_ahead:
                    self._reel.reach(self._reel.end - ahead - len(samples), now)
                return None

    def look(self, now: float) -> None:
        """Note how far it has been said; to be called several times a second."""
        if isinstance(self._state, _Speaking):
            self._reel.reach(self._state.of_call(self._state.transport.played()), now)

    def pause(self, since: float, now: float) -> None:
        """The connection carries nothing any more, and has not since then: what left later is to be said again."""
        if not isinstance(self._state, _Speaking):
            return
        self._stop(now)
        self._state = _Waiting(now + self.unsent / RATE_HZ)
        self._reel.rewind(since)
        if not self._kept_ahead:
            self._drop()

    def go_on(self, transport: Transport | None, now: float) -> list[Pcm]:
        """Speak over this connection from now on, or over none.

        Returns:
            What was still to be said. It is not: the caller gives it again.
        """
        self._stop(now)
        if isinstance(self._state, _Waiting) and not self._kept_ahead:
            self._drop()
        rest = list(self._reel.rest())
        self._reel.reach(self._reel.end, now)
        self._drop()
        self._state = _Mute() if transport is None else _Speaking(transport, transport.played() - self._reel.played)
        return rest

    def hush(self, now: float) -> None:
        """Drop what is still to be said."""
        self._stop(now)
        if isinstance(self._state, _Waiting):
            self._state = _Waiting(now)
        self._drop()

    def _stop(self, now: float) -> None:
        """Have the connection say no more; the reel keeps what was not said."""
        if isinstance(self._state, _Speaking):
            self._reel.reach(self._state.of_call(self._state.transport.flush()), now)

    @property
    def _kept_ahead(self) -> bool:
        """Whether any of what is still to be said was given ahead of time."""
        return self._ahead_until > self._reel.played

    def _keep(self, samples: Pcm, ahead: int) -> None:
        self._reel.push(samples)
        if ahead + len(samples) > LIVE_S * RATE_HZ:
            self._ahead_until = self._reel.end

    def _drop(self) -> None:
        self._reel.clear()
        self._ahead_until = self._reel.end
