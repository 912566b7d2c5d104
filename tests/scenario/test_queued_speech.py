"""The user's sound over WebRTC through a change of connection: what was given ahead of time is said in full.

A microphone's sound is of its moment: what it says while nothing carries it is gone, and nothing comes late for it.
"""

import numpy as np
import pytest

from tests.scenario.coming_back import Stage, play
from tests.scenario.test_coming_back import back
from tests.scenario.test_same_session import KEEPS_S, pong, talk_on
from tests.unit.client.far import FarEnd
from vivavoce.audio.frame import RATE_HZ, Pcm
from vivavoce.client.pulse import PING_S
from vivavoce.client.state import Connected, Disrupted, Kept, Restoring
from vivavoce.errors import Fault, Never, RefusedError
from vivavoce.transport.interface import Link
from vivavoce.transport.playback import FRAME

TENTH: Pcm = np.zeros(RATE_HZ // 10, np.int16)
REPEATED = round((PING_S + 0.2) * RATE_HZ)
"""What was said since the server was last heard of may be said again; it is looked ten times a second."""


def recording(seconds: int = 4) -> Pcm:
    """Sound of which each third of a millisecond is another, and none is silent."""
    return (np.arange(seconds * RATE_HZ) // 8 + 1).astype(np.int16)


def heard(far: FarEnd) -> Pcm:
    """What has arrived, but for the silence around it."""
    samples = np.concatenate([TENTH, *far.heard])
    return np.trim_zeros(samples)


async def pass_time(stage: Stage, number: int, tenths: int, *, answers: bool = True) -> None:
    """Let a connection say what it was given, in real time; the server answers pings."""
    near, far = stage.exchange.near[number - 1], stage.exchange.far[number - 1]
    for _ in range(tenths):
        near.advance(len(TENTH))
        await stage.wait(0.1)
        while not far.silent:
            message = await far.raw()
            if answers and message["type"] == "connection.ping":
                pong(far, message)


async def fall_silent(stage: Stage) -> Pcm:
    """The network dies, and is missed; what the server had heard by then."""
    before = heard(stage.exchange.far[0])
    while not any(isinstance(state, Disrupted | Restoring) for state in stage.states):
        await pass_time(stage, 1, 1, answers=False)
    return before


def rest(said: Pcm, before: Pcm, after: Pcm) -> None:
    """Together they are all that was said, in order, and hardly anything is there twice."""
    assert 0 <= len(before) + len(after) - len(said) <= REPEATED
    assert np.array_equal(before, said[: len(before)])
    assert np.array_equal(after, said[len(said) - len(after) :])


def test_a_recording_is_said_to_its_end_over_the_next_connection() -> None:
    async def act(stage: Stage) -> None:
        await stage.call.send_audio(recording())
        await pass_time(stage, 1, 12)
        before = await fall_silent(stage)
        second = await stage.exchange.next(2, greets=False)
        assert (await back(stage)).complete
        assert stage.call.unsent_ms > 2500
        await pass_time(stage, 2, 40)
        assert stage.call.unsent_ms == 0
        rest(recording(), before, heard(second))

    play(act, keeps_s=KEEPS_S)


def test_it_goes_on_where_it_was_when_the_old_connection_comes_back() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.network.clear()
        first = stage.exchange.far[0]
        await stage.call.send_audio(recording())
        await pass_time(stage, 1, 12)
        before = await fall_silent(stage)
        await pass_time(stage, 1, 10, answers=False)
        first.heard.clear()
        first.tell('{"type":"response.created","event_id":"e1","response":{"id":"r1","conversation_id":"c"}}')
        await stage.call.until(lambda call: isinstance(call.state, Connected))
        await pass_time(stage, 1, 40)
        rest(recording(), before, heard(first))

    play(act, keeps_s=KEEPS_S)


def test_what_is_given_ahead_of_time_while_nothing_carries_it_follows_in_order() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.network.clear()
        stage.exchange.far[0].transport.vanish()
        await stage.call.until(lambda call: isinstance(call.state, Restoring))
        for piece in np.split(recording(), 200):
            await stage.call.send_audio(piece)
        await stage.wait(20.0)
        assert stage.call.unsent_ms == 4000
        stage.exchange.network.set()
        second = await stage.exchange.next(2, greets=False)
        assert (await back(stage)).complete
        await pass_time(stage, 2, 45)
        rest(recording(), recording()[:0], heard(second))

    play(act, keeps_s=KEEPS_S)


def test_a_microphone_does_not_lag_behind_after_an_outage() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.network.clear()
        loud = np.full(FRAME, 1000, np.int16)
        for tenth in range(80):
            for _ in range(5):
                await stage.call.send_audio(loud)
            await pass_time(stage, 1, 1, answers=tenth < 20)
        assert not isinstance(stage.call.state, Connected)
        stage.exchange.network.set()
        await stage.exchange.next(2, greets=False)
        await back(stage)
        assert stage.call.unsent_ms == 0

    play(act, keeps_s=KEEPS_S)


def test_who_is_muted_meanwhile_says_nothing_afterwards() -> None:
    async def act(stage: Stage) -> None:
        await stage.call.send_audio(recording())
        await talk_on(stage, stage.exchange.far[0])
        stage.call.mute()
        assert stage.call.unsent_ms == 0
        await stage.exchange.next(2, greets=False)
        await back(stage)
        stage.call.unmute()
        assert stage.call.unsent_ms == 0

    play(act, keeps_s=KEEPS_S)


def test_a_new_session_is_said_what_was_not_said_yet() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.refusals.append(RefusedError("Gone.", status=404, fault=Fault.CALLER, next=Never()))
        await stage.call.send_audio(recording())
        await pass_time(stage, 1, 12)
        before = await fall_silent(stage)
        second = await stage.exchange.next(2)
        restored = await back(stage)
        assert (restored.session, restored.complete) == (Kept.NEW, False), "its beginning is in the one before"
        await pass_time(stage, 2, 40)
        rest(recording(), before, heard(second))

    play(act, keeps_s=KEEPS_S)


def test_a_mere_suspicion_holds_nothing_up() -> None:
    """A server without pings may just have nothing to say."""

    async def act(stage: Stage) -> None:
        first = stage.exchange.far[0]
        ends = stage.now + 6.0
        stage.exchange.figures = lambda now: Link(
            packets_received=int(50 * min(now, ends)), checks_answered=int(now / 2.5)
        )
        await stage.call.send_audio(recording(10))
        for _ in range(120):
            await pass_time(stage, 1, 1)
        assert any(isinstance(state, Disrupted) for state in stage.states)
        assert np.array_equal(heard(first), recording(10))

    play(act)


@pytest.mark.parametrize("given", [0.2, 4.0])
def test_a_session_that_replaces_another_is_said_the_rest(given: float) -> None:
    """The provider's time limit: nothing was lost, and so nothing is."""

    async def act(stage: Stage) -> None:
        await stage.wait(1.0)
        said = recording()[: round(given * RATE_HZ)]
        await stage.call.send_audio(said)
        second = await stage.exchange.next(2)
        await stage.call.until(lambda call: isinstance(call.state, Connected) and call.state.restored is not None)
        await pass_time(stage, 2, 50)
        assert np.array_equal(heard(second), said)

    play(act, lifetime_s=30.0)
