"""Where a request carries its key."""

from collections.abc import Sequence

from starlette.datastructures import Headers, QueryParams

from vivavoce.errors import RequestError
from vivavoce.telemetry.secret import Secret

SUBPROTOCOL = "realtime"
_KEY_PROTOCOL = "openai-insecure-api-key."
_AZURE = "api-key"


def credential(headers: Headers, subprotocols: Sequence[str] = (), query: QueryParams | None = None) -> Secret:
    """The key or client secret of a request.

    `Authorization: Bearer` comes first, then the `api-key` header of Azure's clients, then the two places where a
    browser can put one on a WebSocket: the subprotocol `openai-insecure-api-key.…`, and `api-key` in the query, as
    Azure has it. `subprotocols` and `query` are those of a WebSocket; elsewhere a key has no place in an address.

    Raises:
        RequestError: there is none (401).
    """
    authorization = headers.get("authorization")
    if authorization is not None:
        scheme, _, words = authorization.partition(" ")
        if scheme.lower() == "bearer" and words.strip():
            return Secret(words.strip())
        raise unauthorized("The Authorization header is not of the form 'Bearer KEY'.")
    if headers.get(_AZURE):
        return Secret(headers[_AZURE])
    for offered in subprotocols:
        if offered.startswith(_KEY_PROTOCOL) and len(offered) > len(_KEY_PROTOCOL):
            return Secret(offered.removeprefix(_KEY_PROTOCOL))
    if query is not None and query.get(_AZURE):
        return Secret(query[_AZURE])
    raise unauthorized(
        "You didn't provide an API key. Send it, or a client secret, in the header 'Authorization: Bearer KEY'."
    )


def select_subprotocol(offered: Sequence[str]) -> str | None:
    """The subprotocol to name in the reply: `realtime` if offered, and never one with a key in it."""
    return SUBPROTOCOL if SUBPROTOCOL in offered else None


def unauthorized(message: str) -> RequestError:
    """A 401 in the protocol's words."""
    return RequestError(message, code="invalid_api_key", status=401)
