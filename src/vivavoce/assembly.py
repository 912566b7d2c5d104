"""The only module that names adapters: it reads settings, picks them and joins the parts.

What is chosen is imported when it is chosen, so that a client loads no server and a server no microphone.
"""

import os
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final, Literal, cast

from vivavoce.clock import Clock, SystemClock
from vivavoce.errors import ConfigError, DeviceError, RequestError

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from vivavoce.answer.job import Engines
    from vivavoce.audio.cleaner import Cleaner, Processing
    from vivavoce.audio.noise import Suppressor
    from vivavoce.client.call import Call
    from vivavoce.client.card import Card, Driver
    from vivavoce.client.device import Loudspeaker, Microphone, OnChange
    from vivavoce.client.endpoint import Endpoint
    from vivavoce.client.ice import Fetch as FetchIce
    from vivavoce.client.ice import Given as IceServers
    from vivavoce.client.line import Dial, Line
    from vivavoce.client.player import Player
    from vivavoce.client.policy import Policy
    from vivavoce.client.proxy import Given as GivenProxy
    from vivavoce.client.secret import Credential, Fetch, Source, Words
    from vivavoce.client.shut import Shut
    from vivavoce.client.state import State
    from vivavoce.client.tool import Function
    from vivavoce.dump.tap import Taps
    from vivavoce.engine.interface import Detector, Speaker, ToolServers
    from vivavoce.gateway.identity import Keyring
    from vivavoce.gateway.settings import Settings as GatewaySettings
    from vivavoce.session.microphone import Kind
    from vivavoce.session.price import Price
    from vivavoce.transport.ice import IceServer
    from vivavoce.transport.interface import Offering
    from vivavoce.transport.pacer import Pacer
    from vivavoce.transport.webrtc.opus import Opus
    from vivavoce.transport.webrtc.settings import WebRtcSettings
    from vivavoce.wire.config import FunctionTool, Session

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
    "gpt-audio-1.5",
    "gpt-audio-mini",
    "gpt-audio-mini-2025-10-06",
    "gpt-audio-mini-2025-12-15",
    "gpt-4o-realtime-preview",
    "gpt-4o-realtime-preview-2025-06-03",
    "gpt-4o-realtime-preview-2024-12-17",
    "gpt-4o-realtime-preview-2024-10-01",
    "gpt-4o-mini-realtime-preview",
    "gpt-4o-mini-realtime-preview-2024-12-17",
)
"""Names that clients of OpenAI ask for.

They are answered by the engines that the server was started with: a client that changes its URL must not have to change
its model too.
"""


@dataclass(frozen=True)
class EngineNames:
    """Engines as settings name them (`NAME`, `NAME:OPTION=VALUE`, `NAME:URL#MODEL`).

    `mcp` is where callers may have MCP servers called: nowhere, on the Internet, or in the server's own networks too.
    """

    detector: str = "silero"
    transcriber: str = "pocketsphinx"
    thinker: str = "house"
    speaker: str = "espeak"
    mcp: Literal["none", "public", "all"] = "public"
    turn_model: str | None = None
    """Without one, `semantic_vad` judges by words alone."""


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
        tool_servers=_tool_servers(names.mcp),
        turn_model=registry.turn_model(EngineSpec.parse(names.turn_model), clock) if names.turn_model else None,
    )


def _tool_servers(where: Literal["none", "public", "all"]) -> "ToolServers | None":
    """Who reaches MCP servers; nobody where the operator wants none, or MCP's own package is not installed."""
    from importlib.util import find_spec

    from vivavoce.engine.mcp.reach import Reach
    from vivavoce.engine.mcp.servers import McpServers

    if where == "none" or find_spec("mcp") is None:
        return None
    return McpServers(Reach(where))


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
    needs = (
        pacer,
        engines.detector,
        engines.transcriber,
        engines.thinker,
        engines.speaker,
        engines.tool_servers,
        engines.turn_model,
    )
    answers = LocalAnswers(
        engines,
        WebRtcAnswerer(pacer, settings.webrtc),
        clock,
        new_id,
        models=settings.models,
        lifetime_s=settings.lifetime_s,
        needs=tuple(need for need in needs if need is not None),
        suppressor=_suppressor(),
    )
    return gateway_app(settings.gateway, keyring, answers, MemoryStore(clock), clock, take)


def _suppressor() -> "Callable[[Kind], Suppressor] | None":
    """What takes noise out of sound; None where its package is not installed (it is there for Linux only)."""
    from vivavoce.engine.webrtc_noise import FOUND, WebRtcNoise

    return WebRtcNoise if FOUND else None


# ── the client ──────────────────────────────────────────────────────────────────────────────────────────

