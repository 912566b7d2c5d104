"""Reads what a machine wants to be done."""

import itertools
from collections.abc import Iterable
from typing import TypeVar

from vivavoce.session.effect import Begin, Effect, Ids, Send, Speak, Think, Transcribe
from vivavoce.wire.event import ServerBase, ServerEvent

E = TypeVar("E", bound=ServerBase)
K = TypeVar("K")


def counting() -> Ids:
    """Identifiers that count: `item_1`, then `event_2`."""
    counter = itertools.count(1)
    return lambda prefix: f"{prefix}_{next(counter)}"


def events(effects: Iterable[Effect]) -> list[ServerEvent]:
    """The events to be sent."""
    return [effect.event for effect in effects if isinstance(effect, Send)]


def types(effects: Iterable[Effect]) -> list[str]:
    """Their types."""
    return [event.type for event in events(effects)]


def of_kind(effects: Iterable[Effect], kind: type[K]) -> list[K]:
    """The effects of one kind."""
    return [effect for effect in effects if isinstance(effect, kind)]


def the(effects: Iterable[Effect], kind: type[E]) -> E:
    """The one event of a kind.

    Raises:
        ValueError: there is none, or more than one.
    """
    (event,) = [event for event in events(effects) if isinstance(event, kind)]
    return event


def jobs(effects: Iterable[Effect], kind: type[Transcribe] | type[Think] | type[Speak]) -> list[int]:
    """The jobs of a kind that are to begin."""
    return [effect.job for effect in of_kind(effects, Begin) if isinstance(effect.work, kind)]
