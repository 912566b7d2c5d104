"""Dumps of calls that never were."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

HEADER: Final[Mapping[str, object]] = {
    "kind": "header",
    "t": 0.0,
    "format": "vivavoce dump",
    "version": 1,
    "at": 1_795_858_107.5,
    "python": "3.11.7",
    "platform": "Linux",
    "packages": {"vivavoce": "0.1.0"},
    "endpoint": "https://far.example/v1",
    "transport": "webrtc",
}
END: Final[Mapping[str, object]] = {"kind": "end", "t": 60.0}


def state(t: float, name: str, **holds: object) -> dict[str, object]:
    return {"kind": "state", "t": t, "state": name, "holds": {"is": name, **holds}}


def server(t: float, type: str, **fields: object) -> dict[str, object]:
    return {"kind": "in", "t": t, "leg": 1, "event": {"type": type, **fields}}


def client(t: float, type: str, **fields: object) -> dict[str, object]:
    return {"kind": "out", "t": t, "leg": 1, "event": {"type": type, **fields}}


def stats(
    t: float, *, leg: int = 1, user_db: float = -20.0, loss: float | None = 0.0, **link: object
) -> dict[str, object]:
    snapshot = {"link": link, "loss_ratio": loss, "sent_bps": 30_000.0, "received_bps": 40_000.0}
    levels = {"user": {"peak_db": user_db}, "assistant": {"peak_db": -6.0}}
    return {"kind": "stats", "t": t, "leg": leg, "snapshot": {**snapshot, **levels}, "mos": 4.2}


def decision(t: float, message: str, step: str, **fields: object) -> dict[str, object]:
    failure = {"is": "TransportError", "message": message, "fault": "network", "next": {"is": "Retry", "after_s": 0.0}}
    return {"kind": "decision", "t": t, "failure": failure, "step": {"is": step, **fields}, "steps": 0, "since_s": 0.1}


def write(path: Path, *records: Mapping[str, object], header: Mapping[str, object] = HEADER) -> Path:
    path.write_text("".join(f"{json.dumps(record)}\n" for record in (header, *records)))
    return path


RIDE: Final = (
    state(0.1, "Negotiating"),
    state(0.3, "Connecting"),
    {"kind": "opened", "t": 0.5, "leg": 1, "traits": {"sound": "media"}},
    state(0.6, "Connected", call_id="rtc_1", restored=None),
    stats(1.0, round_trip_ms=40.0, jitter_ms=3.0, concealed_ratio=0.0, path="host/udp"),
    server(2.0, "input_audio_buffer.speech_stopped"),
    server(2.1, "response.created", response={"id": "resp_1"}),
    server(2.4, "output_audio_buffer.started", response_id="resp_1"),
    server(2.5, "response.output_audio_transcript.done", response_id="resp_1", transcript="Hello there."),
    server(2.6, "response.done", response={"id": "resp_1", "status": "completed"}),
    server(2.9, "output_audio_buffer.cleared", response_id="resp_1"),
    client(4.0, "session.update", event_id="event_7"),
    server(4.1, "error", error={"code": "unknown_parameter", "message": "No such thing.", "event_id": "event_7"}),
    stats(10.0, loss=0.2, round_trip_ms=420.0, jitter_ms=30.0, concealed_ratio=0.1, path="relay/udp"),
    state(20.0, "Disrupted", since=19.5),
    decision(21.0, "The way is gone.", "Wait", seconds=0.5),
    state(21.0, "Restoring", step={"is": "Wait", "seconds": 0.5}, number=1),
    {"kind": "gone", "t": 21.1, "leg": 1, "by": "lost", "code": 1006, "reason": ""},
    decision(21.5, "Nobody is there.", "Call"),
    state(21.5, "Restoring", step={"is": "Call"}, number=2),
    state(23.0, "Connected", call_id="rtc_2", restored={"session": "new session", "complete": False, "gap_s": 3.5}),
    stats(24.0, leg=2, round_trip_ms=None, jitter_ms=None, concealed_ratio=0.06),
    client(30.0, "response.create"),
    server(30.1, "response.created", response={"id": "resp_2"}),
    server(33.0, "response.output_text.delta", response_id="resp_2", delta="W"),
    server(33.1, "response.output_text.done", response_id="resp_2", text="Well."),
    server(33.2, "response.done", response={"id": "resp_2", "status": "failed", "status_details": {}}),
    state(59.0, "Closed", by="us", code=1000, reason=""),
    END,
)
"""A train ride."""
