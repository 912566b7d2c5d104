"""The gateway as one ASGI application."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vivavoce.clock import Clock
from vivavoce.errors import VivaError
from vivavoce.gateway.admission import Admission
from vivavoce.gateway.beta import BetaSessions
from vivavoce.gateway.caller import Reception
from vivavoce.gateway.calls import Calls
from vivavoce.gateway.catalogue import Catalogue
from vivavoce.gateway.client_secret import ClientSecrets
from vivavoce.gateway.cors import Cors
from vivavoce.gateway.desk import Desk
from vivavoce.gateway.elsewhere import Elsewhere
from vivavoce.gateway.endpoints import Endpoints
from vivavoce.gateway.guard import Guard
from vivavoce.gateway.handout import Handout
from vivavoce.gateway.identity import Keyring, is_loopback
from vivavoce.gateway.ids import new_id
from vivavoce.gateway.interface import Answerer, Carry, Ids
from vivavoce.gateway.minting import Mint, Minting
from vivavoce.gateway.origin import LOOPBACK, Origins
from vivavoce.gateway.page import Page
from vivavoce.gateway.quota import Quota
from vivavoce.gateway.registry import Registry
from vivavoce.gateway.reply import json_reply, on_http_exception, on_viva_error
from vivavoce.gateway.returning import Returning
from vivavoce.gateway.settings import Settings
from vivavoce.gateway.sockets import Sockets
from vivavoce.store.interface import Store

PAGE = Path(__file__).parent.parent / "page"


def gateway_app(
    settings: Settings,
    keyring: Keyring,
    answerer: Answerer,
    store: Store,
    clock: Clock,
    carry: Carry,
    *,
    ids: Ids = new_id,
    page: Path | None = PAGE,
) -> Starlette:
    """The application, to be served with its lifespan on.

    The lifespan opens the store, then the answerer; at the end it hangs up all calls and closes both.

    Args:
        settings: the operator's decisions.
        keyring: from `open_keyring(settings)`, which refuses to go without keys where others can call.
        answerer: what stands behind calls; entered by the lifespan, so not before.
        store: what processes share; entered by the lifespan too.
        clock: `now` for windows, `wall` for what clients are told.
        carry: makes a transport of an accepted WebSocket.
        ids: makes the ids of calls, sessions and requests.
        page: the folder of the web page; None serves none.

    Raises:
        ConfigError: an allowed origin is none.
    """
    limits = settings.limits
    secrets = ClientSecrets(store, clock, settings.secret_use)
    reception = Reception(keyring, secrets)
    admission = Admission(limits)
    quota = Quota(store, clock)
    desk = Desk(answerer, secrets, admission, quota, ids, settings)
    registry = Registry(sidebands_per_call=limits.sidebands_per_call, farewell_s=limits.farewell_s)
    origins = open_origins(settings)
    mint = Mint(answerer, reception, secrets, quota, ids, limits)
    sockets = Sockets(answerer, reception, desk, registry, origins, carry, ids, settings.beta)
    endpoints = Endpoints(
        calls=Calls(answerer, reception, desk, registry, ids, limits),
        sockets=sockets,
        returning=Returning(answerer, reception, desk, registry, sockets, carry, limits),
        minting=Minting(mint),
        beta_sessions=BetaSessions(mint),
        catalogue=Catalogue(answerer, reception),
        elsewhere=Elsewhere(reception, Page(page)),
        handout=Handout(settings.relays, reception, quota, clock, limits.calls_per_minute),
    )
    release = _version()

    async def health(_request: Request) -> Response:
        return json_reply({"status": "ok", "calls": admission.held, "version": release})

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        async with store, answerer, registry:
            yield

    app = Starlette(
        routes=[
            *endpoints.routes(settings.beta),
            Route("/healthz", health),
        ],
        middleware=[Middleware(Cors, origins=origins), Middleware(Guard, clock=clock, ids=ids)],
        exception_handlers={VivaError: on_viva_error, HTTPException: on_http_exception},
        lifespan=lifespan,
    )
    # A slash too many is another address, not a redirect that browsers would not follow across origins.
    app.router.redirect_slashes = False
    app.router.default = endpoints.elsewhere
    return app


def open_origins(settings: Settings) -> Origins:
    """Who may call from a web page: as set, or by default pages of this computer if only it can be reached.

    Raises:
        ConfigError: an entry is no origin.
    """
    if settings.origins is not None:
        return Origins(settings.origins)
    return Origins(LOOPBACK if is_loopback(settings.bind) else ())


def _version() -> str:
    try:
        return version("vivavoce")
    except PackageNotFoundError:
        return "unknown"  # run from a source tree
