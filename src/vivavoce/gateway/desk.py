"""What WebRTC calls and WebSocket conversations have in common before they start."""

from vivavoce.gateway.admission import Admission, Knock, Place
from vivavoce.gateway.agreement import agree
from vivavoce.gateway.allowance import Allowance
from vivavoce.gateway.caller import Caller, SecretHolder
from vivavoce.gateway.client_secret import ClientSecrets
from vivavoce.gateway.interface import Answerer, Ids, Interpret
from vivavoce.gateway.interpreted import interpreting
from vivavoce.gateway.lifeline import Lifeline
from vivavoce.gateway.quota import Quota
from vivavoce.gateway.settings import Settings
from vivavoce.telemetry.private import Private
from vivavoce.transport.resumable import Terms
from vivavoce.wire.config import Session


class Desk:
    """Lets a known caller in and settles what session they get."""

    def __init__(
        self,
        answerer: Answerer,
        secrets: ClientSecrets,
        admission: Admission,
        quota: Quota,
        ids: Ids,
        settings: Settings,
    ) -> None:
        self._answerer = answerer
        self._secrets = secrets
        self._admission = admission
        self._quota = quota
        self._ids = ids
        self._limits = settings.limits
        self._keep_s = settings.keep_detached_s

    async def enter(self, caller: Caller) -> Place:
        """A place for one more call. Whoever gets it must leave it.

        Raises:
            RequestError: too many calls, at once or in this minute (429).
        """
        await self._quota.spend(caller.identity, "calls", self._limits.calls_per_minute)
        return self._admission.enter(caller.identity)

    async def knock(self, caller: Caller) -> Knock:
        """Let somebody come back to a call. Whoever gets it must leave it.

        Raises:
            RequestError: too many connect, at once or in this minute (429), or the secret has been used up (401).
            StoreError: the use of the secret cannot be noted.
        """
        await self._quota.spend(caller.identity, "calls", self._limits.calls_per_minute)
        knock = self._admission.knock()
        try:
            if isinstance(caller, SecretHolder):
                await self._secrets.spend(caller.grant)
        except BaseException:
            knock.leave()
            raise
        return knock

    async def settle(self, caller: Caller, given: Session | None, hinted_model: str | None = None) -> Session:
        """The session to start now; the last step before starting it, since it uses up a secret good for one call.

        Raises:
            RequestError: unknown model, types that do not go together, or the secret has been used up meanwhile.
            StoreError: the use of the secret cannot be noted.
        """
        granted = caller.grant.session if isinstance(caller, SecretHolder) else None
        session = agree(granted, given, hinted_model, self._answerer.models())
        if isinstance(caller, SecretHolder):
            await self._secrets.spend(caller.grant)
        return session

    def lifeline(self) -> Lifeline:
        """What will bring a call back."""
        return Lifeline(Terms(keep_s=self._keep_s))

    def allowance(self, caller: Caller) -> Allowance | None:
        """What the caller's responses are charged to, if they are limited at all."""
        limits = self._limits
        if limits.responses_per_minute is None and limits.tokens_per_minute is None:
            return None
        return Allowance(self._quota, caller.identity, limits.responses_per_minute, limits.tokens_per_minute)

    def interpreting(self, caller: Caller) -> Interpret:
        """For a caller who speaks the beta."""
        temperature = caller.grant.temperature if isinstance(caller, SecretHolder) else None
        return interpreting(self._ids, temperature)

    @staticmethod
    def end_user(caller: Caller, named: Private[str] | None) -> Private[str] | None:
        """Whom the call is for: as the request says, else as the secret was minted for."""
        if named is None and isinstance(caller, SecretHolder):
            return caller.grant.safety_identifier
        return named
