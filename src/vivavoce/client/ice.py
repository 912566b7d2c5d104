"""Where the ICE servers of a connection come from: they are at hand, or somebody is asked for short-lived ones."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from vivavoce.client.secret import Credential, run
from vivavoce.errors import TransportError, VivaError
from vivavoce.transport.ice import IceServer, read_ice_servers

Given = IceServer | Mapping[str, object] | Sequence[IceServer | Mapping[str, object]]
"""Servers, as objects or as W3C's `RTCIceServer` in JSON; or the whole reply of a service that rents out relays."""
Fetch = Callable[[], Given | Awaitable[Given]]
"""Gets servers with credentials that are good for one connection. A plain function runs in a thread."""
Servers = Callable[[Credential], Awaitable[tuple[IceServer, ...]]]
"""Gives the servers of a connection that is made under that credential."""


def fetched(fetch: Fetch) -> Servers:
    """Ask a function of the application, anew for each connection."""

    async def servers(_: Credential) -> tuple[IceServer, ...]:
        try:
            return read_ice_servers(await run(fetch))
        except VivaError:
            raise
        except Exception as error:
            # Not the caller's fault: what it asks may be as hard to reach just now as the server that was lost.
            raise TransportError(
                f"The function that fetches ICE servers failed: {type(error).__name__}: {error}"
            ) from error

    return servers