MODEL: Final = MODELS[0]
"""Asked for where nobody names a model."""
Way = Literal["auto", "webrtc", "websocket"]
"""How a call reaches its server."""


@asynccontextmanager
async def connect(  # noqa: PLR0913  # the public door; every argument has a name and a default
    *,
    model: str | None = None,
    base_url: str | None = None,
    api_key: "Words | Fetch | None" = None,
    client_secret: "Words | Fetch | None" = None,
    transport: Way = "auto",
    session: "Mapping[str, object] | Session | None" = None,
    tools: "Sequence[Function]" = (),
    ice_servers: "IceServers | FetchIce | Literal['server']" = (),
    relay_only: bool = False,
    proxy: "GivenProxy" = True,
    opus: "Opus | None" = None,
    player: "Player | None" = None,
    timeout_s: float = 20.0,
    on_state: "Callable[[State], None] | None" = None,
    policy: "Policy | None" = None,
    budget: float | None = None,
    prices: "Mapping[str, Price] | None" = None,
    dump: "str | os.PathLike[str] | None" = None,
) -> "AsyncGenerator[Call, None]":
    """A voice call: `async with vivavoce.connect(model="gpt-realtime-2.1") as call:`.

    A connection that is lost is made again, and the conversation goes on as it was heard: `call.state` tells of it, and
    `Connected.restored` whether all of it could be kept. Meanwhile commands wait. Errors are raised only when nothing
    helped, or nothing can.

    Args:
        model: who shall answer; on Azure the name of a deployment. If not given, that of `session`, or `MODEL`.
        base_url: the provider, like `https://api.openai.com/v1`; from `OPENAI_BASE_URL`, else OpenAI.
        api_key: from `OPENAI_API_KEY` (on Azure `AZURE_OPENAI_API_KEY`) if not given; or a function that fetches it.
        client_secret: in place of a key, a client secret, or a function or coroutine function that fetches one.
        transport: `webrtc` or `websocket` alone; `auto` is WebRTC, and a WebSocket for as long as UDP is shut.
        session: the config, by the wire's own names.
        tools: functions that the model may call, told to it by signature and docstring; plain ones run in threads.
        ice_servers: STUN and TURN servers: `IceServer` objects, what a browser takes as `iceServers`, a function that
            fetches either for each connection, or `server` to ask the server that is called (`docs/guide/networks.md`).
        relay_only: go through relays alone, so that the server learns no address of this computer from the connection.
        proxy: of HTTP and WebSockets, by URL; as the environment says by default (`HTTPS_PROXY`, …), False for none.
        opus: how the user's speech is sent over WebRTC, if not as `Opus()` has it.
        player: a loudspeaker (see `open_devices`); without one, sound is only handed to who reads it.
        timeout_s: how long connecting may take.
        on_state: told of each state that the call enters, those before it is connected included.
        policy: decides what is done about a connection that is lost; `Persistence()` if not given.
        budget: US dollars. Once they are spent no answer is begun any more; what is being said is finished, then the
            call is `Closed` with that reason.
        prices: by model, before the known ones of the server that is called (`vivavoce/client/prices.toml`).
        dump: a file in which all is written down that a report of a fault needs, the words spoken and the addresses of
            this computer included, keys and sound not; `viva check --read` explains it.

    Raises:
        ConfigError: something that no server could do, or no key.
        RefusedError: the server said no.
        TransportError: it could not be reached, or nothing gets through.
    """
    from vivavoce.client.call import Call
    from vivavoce.client.endpoint import OPENAI, endpoint
    from vivavoce.client.plan import Plan
    from vivavoce.client.policy import Persistence
    from vivavoce.client.tariff import tariff
    from vivavoce.client.tool import tools as read_tools
    from vivavoce.transport.pacer import Pacer

    place = endpoint(base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI, proxy)
    source = credential_source(place, api_key, client_secret)
    functions = read_tools(tools)
    config = session_config(session, model, place, [tool.declaration for tool in functions.values()])
    tariffs = tariff(place, config, budget, prices)
    clock = SystemClock()
    async with AsyncExitStack() as entered:
        taps = None if dump is None else entered.enter_context(_taps(dump, clock, place, transport))
        pacer = await entered.enter_async_context(Pacer())
        offering = _offering(pacer, place, ice_servers, timeout_s, relay_only=relay_only, opus=opus)
        policy = policy or Persistence()
        if taps is not None:
            offering, policy, on_state = taps.offering(offering), taps.policy(policy), taps.on_state(on_state)
        line, fallback = _lines(transport, place, source, offering, timeout_s, taps)
        plan = Plan(line, config, clock, functions, player, timeout_s, on_state)
        plan = replace(plan, policy=policy, prices=tariffs, budget=budget, fallback=fallback, shut=_shut_to(str(place)))
        yield await entered.enter_async_context(Call(plan))


