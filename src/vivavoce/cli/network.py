"""Options that say which way a call may take through networks, for every command that places one."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from vivavoce.errors import ConfigError
from vivavoce.transport.ice import IceServer, read_ice_servers

SERVERS: Final = "VIVA_ICE_SERVERS"
CREDENTIAL: Final = "VIVA_TURN_CREDENTIAL"


def configure(parser: argparse.ArgumentParser) -> None:
    """The options."""
    ways = parser.add_argument_group("which way through the network")
    ways.add_argument(
        "--ice-server",
        metavar="SERVER",
        action="append",
        default=[],
        help="STUN or TURN server: URL or URL,USER (its credential in VIVA_TURN_CREDENTIAL) or URL,USER,CREDENTIAL, or "
        "@FILE with a list in JSON as browsers take it, more than once for more of them; or `server` to ask the one "
        "that is called (or VIVA_ICE_SERVERS)",
    )
    ways.add_argument("--relay-only", action="store_true", help="go through TURN servers alone")
    ways.add_argument(
        "--proxy",
        metavar="URL",
        help="HTTP proxy for requests and WebSockets, or `none` (default: HTTPS_PROXY and so on)",
    )


def ice_servers(
    options: argparse.Namespace, environment: Mapping[str, str]
) -> "tuple[IceServer, ...] | Literal['server']":
    """The servers that options, or else the environment, name, or that the server which is called is to be asked.

    Raises:
        ConfigError: one that cannot be.
    """
    given = options.ice_server or [environment.get(SERVERS, "")]
    if given == ["server"]:
        return "server"
    return tuple(server for words in given if words.strip() for server in _read(words.strip(), environment))


def proxy(options: argparse.Namespace) -> str | bool:
    """The proxy that options name: as `vivavoce.connect` takes it."""
    return True if options.proxy is None else False if options.proxy == "none" else str(options.proxy)


def _read(words: str, environment: Mapping[str, str]) -> tuple[IceServer, ...]:
    if words.startswith("@"):
        try:
            words = Path(words[1:]).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeError) as error:
            raise ConfigError(f"The ICE servers in {words[1:]} cannot be read: {error}.") from error
    if words.startswith(("[", "{")):
        try:
            return read_ice_servers(json.loads(words))
        except (ValueError, RecursionError):
            raise ConfigError(
                'The ICE servers are no JSON; expected [{"urls": ["turn:…"], "username": "…", "credential": "…"}].'
            ) from None
    url, *rest = words.split(",", 2)
    username = rest[0] if rest else None
    credential = rest[1] if len(rest) > 1 else environment.get(CREDENTIAL) if username else None
    return read_ice_servers({"urls": url, "username": username, "credential": credential})
