"""A real server on loopback whose engines are scripted, so that only what lies between is tried."""

import asyncio
from asyncio import TaskGroup
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from tests.surface import Surface
from vivavoce.answer.job import Engines
from vivavoce.assembly import ServerSettings, server_app
from vivavoce.engine.fake import ScriptedDetector, ScriptedSpeaker, ScriptedThinker, ScriptedTranscriber
from vivavoce.gateway.identity import Keyring
from vivavoce.gateway.settings import Settings
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.webrtc.settings import OfferedCandidates, WebRtcSettings

KEY = "sk-test-0123456789abcdef"
PATIENCE_S = 20.0


@dataclass(frozen=True)
class Server:
    base_url: str
    key: str = KEY


@asynccontextmanager
async def serving(
    app: ASGIApp, host: str = "127.0.0.1", certificate: tuple[Path, Path] | None = None
) -> AsyncGenerator[str]:
    """The address of an application that is served for real."""
    config = uvicorn.Config(
        app,
        host=host,
        port=0,
        log_config=None,
        access_log=False,
        ws="websockets-sansio",
        ssl_certfile=certificate and certificate[0],
        ssl_keyfile=certificate and certificate[1],
        timeout_graceful_shutdown=2,
    )
    server = Surface(config)
    async with TaskGroup() as tasks:
        running = tasks.create_task(server.serve())
        async with asyncio.timeout(PATIENCE_S):
            await server.settled.wait()
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield f"http{'s' if certificate else ''}://{f'[{host}]' if ':' in host else host}:{port}"
        finally:
            server.end()
            await running


@asynccontextmanager
async def answering(
    engines: Engines, host: str = "127.0.0.1", certificate: tuple[Path, Path] | None = None
) -> AsyncGenerator[Server]:
    """Our own server with these engines."""
    settings = ServerSettings(
        gateway=Settings(api_keys=(Secret(KEY),)),
        webrtc=WebRtcSettings(offered_candidates=OfferedCandidates.ALL),
    )
    async with serving(server_app(settings, Keyring((Secret(KEY),)), engines), host, certificate) as url:
        yield Server(f"{url}/v1")


def scripted(
    *,
    thinker: ScriptedThinker,
    detector: ScriptedDetector | None = None,
    transcriber: ScriptedTranscriber | None = None,
    speaker: ScriptedSpeaker | None = None,
) -> Engines:
    return Engines(
        detector=detector or ScriptedDetector(),
        transcriber=transcriber or ScriptedTranscriber([]),
        thinker=thinker,
        speaker=speaker or ScriptedSpeaker(),
    )
