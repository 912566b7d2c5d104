"""Which address leads where."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from vivavoce.gateway.beta import AZURE_PREVIEW, BetaSessions
from vivavoce.gateway.calls import Calls
from vivavoce.gateway.catalogue import Catalogue
from vivavoce.gateway.elsewhere import Elsewhere
from vivavoce.gateway.handout import Handout
from vivavoce.gateway.minting import Minting
from vivavoce.gateway.returning import Returning
from vivavoce.gateway.settings import Beta
from vivavoce.gateway.sockets import Sockets

ROOTS = ("/v1", "/openai/v1")
"""Where the API lies: OpenAI's place for it, and Azure's."""


@dataclass(frozen=True)
class Endpoints:
    """All that clients of the protocol may ask for."""

    calls: Calls
    sockets: Sockets
    returning: Returning
    minting: Minting
    beta_sessions: BetaSessions
    catalogue: Catalogue
    elsewhere: Elsewhere
    handout: Handout

    def routes(self, beta: Beta) -> list[BaseRoute]:
        """Their addresses; those of the beta are refused where it is not translated."""
        refusal = None if beta is Beta.TRANSLATED else self.elsewhere.beta
        sessions = refusal or self.beta_sessions.conversation
        transcription_sessions = refusal or self.beta_sessions.transcription
        return [
            *(route for root in ROOTS for route in self._routes(root)),
            *(Route(f"{root}/realtime", refusal or self.calls.create_beta, methods=["POST"]) for root in ROOTS),
            *(Route(f"{root}/realtime/sessions", sessions, methods=["POST"]) for root in ROOTS),
            *(
                Route(f"{root}/realtime/transcription_sessions", transcription_sessions, methods=["POST"])
                for root in ROOTS
            ),
            WebSocketRoute(AZURE_PREVIEW, self.sockets.open),
            Route(f"{AZURE_PREVIEW}api/sessions", sessions, methods=["POST"]),
        ]

    def _routes(self, root: str) -> list[BaseRoute]:
        return [
            Route(f"{root}/realtime/client_secrets", self.minting.mint, methods=["POST"]),
            Route(f"{root}/realtime/calls", self._at_calls, methods=["OPTIONS", "POST"]),
            Route(f"{root}/realtime/calls/{{call_id}}/hangup", self.calls.hangup, methods=["POST"]),
            Route(f"{root}/realtime/calls/{{call_id}}/resume", self.returning.post, methods=["POST"]),
            WebSocketRoute(f"{root}/realtime/calls/{{call_id}}/resume", self.returning.open),
            WebSocketRoute(f"{root}/realtime", self.sockets.open),
            Route(f"{root}/models", self.catalogue.list),
            Route(f"{root}/models/{{model:path}}", self.catalogue.show),
            *self.elsewhere.routes(root),
        ]

    async def _at_calls(self, request: Request) -> Response:
        """One route for both methods, so that a refusal of others names both."""
        return await (self.handout.give if request.method == "OPTIONS" else self.calls.create)(request)
