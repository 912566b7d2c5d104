"""What brings one call back after its connection has been lost."""

import hmac
from typing import Final

from vivavoce.gateway.identity import digest
from vivavoce.gateway.ids import new_secret
from vivavoce.gateway.interface import Interpret
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.interface import Transport
from vivavoce.transport.resumable import Resumable, Terms
from vivavoce.wire.heartbeat import HEARTBEAT
from vivavoce.wire.resumption import RESUME

_PREFIX: Final = "viva_resume"
_UNSPENT: Final = 8
"""Tokens of one call that may be good at once: so many replies may get lost, one after another."""


class Lifeline:
    """The tokens of a call, of which only hashes are held, and the transport that they bring back."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._digests: list[bytes] = []
        self.transport: Resumable | None = None

    def over(self, carrier: Transport) -> Resumable:
        """A transport that outlives this connection."""
        self.transport = Resumable(carrier, self._terms)
        return self.transport

    def beneath(self, interpret: Interpret) -> Interpret:
        """The same over what outlives its connection: what is kept is in the client's own dialect."""
        return lambda carrier: interpret(self.over(carrier))

    def headers(self) -> dict[str, str]:
        """What a client is told, with a new token where the call can be brought back at all.

        The tokens before it stay good until `spend`: a reply may get lost.
        """
        if self._terms.keep_s <= 0:
            return {HEARTBEAT: "ping"}
        token = new_secret(_PREFIX)
        self._digests.append(digest(token))
        del self._digests[1 : 1 - _UNSPENT]  # the first is what the client has who never got a reply
        return {HEARTBEAT: "ping", RESUME: f"{token.reveal()}; max-age={self._terms.keep_s:.0f}"}

    def accepts(self, token: Secret) -> bool:
        """Whether a token is good."""
        tried = digest(token)
        return any(hmac.compare_digest(known, tried) for known in self._digests)

    def spend(self) -> None:
        """Whoever came back has been heard: only the newest token is good."""
        del self._digests[:-1]
