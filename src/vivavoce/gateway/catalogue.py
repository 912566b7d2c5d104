"""The models that callers may name."""

from starlette.requests import Request
from starlette.responses import Response

from vivavoce.gateway.agreement import model_not_found
from vivavoce.gateway.caller import Reception
from vivavoce.gateway.interface import Answerer, Model
from vivavoce.gateway.reply import json_reply


class Catalogue:
    """The endpoints `GET /v1/models` and `GET /v1/models/{id}`."""

    def __init__(self, answerer: Answerer, reception: Reception) -> None:
        self._answerer = answerer
        self._reception = reception

    async def list(self, request: Request) -> Response:
        """All of them."""
        await self._reception.recognise(request)
        return json_reply({"object": "list", "data": [_shown(model) for model in self._answerer.models()]})

    async def show(self, request: Request) -> Response:
        """One of them; 404 for any other name."""
        await self._reception.recognise(request)
        asked: str = request.path_params["model"]
        models = self._answerer.models()
        for model in models:
            if model.id == asked:
                return json_reply(_shown(model))
        raise model_not_found(asked, "model", models)


def _shown(model: Model) -> dict[str, str | int]:
    return {"id": model.id, "object": "model", "created": model.created, "owned_by": model.owned_by}
