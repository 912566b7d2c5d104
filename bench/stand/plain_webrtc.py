"""A caller on `aiortc`, written as its examples are: it does nothing about a loss beyond what the library does.

Tells what `tests/network/talker.py` tells, and is told the same.
"""

import asyncio
import json
import os
import sys
from asyncio import TaskGroup
from typing import Any

import httpx2
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError
from av import AudioFrame

from tests.network.talker import ASKED, CODEWORD, TICK_S, Ear, message, options, say
from vivavoce.cli.network import ice_servers
from vivavoce.transport.ice import IceServer


class Plain:
    """One call."""

    def __init__(self, tasks: TaskGroup, servers: list[RTCIceServer]) -> None:
        self._tasks = tasks
        self._peer = RTCPeerConnection(RTCConfiguration(servers))
        self._channel = self._peer.createDataChannel("oai-events")
        self._ear = Ear()
        self._remembered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._peer.addTrack(AudioStreamTrack())  # silence
        self._peer.on("track", self._track)
        self._peer.on("connectionstatechange", self._state)
        self._channel.on("message", self._read)

    async def place(self, url: str) -> None:
        """Call."""
        say(state="Negotiating")
        await self._peer.setLocalDescription(await self._peer.createOffer())
        headers = {"Authorization": f"Bearer {os.environ['OPENAI_API_KEY']}", "Content-Type": "application/sdp"}
        async with httpx2.AsyncClient() as http:
            reply = await http.post(f"{url}/realtime/calls", content=self._peer.localDescription.sdp, headers=headers)
        reply.raise_for_status()
        await self._peer.setRemoteDescription(RTCSessionDescription(reply.text, "answer"))

    async def report(self) -> None:
        """Tell all the time how it is."""
        while True:
            await asyncio.sleep(TICK_S)
            self._ear.tell()

    async def recall(self) -> bool:
        """Whether the server still has the codeword."""
        self._send({"type": "conversation.item.retrieve", "item_id": CODEWORD})
        try:
            async with asyncio.timeout(8):
                return await self._remembered
        except TimeoutError:
            return False

    def _track(self, track: MediaStreamTrack) -> None:
        self._tasks.create_task(self._hear(track))

    async def _hear(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                assert isinstance(frame, AudioFrame)
                self._ear.hear(np.asarray(frame.to_ndarray(), np.int16).ravel())
        except MediaStreamError:
            pass  # the track has ended

    async def _state(self) -> None:
        match self._peer.connectionState:
            case "connected":
                say(state="Connected")
            case "failed" | "closed":
                say(state="Failed")
            case _:
                pass

    def _read(self, text: str) -> None:
        event: dict[str, Any] = json.loads(text)
        match event["type"]:
            case "session.created":
                codeword = {"id": CODEWORD, **message(f"The codeword is {CODEWORD}.")}
                self._send({"type": "conversation.item.create", "item": codeword})
                self._ask()
            case "output_audio_buffer.stopped":
                self._ask()
            case "conversation.item.retrieved":
                self._remembered.set_result(CODEWORD in event["item"]["content"][0]["text"])
            case _:
                pass

    def _ask(self) -> None:
        self._send({"type": "conversation.item.create", "item": message(ASKED)})
        self._send({"type": "response.create"})

    def _send(self, event: dict[str, object]) -> None:
        if self._channel.readyState == "open":
            self._channel.send(json.dumps(event))


async def main(url: str, servers: list[RTCIceServer]) -> None:
    """Call, until the input ends."""
    async with TaskGroup() as tasks:
        plain = Plain(tasks, servers)
        await plain.place(url)
        tasks.create_task(plain.report())
        while line := await asyncio.to_thread(sys.stdin.readline):
            if line.strip() == "recall":
                say(kept=await plain.recall())


def plainly(server: IceServer) -> RTCIceServer:
    """The same in aiortc's words."""
    password = None if server.credential is None else server.credential.reveal()
    return RTCIceServer(list(server.urls), server.username, password)


if __name__ == "__main__":
    asked = options().parse_args()
    asyncio.run(main(asked.base_url, [plainly(each) for each in ice_servers(asked, {}) if isinstance(each, IceServer)]))
