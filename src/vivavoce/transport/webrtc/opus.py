"""How speech is sent over WebRTC. Names nothing of the engine."""

from dataclasses import dataclass
from typing import Final

from vivavoce.errors import ConfigError

LOWEST_BPS: Final = 16_000
"""The engine goes down to this where a network carries no more; one figure for all calls of a process."""
USUAL_BPS: Final = 32_000
"""What the engine takes by itself, and the most where the peer does not tell how packets fare, and for each of two
copies."""
HIGHEST_BPS: Final = 128_000
HEADERS_BPS: Final = 20_000
"""What 50 packets a second cost besides, whatever they bring."""


@dataclass(frozen=True)
class Opus:
    """How this side's speech is sent, in Opus with one channel. The defaults need no thought.

    Attributes:
        highest_bps: bits per second at most. The engine itself measures what the network carries and stays between
            16,000 and this; with a peer that gives no feedback for that (`transport-cc`) it is 32,000 at most.
        fec: each packet brings the last one along in a coarse form, if packets are lost (as the peer reports) and the
            peer reads it. Costs nothing while none are.
        redundancy: each packet brings the last one along unchanged (RED, RFC 2198), if 4 % of the packets are lost or
            more, the peer reads it and the network carries it. Each copy has 32,000 bits per second at most, so it
            costs nothing where 64,000 are allowed, and nothing while no packets are lost.
        dtx: send a packet every 400 ms where there is silence, not one every 20 ms. Saves bytes; what a listener hears
            then is made up.

    Raises:
        ConfigError: a bit rate that speech cannot be sent at.
    """

    highest_bps: int = 64_000
    fec: bool = True
    redundancy: bool = True
    dtx: bool = False

    def __post_init__(self) -> None:
        if not LOWEST_BPS <= self.highest_bps <= HIGHEST_BPS:
            raise ConfigError(f"highest_bps is {self.highest_bps}; it must be from {LOWEST_BPS} to {HIGHEST_BPS}.")
