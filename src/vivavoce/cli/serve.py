"""`viva serve`: answers calls on this computer until it is told to stop."""

import argparse
import asyncio
import gc
import ipaddress
import json
import os
import socket
import sys
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from vivavoce.assembly import EngineNames, ServerSettings, server_app
from vivavoce.errors import ConfigError
from vivavoce.gateway.connection import connection_class
from vivavoce.gateway.identity import Keyring, is_loopback, open_keyring, read_keys
from vivavoce.gateway.relays import Relays
from vivavoce.gateway.settings import Beta, Limits, SecretUse
from vivavoce.gateway.settings import Settings as GatewaySettings
from vivavoce.gateway.socket_connection import SocketConnection
from vivavoce.telemetry import log
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.ice import IceServer
from vivavoce.transport.webrtc.settings import HostCandidates, OfferedCandidates, WebRtcSettings

if TYPE_CHECKING:
    from vivavoce.answer.job import Engines
    from vivavoce.clock import Clock

FRAME_BYTES = 20 * 1024 * 1024 + 1024
"""Largest WebSocket frame that is read: 15 MiB of sound in base64, and the event around it."""

FAREWELL_S = 5


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    where = parser.add_argument_group("where")
    where.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    where.add_argument("--port", type=int, default=8765, help="TCP port, 0 for any free one (default: %(default)s)")
    where.add_argument("--udp-ports", metavar="LOW-HIGH", help="UDP ports for sound, one per call and address")
    where.add_argument(
        "--advertise",
        metavar="ADDRESS",
        action="append",
        default=[],
        help="behind NAT: an address at which callers reach the UDP ports, stated in place of this machine's own; a "
        "name is looked up at start; may be given more than once",
    )
    where.add_argument(
        "--own-addresses", action="store_true", help="state this machine's own addresses besides those of --advertise"
    )
    where.add_argument("--stun", metavar="URL", action="append", default=[], help="STUN server, stun:HOST:PORT")
    where.add_argument(
        "--turn", metavar="URL", action="append", default=[], help="TURN server that callers may use; they ask for it"
    )
    where.add_argument(
        "--turn-secret-file",
        metavar="FILE",
        help="its static-auth-secret (or VIVA_TURN_SECRET): callers get credentials that expire after ten minutes",
    )
    who = parser.add_argument_group("who answers")
    engines = EngineNames()
    for kind in ("thinker", "speaker", "transcriber", "detector"):
        who.add_argument(f"--{kind}", metavar="ENGINE", default=getattr(engines, kind), help="default: %(default)s")
    who.add_argument(
        "--mcp",
        choices=("none", "public", "all"),
        help="MCP servers that callers may have called: none, on the Internet, or in private networks too "
        "(default: all when listening on loopback, else public)",
    )
    who.add_argument(
        "--turn-model", metavar="ENGINE", help="judges the sound of pauses for semantic_vad; default: none"
    )
    who.add_argument("--model", metavar="NAME", action="append", help="name to answer to, in place of OpenAI's names")
    bounds = parser.add_argument_group("who may call")
    bounds.add_argument("--origin", action="append", help="web origin whose pages may call; * for all")
    bounds.add_argument("--single-use-secrets", action="store_true", help="a client secret starts one call only")
    bounds.add_argument("--session-minutes", type=float, default=60.0, help="longest session (default: %(default)s)")
    bounds.add_argument(
        "--keep-detached",
        metavar="SECONDS",
        type=int,
        default=GatewaySettings.keep_detached_s,
        help="how long a session outlives a lost connection, for clients that come back; 0: not (default: %(default)s)",
    )
    bounds.add_argument(
        "--responses-per-minute", metavar="N", type=int, help="answers that one key may have in a minute"
    )
    bounds.add_argument("--tokens-per-minute", metavar="N", type=int, help="tokens that one key may use in a minute")
    bounds.add_argument("--no-beta", action="store_true", help="refuse the vocabulary of 2024, as OpenAI does now")
    said = parser.add_argument_group("what it says")
    said.add_argument("--log-level", default="warning", help="debug, info, warning or error (default: %(default)s)")
    said.add_argument("--log-json", action="store_true", help="one JSON object per record")
    said.add_argument("--ready-json", action="store_true", help="say address and key as one line of JSON")
    parser.epilog = "Keys are read from VIVA_API_KEYS; on loopback a key is made for you when there are none."


