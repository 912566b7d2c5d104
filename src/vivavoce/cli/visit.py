"""One call from a terminal: place it, speak, listen, show it, and say what came of it."""

import asyncio
from asyncio import TaskGroup
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from vivavoce.assembly import Way, connect
from vivavoce.cli.exit_code import Lost
from vivavoce.cli.keys import keys
from vivavoce.cli.mouth import Mouth
from vivavoce.cli.report import Json, as_json, print_end, snapshot_words, turn_words
from vivavoce.cli.script import Script, Step
from vivavoce.cli.terminal import Ink, Terminal
from vivavoce.cli.wav import wav_writer
from vivavoce.client.call import Call
from vivavoce.client.device import Microphone
from vivavoce.client.player import Player
from vivavoce.client.policy import Persistence, Wait
from vivavoce.client.state import (
    Closed,
    Connected,
    Connecting,
    Disrupted,
    Minting,
    Negotiating,
    Restored,
    Restoring,
    State,
)
from vivavoce.clock import SystemClock
from vivavoce.errors import TransportError, VivaError
from vivavoce.session.peer import Activity
from vivavoce.session.price import Price
from vivavoce.session.timing import Turn
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.ice import IceServer
from vivavoce.transport.interface import ClosedBy, Link

BEHIND_MS = 200
"""Sound of the microphone that may wait; more is dropped, or it would stay late for good."""


@dataclass(frozen=True)
class Place:
    """Whom to call, and how. Without a key, one is looked for in the environment."""

    base_url: str | None
    key: Secret | None
    model: str | None
    transport: Way
    session: Mapping[str, object]
    timeout_s: float = 20.0
    return_s: float = 300.0
    dump: str | None = None
    ice_servers: Sequence[IceServer] | Literal["server"] = ()
    relay_only: bool = False
    proxy: str | bool = True
    budget: float | None = None
    prices: Mapping[str, Price] | None = None


@dataclass(frozen=True)
class Conduct:
    """What the caller does: performs steps, or lends a microphone for so many turns (0 for ever)."""

    steps: Sequence[Step] = ()
    microphone: Microphone | None = None
    turns: int = 0
    patience_s: float = 30.0
    out: str | None = None
    player: Player | None = None
    stats: bool = False


