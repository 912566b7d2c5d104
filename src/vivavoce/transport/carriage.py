"""How a call that outlives its connections is carried just now."""

from dataclasses import dataclass

from vivavoce.transport.leg import Leg


@dataclass
class Carried:
    """The leg stands, or is the first and being made."""

    leg: Leg


@dataclass
class Doubtful:
    """It stands, but nothing has come for a while: sound waits."""

    leg: Leg


@dataclass
class Waiting:
    """The connection was lost; at `until` the call is given up, unless another connection, `leg`, is being made."""

    until: float
    heard_until: float
    """When the client was last heard of."""
    quiet_from: float
    """From when on the caller's silence has still to be delivered."""
    leg: Leg | None = None


@dataclass
class Leaving:
    """We say goodbye. Nobody comes back from here."""

    leg: Leg


@dataclass
class Over:
    """Closed."""

    leg: None = None


State = Carried | Doubtful | Waiting | Leaving | Over
