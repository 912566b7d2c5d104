"""A script that calls `viva` can tell what went wrong."""

import pytest

from vivavoce.cli.exit_code import MEANINGS, ExitCode, Lost, Unanswered, exit_code, explained
from vivavoce.errors import (
    ConfigError,
    DeviceError,
    EngineError,
    OfferError,
    OtherTransport,
    RefusedError,
    TransportError,
    VivaError,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x"), ExitCode.USAGE),
        (DeviceError("x"), ExitCode.NO_DEVICE),
        (RefusedError("x", status=401), ExitCode.REFUSED),
        (TransportError("x"), ExitCode.UNREACHABLE),
        (OfferError("x"), ExitCode.UNREACHABLE),
        (TransportError("x", next=OtherTransport()), ExitCode.NO_WAY),
        (Lost("x"), ExitCode.LOST),
        (Unanswered("x"), ExitCode.UNANSWERED),
        (EngineError("x"), ExitCode.ENGINE),
        (VivaError("x"), ExitCode.FAULT),
    ],
)
def test_each_kind_of_failure_has_its_code(error: VivaError, code: ExitCode) -> None:
    assert exit_code(error) is code


def test_every_code_is_explained() -> None:
    assert set(MEANINGS) == set(ExitCode)
    assert all(f"{code.value} " in explained() for code in ExitCode)
