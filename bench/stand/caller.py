"""One caller of the load: sends Opus packets that were made beforehand and notes when packets come back.

ICE is `aioice`'s, DTLS and the data channel are `aiortc`'s; RTP is handled here, since aiortc itself would decode.
A packet costs one decryption and one note of the time. The same caller calls every server.
"""

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, cast

import aioice
import httpx2
import msgspec
from aiortc import RTCCertificate, RTCDataChannel, RTCDataChannelParameters, RTCIceCandidate, RTCIceTransport
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcicetransport import candidate_to_aioice
from aiortc.rtcsctptransport import RTCSctpCapabilities, RTCSctpTransport
from aiortc.sdp import SessionDescription

from vivavoce.clock import Clock

OPUS: Final = 111
PACKET_SAMPLES: Final = 960
PATIENCE_S: Final = 8.0

_SSRC: Final = 0x76697661
_RTP: Final = struct.Struct("!BBHII")
_TALK: Final = {
    "type": "session.update",
    "session": {
        "type": "realtime",
        "audio": {
            "input": {
                "transcription": {"model": "gpt-4o-mini-transcribe"},
                "turn_detection": {
                    "type": "server_vad",
                    "silence_duration_ms": 500,
                    "create_response": False,
                    "interrupt_response": False,
                },
            }
        },
    },
}
"""What the caller says does not stop the agent: both talk all the time, as an echo does."""


class Event(msgspec.Struct):
    """As much of a server's event as a caller here needs."""

    type: str


@dataclass
class Heard:
    """What arrived: when (seconds) and with which sequence number."""

    at: list[float] = field(default_factory=list[float])
    numbers: list[int] = field(default_factory=list[int])


@dataclass
class SetUp:
    """Seconds from sending the POST to its reply, and to the first word over the data channel."""

    answer_s: float
    connect_s: float


class Path:
    """An ICE connection in the place of aiortc's own, which cannot be told to be the controlling side."""

    role: Final = "controlling"

    def __init__(self, connection: aioice.Connection) -> None:
        self._recv = connection.recv
        self._send = connection.send


class Line(RTCDtlsTransport):
    """Encrypted packets, both ways, never decoded."""

    def __init__(self, path: Path, certificate: RTCCertificate, hear: Callable[[bytes], None]) -> None:
        super().__init__(cast(RTCIceTransport, path), [certificate])
        self._hear = hear

    async def _handle_rtp_data(self, data: bytes, arrival_time_ms: int) -> None:
        self._hear(data)

    async def _handle_rtcp_data(self, data: bytes) -> None:
        pass

    async def send_packet(self, packet: bytes) -> None:
        """Encrypt and send one RTP packet."""
        await self._send_rtp(packet)


