"""Collects the effects of one input, in order, and numbers what leaves."""

import msgspec

from vivavoce.session.effect import Begin, Effect, Ids, Job, Send, Work
from vivavoce.wire.event import ServerEvent


class Outbox:
    """Effects on their way to the driver."""

    def __init__(self, ids: Ids) -> None:
        self.ids = ids
        self._effects: list[Effect] = []
        self._jobs = 0

    def send(self, event: ServerEvent) -> None:
        """Send an event under a fresh `event_id`."""
        self._effects.append(Send(msgspec.structs.replace(event, event_id=self.ids("event"))))

    def add(self, effect: Effect) -> None:
        """Anything else."""
        self._effects.append(effect)

    def begin(self, work: Work) -> Job:
        """Start work under a fresh number."""
        self._jobs += 1
        self._effects.append(Begin(self._jobs, work))
        return self._jobs

    def drain(self) -> list[Effect]:
        """What has gathered since the last time."""
        effects, self._effects = self._effects, []
        return effects
