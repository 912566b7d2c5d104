"""The HTTP surface, asked for everything that its description allows and for much that it does not.

The description is `contract/openapi.json`; schemathesis makes the requests and judges the replies: never a 5xx, only
the statuses, types, headers and bodies that are described, and no 2xx for what the description forbids.
"""

import asyncio
import json
from importlib import import_module
from typing import Any, Final, Protocol

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as bounds
from hypothesis.strategies import SearchStrategy
from schemathesis.generation import GenerationMode

from tests.architecture.source import ROOT
from tests.viva import Viva, engines, scripted_server
from vivavoce.gateway.settings import Limits, Settings


class Reply(Protocol):
    """What came back."""

    status_code: int


class Case(Protocol):
    """One request; schemathesis leaves much of its own without types."""

    def call(self, base_url: str, *, headers: dict[str, str], timeout: float) -> Reply: ...
    def validate_response(self, response: Reply, checks: list[object]) -> None: ...


class Operation(Protocol):
    """One verb of one address."""

    label: str

    def as_strategy(self, *, generation_mode: GenerationMode) -> SearchStrategy[Case]: ...


_schemathesis: Any = import_module("schemathesis")
_judges: Any = import_module("schemathesis.specs.openapi.checks")

CHECKS: Final[list[object]] = [
    import_module("schemathesis.checks").not_a_server_error,
    _judges.status_code_conformance,
    _judges.content_type_conformance,
    _judges.response_headers_conformance,
    _judges.response_schema_conformance,
]
TOO_LARGE: Final = 413
OFTEN: Final = 2**31


def described() -> dict[str, Operation]:
    """All operations by their labels, such as `POST /realtime/calls`."""
    text = (ROOT / "contract" / "openapi.json").read_text(encoding="utf-8")
    found: list[Operation] = [
        result.ok() for result in _schemathesis.openapi.from_dict(json.loads(text)).get_all_operations()
    ]
    return {operation.label: operation for operation in found}


OPERATIONS: Final = described()


@_schemathesis.serializer("application/sdp")
def as_written(_: object, value: object) -> bytes:
    """The body is the text itself."""
    return str(value).encode("utf-8", "surrogatepass")


def ask(viva: Viva, operation: Operation, mode: GenerationMode, examples: int) -> None:
    @bounds(
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        database=None,
        phases=[Phase.generate],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def once(case: Case) -> None:
        reply = case.call(base_url=f"{viva.url}/v1", headers=viva.bearer, timeout=20)
        # What is too large may be refused before anybody has looked at the rest.
        checks = CHECKS if reply.status_code == TOO_LARGE else [*CHECKS, _judges.negative_data_rejection]
        case.validate_response(reply, checks=checks)

    once()


async def survey(label: str, mode: GenerationMode, examples: int) -> None:
    limits = Limits(calls_per_minute=OFTEN, secrets_per_minute=OFTEN)
    async with scripted_server(engines(), gateway=Settings(limits=limits)) as viva:
        await asyncio.to_thread(ask, viva, OPERATIONS[label], mode, examples)


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
@pytest.mark.parametrize("label", OPERATIONS)
async def test_every_address_answers_as_described(label: str, mode: GenerationMode) -> None:
    await survey(label, mode, 20)


@pytest.mark.slow
@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
@pytest.mark.parametrize("label", OPERATIONS)
async def test_every_address_answers_as_described_whatever_is_tried(label: str, mode: GenerationMode) -> None:
    await survey(label, mode, 1000)