@lru_cache
def _shut_to(_: str) -> "Shut":
    """What the calls of this process to one server have learned of the way there."""
    from vivavoce.client.shut import Shut

    return Shut()


@asynccontextmanager
async def open_offerings(
    ice_servers: "Sequence[IceServer]" = (), *, relay_only: bool = False
) -> "AsyncGenerator[Callable[[], Offering]]":
    """What makes offers, for a program that looks at each step of a call."""
    from vivavoce.transport.pacer import Pacer
    from vivavoce.transport.webrtc.offerer import WebRtcOfferer
    from vivavoce.transport.webrtc.settings import WebRtcSettings

    settings = WebRtcSettings(ice_servers=tuple(ice_servers), relay_only=relay_only)
    async with Pacer() as pacer:
        yield lambda: WebRtcOfferer(pacer, settings)


def dialling(place: "Endpoint") -> "Dial":
    """What opens a WebSocket, likewise."""
    from vivavoce.transport.websocket import dial

    return partial(dial, proxy=place.proxy)


def open_card() -> "Card":
    """The sound card of this computer.

    Raises:
        DeviceError: there is no driver for one.
    """
    from importlib import import_module

    from vivavoce.client.sound_card import SoundCard

    try:
        driver = import_module("sounddevice")
    except (ImportError, OSError) as error:
        raise DeviceError(
            f"Sound devices cannot be used here: {error}. Install PortAudio (Debian: apt-get install libportaudio2), "
            "or do without: see --say, --file and --out of `viva talk`."
        ) from error

    def reload() -> None:
        driver._terminate()
        driver._initialize()

    return SoundCard(cast("Driver", driver), reload)


def open_cleaner(processing: "Processing") -> "Cleaner | None":
    """What cleans the sound of one microphone; None where nothing is to be done, or its package is not installed."""
    from vivavoce.audio.cleaner import Processing
    from vivavoce.client.device import LEAD_S
    from vivavoce.engine.webrtc_cleaner import FOUND, WebRtcCleaner
    from vivavoce.telemetry.log import Log

    if processing == Processing(echo_cancellation=False, noise_suppression=False, gain_control=False):
        return None
    if not FOUND:
        Log("assembly").warning("sound_not_processed", missing="pywebrtc-audio")
        return None
    return WebRtcCleaner(processing, round(1000 * LEAD_S))


def open_devices(
    *,
    microphone: int | str | None = None,
    loudspeaker: int | str | None = None,
    processing: "Processing | None" = None,
    on_change: "OnChange | None" = None,
) -> "tuple[Microphone, Loudspeaker]":
    """Microphone and loudspeaker of this computer, joined so that the one does not hear the other.

    Give the loudspeaker to `connect(player=…)`, enter the microphone, and give its sound to `Call.send_audio`. Both
    open when they are used.

    Args:
        microphone: part of a device's name, or its number; the system's own if not given.
        loudspeaker: likewise.
        processing: what is done to the microphone's sound; all of it if not given.
        on_change: told when a device has gone, and when another is there.

    Raises:
        DeviceError: there is no driver for sound devices.
    """
    from vivavoce.audio.cleaner import Processing
    from vivavoce.client.device import Loudspeaker, Microphone

    card = open_card()
    player = Loudspeaker(card, loudspeaker, on_change=on_change)
    cleaner = open_cleaner(processing or Processing())
    return Microphone(card, microphone, cleaner=cleaner, loudspeaker=player, on_change=on_change), player


def open_speaker(name: str = "espeak") -> "Speaker":
    """A speaker by the name that settings give it, not loaded yet.

    Raises:
        ConfigError: there is none of that name, or it is not installed.
    """
    from vivavoce.engine.registry import EngineSpec, Registry

    return Registry().speaker(EngineSpec.parse(name), SystemClock())


def open_detector(name: str = "silero") -> "Detector":
    """A speech detector by the name that settings give it, not loaded yet.

    Raises:
        ConfigError: there is none of that name, or it is not installed.
    """
    from vivavoce.engine.registry import EngineSpec, Registry

    return Registry().detector(EngineSpec.parse(name), SystemClock())


