"""A caller on a WebRTC stack that shares nothing with the server's: aiortc, in Python from ICE to Opus."""

import asyncio
import json
from typing import Final, cast

import httpx2
import numpy as np
import pytest
from aiortc import RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack
from av import AudioFrame
from openai.types.realtime import ResponseDoneEvent
from openai.types.realtime.realtime_server_event import OutputAudioBufferStopped

from tests.strict import Reader
from tests.system.caller import raw_offer
from tests.viva import engines, scripted_server
from vivavoce.engine.fake import ScriptedSpeaker

AUDIBLE: Final = 2_000
"""Of 32,767. The scripted speaker's tone is at 8,000."""


class Phone:
    """One side of a call."""

    def __init__(self) -> None:
        self.reader = Reader()
        self.peer = RTCPeerConnection()
        self.channel: RTCDataChannel = self.peer.createDataChannel("any name at all")
        self.peer.addTrack(AudioStreamTrack())
        self.open = asyncio.Event()
        self.over = asyncio.Event()
        self.voice: MediaStreamTrack | None = None
        self.channel.on("open", self.open.set)
        self.channel.on("message", self._read)
        self.peer.on("track", self._listen)

    def _read(self, text: str) -> None:
        if isinstance(self.reader.read(text), OutputAudioBufferStopped):
            self.over.set()

    def _listen(self, voice: MediaStreamTrack) -> None:
        self.voice = voice

    async def loudest_until_over(self) -> int:
        """The loudest sample until the server has played everything."""
        assert self.voice is not None
        loudest = 0
        while not self.over.is_set():
            # The package leaves a type variable open.
            frame = cast(object, await self.voice.recv())  # pyright: ignore[reportUnknownMemberType]
            assert isinstance(frame, AudioFrame)
            loudest = max(loudest, int(np.abs(frame.to_ndarray().astype(np.int32)).max()))
        return loudest


@pytest.mark.realtime
async def test_somebody_on_another_stack_hears_an_answer_and_hangs_up() -> None:
    script = engines(thought=["Hello, who is there?"], speaker=ScriptedSpeaker(ms_per_character=20))
    async with asyncio.timeout(20), scripted_server(script) as viva, httpx2.AsyncClient() as http:
        phone = Phone()
        await phone.peer.setLocalDescription(await phone.peer.createOffer())
        reply = await raw_offer(viva, http)(phone.peer.localDescription.sdp)
        assert reply.status_code == 201
        await phone.peer.setRemoteDescription(RTCSessionDescription(reply.text, "answer"))
        await phone.open.wait()
        phone.channel.send(json.dumps({"type": "response.create"}))
        assert await phone.loudest_until_over() > AUDIBLE
        (done,) = [event for event in phone.reader.events if isinstance(event, ResponseDoneEvent)]
        assert done.response.status == "completed"
        await phone.peer.close()
        await viva.until_calls(0)
