"""Whether the other side is still there, by all that shows it: what arrives, answers to pings, packets, checks of ICE.

How long silence means something depends on who should have broken it. A server that answers pings is never silent for
longer than the way there and back takes, unless packets are lost, which pings measure, too. Sound that came without
pause may stop because nobody has anything to say, so that alone raises a suspicion, and only the checks of ICE, which
go on for as long as there is a way, can confirm it.
"""

from dataclasses import dataclass
from enum import Enum
from math import inf, log
from typing import Final

from vivavoce.transport.interface import Link

PING_S: Final = 0.3
"""Between two pings, where they are answered."""
URGENT_S: Final = 0.1
"""Between two pings while one has been without an answer for longer than that, as it is when packets are lost."""
PINGED_S: Final = 0.9
"""Silence that means something where pings are answered and nothing is lost."""
PATIENT_S: Final = 4.0
"""Silence that means something whatever is lost."""
CHANCE: Final = 1e-5
"""So seldom may silence be mere chance: at three answers a second, once in nine hours."""
PINGS: Final = 32
"""The loss is measured over about so many pings."""
FLOW_S: Final = 0.7
"""A gap that means something in a flow of packets that had none."""
STEADY_S: Final = 3.0
"""For so long packets must have come without such a gap, to be called a flow."""
CHECKED_S: Final = 7.0
"""Checks of ICE, of which there is one about every 2.5 s, have failed when none was answered for so long."""
UPLOAD_PER_S: Final = 100_000
"""Characters a second that even a poor network takes: a ping behind a long message is not answered before."""
STRANDED_S: Final = 2.0
"""An address that this machine has lost may be given to it again for so long."""
GRACE_S: Final = 4.0
"""A server that has fallen silent may come back by itself for so long, before another connection is tried."""


class Sign(Enum):
    """What shows that the other side lives."""

    TEXT = "text"
    PONG = "pong"
    PACKET = "packet"
    CHECK = "check"
    BYTES = "bytes"  # of whatever kind: acknowledgements, reports on what is heard


@dataclass(frozen=True, slots=True)
class Alive:
    """It was heard of lately."""


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing has been heard since a moment; it may come back."""

    since: float


@dataclass(frozen=True, slots=True)
class Dead:
    """Nothing has been heard since a moment, for longer than one waits for it."""

    since: float


Verdict = Alive | Silent | Dead


class Pulse:
    """The signs of life of one connection. Every `now` is of one monotonic clock; none may go back."""

    def __init__(self, now: float, *, pings: bool) -> None:
        """Begin, with a connection that stands.

        Args:
            now: monotonic seconds.
            pings: whether the server said that it answers pings.
        """
        self._pings = pings
        self._last = now
        self.answered_at = now
        """When a ping was last answered; at first, when the connection began."""
        self._checked_at: float | None = None
        self._flow_since = inf
        self._flowed_at = now
        self._packets: int | None = None
        self._checks: int | None = None
        self._bytes: int | None = None
        self._unanswered = 0
        self._missed = 0.0
        self.stranded = False
        """Whether this machine has lost the address that the connection was made from, so that nothing can come."""

    def sign(self, sign: Sign, now: float) -> None:
        """Something has shown that the server lives."""
        if self._unanswered:
            self._measure(now - self._last)
        self._last = now
        if sign is Sign.PONG:
            self.answered_at = now
        if sign is Sign.CHECK:
            self._checked_at = now
        elif sign is Sign.PACKET:
            if now - self._flowed_at > FLOW_S or self._flow_since == inf:
                self._flow_since = now
            self._flowed_at = now

    def look(self, link: Link, now: float) -> None:
        """A reading of the connection; it is a sign of life where a figure has grown."""
        if self._packets is not None and link.packets_received is not None and link.packets_received > self._packets:
            self.sign(Sign.PACKET, now)
        # The first count stands for the checks by which the connection was made.
        if link.checks_answered is not None and link.checks_answered > (self._checks or 0):
            self.sign(Sign.CHECK, now)
        if self._bytes is not None and link.bytes_received is not None and link.bytes_received > self._bytes:
            self.sign(Sign.BYTES, now)
        self._packets, self._checks, self._bytes = link.packets_received, link.checks_answered, link.bytes_received

    def pinged(self) -> None:
        """A ping was sent. Any sign counts as its answer: text that was lost comes late, what follows it does not."""
        self._unanswered += 1

    def urgent(self, now: float) -> bool:
        """Whether a ping has been without an answer for so long that another is due at once."""
        return self._pings and PING_S + URGENT_S <= now - self._last < self.patience_s

    @property
    def patience_s(self) -> float:
        """Silence that means something where pings are answered: more than the loss so far can explain."""
        if self._missed <= 0:
            return PINGED_S
        return min(PATIENT_S, max(PINGED_S, PING_S + URGENT_S * log(CHANCE) / log(self._missed)))

    def _measure(self, silent_s: float) -> None:
        """All pings but the last were missed. A silence that meant something was no mere loss, and says nothing."""
        if silent_s < self.patience_s:
            for _ in range(self._unanswered - 1):
                self._missed += (1 - self._missed) / PINGS
            self._missed -= self._missed / PINGS
        self._unanswered = 0

    @property
    def last(self) -> float:
        """When there was the last sign of life."""
        return self._last

    def verdict(self, now: float, ahead: int = 0) -> Verdict:
        """What the silence so far means, when a ping waits behind so many characters."""
        silent_s = now - self._last
        if self.stranded:
            return Dead(self._last) if silent_s >= STRANDED_S else Silent(self._last)
        if self._pings:
            silent_s -= ahead / UPLOAD_PER_S
            if silent_s >= self.patience_s + GRACE_S:
                return Dead(self._last)
            return Silent(self._last) if silent_s >= self.patience_s else Alive()
        if self._checked_at is not None and silent_s >= CHECKED_S:
            return Dead(self._last)
        steady = self._flowed_at - self._flow_since >= STEADY_S
        gap_s = now - self._flowed_at
        # Any other sign after the last packet shows that only the sound has ended.
        if steady and gap_s >= FLOW_S and self._last <= self._flowed_at:
            return Silent(self._last)
        return Alive()