def credential_source(
    place: "Endpoint", api_key: "Words | Fetch | None", client_secret: "Words | Fetch | None"
) -> "Source":
    """Where the credential of a call comes from: what is given, else the environment.

    Raises:
        ConfigError: there is none.
    """
    from vivavoce.client.endpoint import Provider
    from vivavoce.client.secret import Fetched, Given, Kind

    if client_secret is not None:
        return Fetched(client_secret) if callable(client_secret) else Given(client_secret, Kind.CLIENT_SECRET)
    if callable(api_key):
        return Fetched(api_key, Kind.API_KEY)
    names = ["AZURE_OPENAI_API_KEY"] if place.provider is Provider.AZURE else []
    names.append("OPENAI_API_KEY")
    key = api_key or next((os.environ[name] for name in names if os.environ.get(name)), None)
    if key is None:
        raise ConfigError(
            f"There is no API key for {place}. Set {names[0]}, or give api_key or client_secret. "
            "To try things without one, run `viva serve` on this computer."
        )
    return Given(key, Kind.API_KEY)


def session_config(
    session: "Mapping[str, object] | Session | None",
    model: str | None,
    place: "Endpoint",
    tools: "Sequence[FunctionTool]" = (),
) -> "Session":
    """The config of a session, with a model and the declarations of functions.

    Raises:
        ConfigError: the session cannot be so, or no model is known for this provider.
    """
    import msgspec
    from msgspec import UNSET

    from vivavoce.client.endpoint import Provider
    from vivavoce.wire.codec import decode_session
    from vivavoce.wire.config import RealtimeSession

    if isinstance(session, Mapping):
        try:
            session = decode_session(msgspec.json.encode({"type": "realtime", **session}))
        except RequestError as error:
            raise ConfigError(f"The session cannot be so: {error.message}") from error
        except TypeError as error:
            raise ConfigError(f"The session cannot be written as JSON: {error}.") from error
    config = RealtimeSession() if session is None else session
    if not isinstance(config, RealtimeSession):
        return config
    wanted = model or config.model
    if not isinstance(wanted, str):
        if place.provider is Provider.AZURE:
            raise ConfigError("On Azure the model is the name of your deployment; give one.")
        wanted = MODEL
    declared = [] if config.tools is UNSET else config.tools
    return msgspec.structs.replace(config, model=wanted, tools=[*declared, *tools] if declared or tools else UNSET)


def _taps(path: "str | os.PathLike[str]", clock: Clock, place: "Endpoint", transport: str) -> "Taps":
    """What writes a call down, its file begun.

    Raises:
        ConfigError: it cannot be written.
    """
    from vivavoce.dump.tap import Taps
    from vivavoce.dump.writer import Dump

    return Taps(Dump(path, clock, {"endpoint": str(place), "transport": transport}), clock)


def _lines(
    transport: Way,
    place: "Endpoint",
    source: "Source",
    offering: "Callable[[Credential], Offering]",
    timeout_s: float,
    taps: "Taps | None",
) -> "tuple[Line, Line | None]":
    """The line of a call, and the one to fall back on."""
    from vivavoce.client.line import MediaLine, SocketLine
    from vivavoce.transport.websocket import dial

    dialling = partial(dial, proxy=place.proxy)
    socket = SocketLine(place, source, dialling if taps is None else taps.dial(dialling), timeout_s=timeout_s)
    if transport == "websocket":
        return socket, None
    if transport not in ("auto", "webrtc"):
        raise ConfigError(f"There is no transport {transport!r}; choose auto, webrtc or websocket.")
    media = MediaLine(place, source, offering, timeout_s=timeout_s)
    return media, socket if transport == "auto" else None


def _offering(
    pacer: "Pacer",
    place: "Endpoint",
    ice_servers: "IceServers | FetchIce | Literal['server']",
    timeout_s: float,
    *,
    relay_only: bool,
    opus: "Opus | None",
) -> "Callable[[Credential], Offering]":
    """What makes offers.

    Raises:
        ConfigError: ICE servers that cannot be.
    """
    from vivavoce.client.ice import fetched
    from vivavoce.client.signalling import Signalling
    from vivavoce.transport.ice import read_ice_servers
    from vivavoce.transport.webrtc.offerer import WebRtcOfferer
    from vivavoce.transport.webrtc.opus import Opus
    from vivavoce.transport.webrtc.settings import WebRtcSettings

    def settings_with(ice: "tuple[IceServer, ...]") -> WebRtcSettings:
        return WebRtcSettings(ice_servers=ice, relay_only=relay_only, opus=opus or Opus())

    if ice_servers != "server" and not callable(ice_servers):
        fixed = settings_with(read_ice_servers(ice_servers))
        return lambda _: WebRtcOfferer(pacer, fixed)
    servers = fetched(ice_servers) if callable(ice_servers) else Signalling(place, timeout_s).ice_servers

    def offering(credential: "Credential") -> "Offering":
        async def settings() -> WebRtcSettings:
            return settings_with(await servers(credential))

        return WebRtcOfferer(pacer, settings)

    return offering
