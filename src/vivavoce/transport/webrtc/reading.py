"""A connection's quality, out of the engine's statistics. Pure.

The report is a JSON array of W3C statistics objects ("Identifiers for WebRTC's Statistics API"); one second's
reading needs six of its kinds and skips the rest unread.
"""

from typing import Annotated

import msgspec

from vivavoce.transport.interface import Link
from vivavoce.transport.webrtc.doubling import Faring

_Count = Annotated[int, msgspec.Meta(le=2**53)]
"""What JavaScript, for which these reports are made, can count."""


class _Entry(msgspec.Struct, rename="camel"):
    """Any statistics object, with the members read here. Times are in seconds."""

    type: str
    id: str
    kind: str | None = None
    nominated: bool = False
    state: str | None = None
    selected_candidate_pair_id: str | None = None
    selected_candidate_pair_changes: _Count | None = None
    local_candidate_id: str | None = None
    current_round_trip_time: float | None = None
    bytes_sent: _Count | None = None
    bytes_received: _Count | None = None
    requests_received: _Count | None = None
    responses_received: _Count | None = None
    candidate_type: str | None = None
    protocol: str | None = None
    relay_protocol: str | None = None
    available_outgoing_bitrate: float | None = None
    fraction_lost: float | None = None
    jitter: float | None = None
    packets_received: _Count | None = None
    packets_lost: _Count | None = None
    total_samples_received: _Count | None = None
    concealed_samples: _Count | None = None
    silent_concealed_samples: _Count | None = None
    jitter_buffer_delay: float | None = None
    jitter_buffer_emitted_count: _Count | None = None


_decoder = msgspec.json.Decoder(list[_Entry])


def read(report: str | bytes) -> Link:
    """What a report says about the connection and the sound that arrives.

    Raises:
        ValueError: not a statistics report.
    """
    entries = {entry.id: entry for entry in _decoder.decode(report)}
    pair = _selected(entries)
    local = entries.get(pair.local_candidate_id or "") if pair else None
    heard = next((each for each in entries.values() if each.type == "inbound-rtp" and each.kind == "audio"), None)
    trip = pair.current_round_trip_time if pair else None
    return Link(
        round_trip_ms=None if trip is None else trip * 1000,
        jitter_ms=None if heard is None or heard.jitter is None else heard.jitter * 1000,
        packets_received=heard.packets_received if heard else None,
        packets_lost=heard.packets_lost if heard else None,
        bytes_sent=pair.bytes_sent if pair else None,
        bytes_received=pair.bytes_received if pair else None,
        checks_answered=pair.responses_received if pair else _arrived(entries),
        concealed_ratio=_concealed(heard) if heard else None,
        path=_path(local) if local else None,
        buffer_ms=_buffered(heard) if heard else None,
    )


def faring(report: str | bytes) -> Faring:
    """What a report says about how packets fare.

    Raises:
        ValueError: not a statistics report.
    """
    entries = {entry.id: entry for entry in _decoder.decode(report)}
    pair = _selected(entries)
    sound = [entry for entry in entries.values() if entry.kind == "audio"]
    heard = next((each for each in sound if each.type == "inbound-rtp"), None)
    told = next((each for each in sound if each.type == "remote-inbound-rtp"), None)
    return Faring(
        reported=told.fraction_lost if told else None,
        received=heard.packets_received if heard else None,
        missed=heard.packets_lost if heard else None,
        carried_bps=pair.available_outgoing_bitrate if pair else None,
        round_trip_s=pair.current_round_trip_time if pair else None,
    )


def _selected(entries: dict[str, _Entry]) -> _Entry | None:
    for entry in entries.values():
        if entry.type == "transport" and entry.selected_candidate_pair_id:
            return entries.get(entry.selected_candidate_pair_id)
    pairs = (entry for entry in entries.values() if entry.type == "candidate-pair")
    return next((pair for pair in pairs if pair.nominated and pair.state == "succeeded"), None)


def _arrived(entries: dict[str, _Entry]) -> int | None:
    """What has come of the peer's ICE while a way is still looked for; None where there was one before."""
    if not any(each.type == "transport" and each.selected_candidate_pair_changes == 0 for each in entries.values()):
        return None
    pairs = [entry for entry in entries.values() if entry.type == "candidate-pair"]
    return sum((pair.requests_received or 0) + (pair.responses_received or 0) for pair in pairs)


def _concealed(heard: _Entry) -> float | None:
    """Share of the sound that was invented. What fills a pause of the sender is silent, and is not counted."""
    received = heard.total_samples_received or 0
    if received <= 0 or heard.concealed_samples is None:
        return None
    invented = heard.concealed_samples - (heard.silent_concealed_samples or 0)
    return max(0, invented) / received


def _buffered(heard: _Entry) -> float | None:
    """The report has the sum of the waits of all samples, in seconds."""
    if heard.jitter_buffer_delay is None or not heard.jitter_buffer_emitted_count:
        return None
    return heard.jitter_buffer_delay * 1000 / heard.jitter_buffer_emitted_count


def _path(local: _Entry) -> str:
    """Like `host/udp`, or `relay/udp/tls` where the way to the relay differs."""
    return "/".join(part for part in (local.candidate_type, local.protocol, local.relay_protocol) if part)
