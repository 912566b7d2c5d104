"""A laboratory of its own for each test, where this machine can have one."""

from collections.abc import Iterator

import pytest

from tests.network.lab import laboratory, missing
from tests.network.stage import Stage


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Networks that stand; skips the test, with a reason, where none can be made."""
    lacking = missing()
    if lacking is not None:
        pytest.skip(f"no laboratory: {lacking}")
    with laboratory() as lab:
        yield Stage(lab)
