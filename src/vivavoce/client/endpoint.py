"""Where a provider answers, and how it wants to be told who calls."""

from dataclasses import dataclass
from enum import Enum
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from vivavoce.client.proxy import Given as GivenProxy
from vivavoce.client.proxy import proxy_for
from vivavoce.client.secret import Credential, Kind
from vivavoce.errors import ConfigError
from vivavoce.telemetry.secret import Secret

OPENAI: Final = "https://api.openai.com/v1"
_AZURE_HOSTS: Final = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")


class Provider(Enum):
    """Whose manners an endpoint has."""

    OPENAI = "openai"  # and everybody who speaks its protocol
    AZURE = "azure"


@dataclass(frozen=True)
class Endpoint:
    """The Realtime API under one base URL, `https://api.openai.com/v1` for instance. Made by `endpoint`."""

    base: SplitResult
    provider: Provider
    proxy: Secret | None = None
    """What HTTP and WebSockets go through on the way there."""

    def __str__(self) -> str:
        return urlunsplit(self.base)

    @property
    def calls(self) -> str:
        """Where WebRTC calls are placed."""
        return self._url("realtime/calls")

    @property
    def client_secrets(self) -> str:
        """Where client secrets are made."""
        return self._url("realtime/client_secrets")

    def websocket(self, model: str | None) -> str:
        """The WebSocket of a conversation with a model (on Azure, a deployment); None for a transcription session."""
        query = "intent=transcription" if model is None else f"model={quote(model, safe='')}"
        return urlunsplit(
            self.base._replace(scheme=self._socket_scheme, path=f"{self.base.path}/realtime", query=query)
        )

    def resumption(self, call_id: str) -> str:
        """Where a WebRTC call is come back to."""
        return f"{self.calls}/{quote(call_id, safe='')}/resume"

    def websocket_resumption(self, call_id: str) -> str:
        """Where a call over a WebSocket is come back to."""
        return urlunsplit(urlsplit(self.resumption(call_id))._replace(scheme=self._socket_scheme))

    def headers(self, credential: Credential) -> dict[str, str]:
        """What tells the provider who calls: Azure has a header of its own for keys, all else is a bearer."""
        words = credential.secret.reveal()
        if self.provider is Provider.AZURE and credential.kind is Kind.API_KEY:
            return {"api-key": words}
        return {"Authorization": f"Bearer {words}"}

    @property
    def _socket_scheme(self) -> str:
        return "ws" if self.base.scheme == "http" else "wss"

    def _url(self, path: str) -> str:
        return urlunsplit(self.base._replace(path=f"{self.base.path}/{path}"))


def endpoint(base_url: str, proxy: GivenProxy = True) -> Endpoint:
    """The endpoint at a base URL; the path that a provider puts before `/realtime` may be left out.

    Raises:
        ConfigError: not an http or https URL, one with a query, or no proxy.
    """
    try:
        url = urlsplit(base_url.strip().rstrip("/"))
        host = (url.hostname or "").lower()
        url.port  # noqa: B018  # reading it is what checks it
    except ValueError:
        raise ConfigError(f"The base URL {base_url!r} cannot be read. Write it like {OPENAI}") from None
    if url.scheme not in ("http", "https") or not host:
        raise ConfigError(f"The base URL {base_url!r} has no http:// or https:// and host. Write it like {OPENAI}")
    if url.query or url.fragment or url.username:
        raise ConfigError(
            f"The base URL of {host} has a query, a fragment or a user name; none of them belongs there. "
            "On Azure leave out api-version: the GA addresses have none."
        )
    path = url.path.removesuffix("/realtime")
    way = proxy_for(url, proxy)
    if host.endswith(_AZURE_HOSTS):
        known = {"": "/openai/v1", "/openai": "/openai/v1"}
        return Endpoint(url._replace(path=known.get(path, path)), Provider.AZURE, way)
    return Endpoint(url._replace(path=path or "/v1"), Provider.OPENAI, way)
