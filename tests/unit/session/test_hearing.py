"""How much of an answer has been heard; never more than there was sound for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.audio.frame import sample_count
from vivavoce.session.answers import Sound
from vivavoce.session.hearing import PAUSE_LETTERS, Hearing, letters_in, words_in

WORDS = "One, two, three, four, five. Then the quick brown fox jumps over the lazy dog."


@given(st.text(alphabet="ab .,!é漢字", max_size=60), st.floats(0, 400))
def test_what_fits_into_some_time_is_a_beginning_in_whole_words(text: str, letters: float) -> None:
    heard = words_in(text, letters)
    assert text.startswith(heard)
    assert heard == text or letters_in(heard) <= letters
    rest = text[len(heard) :]
    assert not heard or not rest or rest[0].isspace() or ord(heard[-1]) > 0x2E80 or ord(rest[0]) > 0x2E80


def test_blanks_that_nobody_says_take_no_time() -> None:
    assert letters_in("One two.\n\n\n  \nThree ") == letters_in("One two. Three")


def test_a_sign_is_a_word() -> None:
    assert words_in("你好，世界", 6 + PAUSE_LETTERS) == "你好，"


@given(st.text(alphabet="ab .,", max_size=40), st.floats(0, 100), st.floats(0, 100))
def test_more_time_never_means_fewer_words(text: str, a: float, b: float) -> None:
    assert len(words_in(text, min(a, b))) <= len(words_in(text, max(a, b)))


def speaking(sound: Sound, text: str = WORDS) -> Hearing:
    hearing = Hearing(sound)
    hearing.speak("a", "r")
    hearing.wrote("a", text)
    return hearing


def test_a_slow_voice_has_said_less() -> None:
    slow, usual = speaking(Sound.MEDIA), speaking(Sound.MEDIA)
    slow.speed = 0.25
    for hearing in (slow, usual):
        hearing.started("r", 0)
    assert len(slow.heard("a", 3)) < len(usual.heard("a", 3))


def test_the_second_message_of_an_answer_is_heard_after_the_first() -> None:
    hearing = speaking(Sound.MEDIA)
    hearing.speak("b", "r")
    hearing.wrote("b", WORDS)
    hearing.started("r", 0)
    assert hearing.heard("a", 5)
    assert hearing.heard("b", 5) == ""
    assert hearing.cleared("r", 5) == ["a", "b"]
    assert hearing.heard("b", 100) == ""
    assert hearing.cut("a")


def test_an_answer_of_two_messages_played_here_is_cut_in_the_one_that_was_playing() -> None:
    hearing = speaking(Sound.TEXT)
    for item in "ab":
        hearing.queue(item, "r", sample_count(1000))
        hearing.wrote(item, WORDS)
        hearing.finish(item)
    hearing.played(sample_count(1500))
    assert hearing.heard("a", 0) == WORDS
    assert hearing.flush() == {"b": 500}
    assert hearing.flush() == {}
    assert not hearing.playing(0)
    assert 0 < len(hearing.heard("b", 0)) < len(WORDS) / 2


def test_sound_after_all_is_played_counts_again_from_there() -> None:
    hearing = speaking(Sound.TEXT)
    hearing.queue("a", "r", 100)
    hearing.finish("a")
    hearing.played(100)
    assert not hearing.playing(0)
    hearing.queue("b", "r2", 100)
    assert hearing.playing(0)
    hearing.played(150)
    assert hearing.flush() == {"b": 50 // 24}


def test_an_item_cut_while_it_was_made_is_not_taken_for_whole_when_it_ends() -> None:
    hearing = speaking(Sound.TEXT)
    hearing.queue("a", "r", sample_count(1000))
    hearing.played(sample_count(1000))
    hearing.queue("a", "r", sample_count(500))
    assert hearing.flush() == {"a": 1000}
    hearing.finish("a")
    assert len(hearing.heard("a", 0)) < len(WORDS)


def test_a_message_deleted_while_it_is_heard_lends_its_time_to_no_other() -> None:
    hearing = speaking(Sound.MEDIA)
    hearing.speak("b", "r")
    hearing.wrote("b", WORDS)
    hearing.started("r", 0)
    hearing.forget("a")
    assert not hearing.spoken("a")
    assert hearing.heard("b", 5) == ""
    assert hearing.cleared("r", 5) == ["a", "b"]
    assert hearing.heard("b", 100) == ""


@pytest.mark.parametrize("news", ["stopped", "cleared"])
def test_news_of_unknown_answers_change_nothing(news: str) -> None:
    hearing = speaking(Sound.MEDIA)
    if news == "stopped":
        hearing.stopped("x", 0)
    else:
        assert hearing.cleared("x", 0) == []
    hearing.wrote("x", "y")
    hearing.finish("x")
    hearing.truncated("x", 5)
    hearing.told("x", "y")
    hearing.forget("x")
    assert not hearing.cut("x")
    assert hearing.heard("a", 0) == ""


def test_the_servers_copy_tells_of_hearing_only_after_a_truncation() -> None:
    hearing = speaking(Sound.MEDIA)
    hearing.told("a", "One,")
    assert not hearing.cut("a")
    hearing.truncated("a", 900)
    hearing.told("a", None)
    assert hearing.heard("a", 0) == words_in(WORDS, (900 * 0.9 - 250) * 0.011)
    hearing.told("a", "")
    assert hearing.heard("a", 0) == ""
