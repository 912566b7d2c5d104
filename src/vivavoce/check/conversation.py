"""A whole call by the client: sound there and back, steadiness, coming back after a loss, and nothing left behind."""

import asyncio
import wave
from asyncio import TaskGroup
from dataclasses import dataclass
from importlib.resources import files
from statistics import median
from typing import Final

import numpy as np
from msgspec import UnsetType

from vivavoce.assembly import dialling, session_config
from vivavoce.audio.frame import RATE_HZ, Pcm, from_bytes, sample_count, silence
from vivavoce.audio.meter import Meter
from vivavoce.audio.resampler import Resampler
from vivavoce.check.case import Case
from vivavoce.check.remains import look
from vivavoce.check.verdict import Cause, Failed, Figure, Passed, Poor, Skipped, Verdict
from vivavoce.check.wire import Wired
from vivavoce.client.call import Call
from vivavoce.client.endpoint import endpoint
from vivavoce.client.line import MediaLine, SocketLine
from vivavoce.client.plan import Plan
from vivavoce.client.quality import Snapshot
from vivavoce.client.secret import Credential
from vivavoce.client.state import Connected, Disrupted, Restored, Restoring, State
from vivavoce.client.tariff import price_list
from vivavoce.clock import Clock
from vivavoce.errors import ConfigError
from vivavoce.session.caption import Role
from vivavoce.session.peer import Activity
from vivavoce.session.price import response_cost
from vivavoce.session.tokens import Tokens
from vivavoce.transport.interface import Offering
from vivavoce.wire.config import StatusDetails
from vivavoce.wire.event import Error, ResponseDone
from vivavoce.wire.item import AssistantMessage

PHRASE: Final = "what is twelve times seven"
"""What is said in `question.wav`, by espeak-ng's Klatt voice."""
SESSION: Final[dict[str, object]] = {
    "instructions": "Answer in one short sentence.",
    "audio": {"input": {"transcription": {"model": "gpt-4o-mini-transcribe"}}},
}
USUAL: Final = Tokens(input_text=150, input_audio=20, output_text=30, output_audio=100)
"""What a phrase of two seconds and an answer of five use, at OpenAI's ten tokens a second in and twenty out."""
ANSWER_MS: Final = 500.0
"""People begin to talk over a pause that is longer."""
PIECE: Final = sample_count(20)
SILENT_DB: Final = -60.0
LOSS: Final = 0.05
"""More than this share of packets lost is heard."""
ROUND_TRIP_MS: Final = 300.0
LOOK_S: Final = 0.25
RETURN_S: Final = 15.0
RETURN_SOON_S: Final = 10.0
"""Longer than that nobody stays on a silent line."""
SETTLE_S: Final = 2.0
"""Threads of the engine and sockets may need as long to go."""
SETTLE_LOOKS: Final = 100


def estimate_usd(base_url: str, model: str) -> float | None:
    """Roughly what the phrase and its answer will cost; None where no price is known, and before a URL is read."""
    try:
        host = endpoint(base_url).base.hostname or ""
    except ConfigError:
        return None
    return response_cost(USUAL, price_list().at(host).get(model))


async def place_call(case: Case) -> Verdict:
    """Whether the client makes a call of it, with the config of a conversation."""
    case.before = look()
    case.opened.push_async_callback(case.talking.aclose)
    config = session_config({**SESSION, **case.order.session}, case.order.model, case.place)
    timeout_s = 2 * case.order.patience_s
    if case.way == "webrtc":
        make = await case.offerings()

        def offering(_: Credential) -> Offering:
            return Wired(make(), case.wires)

        line = MediaLine(case.place, case.source, offering, timeout_s=timeout_s)
    else:
        line = SocketLine(case.place, case.source, dialling(case.place), timeout_s=timeout_s)
    plan = Plan(line, config, case.clock, connect_s=timeout_s, on_state=case.states.append)
    case.call = call = await case.talking.enter_async_context(Call(plan))
    took_ms = call.timings.connect_ms or 0.0
    return Passed(f"connected by {case.way} in {took_ms:.0f} ms", {"by": case.way, "connect_ms": round(took_ms, 1)})


# ── sound ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Heard:
    """What came of a phrase that was said. `peak_db` is that of the answer's sound."""

    transcript: str
    replied: bool
    complaint: str | None
    answer_ms: float | None
    peak_db: float