class Visit:
    """A call and what is shown of it."""

    def __init__(self, terminal: Terminal, place: Place, conduct: Conduct) -> None:
        self._terminal = terminal
        self._place = place
        self._conduct = conduct
        self._link = Link()
        self.call: Call | None = None
        """The call, once it was connected; what it has come to can be read after its end, too."""

    async def make(self) -> None:
        """Place the call and conduct it to its end.

        Raises:
            Lost: it was connected, and broke off.
            VivaError: it could not be made, or an answer did not come.
        """
        place = self._place
        connecting = connect(
            model=place.model,
            base_url=place.base_url,
            api_key=place.key,
            transport=place.transport,
            session=place.session,
            ice_servers=place.ice_servers,
            relay_only=place.relay_only,
            proxy=place.proxy,
            player=self._conduct.player,
            timeout_s=place.timeout_s,
            on_state=self._show_state,
            policy=Persistence(total_s=place.return_s),
            dump=place.dump,
            budget=place.budget,
            prices=place.prices,
        )
        async with connecting as call:
            self.call = call
            await self._show_connected(call)
            try:
                await beside(self._lead(call), self._helpers(call))
                self._link = await call.link()
            except TransportError as error:
                if isinstance(call.state, Closed) and call.state.by is ClosedBy.US:
                    self._terminal.line(f"  ○ {call.state.reason}", Ink.QUIET)
                    return
                raise Lost(error.message, fault=error.fault, next=error.next) from error

    def report(self) -> None:
        """Show what the call has come to, if there was one."""
        if self.call is not None:
            print_end(self._terminal, self.call)

    def summary(self, **more: Json) -> dict[str, Json]:
        """The same for machines; empty if there was no call."""
        return {} if self.call is None else as_json(self.call, self._link, more)

    # ── what the caller does ───────────────────────────────────────────────────────────────────────────

    async def _lead(self, call: Call) -> None:
        if self._conduct.microphone is None:
            mouth = Mouth()
            script = Script(call, mouth, patience_s=self._conduct.patience_s)
            await beside(script.perform(self._conduct.steps), [mouth.speak(call)])
            return
        wanted = self._conduct.turns

        def enough(call: Call) -> bool:
            return 0 < wanted <= len(answered(call)) and call.activity is Activity.IDLE

        with keys(lambda key: self._press(key, call)) as readable:
            if readable:
                self._terminal.line("  m mutes the microphone", Ink.QUIET)
            await beside(call.until(enough), [listen(self._conduct.microphone, call)])

    def _press(self, key: str, call: Call) -> None:
        if key not in ("m", "M"):
            return
        if call.muted:
            call.unmute()
            self._terminal.line("  ● the microphone is on again", Ink.ASSISTANT)
        else:
            call.mute()
            self._terminal.line("  ○ muted: nothing that you say is sent; m again to be heard", Ink.CUT)

    def _helpers(self, call: Call) -> "Sequence[Coroutine[object, object, None]]":
        helpers = [self._show_captions(call), self._show_turns(call), self._ask_link(call)]
        helpers += [self._show_stats(call)] if self._conduct.stats else []
        return [*helpers, record(call, self._conduct.out)] if self._conduct.out else helpers

    # ── what is shown ──────────────────────────────────────────────────────────────────────────────────

    def _show_state(self, state: State) -> None:
        match state:
            case Minting():
                self._terminal.line("  … fetching a client secret", Ink.QUIET)
            case Negotiating():
                self._terminal.line("  … asking the server", Ink.QUIET)
            case Connecting():
                self._terminal.line("  … connecting", Ink.QUIET)
            case Disrupted():
                self._terminal.line("  ○ the server has fallen silent", Ink.QUIET)
            case Restoring(step=Wait(seconds)):
                self._terminal.line(f"  ○ the connection is lost; trying again in {seconds:.1f} s", Ink.QUIET)
            case Restoring():
                self._terminal.line("  ○ the connection is lost; making another", Ink.QUIET)
            case Connected(restored=Restored(complete=complete, gap_s=gap_s)):
                lost = "" if complete else "; not all that was said could be kept"
                self._terminal.line(f"  ● connected again after {gap_s:.1f} s{lost}", Ink.ASSISTANT)
            case _:
                pass

    async def _show_connected(self, call: Call) -> None:
        self._link = await call.link()
        took = call.timings.connect_ms or 0.0
        words = " · ".join([f"connected in {took:.0f} ms", *([self._link.path] if self._link.path else [])])
        self._terminal.line(f"  ● {words}", Ink.ASSISTANT)
        self._terminal.line()

    async def _show_captions(self, call: Call) -> None:
        async for caption in call.captions():
            self._terminal.caption(caption)

    async def _show_turns(self, call: Call) -> None:
        """A line of figures after each answer."""
        shown = 0
        while True:

            def fresh(call: Call, shown: int = shown) -> bool:
                return len(answered(call)) > shown and call.activity is Activity.IDLE

            await call.until(fresh)
            self._link = await call.link()
            turns = answered(call)
            for turn in turns[shown:]:
                self._terminal.row("", turn_words(turn, self._link), Ink.QUIET)
            shown = len(turns)

    async def _show_stats(self, call: Call) -> None:
        async for snapshot in call.stats():
            self._terminal.status(snapshot_words(snapshot))

    async def _ask_link(self, call: Call) -> None:
        """Keep a late reading, for a call that ends without warning."""
        while True:
            await asyncio.sleep(1)
            self._link = await call.link()


def answered(call: Call) -> list[Turn]:
    """Turns that have been answered aloud."""
    return [turn for turn in call.timings.turns if turn.answered_at is not None]


async def listen(microphone: Microphone, call: Call) -> None:
    """Give a microphone's sound to a call."""
    async for samples in microphone:
        if call.unsent_ms < BEHIND_MS:
            await call.send_audio(samples)


async def record(call: Call, path: str) -> None:
    """Write what is heard into a WAV file."""
    with wav_writer(path, SystemClock()) as file:
        async for samples in call.audio():
            file.write(samples)


async def beside(lead: Coroutine[object, object, None], helpers: "Sequence[Coroutine[object, object, None]]") -> None:
    """Run one thing to its end and others as long as it lasts.

    Raises:
        VivaError: the first of them that failed; the others are stopped.
    """
    failure: BaseException | None = None
    try:
        async with TaskGroup() as tasks:
            helping = [tasks.create_task(helper) for helper in helpers]
            await lead
            for task in helping:
                task.cancel()
    except* VivaError as errors:
        failure = first(errors)
    if failure is not None:
        raise failure


def first(group: BaseExceptionGroup[VivaError]) -> BaseException:
    """The first failure of a group that is not itself one."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
