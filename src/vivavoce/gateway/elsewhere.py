"""Addresses that clients know from other servers, or from nowhere, and that do nothing here: a clear no."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from vivavoce.errors import RequestError, VivaError
from vivavoce.gateway.agreement import no_translation
from vivavoce.gateway.caller import Reception
from vivavoce.gateway.page import Page
from vivavoce.gateway.reply import as_request_error
from vivavoce.gateway.sockets import refuse

_SIP_VERBS = ("accept", "reject", "refer")


class Elsewhere:
    """The page's files, and refusals for all the rest."""

    def __init__(self, reception: Reception, page: Page) -> None:
        self._reception = reception
        self._page = page

    def routes(self, root: str) -> list[BaseRoute]:
        """The addresses below `root` that get an answer of their own."""
        return [
            *(Route(f"{root}/realtime/calls/{{call_id}}/{verb}", self.sip, methods=["POST"]) for verb in _SIP_VERBS),
            Route(f"{root}/realtime", self.socket_by_http),
            Route(f"{root}/realtime/translations/client_secrets", self.translation, methods=["POST"]),
            Route(f"{root}/realtime/translations/calls", self.translation, methods=["POST"]),
            WebSocketRoute(f"{root}/realtime/translations", self.translation_socket),
        ]

    async def sip(self, request: Request) -> Response:
        """Accept, reject and refer belong to SIP calls."""
        await self._reception.recognise(request)
        raise RequestError(
            f"No SIP calls come in here, so there is none to {request.url.path.rpartition('/')[2]}. "
            "WebRTC calls start with POST /v1/realtime/calls and end with …/hangup.",
            code="sip_not_supported",
            param="call_id",
        )

    async def beta(self, request: Request) -> Response:
        """The addresses of the beta where it is not translated; OpenAI has closed them too."""
        await self._reception.recognise(request)
        raise RequestError(
            "The Realtime Beta API is not supported here. Use POST /v1/realtime/client_secrets for secrets and "
            "POST /v1/realtime/calls for WebRTC.",
            code="beta_api_shape_disabled",
        )

    async def translation(self, request: Request) -> Response:
        """Translation is a dialect of its own, which is not spoken here."""
        await self._reception.recognise(request)
        raise no_translation()

    async def translation_socket(self, socket: WebSocket) -> None:
        """The same for a WebSocket, before its upgrade."""
        try:
            await self._reception.recognise(socket)
        except VivaError as error:
            await refuse(socket, as_request_error(error))
        else:
            await refuse(socket, no_translation())

    async def socket_by_http(self, _request: Request) -> Response:
        """A plain GET where a WebSocket is meant."""
        raise RequestError("This address is a WebSocket; open it with an upgrade.", code="upgrade_required", status=426)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Where no route leads: a file of the page, or 404."""
        if scope["type"] == "websocket":
            await refuse(WebSocket(scope, receive, send), _unknown_url("GET", scope["path"]))
            return
        method: str = scope["method"]
        file = self._page.find(scope["path"].removeprefix("/")) if method in ("GET", "HEAD") else None
        if file is None:
            raise _unknown_url(method, scope["path"])
        await file(scope, receive, send)


def _unknown_url(method: str, path: str) -> RequestError:
    return RequestError(f"Invalid URL ({method} {path[:200]}).", code="unknown_url", status=404)
