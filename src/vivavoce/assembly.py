"""The only module that names adapters: it reads settings, picks them and joins the parts.

What is chosen is imported when it is chosen, so that a client loads no server and a server no microphone.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from vivavoce.clock import Clock, SystemClock

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from vivavoce.answer.job import Engines
    from vivavoce.gateway.identity import Keyring
    from vivavoce.gateway.settings import Settings as GatewaySettings
    from vivavoce.transport.webrtc.settings import WebRtcSettings

# ── the server ──────────────────────────────────────────────────────────────────────────────────────────

MODELS: Final = (
    "gpt-realtime-2.1",
    "gpt-realtime-2.1-mini",
    "gpt-realtime-2",
    "gpt-realtime-1.5",
    "gpt-realtime",
    "gpt-realtime-2025-08-28",
    "gpt-realtime-mini",
    "gpt-realtime-mini-2025-10-06",
    "gpt-realtime-mini-2025-12-15",
)
"""Names that clients of OpenAI ask for.

They are answered by the engines that the server was started with: a client that changes its URL must not have to change
its model too.
"""


@dataclass(frozen=True)
class EngineNames:
    """Engines as settings name them (`NAME`, `NAME:OPTION=VALUE`, `NAME:URL#MODEL`)."""

    detector: str = "silero"
    transcriber: str = "pocketsphinx"
    thinker: str = "house"
    speaker: str = "espeak"


@dataclass(frozen=True)
class ServerSettings:
    """All that an operator may decide. `lifetime_s` is the longest life of a session."""

    gateway: "GatewaySettings"
    webrtc: "WebRtcSettings"
    engines: EngineNames = field(default_factory=EngineNames)
    models: tuple[str, ...] = MODELS
    lifetime_s: float = 3600.0


def open_engines(names: EngineNames, clock: Clock) -> "Engines":
    """The engines of those names, not loaded yet.

    Raises:
        ConfigError: there is none of a name, or its options are wrong.
    """
    from vivavoce.answer.job import Engines
    from vivavoce.engine.registry import EngineSpec, Registry

    registry = Registry()
    return Engines(
        detector=registry.detector(EngineSpec.parse(names.detector), clock),
        transcriber=registry.transcriber(EngineSpec.parse(names.transcriber), clock),
        thinker=registry.thinker(EngineSpec.parse(names.thinker), clock),
        speaker=registry.speaker(EngineSpec.parse(names.speaker), clock),
    )


def server_app(
    settings: ServerSettings, keyring: "Keyring", engines: "Engines | None" = None, clock: Clock | None = None
) -> "Starlette":
    """A server that answers calls itself, as one ASGI application; its lifespan loads and frees everything.

    Args:
        settings: the operator's decisions.
        keyring: who may call, from `gateway.identity.open_keyring`.
        engines: others than those that the settings name.
        clock: another than the machine's.

    Raises:
        ConfigError: settings that cannot be.
    """
    from vivavoce.answer.local import LocalAnswers
    from vivavoce.gateway.app import gateway_app
    from vivavoce.gateway.ids import new_id
    from vivavoce.store.memory import MemoryStore
    from vivavoce.transport.pacer import Pacer
    from vivavoce.transport.webrtc.answerer import WebRtcAnswerer
    from vivavoce.transport.websocket import take

    clock = clock or SystemClock()
    engines = engines or open_engines(settings.engines, clock)
    pacer = Pacer()
    answers = LocalAnswers(
        engines,
        WebRtcAnswerer(pacer, settings.webrtc),
        clock,
        new_id,
        models=settings.models,
        lifetime_s=settings.lifetime_s,
        needs=(pacer, engines.detector, engines.transcriber, engines.thinker, engines.speaker),
    )
    return gateway_app(settings.gateway, keyring, answers, MemoryStore(clock), clock, take)
