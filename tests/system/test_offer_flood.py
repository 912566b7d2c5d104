"""Thousands of spoiled offers while a call runs, which does not notice.

In the everyday proof the server says how long its loop was away for the longest of them, in CPU time, which is the
same however busy the machine is. In the long one a listener's own jitter buffer tells how well the call is heard: the
share of sound that it had to invent because none had come, compared with the same call without the flood.
"""

import asyncio
import gc
import logging
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, repeat
from pathlib import Path
from random import Random
from typing import Final

import httpx2
import pytest
from openai.types.realtime import RealtimeErrorEvent

from fuzz.mutation import Mutator
from tests.architecture.source import ROOT
from tests.system.caller import Caller, calling, raw_offer
from tests.system.test_blocking import BOUND_S, watched
from tests.system.watched import OFTEN, SPEAKER, TALK
from tests.viva import Viva, engines, scripted_server
from vivavoce.audio.frame import RATE_HZ
from vivavoce.gateway.settings import Limits, Settings

SEED: Final = 20_261_128
QUIET: Final = 3 * RATE_HZ
AT_ONCE: Final = 4
WORSE: Final = 0.05
"""Share of sound that may be missing in addition: an overloaded machine loses some of its own accord."""
FEW: Final = 3
"""Connections and threads that happen to be open when one looks."""
GROWTH_MB: Final = 16.0
"""Two kilobytes an offer."""
WORDS: Final = (b"a=candidate:", b"a=fmtp:111 stereo=1", b"m=audio 0 X 0", b"typ host", b"a=mid:", b"1.2.3.4")


def spoiled() -> Iterator[bytes]:
    """Offers of four programs, each spoiled in another way; sometimes with only a few of its bytes left."""
    seeds = [path.read_bytes() for path in sorted(Path(ROOT / "fuzz" / "offers").glob("*.sdp"))]
    mutator, chance = Mutator(SEED, WORDS), Random(SEED)
    while True:
        yield mutator.spoil(seeds, chance.choice((100, 2_000, 60_000, 80_000)))


class Ear:
    """How much of what a caller hears was invented, from one look to the next."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._invented = 0.0
        self.heard = 0

    async def missing(self) -> float:
        """The share since the last look."""
        heard = sum(map(len, self._caller.heard))
        invented = ((await self._caller.transport.link()).concealed_ratio or 0.0) * heard
        # The ratio counts sound that is not in `heard` yet: just after a rough beginning it overstates.
        share = max(0.0, invented - self._invented) / max(1, heard - self.heard)
        self._invented, self.heard = invented, heard
        return share


async def flood(viva: Viva, number: int) -> Counter[int]:
    """Send so many offers, and hang up what they start; the statuses of the replies."""
    offers = islice(spoiled(), number)
    replies: Counter[int] = Counter()

    async def send(http: httpx2.AsyncClient) -> None:
        for offer in offers:
            reply = await http.post(
                f"{viva.url}/v1/realtime/calls",
                content=offer,
                headers={**viva.bearer, "Content-Type": "application/sdp"},
                timeout=30,
            )
            replies[reply.status_code] += 1
            if reply.status_code == 201:
                ended = await http.post(f"{viva.url}{reply.headers['location']}/hangup", headers=viva.bearer)
                assert ended.status_code == 200
            else:
                assert reply.json()["error"].keys() == {"message", "type", "param", "code"}

    async with httpx2.AsyncClient() as http, asyncio.TaskGroup() as senders:
        for _ in range(AT_ONCE):
            senders.create_task(send(http))
    return replies


def told_apart(replies: Counter[int], number: int) -> None:
    """Each offer was answered: some were good enough, the others were refused as the caller's own mistake."""
    assert replies.total() == number
    assert all(status == 201 or 400 <= status < 500 for status in replies), replies
    assert replies[201] > 0
    assert replies[400] > 0


@dataclass(frozen=True)
class Held:
    """What the process holds."""

    files: int
    threads: int
    resident_mb: float

    @classmethod
    def now(cls, viva: Viva) -> "Held":
        """As the system counts it."""
        gc.collect()
        pages = int(Path(f"/proc/{viva.pid}/statm").read_text().split()[1])
        return cls(viva.files, viva.threads, pages * os.sysconf("SC_PAGE_SIZE") / 2**20)


async def survive(*numbers: int) -> list[Held]:
    """So many offers, wave after wave, into one server with one call; what it holds after each wave."""
    script = engines(thought=repeat(TALK), speaker=SPEAKER)
    settings = Settings(limits=Limits(calls_per_minute=OFTEN))
    held: list[Held] = []
    async with (
        scripted_server(script, gateway=settings) as viva,
        httpx2.AsyncClient() as http,
        calling(raw_offer(viva, http)) as caller,
    ):
        caller.send({"type": "response.create"})
        await caller.until_loud()
        ear = Ear(caller)
        await ear.missing()
        await caller.until_heard(ear.heard + QUIET)
        undisturbed = await ear.missing()
        for number in numbers:
            replies = await flood(viva, number)
            flooded = await ear.missing()
            told_apart(replies, number)
            assert flooded <= undisturbed + WORSE
            await viva.until_calls(1)
            held.append(Held.now(viva))
        assert not any(isinstance(event, RealtimeErrorEvent) for event in caller.events)
        assert caller.closed is None
    return held


@pytest.mark.realtime
async def test_a_call_does_not_notice_some_hundred_spoiled_offers() -> None:
    async with (
        watched() as server,
        httpx2.AsyncClient() as http,
        calling(raw_offer(server.viva, http)) as caller,
    ):
        caller.send({"type": "response.create"})
        await caller.until_loud()
        await server.worst_s()
        replies = await flood(server.viva, 300)
        assert await server.worst_s() <= BOUND_S
        told_apart(replies, 300)
        await server.viva.until_calls(1)
        caller.heard.clear()
        await caller.until_loud()
        assert not any(isinstance(event, RealtimeErrorEvent) for event in caller.events)
        assert caller.closed is None


@pytest.fixture
def quiet_log() -> Iterator[None]:
    """The test runner would keep a record of each of ten thousand requests."""
    logging.disable(logging.INFO)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("quiet_log")
async def test_a_call_does_not_notice_ten_thousand_spoiled_offers_and_nothing_of_them_stays() -> None:
    before, after = await survive(2_000, 8_000)
    assert after.files <= before.files + FEW
    assert after.threads <= before.threads + FEW
    assert after.resident_mb - before.resident_mb < GROWTH_MB
