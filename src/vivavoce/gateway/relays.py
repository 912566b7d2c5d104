"""Relays that callers may use, each with a credential of its own that soon expires.

The credential is made by the scheme that coturn calls `use-auth-secret` and others have taken over (draft
"A REST API For Access To TURN Services", 2013): the relay knows the same secret, so nobody has to tell it of callers.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass

from vivavoce.errors import ConfigError
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.ice import IceServer

SHORTEST_SECRET = 16


@dataclass(frozen=True)
class Relays:
    """TURN servers, and the secret that they share with this server.

    `lifetime_s` is how long a credential opens new relays; those that are open outlive it.

    Raises:
        ConfigError: a URL that is no relay's, or a secret that could be guessed.
    """

    urls: tuple[str, ...]
    secret: Secret
    lifetime_s: int = 600

    def __post_init__(self) -> None:
        if not all(url.startswith(("turn:", "turns:")) for url in self.urls):
            raise ConfigError("Only TURN servers have credentials; expected URLs that begin with turn: or turns:.")
        if len(self.secret.reveal()) < SHORTEST_SECRET:
            raise ConfigError(
                f"The secret of the relays is shorter than {SHORTEST_SECRET} characters; take the relay's "
                "static-auth-secret, made by `openssl rand -hex 32` for instance."
            )
        self.of("", 0.0)

    def of(self, identity: str, wall_s: float) -> IceServer:
        """What a caller may use from now on. All of one identity have one name there, which tells nobody who it is."""
        key = self.secret.reveal().encode()
        name = hmac.digest(key, f"caller {identity}".encode(), hashlib.sha256).hex()[:16]
        username = f"{int(wall_s) + self.lifetime_s}:{name}"
        credential = base64.b64encode(hmac.digest(key, username.encode(), hashlib.sha1)).decode()
        return IceServer(self.urls, username, Secret(credential))
