"""One tree of failures.

    VivaError
    ├── ConfigError       our caller asked for something impossible
    ├── RequestError      a client broke the protocol; carries what the wire's `error` object needs
    ├── RefusedError      the other side said no (HTTP status, error event, close code)
    ├── TransportError    a connection could not be made or broke
    │   └── OfferError    an SDP that cannot be answered
    ├── EngineError       an engine raised, hung or died
    ├── StoreError        the shared store cannot be reached, is full or was misused
    └── DeviceError       microphone or speaker

Every failure says whose fault it is and what to do next, so that a retry policy reads fields and never
a message. Adapters translate foreign exceptions at once; nothing above an adapter names one.
"""

from dataclasses import dataclass
from enum import Enum


class Fault(Enum):
    """Whose fault a failure is."""

    CALLER = "caller"
    PEER = "peer"
    NETWORK = "network"
    PROVIDER = "provider"
    OURS = "ours"


@dataclass(frozen=True)
class Never:
    """Trying the same again cannot help."""


@dataclass(frozen=True)
class Retry:
    """Worth trying again after `after_s` seconds."""

    after_s: float = 0.0


@dataclass(frozen=True)
class NewSecret:
    """Worth trying again with a fresh client secret."""


@dataclass(frozen=True)
class OtherTransport:
    """Worth trying again over another transport."""


Next = Never | Retry | NewSecret | OtherTransport


class VivaError(Exception):
    """Root of the tree. The message says what was seen, what was expected and what to do."""

    fault: Fault = Fault.OURS
    next: Next = Never()

    def __init__(self, message: str, *, fault: Fault | None = None, next: Next | None = None) -> None:
        super().__init__(message)
        self.message = message
        if fault is not None:
            self.fault = fault
        if next is not None:
            self.next = next


class ConfigError(VivaError):
    """A setting is missing, contradictory or out of range."""

    fault = Fault.CALLER


class BudgetError(VivaError):
    """A call has cost as much as it may, and begins no answer any more."""

    fault = Fault.CALLER


class RequestError(VivaError):
    """A client's request or event that the protocol refuses. Maps one to one onto the wire's `error`."""

    fault = Fault.CALLER

    def __init__(
        self,
        message: str,
        *,
        code: str | None,
        param: str | None = None,
        type: str = "invalid_request_error",
        status: int = 400,
        event_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.param = param
        self.type = type
        self.status = status
        self.event_id = event_id


class RefusedError(VivaError):
    """The other side answered and said no."""

    fault = Fault.PROVIDER

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        fault: Fault | None = None,
        next: Next | None = None,
    ) -> None:
        super().__init__(message, fault=fault, next=next)
        self.status = status
        self.code = code


class TransportError(VivaError):
    """A connection that could not be made, or broke."""

    fault = Fault.NETWORK
    next = Retry()


class OfferError(TransportError):
    """An SDP offer or answer that cannot be used."""

    fault = Fault.PEER
    next = Never()


class EngineError(VivaError):
    """An engine raised, hung, died or refused. `code` is the protocol's own name for why, where it has one."""

    fault = Fault.PROVIDER
    next = Retry()

    def __init__(
        self, message: str, *, code: str | None = None, fault: Fault | None = None, next: Next | None = None
    ) -> None:
        super().__init__(message, fault=fault, next=next)
        self.code = code


class StoreError(VivaError):
    """The shared store cannot be reached, is full, or was misused."""

    fault = Fault.OURS
    next = Retry()


class DeviceError(VivaError):
    """No usable microphone or speaker."""

    fault = Fault.CALLER
