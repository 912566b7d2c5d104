"""An offer as Chromium makes it, shortened to what matters, and ways to spoil it."""

from typing import Final

FINGERPRINT: Final = ":".join(["AB"] * 32)

HEAD: Final = ("v=0", "o=- 4611731400430051336 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1")
AUDIO: Final = (
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126",
    "c=IN IP4 0.0.0.0",
    "a=rtcp:9 IN IP4 0.0.0.0",
    "a=ice-ufrag:8hhY",
    "a=ice-pwd:asd88fgpdd777uzjYhagZg",
    "a=ice-options:trickle",
    f"a=fingerprint:sha-256 {FINGERPRINT}",
    "a=setup:actpass",
    "a=mid:0",
    "a=sendrecv",
    "a=msid:- 2672f14a-d139-4760-8dbc-eaa966655552",
    "a=rtcp-mux",
    "a=rtpmap:111 opus/48000/2",
    "a=rtcp-fb:111 transport-cc",
    "a=fmtp:111 minptime=10;useinbandfec=1",
    "a=rtpmap:63 red/48000/2",
    "a=rtpmap:9 G722/8000",
    "a=rtpmap:0 PCMU/8000",
    "a=rtpmap:8 PCMA/8000",
    "a=rtpmap:13 CN/8000",
    "a=rtpmap:110 telephone-event/48000",
    "a=rtpmap:126 telephone-event/8000",
)
DATA: Final = (
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "c=IN IP4 0.0.0.0",
    "a=ice-ufrag:8hhY",
    "a=ice-pwd:asd88fgpdd777uzjYhagZg",
    f"a=fingerprint:sha-256 {FINGERPRINT}",
    "a=setup:actpass",
    "a=mid:1",
    "a=sctp-port:5000",
    "a=max-message-size:262144",
)


def candidate(address: str, port: int = 50_000, protocol: str = "udp", kind: str = "host") -> str:
    return f"a=candidate:1 1 {protocol} 2122194687 {address} {port} typ {kind} generation 0 network-id 1"


def sdp(*parts: tuple[str, ...], end: str = "\r\n") -> str:
    return "".join(line + end for part in parts or (HEAD, AUDIO, DATA) for line in part)


def without(part: tuple[str, ...], *starts: str) -> tuple[str, ...]:
    return tuple(line for line in part if not line.startswith(starts))


def instead(part: tuple[str, ...], start: str, line: str) -> tuple[str, ...]:
    return tuple(line if each.startswith(start) else each for each in part)
