"""Calls to a server with TLS, through a real proxy; only the engines are scripted."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest

import vivavoce
from tests.certificate import certificate
from tests.proxy import Proxy, proxying
from tests.unit.client.server import KEY, PATIENCE_S, answering, scripted
from vivavoce.engine.fake import ScriptedThinker
from vivavoce.errors import Fault, Never, TransportError

pytestmark = pytest.mark.realtime

HOST = "voice.test"
BASE_URL = f"https://{HOST}/v1"
Transport = Literal["webrtc", "websocket"]


@asynccontextmanager
async def behind_a_proxy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Proxy]:
    """Nobody finds the host but the proxy."""
    files = certificate(folder, HOST)
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    async with (
        answering(scripted(thinker=ScriptedThinker(["Hello."])), certificate=files) as server,
        proxying("hunter2") as proxy,
    ):
        proxy.to[f"{HOST}:443"] = "127.0.0.1", urlsplit(server.base_url).port or 0
        yield proxy


@pytest.mark.parametrize("transport", ["webrtc", "websocket"])
async def test_a_call_is_placed_through_a_proxy(
    transport: Transport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with behind_a_proxy(tmp_path, monkeypatch) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//me:hunter2@"))
        async with (
            vivavoce.connect(base_url=BASE_URL, api_key=KEY, transport=transport) as call,
            asyncio.timeout(PATIENCE_S),
        ):
            content = [{"type": "input_text", "text": "Hi."}]
            await call.conversation.item.create(item={"type": "message", "role": "user", "content": content})
            await call.response.create()
            await call.until(lambda call: any(caption.text == "Hello." for caption in call.transcript))
    assert set(proxy.asked) == {f"{HOST}:443"}


@pytest.mark.parametrize("transport", ["webrtc", "websocket"])
async def test_a_proxy_that_wants_a_password_is_told_as_such(
    transport: Transport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with behind_a_proxy(tmp_path, monkeypatch) as proxy:
        with pytest.raises(TransportError) as refused:
            async with vivavoce.connect(
                base_url=BASE_URL, api_key=KEY, transport=transport, proxy=proxy.url.replace("//", "//me:wrong@")
            ):
                pass
    assert (refused.value.fault, refused.value.next) == (Fault.CALLER, Never())
    assert "wrong" not in refused.value.message
