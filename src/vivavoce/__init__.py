"""Realtime voice conversations with a machine over WebRTC, in the OpenAI Realtime protocol.

    async with vivavoce.connect() as call:
        await call.send_audio(samples)
        async for caption in call.captions():
            print(caption.role.value, caption.text)

Names are loaded when they are first used, so importing this costs next to nothing.
"""

from importlib import import_module as _load
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vivavoce.assembly import connect, open_devices
    from vivavoce.audio.cleaner import Processing
    from vivavoce.client.call import Call, Timings
    from vivavoce.client.device import DeviceChange
    from vivavoce.client.policy import GiveUp, History, Persistence, Policy, Wait
    from vivavoce.client.quality import Snapshot
    from vivavoce.client.state import Connected, Disrupted, Kept, Restored, Restoring, State
    from vivavoce.errors import (
        BudgetError,
        ConfigError,
        DeviceError,
        EngineError,
        Fault,
        Never,
        NewSecret,
        OfferError,
        OtherTransport,
        RefusedError,
        RequestError,
        Retry,
        TransportError,
        VivaError,
    )
    from vivavoce.session.caption import Caption, CaptionState, Role
    from vivavoce.session.ledger import Cost, TurnCost
    from vivavoce.session.peer import Activity
    from vivavoce.session.price import Price
    from vivavoce.session.timing import Turn
    from vivavoce.session.tokens import Tokens
    from vivavoce.telemetry.secret import Secret
    from vivavoce.transport.ice import IceServer
    from vivavoce.transport.interface import Link
    from vivavoce.transport.webrtc.opus import Opus
    from vivavoce.wire.event import UnknownEvent

__all__ = [
    "Activity",
    "BudgetError",
    "Call",
    "Caption",
    "CaptionState",
    "ConfigError",
    "Connected",
    "Cost",
    "DeviceChange",
    "DeviceError",
    "Disrupted",
    "EngineError",
    "Fault",
    "GiveUp",
    "History",
    "IceServer",
    "Kept",
    "Link",
    "Never",
    "NewSecret",
    "OfferError",
    "Opus",
    "OtherTransport",
    "Persistence",
    "Policy",
    "Price",
    "Processing",
    "RefusedError",
    "RequestError",
    "Restored",
    "Restoring",
    "Retry",
    "Role",
    "Secret",
    "Snapshot",
    "State",
    "Timings",
    "Tokens",
    "TransportError",
    "Turn",
    "TurnCost",
    "UnknownEvent",
    "VivaError",
    "Wait",
    "connect",
    "open_devices",
]

_HOMES: Final = {
    "vivavoce.assembly": ("connect", "open_devices"),
    "vivavoce.audio.cleaner": ("Processing",),
    "vivavoce.client.call": ("Call", "Timings"),
    "vivavoce.client.device": ("DeviceChange",),
    "vivavoce.client.policy": ("GiveUp", "History", "Persistence", "Policy", "Wait"),
    "vivavoce.client.quality": ("Snapshot",),
    "vivavoce.client.state": ("Connected", "Disrupted", "Kept", "Restored", "Restoring", "State"),
    "vivavoce.session.caption": ("Caption", "CaptionState", "Role"),
    "vivavoce.session.ledger": ("Cost", "TurnCost"),
    "vivavoce.session.peer": ("Activity",),
    "vivavoce.session.price": ("Price",),
    "vivavoce.session.timing": ("Turn",),
    "vivavoce.session.tokens": ("Tokens",),
    "vivavoce.telemetry.secret": ("Secret",),
    "vivavoce.transport.interface": ("Link",),
    "vivavoce.transport.ice": ("IceServer",),
    "vivavoce.transport.webrtc.opus": ("Opus",),
    "vivavoce.wire.event": ("UnknownEvent",),
}
_HOME_OF: Final = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'vivavoce' has no name {name!r}")
    return getattr(_load(_HOME_OF.get(name, "vivavoce.errors")), name)


def __dir__() -> list[str]:
    return __all__
