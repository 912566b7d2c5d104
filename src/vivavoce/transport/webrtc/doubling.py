"""When speech travels twice (RED, RFC 2198), by how packets fare. Pure."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from vivavoce.transport.webrtc.opus import HEADERS_BPS, USUAL_BPS

LOSSY: Final = 0.04
"""From this share of lost packets on. FEC, which costs nothing, mends what is less."""
CLEAN: Final = 0.01
CALM_S: Final = 10.0
"""Once again after so long below `CLEAN`: two or three of the peer's reports."""
ENOUGH_BPS: Final = 2 * USUAL_BPS + HEADERS_BPS
"""Where the network carries less than speech takes twice, it would lose what is too much for it."""
LONGEST_QUEUE_S: Final = 0.2
LEAST_PACKETS: Final = 50
"""A share of fewer says little."""
REMEMBERED: Final = 30


@dataclass(frozen=True)
class Faring:
    """How packets fare, as the engine knows; None where it does not.

    Attributes:
        reported: share of this side's packets that the peer missed, by its last report (RTCP; every few seconds).
        received: packets of the peer's that have come, since the call began.
        missed: those that have not.
        carried_bps: what the network carries from here, by the engine's estimate, headers included.
        round_trip_s: to the peer and back.
    """

    reported: float | None = None
    received: int | None = None
    missed: int | None = None
    carried_bps: float | None = None
    round_trip_s: float | None = None


class Doubling:
    """Whether this side's speech travels twice; looked at every few seconds while there is some.

    The peer's reports come late where they get lost as well, so loss on the way from the peer is taken for a sign of
    loss on the way to it.
    """

    def __init__(self) -> None:
        self._twice = False
        self._lossy_at = 0.0
        self._counted = 0, 0
        self._trips = deque[float](maxlen=REMEMBERED)

    def look(self, faring: Faring, now: float) -> bool:
        """Whether it is to travel twice from now on."""
        lost = max(faring.reported or 0.0, self._missed(faring))
        queued = self._queued(faring)
        if lost >= CLEAN:
            self._lossy_at = now
        if self._twice:
            self._twice = not queued and now - self._lossy_at < CALM_S
        else:
            self._twice = lost >= LOSSY and not queued and (faring.carried_bps or 0.0) >= ENOUGH_BPS
        return self._twice

    def _missed(self, faring: Faring) -> float:
        """The share since the last look at enough of them."""
        received, missed = (faring.received or 0) - self._counted[0], (faring.missed or 0) - self._counted[1]
        if received + missed < LEAST_PACKETS:
            return 0.0
        self._counted = self._counted[0] + received, self._counted[1] + missed
        return missed / (received + missed)

    def _queued(self, faring: Faring) -> bool:
        """Whether packets wait for others, and are lost because there are too many."""
        if faring.round_trip_s is None:
            return False
        self._trips.append(faring.round_trip_s)
        return faring.round_trip_s - min(self._trips) > LONGEST_QUEUE_S
