"""STUN and TURN servers: what they are, and how they are told over HTTP. Pure.

URLs are those of RFC 7064 and RFC 7065; their form in JSON is that of W3C's `RTCIceServer`, which those who rent out
relays hand out; their form in an HTTP header is WHIP's (RFC 9725, section 4.6).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from vivavoce.errors import ConfigError
from vivavoce.telemetry.secret import Secret

_URL: Final = re.compile(
    r"(?P<scheme>stuns?|turns?):(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+)(:(?P<port>\d{1,5}))?"
    r"(\?transport=(?P<transport>udp|tcp))?"
)
_FORM: Final = "stun:HOST:PORT, turn:HOST:PORT?transport=udp (or tcp) or turns:HOST:PORT"
_SHOWN: Final = 100
_LISTS: Final = ("iceServers", "ice_servers")
"""Where the reply of a service that rents out relays has its list."""

_LINK: Final = re.compile(r'<([^>]*)>((?:\s*;\s*[\w-]+\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s",;]+))*)')
_PARAMETER: Final = re.compile(r';\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",;]+))')


@dataclass(frozen=True)
class IceServer:
    """One STUN or TURN server, by one or more URLs; TURN needs both of the last two.

    Attributes:
        urls: `stun:…` tells a caller the address that its NAT gave it; `turn:…` (UDP), `turn:…?transport=tcp` and
            `turns:…` (TLS) pass everything on, for networks in which nothing else gets through.
        username: who asks a relay.
        credential: what proves it.

    Raises:
        ConfigError: no URL, one that is not of that form, or TURN without credentials.
    """

    urls: tuple[str, ...]
    username: str | None = None
    credential: Secret | None = None

    def __post_init__(self) -> None:
        if not self.urls:
            raise ConfigError(f"An ICE server has no URL; expected one like {_FORM}.")
        for url in self.urls:
            _check(url)
        if self.relays and not (self.username and self.credential):
            raise ConfigError(f"The relay {self.urls[0]} has no username or no credential; TURN needs both.")

    @property
    def relays(self) -> bool:
        """Whether it passes sound on."""
        return any(url.startswith("turn") for url in self.urls)


def _check(url: str) -> None:
    fields = _URL.fullmatch(url)
    if fields is None:
        raise ConfigError(f"{url[:_SHOWN]!r} is no URL of an ICE server; expected {_FORM}.{_advice(url)}")
    if fields["port"] is not None and not 1 <= int(fields["port"]) <= 65535:
        raise ConfigError(f"{url!r} names port {fields['port']}; ports are 1 to 65535.")
    if fields["transport"] is not None and not fields["scheme"].startswith("turn"):
        raise ConfigError(f"{url!r}: only relays are asked over a transport of choice; leave ?transport=… out.")
    if fields["scheme"] == "turns" and fields["transport"] == "udp":
        raise ConfigError(f"{url!r}: TURN over DTLS is not supported; use transport=tcp, or turn: over UDP.")


def _advice(url: str) -> str:
    if re.match(r"(stun|turn)s?://", url):
        return " These URLs have no slashes."
    if "@" in url:
        return " The user name does not belong into the URL, but beside it."
    if url.count(":") > 2:
        return " An IPv6 address is written in brackets."
    return ""


# ── as JSON ─────────────────────────────────────────────────────────────────────────────────────────────


def read_ice_servers(given: object) -> tuple[IceServer, ...]:
    """ICE servers, from any form in which programs have them.

    Args:
        given: an `IceServer`, a mapping like W3C's `RTCIceServer` (`urls`, `username`, `credential`), a sequence of
            these, or a mapping that has such a sequence as `iceServers` or `ice_servers`.

    Raises:
        ConfigError: something else.
    """
    match given:
        case IceServer():
            return (given,)
        case Mapping():
            fields = cast("Mapping[str, object]", given)
            within = next((fields[name] for name in _LISTS if name in fields), None)
            return (_server(fields),) if within is None else read_ice_servers(within)
        case str() | bytes():
            raise _not_read(given)
        case Sequence():
            each = cast("Sequence[object]", given)
            return tuple(server for item in each for server in read_ice_servers(item))
        case _:
            raise _not_read(given)


def _server(fields: Mapping[str, object]) -> IceServer:
    urls = fields.get("urls", fields.get("url"))
    urls = [urls] if isinstance(urls, str) else urls
    username, credential = fields.get("username"), fields.get("credential")
    if isinstance(credential, str):
        credential = Secret(credential)
    if isinstance(urls, Sequence) and isinstance(username, str | None) and isinstance(credential, Secret | None):
        every = tuple(cast("Sequence[object]", urls))
        words = tuple(url for url in every if isinstance(url, str))
        if words == every:
            return IceServer(words, username or None, credential or None)
    raise _not_read(fields)


def _not_read(given: object) -> ConfigError:
    # Never what it holds: it may be a credential.
    return ConfigError(
        f"ICE servers cannot be read from this ({type(given).__name__}); expected IceServer objects, or what a browser "
        'takes: [{"urls": ["turn:…"], "username": "…", "credential": "…"}].'
    )


# ── as an HTTP header ───────────────────────────────────────────────────────────────────────────────────


def link(servers: Sequence[IceServer]) -> str:
    """The value of the `Link` header that hands them out."""
    return ", ".join(_link(url, server) for server in servers for url in server.urls)


def _link(url: str, server: IceServer) -> str:
    parameters = ['rel="ice-server"']
    if url.startswith("turn") and server.username and server.credential:
        parameters += [
            f"username={_quoted(server.username)}",
            f"credential={_quoted(server.credential.reveal())}",
            'credential-type="password"',
        ]
    return "; ".join([f"<{url}>", *parameters])


def _quoted(text: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def read_link(value: str) -> tuple[IceServer, ...]:
    """The ICE servers that a `Link` header hands out; what it has for others, or cannot be used, is passed over."""
    return tuple(_read_link(value))


def _read_link(value: str) -> Iterator[IceServer]:
    for found in _LINK.finditer(value):
        parameters = {
            name.lower(): re.sub(r"\\(.)", r"\1", quoted) or bare for name, quoted, bare in _PARAMETER.findall(found[2])
        }
        if "ice-server" not in parameters.get("rel", "").lower().split():
            continue
        credential = parameters.get("credential")
        try:
            yield IceServer((found[1],), parameters.get("username"), Secret(credential) if credential else None)
        except ConfigError:
            continue  # a kind that we do not know: the others may do
