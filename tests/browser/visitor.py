"""Somebody with a browser: Chromium whose microphone plays a file, and what can be seen on the page in it."""

import asyncio
import shutil
from base64 import b64encode
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from playwright.async_api import BrowserContext, ConsoleMessage, Error, Page, Request, Route, async_playwright

FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)
GRANTED: Final = "--use-fake-ui-for-media-stream"
"""Every question for the microphone is answered yes."""
PRETENDED: Final = "--use-fake-device-for-media-stream"
"""The machine has a microphone, whatever it really has."""

MICROPHONE: Final = Path(__file__).with_name("microphone.js")

Event = dict[str, object]
"""An event of the protocol as JSON has it."""


@dataclass
class Visitor:
    """A page as somebody sees it.

    `complaints` holds what went to the console as an error and what was asked of other servers: a good visit has none.
    """

    page: Page
    complaints: list[str] = field(default_factory=list[str])

    async def until(self, condition: str, within_s: float = 15.0) -> None:
        """Wait until a JavaScript expression is true.

        Raises:
            AssertionError: it was not in time; says what was to be seen instead.
        """
        # A promise inside the page, since Playwright's own waiting needs `eval`, which the page's policy forbids.
        look = f"(done) => {{ const look = () => (({condition}) ? done() : setTimeout(look, 15)); look(); }}"
        try:
            async with asyncio.timeout(within_s):
                await self.page.evaluate(f"() => new Promise({look})")
        except TimeoutError:
            raise AssertionError(f"not within {within_s} s: {condition}; seen: {await self.seen()}") from None

    async def seen(self) -> str:
        """Everything a reader sees, for messages."""
        return " | ".join((await self.page.inner_text("body")).split("\n"))

    async def text(self, selector: str) -> str:
        """The visible words of one element."""
        return await self.page.inner_text(selector)

    async def say(self, samples: npt.NDArray[np.int16]) -> None:
        """Speak into a microphone in hand, 48 kHz mono. Returns at once."""
        await self.page.evaluate("(samples) => speakInto(samples)", b64encode(samples.astype("<i2").tobytes()).decode())

    async def call(self) -> None:
        """Press the button and wait until the call stands."""
        await self.page.click("#call")
        await self.until("vivavoce.call?.state === 'connected'")

    def hear_complaint(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def see_request(self, request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "blob:", "data:")):
            self.complaints.append(f"asked {request.url}")


def find_chromium() -> str:
    """Where Chromium is on this machine."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert found is not None, "no Chromium on this machine: ./dev setup gets one or says how"
    return found


@asynccontextmanager
async def visit(
    address: str,
    *,
    microphone: Path | Literal["in hand"] | None = None,
    flags: Sequence[str] = (GRANTED, PRETENDED),
    width: int = 1100,
    scheme: Literal["light", "dark"] = "light",
) -> AsyncGenerator[Visitor]:
    """Open an address.

    Args:
        address: what to open.
        microphone: a WAV file, 48 kHz mono, that is heard over and over from the moment of the call; or one that is
            spoken into with `Visitor.say`, for words whose moment depends on what the other side does.
        flags: what the browser is told beyond `FLAGS`.
        width: of the window, in pixels.
        scheme: what the visitor prefers.
    """
    spoken = (f"--use-file-for-fake-audio-capture={microphone}",) if isinstance(microphone, Path) else ()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=[*FLAGS, *flags, *spoken])
        context = await browser.new_context(viewport={"width": width, "height": 760}, color_scheme=scheme)
        if microphone == "in hand":
            await context.add_init_script(path=MICROPHONE)
        page = await context.new_page()
        visitor = Visitor(page)
        page.on("console", visitor.hear_complaint)
        page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        page.on("request", visitor.see_request)
        try:
            await page.goto(address)
            yield visitor
        finally:
            await browser.close()


@dataclass
class Peer:
    """The other side of a visitor's call: WebRTC in a second page, and whatever events a test makes it say."""

    page: Page
    calls: int = 0
    keeps: bool = False
    """Whether it keeps the session of a lost connection and answers pings."""
    read: str | None = None
    """The last event that it says it has read, on a return."""
    refusals: list[int] = field(default_factory=list[int])
    """Statuses that the next requests to come back are refused with."""
    returns: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    """The headers of the requests to come back."""
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is clear, an offer waits for its answer."""
    secrets: list[Event] = field(default_factory=list[Event])
    """The bodies of the requests for a client secret."""

    async def vanish(self) -> None:
        """Go without a word, as a network does; whoever calls from now on is answered from another page."""
        gone, self.page = self.page, await other_side(self.page.context)
        with suppress(Error):
            await gone.goto("chrome://crash")

    async def say(self, *events: Event) -> None:
        await self.page.evaluate("(events) => peer.say(events)", list(events))

    async def sound(self, level: float) -> None:
        """Play a tone of this level, 0 to 1, from now on."""
        await self.page.evaluate("(level) => peer.sound(level)", level)

    async def until(self, condition: str, within_s: float = 15.0) -> None:
        """Wait until an expression is true here, where `peer` is this side."""
        await Visitor(self.page).until(condition, within_s)

    async def received(self) -> list[Event]:
        """The events that came since this was asked last."""
        return await self.page.evaluate("() => peer.received.splice(0)")

    async def answer(self, route: Route) -> None:
        if route.request.method == "OPTIONS":
            await route.fulfill(status=204)  # no relays
            return
        if route.request.url.endswith("/resume"):
            self.returns.append(await route.request.all_headers())
            if self.refusals:
                await route.fulfill(status=self.refusals.pop(0), json={})
                return
        self.calls += 1
        place = f"/v1/realtime/calls/rtc_{self.calls}"
        await self.hold.wait()
        answer = await self.page.evaluate("(offer) => peer.answer(offer)", route.request.post_data)
        headers = {"Location": place}
        if self.keeps:
            headers |= {"Viva-Heartbeat": "ping", "Viva-Resume": f"token_{self.calls}; max-age=60"}
        if self.read is not None:
            headers["Viva-Last-Event"] = self.read
        try:
            await route.fulfill(status=201, content_type="application/sdp", headers=headers, body=answer)
        except Error as error:
            if "Route" not in str(error) and "closed" not in str(error):
                raise  # anything but a caller who is gone by now

    async def mint(self, route: Route) -> None:
        self.secrets.append(route.request.post_data_json or {})
        await route.fulfill(json={"value": "ek_scripted", "expires_at": 1, "session": {}})


async def other_side(context: BrowserContext) -> Page:
    """A page of its own that can answer calls."""
    page = await context.new_page()
    await page.evaluate((Path(__file__).with_name("peer.js")).read_text(encoding="utf-8"))
    return page


async def answered(visitor: Visitor) -> Peer:
    """Have the visitor's calls answered by a peer that a test can script."""
    peer = Peer(await other_side(visitor.page.context))
    await visitor.page.bring_to_front()
    peer.hold.set()
    await visitor.page.route("**/v1/realtime/client_secrets", peer.mint)
    await visitor.page.route("**/v1/realtime/calls", peer.answer)
    await visitor.page.route("**/v1/realtime/calls/*/resume", peer.answer)
    return peer
