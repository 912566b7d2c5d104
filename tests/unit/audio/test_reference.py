"""What a loudspeaker plays, by the time at which it is in the air."""

import numpy as np

from vivavoce.audio.frame import RATE_HZ, Pcm, sample_count
from vivavoce.audio.reference import Reference, SampleClock

BLOCK = 480


def noise(samples: int) -> Pcm:
    return np.random.default_rng(3).integers(-9000, 9000, samples).astype(np.int16)


def test_what_was_played_is_found_by_its_time() -> None:
    reference, sound = Reference(), noise(10 * BLOCK)
    for at in range(0, len(sound), BLOCK):
        reference.add(100 + at / RATE_HZ, sound[at : at + BLOCK])
    assert np.array_equal(reference.read(100.050, BLOCK), sound[1200 : 1200 + BLOCK])
    assert np.array_equal(reference.read(100.070, BLOCK), sound[1680 : 1680 + BLOCK])


def test_before_and_after_it_there_is_silence() -> None:
    reference = Reference()
    assert not reference.read(5.0, BLOCK).any()
    reference.add(100.0, noise(BLOCK))
    early, late = reference.read(99.990, BLOCK), reference.read(100.010, BLOCK)
    assert np.array_equal(early[240:], noise(BLOCK)[:240])
    assert not early[:240].any()
    assert np.array_equal(late[:240], noise(BLOCK)[240:])
    assert not late[240:].any()


def test_a_pause_of_the_loudspeaker_is_a_pause() -> None:
    reference, sound = Reference(), noise(2 * BLOCK)
    reference.add(100.0, sound[:BLOCK])
    reference.add(100.100, sound[BLOCK:])
    heard = reference.read(100.0, sample_count(120))
    assert np.array_equal(heard, np.concatenate([sound[:BLOCK], np.zeros(4 * BLOCK, np.int16), sound[BLOCK:]]))
    reference.add(500.0, sound[:BLOCK])
    assert np.array_equal(reference.read(500.0, BLOCK), sound[:BLOCK])
    assert not reference.read(499.5, BLOCK).any()


def test_the_last_second_is_kept() -> None:
    reference, sound = Reference(), noise(200 * BLOCK)
    for at in range(0, len(sound), BLOCK):
        reference.add(at / RATE_HZ, sound[at : at + BLOCK])
    assert np.array_equal(reference.read(3.0, RATE_HZ), sound[3 * RATE_HZ : 4 * RATE_HZ])
    assert not reference.read(2.0, BLOCK).any()


def test_reading_keeps_its_seams_while_times_waver() -> None:
    reference, sound = Reference(), noise(50 * BLOCK)
    for at in range(0, len(sound), BLOCK):
        reference.add(at / RATE_HZ, sound[at : at + BLOCK])
    wavering = np.random.default_rng(4).uniform(-0.001, 0.001, 40)
    heard = [reference.read(0.1 + number * 0.02 + off_s, BLOCK) for number, off_s in enumerate(wavering)]
    start = sample_count(100) + round(wavering[0] * RATE_HZ)
    assert np.array_equal(np.concatenate(heard), sound[start : start + 40 * BLOCK])


def test_a_clock_believes_the_mean_of_wavering_times_and_follows_a_jump_at_once() -> None:
    clock = SampleClock()
    wavering = np.random.default_rng(5).uniform(-0.01, 0.01, 200)
    times = [clock.take(10 + number * 0.02 + off_s, BLOCK) for number, off_s in enumerate(wavering)]
    errors = [time - (10 + number * 0.02) for number, time in enumerate(times)]
    assert max(map(abs, errors[100:])) < 0.003
    assert clock.take(20.0, BLOCK) == 20.0
