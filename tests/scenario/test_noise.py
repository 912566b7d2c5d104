"""Noise is reduced before anybody listens, and a session never says that it is when it is not."""

from base64 import b64decode
from collections.abc import AsyncGenerator
from typing import Final, Literal, cast

import numpy as np
import pytest

from tests.room import Acoustics, Room, room
from vivavoce.answer.job import Engines
from vivavoce.audio.frame import Pcm, from_bytes, sample_count
from vivavoce.audio.meter import measure
from vivavoce.engine.fake import ScriptedDetector, ScriptedSpeaker, ScriptedThinker, ScriptedTranscriber
from vivavoce.engine.webrtc_noise import WebRtcNoise
from vivavoce.transport.interface import SoundPath

NOISY: Final = Acoustics(echo_db=None, noise_db=-40.0)


@pytest.fixture
async def engines() -> AsyncGenerator[Engines]:
    async with (
        ScriptedDetector() as detector,
        ScriptedTranscriber(["noise"] * 9) as transcriber,
        ScriptedThinker([]) as thinker,
        ScriptedSpeaker() as speaker,
    ):
        yield Engines(detector, transcriber, thinker, speaker)


def reduce(kind: Literal["near_field", "far_field"] | None, **more: object) -> dict[str, object]:
    noise = None if kind is None else {"type": kind} | more
    return {"type": "realtime", "audio": {"input": {"noise_reduction": noise}}}


async def kept(here: Room) -> Pcm:
    """The sound of what is committed now."""
    here.send(type="input_audio_buffer.commit")
    await here.unfold("input_audio_buffer.committed")
    here.send(type="conversation.item.retrieve", item_id=here.all("input_audio_buffer.committed")[-1]["item_id"])
    await here.unfold("conversation.item.retrieved")
    item = cast("dict[str, list[dict[str, str]]]", here.all("conversation.item.retrieved")[-1]["item"])
    return from_bytes(b64decode(item["content"][0]["audio"]))


async def test_what_is_kept_of_a_turn_has_less_noise_from_the_moment_it_is_asked_for(engines: Engines) -> None:
    async with room(engines, SoundPath.TEXT, NOISY, suppressor=WebRtcNoise) as here:
        await here.wait(2.0)
        plain = await kept(here)
        here.send(type="session.update", session=reduce("far_field"))
        await here.unfold("session.updated")
        await here.wait(2.0)
        reduced = await kept(here)
        here.send(type="session.update", session=reduce(None))
        await here.unfold("session.updated")
        await here.wait(2.0)
        again = await kept(here)
    # Not a sample is lost on the way, however often it is switched.
    assert [len(sound) for sound in (plain, reduced, again)] == [sample_count(2000)] * 3
    last = slice(sample_count(1000), sample_count(1950))
    assert abs(measure(plain[last]).rms_db - NOISY.noise_db) < 0.5
    assert measure(reduced[last]).rms_db < NOISY.noise_db - 18
    assert abs(measure(again[last]).rms_db - NOISY.noise_db) < 0.5
    assert int(np.abs(reduced.astype(int)).max()) <= int(np.abs(plain.astype(int)).max()) * 1.2


async def test_a_strength_that_is_not_given_again_stays(engines: Engines) -> None:
    async with room(engines, SoundPath.TEXT, NOISY, suppressor=WebRtcNoise) as here:
        for session in (reduce("near_field", strength=0.25), reduce("far_field")):
            here.send(type="session.update", session=session)
            await here.unfold("session.updated")
    (_, updated) = here.all("session.updated")
    session = updated["session"]
    assert isinstance(session, dict)
    assert session["audio"]["input"]["noise_reduction"] == {"type": "far_field", "strength": 0.25}


@pytest.mark.parametrize("strength", [-0.1, 1.1, "much"])
async def test_a_strength_beyond_all_or_nothing_is_refused(engines: Engines, strength: object) -> None:
    async with room(engines, SoundPath.TEXT, NOISY, suppressor=WebRtcNoise) as here:
        here.send(type="session.update", session=reduce("far_field", strength=strength))
        await here.unfold("error")
    error = here.all("error")[0]["error"]
    assert isinstance(error, dict)
    assert error["param"] == "session.audio.input.noise_reduction.strength"


async def test_where_nothing_reduces_noise_the_whole_update_is_refused(engines: Engines) -> None:
    async with room(engines, SoundPath.TEXT, NOISY) as here:
        here.send(type="session.update", session=reduce("near_field") | {"instructions": "Be brief."})
        await here.unfold("error")
        here.send(type="session.update", session={"type": "realtime"})
        await here.unfold("session.updated")
    error = here.all("error")[0]["error"]
    session = here.all("session.updated")[0]["session"]
    assert isinstance(error, dict)
    assert isinstance(session, dict)
    assert (error["code"], error["param"]) == ("invalid_value", "session.audio.input.noise_reduction")
    assert session["audio"]["input"]["noise_reduction"] is None
    assert session["instructions"] != "Be brief."
