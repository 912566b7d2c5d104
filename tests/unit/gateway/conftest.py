from collections.abc import Iterator

import pytest

from tests.unit.gateway.stand import Stand, standing


@pytest.fixture
def stand() -> Iterator[Stand]:
    with standing() as up:
        yield up