class Caller:
    """One call. `talks` says whether the other side is an agent to be kept talking, rather than an echo."""

    def __init__(self, clock: Clock, certificate: RTCCertificate, *, talks: bool) -> None:
        self.heard = Heard()
        self.errors: list[str] = []
        self._clock = clock
        self._talks = talks
        self._ice = aioice.Connection(ice_controlling=True)
        self._line = Line(Path(self._ice), certificate, self._note)
        self._sctp = RTCSctpTransport(self._line)
        self._channel: RTCDataChannel | None = None
        self._greeted = asyncio.Event()
        self._answered = asyncio.Event()
        self._sent = 0

    async def place(self, http: httpx2.AsyncClient, url: str, headers: dict[str, str]) -> SetUp:
        """Call and wait until events can travel.

        Raises:
            TimeoutError: that took longer than `PATIENCE_S`.
            httpx2.HTTPError, ConnectionError, ValueError: it failed.
        """
        async with asyncio.timeout(PATIENCE_S):
            await self._ice.gather_candidates()
            offer = self._offer()
            begun = self._clock.now()
            reply = await http.post(url, content=offer, headers={**headers, "Content-Type": "application/sdp"})
            answered = self._clock.now()
            reply.raise_for_status()
            await self._connect(SessionDescription.parse(reply.text))
            await self._greeted.wait()
            return SetUp(answered - begun, self._clock.now() - begun)

    async def say(self, payload: bytes) -> None:
        """Send one packet of 20 ms."""
        number = self._sent
        self._sent += 1
        header = _RTP.pack(0x80, OPUS, number & 0xFFFF, (number * PACKET_SAMPLES) & 0xFFFFFFFF, _SSRC)
        await self._line.send_packet(header + payload)

    async def hear(self) -> None:
        """Return when the other side has been heard."""
        await self._answered.wait()

    async def hang_up(self) -> None:
        """End the call and free everything."""
        if self._line.state == "connected":
            await self._sctp.stop()
        await self._line.stop()
        await self._ice.close()

    # ── setting up ──────────────────────────────────────────────────────────────────────────────────────

    def _offer(self) -> str:
        own = self._line.getLocalParameters().fingerprints[0]
        common = [
            "c=IN IP4 0.0.0.0",
            f"a=ice-ufrag:{self._ice.local_username}",
            f"a=ice-pwd:{self._ice.local_password}",
            f"a=fingerprint:{own.algorithm} {own.value}",
            "a=setup:actpass",
        ]
        lines = [
            "v=0",
            "o=- 1 1 IN IP4 127.0.0.1",
            "s=-",
            "t=0 0",
            "a=group:BUNDLE 0 1",
            f"m=audio 9 UDP/TLS/RTP/SAVPF {OPUS}",
            *common,
            "a=mid:0",
            "a=sendrecv",
            "a=rtcp-mux",
            f"a=rtpmap:{OPUS} opus/48000/2",
            f"a=fmtp:{OPUS} minptime=10;useinbandfec=1",
            f"a=ssrc:{_SSRC} cname:caller",
            *(f"a=candidate:{candidate.to_sdp()}" for candidate in self._ice.local_candidates),
            "a=end-of-candidates",
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
            *common,
            "a=mid:1",
            "a=sctp-port:5000",
            "a=max-message-size:262144",
        ]
        return "".join(f"{line}\r\n" for line in lines)

    async def _connect(self, answer: SessionDescription) -> None:
        audio = answer.media[0]
        assert audio.ice is not None
        assert audio.dtls is not None
        self._ice.remote_username = audio.ice.usernameFragment
        self._ice.remote_password = audio.ice.password
        for candidate in audio.ice_candidates:
            await self._ice.add_remote_candidate(candidate_to_aioice(cast(RTCIceCandidate, candidate)))
        await self._ice.add_remote_candidate(cast(Any, None))
        await self._ice.connect()
        await self._line.start(audio.dtls)
        if self._line.state != "connected":
            raise ConnectionError(f"DTLS is {self._line.state}")
        await self._sctp.start(RTCSctpCapabilities(maxMessageSize=262_144), 5000)
        channel = self._channel = RTCDataChannel(self._sctp, RTCDataChannelParameters(label="oai-events"))
        channel.on("message", self._read)
        if not self._talks:
            channel.on("open", self._greeted.set)

    # ── while it runs ───────────────────────────────────────────────────────────────────────────────────

    def _note(self, packet: bytes) -> None:
        self._answered.set()
        self.heard.at.append(self._clock.now())
        self.heard.numbers.append(packet[2] << 8 | packet[3])

    def _read(self, text: str) -> None:
        match msgspec.json.decode(text, type=Event).type:
            case "session.created":
                self._greeted.set()
                self._send(_TALK)
                self._send({"type": "response.create"})
            case "response.done":
                self._send({"type": "response.create"})
            case "error":
                self.errors.append(text)
            case _:
                pass

    def _send(self, event: dict[str, Any]) -> None:
        if self._channel is not None and self._channel.readyState == "open":
            self._channel.send(msgspec.json.encode(event).decode())