def run(options: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; the exit code.

    Raises:
        ConfigError: options that cannot be.
    """
    style = log.Style.JSON if options.log_json else log.Style.TEXT
    log.configure(sys.stderr, level=options.log_level, style=style)
    settings = read_settings(options)
    keyring = open_keyring(settings.gateway)
    listener = listen(options.host, options.port)
    asyncio.run(serve(settings, keyring, listener, ready_json=options.ready_json))
    return 0


def read_settings(options: argparse.Namespace) -> ServerSettings:
    """Options as settings.

    Raises:
        ConfigError: options that cannot be.
    """
    gateway = GatewaySettings(
        bind=options.host,
        api_keys=read_keys(os.environ.get("VIVA_API_KEYS", "")),
        origins=tuple(options.origin) if options.origin else None,
        limits=Limits(responses_per_minute=options.responses_per_minute, tokens_per_minute=options.tokens_per_minute),
        secret_use=SecretUse.ONCE if options.single_use_secrets else SecretUse.REUSABLE,
        beta=Beta.REFUSED if options.no_beta else Beta.TRANSLATED,
        relays=_relays(options),
        keep_detached_s=options.keep_detached,
    )
    near = is_loopback(options.host)
    names = EngineNames(
        detector=options.detector,
        transcriber=options.transcriber,
        thinker=options.thinker,
        speaker=options.speaker,
        mcp=options.mcp or ("all" if near else "public"),
        turn_model=options.turn_model,
    )
    webrtc = WebRtcSettings(
        offered_candidates=OfferedCandidates.ALL if near else OfferedCandidates.PUBLIC,
        host_candidates=_own_addresses(options, near=near),
        port_range=_ports(options.udp_ports),
        advertised=tuple(address for given in options.advertise for address in addresses(given)),
        ice_servers=tuple(IceServer((url,)) for url in options.stun),
    )
    if not 0 < options.session_minutes < inf:
        raise ConfigError(f"--session-minutes is {options.session_minutes:g}; expected a number greater than 0.")
    models = tuple(options.model) if options.model else ServerSettings.models
    return ServerSettings(gateway, webrtc, names, models, lifetime_s=options.session_minutes * 60)


def _relays(options: argparse.Namespace) -> Relays | None:
    file, words = options.turn_secret_file, os.environ.get("VIVA_TURN_SECRET", "")
    if file is not None:
        try:
            words = Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            raise ConfigError(f"--turn-secret-file {file} cannot be read: {error}.") from error
    if not options.turn:
        if file is not None:
            raise ConfigError("--turn-secret-file is the secret of relays, but no --turn names one.")
        return None
    if not words.strip():
        raise ConfigError("--turn needs the relay's secret: give --turn-secret-file, or set VIVA_TURN_SECRET.")
    return Relays(tuple(options.turn), Secret(words.strip()))


def _own_addresses(options: argparse.Namespace, *, near: bool) -> HostCandidates:
    if options.advertise and not options.own_addresses:
        return HostCandidates.NONE
    return HostCandidates.ALL if near else HostCandidates.ROUTABLE


def _ports(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    low, dash, high = text.partition("-")
    if not (dash and low.isdecimal() and high.isdecimal() and 1 <= int(low) <= int(high) <= 65535):
        raise ConfigError(f"--udp-ports is {text!r}; expected two ports from 1 to 65535, low to high, as 40000-40100.")
    return int(low), int(high)


def addresses(given: str) -> list[str]:
    """The IP addresses of one that an operator has written; a name is looked up now, once.

    Raises:
        ConfigError: there is none.
    """
    bare = given.strip().removeprefix("[").removesuffix("]")
    # What is written like an address must be one: to the resolver 203.0.113 is 203.0.0.113, and nothing is loopback.
    try:
        if not bare.strip("0123456789."):
            ipaddress.ip_address(bare)
        found = socket.getaddrinfo(bare, None, type=socket.SOCK_DGRAM)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"--advertise {given!r} cannot be looked up: {error}. Expected an IP address such as 203.0.113.7, or a "
            "name that has one; ports belong to --udp-ports."
        ) from error
    return list(dict.fromkeys(str(address) for *_, (address, *_) in found))


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        ConfigError: the address is not this machine's, or taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Told to be TCP, for asyncio sends small pieces at once (TCP_NODELAY) only where it sees that; else each reply on
    # a kept connection, and each event on a WebSocket, may wait 40 ms for the peer's delayed acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        # `::` means every address, those of IPv4 too; systems differ in what they do unless told.
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    try:
        listener.bind((host.strip("[]"), port))
    except (OSError, OverflowError) as error:
        listener.close()
        why = error.strerror if isinstance(error, OSError) else "ports go from 0 to 65535"
        raise ConfigError(
            f"Cannot listen on {host} port {port}: {why}. Choose another with --host and --port."
        ) from error
    return listener


async def serve(settings: ServerSettings, keyring: Keyring, listener: socket.socket, *, ready_json: bool) -> None:
    """Serve on a bound socket until SIGINT or SIGTERM."""
    config = server_config(settings, keyring)
    server = Announcing(config, address(settings.gateway.bind, listener), keyring, ready_json=ready_json)
    await server.serve(sockets=[listener])
    if not server.started:
        raise ConfigError("The server could not start; the record above says why.")


def server_config(
    settings: ServerSettings, keyring: Keyring, engines: "Engines | None" = None, clock: "Clock | None" = None
) -> uvicorn.Config:
    """The application and how it is served: with every bound that only the server beneath it can keep."""
    return uvicorn.Config(
        server_app(settings, keyring, engines, clock),
        http=connection_class(settings.gateway.limits.head_s),
        ws=SocketConnection,
        ws_max_size=FRAME_BYTES,
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=FAREWELL_S,
    )


def address(host: str, listener: socket.socket) -> str:
    """The URL at which the listener is reached from this computer."""
    port = listener.getsockname()[1]
    bare = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host.strip("[]"), host.strip("[]"))
    return f"http://{f'[{bare}]' if ':' in bare else bare}:{port}"


def spare_the_collector() -> None:
    """Keep what has been loaded out of every later search for garbage, which would hold up all calls for 20 ms."""
    gc.collect()
    gc.freeze()


class Announcing(uvicorn.Server):
    """A server that says where it is, once it really is."""

    def __init__(self, config: uvicorn.Config, url: str, keyring: Keyring, *, ready_json: bool) -> None:
        super().__init__(config)
        self._url = url
        self._keyring = keyring
        self._ready_json = ready_json

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Load everything, listen, then speak."""
        await super().startup(sockets)
        spare_the_collector()
        if not self.should_exit:
            print(self._announcement(), flush=True)

    def _announcement(self) -> str:
        made = self._keyring.development
        if self._ready_json:
            return json.dumps({"event": "ready", "url": self._url, "key": made.reveal() if made else None})
        lines = [f"Viva Voce answers at {self._url}", f"  base URL   {self._url}/v1"]
        if made is None:
            lines.append("  keys       those of VIVA_API_KEYS")
        else:
            lines += [
                f"  key        {made.reveal()}   (for this run only; set VIVA_API_KEYS for your own)",
                f"  the page   {self._url}/#key={made.reveal()}",
            ]
        return "\n".join([*lines, "  stop with Ctrl-C"])
