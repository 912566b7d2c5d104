"""What a call is to be."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from vivavoce.client.line import Line
from vivavoce.client.player import Player
from vivavoce.client.policy import Persistence, Policy
from vivavoce.client.restoration import Chance
from vivavoce.client.shut import Shut
from vivavoce.client.state import State
from vivavoce.client.tool import Tool
from vivavoce.clock import Clock
from vivavoce.session.price import Price
from vivavoce.wire.config import Session

CONNECT_S: Final = 20.0
"""How long a call may take to be connected, by default."""


@dataclass(frozen=True)
class Plan:
    """What a call is to be. Without a `player`, sound is only handed on to whoever reads it.

    `fallback` is what the call goes over while `line` is shut, and `shut` remembers that it is; calls may share it.
    """

    line: Line
    session: Session
    clock: Clock
    tools: Mapping[str, Tool] = field(default_factory=dict[str, Tool])
    player: Player | None = None
    connect_s: float = CONNECT_S
    on_state: Callable[[State], None] | None = None
    policy: Policy = Persistence()
    chance: Chance = random.random
    prices: Mapping[str, Price] = field(default_factory=dict[str, Price])
    budget: float | None = None
    fallback: Line | None = None
    shut: Shut = field(default_factory=Shut)
