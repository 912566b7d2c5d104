"""What the calls of one identity may cost in a minute."""

from dataclasses import dataclass
from typing import Literal

from vivavoce.gateway.quota import Quota
from vivavoce.wire.config import RateLimit


@dataclass(frozen=True)
class Allowance:
    """Counts responses and tokens, together with all other calls of the identity, in all processes.

    A limit of None is none. What stands behind a call charges it, see `answer`.
    """

    quota: Quota
    identity: str
    responses_per_minute: int | None
    tokens_per_minute: int | None

    async def charge(self, responses: int, tokens: int) -> tuple[RateLimit, ...]:
        """Count so much and tell what is left; below zero when there was less. Never raises for a store that fails."""
        return (
            *await self._count("requests", responses, self.responses_per_minute),
            *await self._count("tokens", tokens, self.tokens_per_minute),
        )

    async def _count(self, name: Literal["requests", "tokens"], by: int, limit: int | None) -> tuple[RateLimit, ...]:
        share = None if limit is None else await self.quota.count(self.identity, name, by)
        if limit is None or share is None:
            return ()
        return (RateLimit(name=name, limit=limit, remaining=limit - share.used, reset_seconds=share.left_s),)
