"""How a command ends, for scripts that call it."""

from enum import IntEnum
from typing import Final

from vivavoce.errors import (
    ConfigError,
    DeviceError,
    EngineError,
    OtherTransport,
    RefusedError,
    TransportError,
    VivaError,
)


class ExitCode(IntEnum):
    """What the shell is told."""

    DONE = 0
    FAULT = 1
    USAGE = 2
    NO_DEVICE = 3
    REFUSED = 4
    UNREACHABLE = 5
    NO_WAY = 6
    LOST = 7
    UNANSWERED = 8
    ENGINE = 9
    POOR = 10
    INTERRUPTED = 130
    ENDED = 143


MEANINGS: Final = {
    ExitCode.DONE: "all went well",
    ExitCode.FAULT: "a fault in this program",
    ExitCode.USAGE: "options or settings that cannot be",
    ExitCode.NO_DEVICE: "no usable microphone or loudspeaker",
    ExitCode.REFUSED: "the server said no (wrong key, unknown model, …)",
    ExitCode.UNREACHABLE: "no server answered",
    ExitCode.NO_WAY: "the server answered, but no sound gets through (UDP closed)",
    ExitCode.LOST: "the call broke off",
    ExitCode.UNANSWERED: "no answer came, or not the one that was expected",
    ExitCode.ENGINE: "an engine on this computer failed",
    ExitCode.POOR: "it works, but not as well as it should (`viva check`)",
    ExitCode.INTERRUPTED: "stopped with Ctrl-C",
    ExitCode.ENDED: "told to end (SIGTERM)",
}


class Unanswered(VivaError):
    """The assistant did not do what it was asked to within the time that it had."""


class Lost(TransportError):
    """A call that was connected broke off."""


def exit_code(error: VivaError) -> ExitCode:
    """How a command ends that failed so."""
    match error:
        case Unanswered():
            return ExitCode.UNANSWERED
        case Lost():
            return ExitCode.LOST
        case ConfigError():
            return ExitCode.USAGE
        case DeviceError():
            return ExitCode.NO_DEVICE
        case RefusedError():
            return ExitCode.REFUSED
        case TransportError() if isinstance(error.next, OtherTransport):
            return ExitCode.NO_WAY
        case TransportError():
            return ExitCode.UNREACHABLE
        case EngineError():
            return ExitCode.ENGINE
        case _:
            return ExitCode.FAULT


def explained() -> str:
    """All codes, for a help text."""
    return "exit codes:\n" + "\n".join(f"  {code.value:<4} {meaning}" for code, meaning in MEANINGS.items())
