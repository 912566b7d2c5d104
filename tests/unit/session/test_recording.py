"""The sound behind items, and the words that are heard in it."""

import numpy as np
import pytest

from vivavoce.audio.frame import Pcm
from vivavoce.session.recording import Archive, Recording


def sound(samples: int, value: int = 1) -> Pcm:
    return np.full(samples, value, np.int16)


@pytest.mark.parametrize(
    ("samples", "words"), [(0, ""), (9, ""), (10, "one "), (24, "one "), (25, "one two "), (99, "one two three")]
)
def test_a_word_counts_when_its_last_sample_was_heard(samples: int, words: str) -> None:
    recording = Recording(length=40, text="one two three", marks=[(10, 4), (25, 8), (40, 13)])
    assert recording.heard_text(samples) == words


def test_marks_in_disorder_never_claim_too_much() -> None:
    recording = Recording(length=40, text="one two three", marks=[(30, 8), (10, 4), (40, 13)])
    assert recording.heard_text(29) == "one "
    assert recording.heard_text(30) == "one two "


def test_an_item_gives_back_all_its_sound() -> None:
    archive = Archive()
    archive.add("a", sound(3, 1))
    archive.add("a", sound(2, 2))
    samples = archive.samples("a")
    assert samples is not None
    assert samples.tolist() == [1, 1, 1, 2, 2]
    assert archive.of("a").length == 5


def test_an_item_without_sound_has_none() -> None:
    archive = Archive()
    assert archive.get("a") is None
    assert archive.samples("a") is None
    assert archive.of("a").length == 0
    assert archive.samples("a") is None


def test_the_oldest_items_lose_their_sound_first_but_not_their_length() -> None:
    archive = Archive(room=10)
    for name in "abc":
        archive.add(name, sound(4))
    assert archive.samples("a") is None
    assert archive.of("a").length == 4
    assert archive.samples("b") is not None
    assert archive.samples("c") is not None


def test_half_an_item_is_no_item() -> None:
    archive = Archive(room=10)
    archive.add("a", sound(6))
    archive.add("b", sound(6))
    archive.add("a", sound(3))
    assert archive.samples("a") is None
    assert archive.of("a").length == 9


def test_what_is_too_long_for_the_room_is_not_kept() -> None:
    archive = Archive(room=10)
    archive.add("a", sound(11))
    assert archive.samples("a") is None
    archive.add("b", sound(10))
    assert archive.samples("b") is not None


def test_a_cut_item_keeps_the_words_and_the_sound_heard() -> None:
    archive = Archive(room=10)
    recording = archive.add("a", sound(8))
    recording.text, recording.marks = "one two", [(3, 4), (8, 7)]
    archive.cut("a", 5)
    assert (recording.text, recording.length, recording.marks) == ("one ", 5, [(3, 4)])
    samples = archive.samples("a")
    assert samples is not None
    assert len(samples) == 5
    archive.add("b", sound(5))
    assert archive.samples("a") is not None


def test_a_cut_at_the_beginning_keeps_nothing() -> None:
    archive = Archive()
    archive.add("a", sound(8)).text = "one"
    archive.cut("a", 0)
    assert archive.samples("a") is None
    assert (archive.of("a").length, archive.of("a").text) == (0, "")


def test_a_cut_beyond_the_end_adds_nothing() -> None:
    archive = Archive()
    archive.add("a", sound(8))
    archive.cut("a", 20)
    assert archive.of("a").length == 8


def test_an_item_that_lost_its_sound_can_still_be_cut() -> None:
    archive = Archive(room=4)
    recording = archive.add("a", sound(8))
    recording.text, recording.marks = "one two", [(3, 4), (8, 7)]
    archive.cut("a", 5)
    assert (recording.text, recording.length) == ("one ", 5)
    assert archive.samples("a") is None


def test_a_removed_item_leaves_room_for_others() -> None:
    archive = Archive(room=10)
    archive.add("a", sound(8))
    archive.remove("a")
    archive.remove("nowhere")
    archive.add("b", sound(10))
    assert archive.get("a") is None
    assert archive.samples("b") is not None