async def speak(case: Case) -> Verdict:
    """Say a known phrase, and hear the answer."""
    if not case.order.talk:
        return Skipped("--no-talk")
    call, meter = case.call, Meter()
    complaints: list[str] = []
    async with TaskGroup() as tasks:
        helping = [
            tasks.create_task(_say(call, await asyncio.to_thread(phrase), case.clock)),
            tasks.create_task(_listen(call, meter)),
            tasks.create_task(_read(call, complaints)),
        ]
        try:
            await call.until(lambda call: bool(complaints) or _answered(call), 3 * case.order.patience_s)
        except TimeoutError:
            pass
        finally:
            for each in helping:
                each.cancel()
    words = " ".join(each.text for each in call.transcript if each.role is Role.USER).strip()
    answers = [turn.answer_ms for turn in call.timings.turns if turn.answer_ms is not None]
    complaint = complaints[0] if complaints else None
    heard = Heard(words, _replied(call), complaint, answers[0] if answers else None, meter.read().peak_db)
    return judge_sound(heard, {"usd": call.cost.usd, "tokens": call.tokens.total})


def judge_sound(heard: Heard, cost: dict[str, Figure]) -> Verdict:
    """What it means that a phrase came to this."""
    figures: dict[str, Figure] = {
        "transcript": heard.transcript,
        "answer_ms": None if heard.answer_ms is None else round(heard.answer_ms, 1),
        "peak_db": round(heard.peak_db, 1),
        **cost,
    }
    expected = f"The phrase “{PHRASE}” to be understood, and an answer that is heard."
    if heard.complaint is not None:
        remedy = "See what it says: the account, the model or the config."
        return Failed(Cause.REFUSED, f"The server says: {heard.complaint}", expected, remedy, figures)
    if not heard.replied:
        found = "The server gave no answer" + (
            f" to “{heard.transcript}”." if heard.transcript else ": it heard nobody."
        )
        remedy = (
            "Its model hangs: look at the server's log."
            if heard.transcript
            else "Does sound reach it? Look at its codecs, its turn detection and its log."
        )
        return Failed(Cause.UNANSWERED, found, expected, remedy, figures)
    if heard.peak_db <= SILENT_DB:
        remedy = "The server answers without a voice: look at its speech engine, and at output_modalities."
        return Failed(
            Cause.UNANSWERED, "The server answered, and not a sound of it was heard.", expected, remedy, figures
        )
    late = heard.answer_ms is not None and heard.answer_ms > ANSWER_MS
    words = f"understood “{heard.transcript}”, " if heard.transcript else ""
    took = "" if heard.answer_ms is None else f" after {heard.answer_ms:.0f} ms"
    if late:
        remedy = "A quicker model, a shorter silence_duration_ms in turn_detection, or a server nearer by."
        return Poor(f"The answer came{took}.", f"{ANSWER_MS:.0f} ms at most.", remedy, figures)
    usd = cost.get("usd")
    money = f", {usd:.4f} USD" if isinstance(usd, float) and usd > 0 else ""
    return Passed(f"{words}answered{took}, {heard.peak_db:.0f} dB{money}", figures)


def phrase() -> Pcm:
    """What is said, at 24 kHz."""
    with files("vivavoce.check").joinpath("question.wav").open("rb") as opened, wave.open(opened) as file:
        resampler = Resampler(file.getframerate(), RATE_HZ)
        samples = from_bytes(file.readframes(file.getnframes()))
    return np.concatenate([resampler.push(samples), resampler.flush()])


async def _say(call: Call, samples: Pcm, clock: Clock) -> None:
    """Say it in real time, and go on being silent, as a microphone does."""
    due = clock.now()
    while True:
        piece, samples = samples[:PIECE], samples[PIECE:]
        await call.send_audio(piece if len(piece) == PIECE else np.concatenate([piece, silence(PIECE - len(piece))]))
        due += PIECE / RATE_HZ
        await asyncio.sleep(max(0.0, due - clock.now()))


async def _listen(call: Call, meter: Meter) -> None:
    async for samples in call.audio():
        meter.push(samples)


async def _read(call: Call, complaints: list[str]) -> None:
    async for event in call:
        match event:
            case Error(error=error):
                complaints.append(error.message)
            case ResponseDone(response=response) if response.status == "failed":
                complaints.append(_why(response.status_details))
            case _:
                pass


def _why(details: StatusDetails | None | UnsetType) -> str:
    error = details.error if isinstance(details, StatusDetails) else None
    message = getattr(error, "message", None)
    return message if isinstance(message, str) else "an answer failed"


def _replied(call: Call) -> bool:
    return any(isinstance(item, AssistantMessage) for item in call.history)


def _answered(call: Call) -> bool:
    return _replied(call) and call.activity is Activity.IDLE


# ── steadiness, loss and end ────────────────────────────────────────────────────────────────────────────


async def watch(case: Case) -> Verdict:
    """Whether the connection stays as it is for a while."""
    states = len(case.states)
    snapshots: list[Snapshot] = []
    ends = case.clock.now() + case.order.steady_s
    async for snapshot in case.call.stats(min(LOOK_S, case.order.steady_s / 2)):
        snapshots.append(snapshot)
        if case.clock.now() >= ends:
            break
    return judge_steadiness(snapshots, case.states[states:], case.order.steady_s)


