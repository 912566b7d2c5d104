from collections.abc import AsyncIterator

import pytest

from tests.browser.conftest import microphone
from tests.system.caller import SETTINGS
from tests.viva import viva_server
from vivavoce.transport.pacer import Pacer
from vivavoce.transport.webrtc.offerer import WebRtcOfferer

__all__ = ["microphone", "viva_server"]


@pytest.fixture
async def offer() -> AsyncIterator[str]:
    """An offer that any server could answer."""
    async with Pacer() as pacer:
        offerer = WebRtcOfferer(pacer, SETTINGS)
        yield await offerer.offer()
        await offerer.abandon()
