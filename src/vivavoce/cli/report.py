"""Figures and history of a call, for people and for machines."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TypeAlias

from vivavoce.cli.terminal import Ink, Terminal
from vivavoce.client.call import Call
from vivavoce.client.quality import Snapshot
from vivavoce.session.caption import CaptionState
from vivavoce.session.ledger import Cost
from vivavoce.session.timing import Turn
from vivavoce.session.tokens import Tokens
from vivavoce.transport.interface import Link
from vivavoce.wire.item import (
    AssistantMessage,
    FunctionCall,
    FunctionCallOutput,
    InputAudio,
    InputText,
    Item,
    OutputAudio,
    OutputText,
    SystemMessage,
    UserMessage,
)

Json: TypeAlias = "str | int | float | bool | None | Sequence[Json] | dict[str, Json]"


def turn_words(turn: Turn, link: Link) -> str:
    """One turn's times and the connection's quality, in a line."""
    parts = [f"answer after {turn.answer_ms:.0f} ms" if turn.answer_ms is not None else ""]
    parts.append(f"silent after {turn.barge_in_ms:.0f} ms" if turn.barge_in_ms is not None else "")
    return " · ".join([part for part in parts if part] + link_words(link))


def link_words(link: Link) -> list[str]:
    """The connection's quality, as far as the transport knows it."""
    loss = loss_ratio(link)
    return [
        *([f"round trip {link.round_trip_ms:.1f} ms"] if link.round_trip_ms is not None else []),
        *([f"loss {100 * loss:.1f} %"] if loss is not None else []),
        *([f"jitter {link.jitter_ms:.1f} ms"] if link.jitter_ms is not None else []),
    ]


def snapshot_words(snapshot: Snapshot) -> str:
    """How a call is doing, in a line; what is not known is left out."""
    link, mos = snapshot.link, snapshot.mos
    rates = (("↑", snapshot.sent_bps), ("↓", snapshot.received_bps))
    flows = [f"{arrow}{bps / 1000:.0f}" for arrow, bps in rates if bps is not None]
    times = [
        *([] if link.round_trip_ms is None else [f"{link.round_trip_ms:.0f} ms"]),
        *([] if link.jitter_ms is None else [f"±{link.jitter_ms:.0f}"]),
    ]
    shares = [
        *([] if snapshot.loss_ratio is None else [f"loss {100 * snapshot.loss_ratio:.0f} %"]),
        *([] if link.concealed_ratio is None else [f"concealed {100 * link.concealed_ratio:.1f} %"]),
    ]
    parts = [
        "" if mos is None else f"MOS {mos:.1f}",
        " ".join(times),
        ", ".join(shares),
        " ".join([*flows, "kbit/s"]) if flows else "",
        f"you {snapshot.user.rms_db:.0f}, agent {snapshot.assistant.rms_db:.0f} dB",
        link.path or "",
    ]
    return " · ".join(part for part in parts if part)


def loss_ratio(link: Link) -> float | None:
    """Packets lost of all that were sent to us."""
    if link.packets_lost is None or not link.packets_received:
        return None
    return max(0, link.packets_lost) / (link.packets_received + max(0, link.packets_lost))


def token_words(tokens: Tokens) -> str:
    """What the call has cost in tokens, in a line."""
    heard = f"in {tokens.input_text + tokens.input_audio + tokens.input_image}"
    heard += f" ({tokens.input_text} text, {tokens.input_audio} audio, {tokens.input_cached} cached)"
    said = f"out {tokens.output_text + tokens.output_audio}"
    said += f" ({tokens.output_text} text, {tokens.output_audio} audio)"
    extra = [f"transcription {tokens.transcription}"] if tokens.transcription else []
    extra += [f"transcription {tokens.transcription_s:.0f} s"] if tokens.transcription_s else []
    return " · ".join([heard, said, *extra])


def cost_words(cost: Cost) -> str:
    """What the call has cost in money, in a line."""
    words = f"{cost.priced_usd:.4f} USD"
    if cost.usd is None:
        words = (
            f"at least {words}, and what has no known price" if cost.priced_usd else "no price of this model is known"
        )
    return words + (f" · {cost.unreported} answers were not reported" if cost.unreported else "")


@dataclass(frozen=True)
class Line:
    """Who said what, as it was heard, and whether it was cut short."""

    who: str
    words: str
    cut: bool = False


def lines(call: Call) -> list[Line]:
    """The conversation as it was heard, a line for each item."""
    cut = {caption.item_id for caption in call.transcript if caption.state is CaptionState.CUT}
    return [_line(item, item.id in cut) for item in call.history]


def _line(item: Item, cut: bool) -> Line:
    match item:
        case UserMessage() | AssistantMessage() | SystemMessage():
            who = {"user": "you", "assistant": "agent", "system": "system"}[item.role]
            return Line(who, "".join(map(_words, item.content)).strip(), cut)
        case FunctionCall():
            return Line("call", f"{item.name}({item.arguments})")
        case FunctionCallOutput():
            return Line("result", item.output)
        case _:
            return Line(item.type, "")


def print_end(terminal: Terminal, call: Call) -> None:
    """What is to be said after a call."""
    terminal.line()
    terminal.row("tokens", token_words(call.tokens), Ink.QUIET)
    terminal.row("cost", cost_words(call.cost), Ink.QUIET)
    terminal.row("history", "as it was heard:", Ink.QUIET)
    for line in lines(call):
        ending = " — and no more was heard" if line.cut else ""
        terminal.row(line.who, f"{line.words or '(no words)'}{ending}", Ink.CUT if line.cut else Ink.PLAIN)


def as_json(call: Call, link: Link, place: dict[str, Json]) -> dict[str, Json]:
    """The same for machines."""
    timings = call.timings
    turns: list[Json] = [{"answer_ms": turn.answer_ms, "barge_in_ms": turn.barge_in_ms} for turn in timings.turns]
    return {
        **place,
        "signalling_ms": timings.signalling_ms,
        "connect_ms": timings.connect_ms,
        "turns": turns,
        "link": {**asdict(link), "loss_ratio": loss_ratio(link)},
        "tokens": {**asdict(call.tokens), "total": call.tokens.total},
        "cost": {
            "usd": call.cost.usd,
            "unreported": call.cost.unreported,
            "turns": [{"item_id": turn.item_id, "usd": turn.usd} for turn in call.cost.turns],
        },
        "history": [{"who": line.who, "words": line.words, "cut": line.cut} for line in lines(call)],
    }


def _words(part: InputText | InputAudio | object) -> str:
    match part:
        case InputText(text=text) | OutputText(text=text):
            return text
        case InputAudio(transcript=str() as words) | OutputAudio(transcript=str() as words):
            return words
        case _:
            return ""