def judge_steadiness(snapshots: list[Snapshot], states: list[State], seconds: float) -> Verdict:
    """What the figures of a while, and the states that were entered meanwhile, come to."""
    trips = [each.link.round_trip_ms for each in snapshots if each.link.round_trip_ms is not None]
    jitters = [each.link.jitter_ms for each in snapshots if each.link.jitter_ms is not None]
    losses = [each.loss_ratio for each in snapshots if each.loss_ratio is not None]
    loss = sum(losses) / len(losses) if losses else None
    figures: dict[str, Figure] = {
        "seconds": seconds,
        "round_trip_ms": round(median(trips), 1) if trips else None,
        "worst_round_trip_ms": round(max(trips), 1) if trips else None,
        "jitter_ms": round(max(jitters), 1) if jitters else None,
        "loss_ratio": loss,
    }
    broken = next((each for each in states if isinstance(each, Disrupted | Restoring)), None)
    if broken is not None or not snapshots:
        found = f"Within {seconds:g} s the connection fell silent."
        remedy = "Something between drops packets or forgets connections: a full uplink, Wi-Fi at its edge, a NAT."
        return Failed(Cause.LOST, found, "A connection that stays.", remedy, figures)
    if (loss is not None and loss > LOSS) or (trips and median(trips) > ROUND_TRIP_MS):
        found = f"Round trip {median(trips) if trips else 0:.0f} ms, loss {100 * (loss or 0):.0f} %."
        expected = f"{ROUND_TRIP_MS:.0f} ms and {100 * LOSS:.0f} % at most."
        return Poor(found, expected, "A better network (a cable), or a server or relay nearer by.", figures)
    words = [f"{seconds:g} s"]
    words += [f"round trip {median(trips):.1f} ms, {max(trips):.1f} at worst"] if trips else []
    words += [f"loss {100 * loss:.1f} %"] if loss is not None else []
    return Passed(", ".join(words), figures)


async def come_back(case: Case) -> Verdict:
    """Whether the call comes back when its connection dies without a word, as when the network changes."""
    if not case.order.cut:
        return Skipped("--no-cut")
    if not case.wires:
        return Skipped("only calls over WebRTC are cut")
    call, states = case.call, len(case.states)
    items = len(call.history)
    case.wires[-1].cut()
    began = case.clock.now()
    try:
        await call.until(lambda call: isinstance(call.state, Connected) and call.state.restored is not None, RETURN_S)
    except TimeoutError:
        found = f"The call had not come back {RETURN_S:.0f} s after its connection died."
        remedy = "Does the server take another call so soon? Look at its limits and its log."
        return Failed(Cause.LOST, found, "A call that comes back by itself.", remedy)
    took_s = case.clock.now() - began
    noticed = next((each for each in case.states[states:] if isinstance(each, Disrupted | Restoring)), None)
    noticed_s = None if noticed is None else max(0.0, noticed.since - began)
    restored = call.state.restored if isinstance(call.state, Connected) else None
    assert restored is not None, "what was waited for"
    return judge_return(restored, took_s, noticed_s, kept=len(call.history) >= items)


def judge_return(restored: Restored, took_s: float, noticed_s: float | None, *, kept: bool) -> Verdict:
    """What it means that a call came back so."""
    figures: dict[str, Figure] = {
        "took_s": round(took_s, 2),
        "silent_since_s": None if noticed_s is None else round(noticed_s, 2),
        "session": restored.session.value,
        "complete": restored.complete,
    }
    if not kept:
        remedy = "This is a fault of the client: report it, with `viva talk --dump`."
        return Failed(Cause.OURS, "The call came back without its conversation.", "All of it.", remedy, figures)
    if took_s > RETURN_SOON_S:
        found = f"The call came back after {took_s:.1f} s."
        return Poor(found, f"{RETURN_SOON_S:.0f} s at most.", "The server is slow to take a call: see offer.", figures)
    return Passed(f"back after {took_s:.1f} s, {restored.session.value}, the conversation kept", figures)


async def hang_up(case: Case) -> Verdict:
    """Whether the end of the call leaves anything behind in this process."""
    await case.talking.aclose()
    left: dict[str, int] = {}
    for _ in range(SETTLE_LOOKS):
        left = look().left_since(case.before)
        if not left:
            break
        await asyncio.sleep(SETTLE_S / SETTLE_LOOKS)
    if left:
        found = f"The call is over, and has left {', '.join(f'{number} {kind}' for kind, number in left.items())}."
        remedy = "This is a fault of the client: report it, with these figures."
        return Failed(Cause.OURS, found, "Nothing.", remedy, {"left": left})
    return Passed("nothing is left: no task, no thread, no file", {"left": {}})
