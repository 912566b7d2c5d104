"""Which HTTP proxy a client's requests and WebSockets go through. Sound over WebRTC goes through none."""

import ipaddress
from typing import Final
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from vivavoce.errors import ConfigError
from vivavoce.telemetry.secret import Secret

Given = str | Secret | bool
"""A proxy's URL, which may hold a user and a password; True for what the environment says, False for none."""

_FORM: Final = "http://HOST:PORT or https://HOST:PORT, with USER:PASSWORD@ before the host where it asks for them"


def proxy_for(server: SplitResult, given: Given = True) -> Secret | None:
    """The proxy on the way to a server, by the URL of the latter.

    The environment says it by `HTTPS_PROXY`, `HTTP_PROXY` (for servers without TLS), `ALL_PROXY` and `NO_PROXY` (names,
    also of whole domains, and addresses); on macOS and Windows the system's settings do where these are not set. No
    proxy of the environment leads to this computer itself.

    Raises:
        ConfigError: it is none that can be used.
    """
    match given:
        case Secret() | str():
            return _checked(given if isinstance(given, Secret) else Secret(given), "The proxy")
        case False:
            return None
        case True:
            pass
    host = server.hostname or ""
    if _is_here(host) or proxy_bypass(host) or (server.port is not None and proxy_bypass(f"{host}:{server.port}")):
        return None
    proxies = getproxies()
    scheme = next((name for name in (server.scheme, "all") if proxies.get(name)), None)
    return None if scheme is None else _checked(Secret(proxies[scheme]), f"{scheme.upper()}_PROXY")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _checked(proxy: Secret, name: str) -> Secret:
    """Never shows it: it may hold a password."""
    words = proxy.reveal().strip()
    # As others read it: HTTPS_PROXY=proxy.example:3128
    words = words if "://" in words else f"http://{words}"
    try:
        url = urlsplit(words)
        proper = bool(url.hostname) and url.path in ("", "/") and not (url.query or url.fragment)
        proper = proper and url.port != 0 and (url.username is None) == (url.password is None)
    except ValueError:
        raise ConfigError(f"{name} cannot be read; expected {_FORM}.") from None
    if url.scheme.startswith("socks"):
        raise ConfigError(f"{name} is one of SOCKS, which is not supported; expected {_FORM}.")
    if url.scheme not in ("http", "https") or not proper:
        raise ConfigError(f"{name} is no HTTP proxy; expected {_FORM}.")
    return Secret(words)


def shown(proxy: Secret) -> str:
    """A proxy without user and password, for messages."""
    url = urlsplit(proxy.reveal())
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}"
