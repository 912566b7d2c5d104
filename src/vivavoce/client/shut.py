"""Where UDP was found shut: what one connection has learned, for those that follow. Pure."""

from typing import Final

KEPT_S: Final = 300.0
"""So long it is remembered: until then another call most likely meets the same firewall."""


class Shut:
    """The ways to one server on which UDP is shut, by the address of this machine at which each begins.

    Another address is another network, of which nothing is known. Every `now` is of one monotonic clock.
    """

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def learn(self, source: str, now: float) -> None:
        """Nothing gets through from this address."""
        self._until = {each: until for each, until in self._until.items() if until > now} | {source: now + KEPT_S}

    def forget(self, source: str) -> None:
        """Something does."""
        self._until.pop(source, None)

    def known(self, source: str, now: float) -> bool:
        """Whether it is not to be waited for."""
        return now < self._until.get(source, now)
