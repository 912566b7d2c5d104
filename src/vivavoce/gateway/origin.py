"""Which web pages may call. Pure."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from vivavoce.errors import ConfigError

ANY = "*"
LOOPBACK = ("http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*")
_PORTS = {"http": 80, "https": 443}


class Origins:
    """An allow-list of web origins.

    An entry is an origin (`https://app.example`), an origin with any port (`http://localhost:*`), or `*`. The
    last is sound here because no cookie or other credential that a browser adds by itself means anything to
    the gateway, and it never says that it would.
    """

    def __init__(self, allowed: Sequence[str]) -> None:
        self.any = ANY in allowed
        self._exact = {each.lower() for each in allowed if not each.endswith(":*") and each != ANY}
        self._any_port = {each.lower().removesuffix(":*") for each in allowed if each.endswith(":*")}
        for each in self._exact | self._any_port:
            if each != "null" and (_split(each) is None or "*" in each):
                raise ConfigError(
                    f"{each!r} is no web origin; expected one like https://app.example, http://localhost:* or *."
                )

    def allows(self, origin: str) -> bool:
        """Whether pages of `origin`, as a browser sends it, may call."""
        asked = origin.lower()
        if self.any or asked in self._exact:
            return True
        parts = _split(asked)
        return parts is not None and f"{parts[0]}://{parts[1]}" in self._any_port


def is_same_origin(origin: str, host: str) -> bool:
    """Whether a page was served by the very host that is called.

    The scheme is left out of it: a proxy in front may have taken off the TLS.
    """
    parts = _split(origin.lower())
    if parts is None:
        return False
    scheme, name, port = parts
    asked = _split(f"{scheme}://{host.lower()}")
    return asked is not None and asked[1:] == (name, port)


def _split(origin: str) -> tuple[str, str, int] | None:
    """Scheme, host (brackets kept) and port; None if it is anything but an origin."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or origin != f"{parts.scheme}://{parts.netloc}":
        return None
    if "@" in parts.netloc:
        return None
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return parts.scheme, name, _PORTS[parts.scheme] if port is None else port
