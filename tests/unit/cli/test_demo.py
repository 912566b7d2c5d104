"""The demo passes only if what it shows has happened."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from vivavoce.assembly import open_speaker
from vivavoce.audio.frame import RATE_HZ, Pcm, silence
from vivavoce.cli.demo import check_answer, check_interruption, loudest_second, speech_in
from vivavoce.cli.exit_code import Unanswered
from vivavoce.cli.report import Line
from vivavoce.cli.wav import read_wav
from vivavoce.session.timing import Turn

ANSWERED = Turn(asked_at=1.0, answered_at=1.5)
INTERRUPTED = Turn(asked_at=4.0, answered_at=4.5, interrupted_at=3.0, silenced_at=3.2)
QUESTION, ANSWER = Line("you", "What is it?"), Line("agent", "It is 84.")
CUT = Line("agent", "One, two,", cut=True)


async def spoken(text: str) -> Pcm:
    async with open_speaker() as speaker:
        return np.concatenate([each.samples async for each in speaker.speak(text, "alloy", 1.0)])


async def test_speech_is_told_from_noise_and_silence() -> None:
    speech = await spoken("Twelve times seven is eighty four, and that is all.")
    noise = np.random.default_rng(7).integers(-3000, 3000, RATE_HZ * 2).astype(np.int16)
    assert await speech_in(np.concatenate([silence(RATE_HZ), speech, silence(RATE_HZ)])) > 1.0
    assert await speech_in(silence(RATE_HZ)) == 0
    assert await speech_in(noise) < 0.3


def test_the_loudest_second_is_found() -> None:
    sound = np.concatenate([silence(RATE_HZ * 2), np.full(RATE_HZ, 1000, np.int16), silence(RATE_HZ)])
    assert (loudest_second(sound) == 1000).all()
    assert len(loudest_second(silence(10))) == 10


async def test_a_first_caller_who_heard_an_answer_passes() -> None:
    assert "speech" in await check_answer([QUESTION, ANSWER], [ANSWERED], await spoken("Twelve times seven is 84."))


@pytest.mark.parametrize(
    ("said", "turns"),
    [
        ([ANSWER], [ANSWERED]),
        ([QUESTION], [ANSWERED]),
        ([Line("you", ""), ANSWER], [ANSWERED]),
        ([QUESTION, ANSWER], []),
        ([QUESTION, ANSWER], [Turn(asked_at=1.0)]),
        ([QUESTION, ANSWER], [ANSWERED]),  # and all that was heard is silence
    ],
)
async def test_a_first_caller_who_heard_none_does_not(said: Sequence[Line], turns: Sequence[Turn]) -> None:
    with pytest.raises(Unanswered):
        await check_answer(said, turns, silence(RATE_HZ))


async def test_noise_is_no_answer() -> None:
    noise = np.random.default_rng(7).integers(-3000, 3000, RATE_HZ).astype(np.int16)
    with pytest.raises(Unanswered):
        await check_answer([QUESTION, ANSWER], [ANSWERED], noise)


def test_a_second_caller_who_interrupted_passes() -> None:
    assert "200 ms" in check_interruption([QUESTION, CUT], [ANSWERED, INTERRUPTED])


@pytest.mark.parametrize(
    ("said", "turns"),
    [
        ([QUESTION, ANSWER], [INTERRUPTED]),
        ([QUESTION, Line("agent", "", cut=True)], [INTERRUPTED]),
        ([QUESTION, Line("agent", "… forty-nine, fifty.", cut=True)], [INTERRUPTED]),
        ([QUESTION, CUT], [ANSWERED]),
    ],
)
def test_a_second_caller_who_did_not_does_not(said: Sequence[Line], turns: Sequence[Turn]) -> None:
    with pytest.raises(Unanswered):
        check_interruption(said, turns)


@pytest.mark.realtime
@pytest.mark.timeout(150)
async def test_the_whole_demo_runs_by_itself(tmp_path: Path) -> None:
    out = tmp_path / "reply.wav"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vivavoce.cli.main", "demo", "--silent", "--out", str(out)), stdout=PIPE, stderr=PIPE
    )
    async with asyncio.timeout(140):
        shown, failed = await process.communicate()
    assert (process.returncode, failed.decode()) == (0, ""), shown.decode()
    assert shown.decode().count("connected in") == 2
    # Where a line is broken depends on how many words were heard.
    assert "and no more was heard" in " ".join(shown.decode().split())
    assert np.abs(read_wav(str(out))).max() > 3000
