"""How a call is doing, from one reading of its connection to the next. Pure.

What a listener would say of it is estimated by the E-model (ITU-T G.107) in its short form for voice over packets:

    R = 93.2 - Id - Ie,eff        with Id = 0.024 d + 0.11 (d - 177.3) for d above 177.3 ms, else 0.024 d
                                  and Ie,eff = Ie + (95 - Ie) * Ppl / (Ppl + Bpl)

93.2 is what the default values of G.107 leave; Id is the fit of Cole and Rosenbluth (2001) for a line without echo; Ppl
is the loss in percent, taken as random. G.113 has no figures for Opus, so Ie = 0 and Bpl = 25.1 are those of G.711 with
concealment: the estimate compares networks, it does not judge voices.
"""

from dataclasses import dataclass
from typing import Final

from vivavoce.audio.frame import Pcm
from vivavoce.audio.meter import Level, Meter
from vivavoce.transport.interface import Link

R_DEFAULT: Final = 93.2
KNEE_MS: Final = 177.3
IE: Final = 0.0
BPL: Final = 25.1
PACKET_MS: Final = 20.0
"""Sound that has to be collected before it can be sent."""


def r_factor(delay_ms: float, loss_ratio: float) -> float:
    """The rating R of a way with so much delay from mouth to ear, and so much loss of 0 to 1."""
    delayed = 0.024 * delay_ms + 0.11 * max(0.0, delay_ms - KNEE_MS)
    loss = 100 * loss_ratio
    return R_DEFAULT - delayed - (IE + (95 - IE) * loss / (loss + BPL))


def mean_opinion(r: float) -> float:
    """What listeners would say of a rating, 1 (bad) to 4.5 (excellent): G.107, annex B."""
    if r <= 0:
        return 1.0
    if r >= 100:
        return 4.5
    return max(1.0, 1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How a call is doing; None for what its transport cannot know.

    Attributes:
        at: monotonic seconds.
        link: the connection's own figures; those that count do so since it began.
        loss_ratio: packets lost of those sent to us since the snapshot before, 0 to 1.
        sent_bps: bits per second since then, with what the transport adds.
        received_bps: likewise.
        user: how loud the user's sound was since then.
        assistant: how loud the assistant was heard.
    """

    at: float
    link: Link
    loss_ratio: float | None
    sent_bps: float | None
    received_bps: float | None
    user: Level
    assistant: Level

    @property
    def mos(self) -> float | None:
        """What a listener would say of the way from the server, 1 to 4.5 (see the head of this module).

        Its delay is half the round trip, the packet's own length, and what waits in the jitter buffer.
        """
        if self.link.round_trip_ms is None or self.loss_ratio is None:
            return None
        delay_ms = self.link.round_trip_ms / 2 + PACKET_MS + (self.link.buffer_ms or 0.0)
        return mean_opinion(r_factor(delay_ms, self.loss_ratio))


class Watch:
    """Makes snapshots of one call for one reader, out of all that passes."""

    def __init__(self) -> None:
        self._user = Meter()
        self._assistant = Meter()
        self._before: tuple[float, Link] | None = None

    def spoke(self, samples: Pcm) -> None:
        """Sound of the user."""
        self._user.push(samples)

    def heard(self, samples: Pcm) -> None:
        """Sound of the assistant, as it is heard."""
        self._assistant.push(samples)

    def read(self, link: Link, now: float) -> Snapshot:
        """The snapshot of this moment. Figures that have gone back are those of another connection."""
        at, before = self._before or (now, Link())
        self._before = now, link
        return Snapshot(
            at=now,
            link=link,
            loss_ratio=_loss(before, link),
            sent_bps=_rate(before.bytes_sent, link.bytes_sent, now - at),
            received_bps=_rate(before.bytes_received, link.bytes_received, now - at),
            user=self._user.read(),
            assistant=self._assistant.read(),
        )


def _loss(before: Link, link: Link) -> float | None:
    received, lost = _grown(before.packets_received, link.packets_received), _more_lost(before, link)
    if received is None or lost is None or received + lost <= 0:
        return None
    return lost / (received + lost)


def _more_lost(before: Link, link: Link) -> int | None:
    """Packets that were lost since; one that came late after all takes its loss back."""
    if link.packets_lost is None:
        return None
    restarted = (link.packets_received or 0) < (before.packets_received or 0)
    return max(0, link.packets_lost - (0 if restarted else before.packets_lost or 0))


def _grown(before: int | None, now: int | None) -> int | None:
    if now is None:
        return None
    return now if before is None or now < before else now - before


def _rate(before: int | None, now: int | None, seconds: float) -> float | None:
    if before is None or now is None or now < before or seconds <= 0:
        return None
    return (now - before) * 8 / seconds
