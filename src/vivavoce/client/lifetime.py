"""How long a session may live, and when the next one should take over."""

from math import inf
from typing import Final

from vivavoce.wire.config import Session

LONGEST_S: Final = 3600.0
"""No provider lets a session live longer, whatever this machine's clock makes of the moment of its end."""
USED: Final = 0.9
"""The share of its life after which a session is replaced, as soon as nobody speaks."""
BETTER_S: Final = 20.0
"""Between two looks for a way over WebRTC while a WebSocket serves."""
AGAIN_S: Final = 10.0
"""After an attempt to replace it that came to nothing, the next one waits for so long."""


def replaced_at(session: Session | None, wall: float, now: float) -> float:
    """When a session that begins now should be replaced; never, where its end is not known.

    Args:
        session: as the server tells it.
        wall: unix seconds, which may be wrong on this machine.
        now: monotonic seconds, in which the answer is.
    """
    expires_at = None if session is None else session.expires_at
    if not isinstance(expires_at, int) or expires_at <= 0:
        return inf
    left_s = expires_at - wall
    return now + USED * (left_s if 0 < left_s < LONGEST_S else LONGEST_S)
