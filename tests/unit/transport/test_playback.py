"""Sound that waits to be heard."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.audio.frame import Pcm
from vivavoce.transport.interface import Played
from vivavoce.transport.playback import FRAME, HUSH_FRAMES, Playback


def count_up(start: int, length: int) -> Pcm:
    """Samples that tell their own place; never 0."""
    return (np.arange(start, start + length) % 30_000 + 1).astype(np.int16)


@given(st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 4)), max_size=40))
def test_what_leaves_is_what_was_given_in_order(steps: list[tuple[int, int]]) -> None:
    playback, given_count, left = Playback(), 0, list[Pcm]()
    for length, pulls in steps:
        playback.push(count_up(given_count, length))
        given_count += length
        for _ in range(pulls):
            sound, _ = playback.pull(FRAME)
            if sound is not None:
                assert len(sound) == FRAME
                left.append(sound[sound != 0])
        assert playback.played + playback.queued == given_count
    heard = np.concatenate(left) if left else np.zeros(0, np.int16)
    assert np.array_equal(heard, count_up(0, playback.played))


def test_the_start_and_the_end_of_sound_are_told_with_the_count() -> None:
    playback = Playback()
    assert playback.pull(FRAME) == (None, None)
    playback.push(count_up(0, FRAME + 100))
    notes = [playback.pull(FRAME)[1] for _ in range(4)]
    assert notes == [Played(FRAME), None, Played(FRAME + 100), None]
    playback.push(count_up(0, 10))
    assert playback.pull(FRAME)[1] == Played(FRAME + 110)


def test_silence_follows_the_last_sound_and_then_nothing() -> None:
    playback = Playback()
    playback.push(count_up(0, FRAME))
    written = [playback.pull(FRAME)[0] for _ in range(HUSH_FRAMES + 3)]
    assert [sound is not None for sound in written] == [True] * (1 + HUSH_FRAMES) + [False] * 2
    assert not any(np.any(sound) for sound in written[1:] if sound is not None)


def test_flushing_drops_what_waits_and_sound_starts_anew() -> None:
    playback = Playback()
    playback.push(count_up(0, 10 * FRAME))
    playback.pull(FRAME)
    assert playback.flush() == FRAME == playback.played
    assert playback.queued == 0
    written = [playback.pull(FRAME) for _ in range(HUSH_FRAMES + 1)]
    assert [sound is not None for sound, _ in written] == [True] * HUSH_FRAMES + [False]
    assert all(note is None for _, note in written)
    playback.push(count_up(0, FRAME))
    assert playback.pull(FRAME)[1] == Played(2 * FRAME)


def test_flushing_in_silence_writes_nothing() -> None:
    playback = Playback()
    assert playback.flush() == 0
    assert playback.pull(FRAME) == (None, None)


def test_several_beats_may_be_taken_at_once() -> None:
    playback = Playback()
    playback.push(count_up(0, 5 * FRAME))
    sound, note = playback.pull(3 * FRAME)
    assert sound is not None
    assert np.array_equal(sound, count_up(0, 3 * FRAME))
    assert note == Played(3 * FRAME)


def test_silence_is_counted_in_time_and_not_in_calls() -> None:
    playback = Playback()
    playback.push(count_up(0, FRAME))
    playback.pull(FRAME)
    pulls = 0
    while playback.pull(3 * FRAME)[0] is not None:
        pulls += 1
    assert pulls == -(-HUSH_FRAMES // 3)
