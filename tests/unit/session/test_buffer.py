"""Sound that no item owns yet, by its place in the session."""

import numpy as np
import pytest

from vivavoce.audio.frame import Pcm, sample_count
from vivavoce.session.buffer import LONGEST_MS, InputBuffer


def counted(start: int, end: int) -> Pcm:
    """Samples that are numbered by their place."""
    return np.arange(start, end, dtype=np.int16)


def filled(*lengths: int) -> InputBuffer:
    buffer = InputBuffer()
    for length in lengths:
        buffer.append(counted(buffer.end, buffer.end + length))
    return buffer


def test_sound_comes_out_as_it_went_in() -> None:
    buffer = filled(3, 5, 2)
    assert len(buffer) == 10
    assert buffer.between(0, 10).tolist() == list(range(10))


@pytest.mark.parametrize(("start", "end"), [(0, 3), (3, 8), (1, 9), (4, 5), (2, 4), (9, 10), (-5, 4), (8, 99)])
def test_any_stretch_of_it_can_be_had(start: int, end: int) -> None:
    buffer = filled(3, 5, 2)
    assert buffer.between(start, end).tolist() == list(range(max(start, 0), min(end, 10)))
    assert len(buffer) == 10


def test_nothing_lies_between_a_place_and_itself_nor_beyond_the_end() -> None:
    buffer = filled(3)
    assert len(buffer.between(2, 2)) == len(buffer.between(3, 9)) == len(InputBuffer().between(0, 9)) == 0


@pytest.mark.parametrize("position", [0, 1, 3, 4, 8, 9])
def test_what_is_forgotten_is_gone_and_places_stay(position: int) -> None:
    buffer = filled(3, 5, 2)
    buffer.trim(position)
    assert (buffer.start, buffer.end) == (position, 10)
    assert buffer.between(0, 10).tolist() == list(range(position, 10))


def test_what_has_not_come_yet_cannot_be_forgotten() -> None:
    buffer = filled(3)
    buffer.trim(7)
    assert (buffer.start, buffer.end) == (3, 3)
    buffer.append(counted(3, 5))
    assert buffer.between(0, 9).tolist() == [3, 4]


def test_a_turn_takes_its_own_sound_and_leaves_the_next_ones() -> None:
    buffer = filled(4, 4)
    assert buffer.take(6).tolist() == [0, 1, 2, 3, 4, 5]
    assert buffer.take(8).tolist() == [6, 7]
    assert len(buffer.take(8)) == 0


def test_what_was_taken_holds_on_to_nothing_else() -> None:
    taken = filled(1000).take(10)
    assert taken.base is None
    assert len(taken) == 10


def test_clearing_forgets_everything_and_goes_on_counting() -> None:
    buffer = filled(4)
    buffer.clear()
    assert (len(buffer), buffer.start, buffer.end) == (0, 4, 4)


def test_silence_of_no_length_is_no_sound() -> None:
    buffer = filled(0, 2, 0)
    assert buffer.between(0, 2).tolist() == [0, 1]


def test_a_forgotten_call_does_not_eat_the_machine() -> None:
    buffer = InputBuffer()
    minute = np.zeros(sample_count(60_000), np.int16)
    for _ in range(8):
        buffer.append(minute)
    assert len(buffer) == sample_count(LONGEST_MS)
    assert buffer.end == 8 * len(minute)
