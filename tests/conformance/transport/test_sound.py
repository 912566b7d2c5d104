"""What the transports promise that carry sound beside text, and what those do that do not."""

import numpy as np
import pytest

from tests.conformance.transport.conftest import Connect
from tests.conformance.transport.listener import listening
from vivavoce.audio.frame import RATE_HZ, Pcm, sample_count, silence
from vivavoce.errors import TransportError
from vivavoce.transport.interface import Played, SoundPath

LEVEL = 8000


def tone(ms: int, hz: float = 440.0) -> Pcm:
    moments = np.arange(sample_count(ms)) / RATE_HZ
    return (LEVEL * np.sin(2 * np.pi * hz * moments)).astype(np.int16)


def loud(sound: Pcm) -> int:
    """Samples in those 10 ms windows that hold the tone."""
    width = sample_count(10)
    windows = sound[: len(sound) // width * width].reshape(-1, width).astype(np.float64)
    return width * int(np.sum(np.sqrt(np.mean(windows**2, axis=1)) > LEVEL / 8))


def peak_hz(sound: Pcm) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(np.argmax(spectrum)) * RATE_HZ / len(sound)


async def test_a_tone_arrives_with_its_pitch_and_level(connect_with_sound: Connect) -> None:
    async with connect_with_sound() as pair, listening(*pair) as (near, far):
        near.transport.play(tone(1200))
        await far.until(lambda: loud(far.sound) >= sample_count(1000))
        heard = far.sound
        start = int(np.argmax(np.abs(heard) > LEVEL / 4))
        middle = heard[start + sample_count(200) : start + sample_count(800)]
        assert abs(peak_hz(middle) - 440) < 4
        level = np.sqrt(np.mean(middle.astype(np.float64) ** 2))
        assert LEVEL / np.sqrt(2) * 0.85 < level < LEVEL / np.sqrt(2) * 1.15


async def test_both_may_speak_at_once(connect_with_sound: Connect) -> None:
    async with connect_with_sound() as pair, listening(*pair) as (near, far):
        near.transport.play(tone(600, 440))
        far.transport.play(tone(600, 1000))
        await far.until(lambda: loud(far.sound) >= sample_count(400))
        await near.until(lambda: loud(near.sound) >= sample_count(400))
        for end, hz in ((far, 440), (near, 1000)):
            start = int(np.argmax(np.abs(end.sound) > LEVEL / 4)) + sample_count(100)
            assert abs(peak_hz(end.sound[start : start + sample_count(250)]) - hz) < 8


async def test_playing_is_told_at_its_start_and_at_its_end_with_the_right_count(connect_with_sound: Connect) -> None:
    async with connect_with_sound() as pair, listening(*pair) as (near, _):
        assert near.transport.played() == 0
        for _ in range(10):
            near.transport.play(tone(31))
        await near.until(lambda: len(near.all(Played)) == 2)
        start, end = near.all(Played)
        assert 0 < start.samples <= sample_count(60)
        assert end.samples == near.transport.played() == sample_count(310)
        near.transport.play(tone(40))
        await near.until(lambda: len(near.all(Played)) == 4)
        assert near.all(Played)[-1].samples == sample_count(350)


async def test_the_count_of_what_was_played_only_grows_and_never_runs_ahead(connect_with_sound: Connect) -> None:
    async with connect_with_sound() as pair, listening(*pair) as (near, far):
        given = sample_count(500)
        near.transport.play(tone(500))
        counts = [0]
        while counts[-1] < given:
            await far.heard(1)
            counts.append(near.transport.played())
        assert counts == sorted(counts)
        assert counts[-1] == given
        assert len(set(counts)) > 10


async def test_flushing_silences_the_listener_soon(connect_with_sound: Connect) -> None:
    async with connect_with_sound() as pair, listening(*pair) as (near, far):
        near.transport.play(tone(10_000))
        await far.until(lambda: loud(far.sound) >= sample_count(300))
        heard_before = loud(far.sound)
        played = near.transport.flush()
        assert played == near.transport.played()
        assert played < sample_count(2_000)
        await far.heard(sample_count(600))
        assert loud(far.sound) - heard_before <= sample_count(200)
        assert loud(far.sound[-sample_count(300) :]) == 0
        assert near.transport.played() == played
        heard_before = loud(far.sound)
        near.transport.play(tone(300, 1000))
        await far.until(lambda: loud(far.sound) >= heard_before + sample_count(200))
        assert near.transport.played() > played
        # Flushing makes silence, so the next sound starts anew.
        assert len(near.all(Played)) >= 2


async def test_nothing_that_was_said_last_is_drawn_out(connect_with_sound: Connect) -> None:
    said_ms, lengths = 200, list[int]()
    async with connect_with_sound() as pair, listening(*pair) as (near, far):
        for _ in range(5):
            before = loud(far.sound)
            near.transport.play(tone(said_ms))
            await far.until(lambda: len(near.all(Played)) % 2 == 0 and loud(far.sound) > before)  # noqa: B023
            await far.heard(sample_count(400))
            lengths.append(loud(far.sound) - before)
    # The middle one: a stall of this machine while it speaks makes a single one longer.
    assert sorted(lengths)[2] <= sample_count(said_ms + 60)


async def test_pauses_do_not_make_the_listener_hear_later(connect_with_sound: Connect) -> None:
    # The last pause is long enough for an encoder to rest.
    pauses_ms, delays = [700, 700, 700, 700, 700, 2600], list[int]()
    async with connect_with_sound() as pair, listening(*pair) as (near, far):
        await far.heard(sample_count(100))
        for pause_ms in pauses_ms:
            asked = len(far.sound)
            near.transport.play(tone(200))
            await far.until(lambda: loud(far.sound[asked:]) >= sample_count(20))  # noqa: B023
            delays.append(int(np.argmax(np.abs(far.sound[asked:]) > LEVEL / 4)))
            await far.heard(sample_count(200 + pause_ms))
        near.transport.play(tone(200))
        asked = len(far.sound)
        await far.until(lambda: loud(far.sound[asked:]) >= sample_count(20))
        delays.append(int(np.argmax(np.abs(far.sound[asked:]) > LEVEL / 4)))
    # Where RTP time stands still in pauses, all but the first two come as late as the pauses are long. The median,
    # since a stall of this machine makes a single one late.
    assert sorted(delays)[len(delays) // 2] < sample_count(250)
    assert delays[-1] < sample_count(500)


async def test_a_long_silence_rests_and_the_next_word_is_heard_whole(connect_with_sound: Connect) -> None:
    async with connect_with_sound() as pair, listening(*pair) as (near, far):
        near.transport.play(tone(100))
        await far.until(lambda: loud(far.sound) >= sample_count(60))
        await far.heard(sample_count(2_800))
        before = loud(far.sound)
        near.transport.play(tone(300, 1000))
        await far.heard(sample_count(900))
        assert near.transport.played() == sample_count(400)
        assert loud(far.sound) - before >= sample_count(290)


async def test_where_sound_travels_as_text_playing_is_refused(connect_without_sound: Connect) -> None:
    async with connect_without_sound() as pair, listening(*pair) as (near, _):
        assert near.transport.traits.sound is SoundPath.TEXT
        with pytest.raises(TransportError):
            near.transport.play(silence(480))
        assert near.transport.played() == near.transport.flush() == 0
