"""The HTTP side of the measured servers: uvicorn on a free port, of loopback unless told, until the parent is gone."""

import asyncio
import json
import socket
from collections.abc import Mapping
from typing import Final

import uvicorn
from starlette.applications import Starlette

from bench.stand import parent
from vivavoce.cli.serve import listen

ROUTE: Final = "/v1/realtime/calls"
"""Where every server takes an offer (`application/sdp`) and answers 201 with its own."""


def plain(app: Starlette) -> uvicorn.Config:
    """How an echo server is served: as lightly as uvicorn can."""
    return uvicorn.Config(
        app, http="h11", ws="none", log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=3
    )


async def serve(config: uvicorn.Config, headers: Mapping[str, str], host: str = "127.0.0.1") -> None:
    """Serve; once ready, say on standard output where and with which headers to call."""
    listener = listen(host, 0)
    server = _Announcing(config, f"http://{host}:{listener.getsockname()[1]}{ROUTE}", headers)
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(_stop_when_alone(server))
        await server.serve(sockets=[listener])
        watching.cancel()


class _Announcing(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, url: str, headers: Mapping[str, str]) -> None:
        super().__init__(config)
        self._line = json.dumps({"url": url, "headers": dict(headers)})

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            print(self._line, flush=True)


async def _stop_when_alone(server: uvicorn.Server) -> None:
    await parent.gone()
    server.should_exit = True
