from collections.abc import Sequence

import numpy as np

from vivavoce.agents.voice import EARLY, LATE, Cut, Ended, Heard, News, Part, Voice
from vivavoce.audio.frame import Pcm, sample_count, silence

FRAME = sample_count(20)
A = Part("resp_1", "item_1", 0)
B = Part("resp_1", "item_2", 0)
C = Part("resp_2", "item_3", 0)


def tone(samples: int = FRAME) -> Pcm:
    return np.full(samples, 5000, np.int16) * np.resize(np.array([1, -1], np.int16), samples)


def told(news: Sequence[News]) -> list[tuple[str, str]]:
    return [(type(piece).__name__, piece.part.item_id) for piece in news]


def heard(news: Sequence[News]) -> int:
    return sum(len(piece.samples) for piece in news if isinstance(piece, Heard))


def test_sound_is_told_while_the_server_plays_and_the_end_when_it_has_been_heard() -> None:
    voice = Voice(list)
    voice.begin(A)
    assert voice.sound(tone()) == []
    assert told(voice.started("resp_1")) == [("Heard", "item_1")]
    assert told(voice.sound(silence(FRAME))) == [("Heard", "item_1")]
    assert voice.part == A
    assert voice.stopped("resp_1") == []
    assert told(voice.sound(tone())) == [("Heard", "item_1")]
    assert voice.sound(silence(FRAME)) == [Ended(A)]
    assert voice.part is None
    assert voice.sound(tone()) == []


def test_of_the_sound_before_the_servers_word_the_silence_is_left_out_and_the_rest_is_bounded() -> None:
    voice = Voice(list)
    voice.begin(A)
    for _ in range(5):
        voice.sound(silence(FRAME))
    voice.sound(tone())
    voice.sound(tone())
    assert heard(voice.started("resp_1")) == 2 * FRAME
    other = Voice(list)
    other.begin(A)
    for _ in range(100):
        other.sound(tone())
    assert heard(other.started("resp_1")) <= EARLY


def test_an_answer_that_does_not_fall_silent_ends_all_the_same() -> None:
    voice = Voice(list)
    voice.begin(A)
    voice.started("resp_1")
    voice.stopped("resp_1")
    rest = [piece for _ in range(100) for piece in voice.sound(tone())]
    assert rest[-1] == Ended(A)
    assert heard(rest) == LATE


def test_the_next_answer_ends_the_one_before() -> None:
    voice = Voice(list)
    voice.begin(A)
    voice.begin(C)
    voice.started("resp_1")
    voice.stopped("resp_1")
    assert voice.started("resp_2") == [Ended(A)]
    assert voice.part == C


def test_what_is_cut_is_not_heard_any_more() -> None:
    voice = Voice(list)
    assert voice.cleared() == []
    voice.begin(A)
    voice.started("resp_1")
    assert voice.cleared() == [Cut(A)]
    assert voice.cleared() == []
    assert voice.sound(tone()) == []


def test_a_session_that_is_lost_leaves_what_was_not_heard_to_its_end() -> None:
    voice = Voice(list)
    voice.begin(A)
    voice.started("resp_1")
    voice.begin(C)
    assert voice.lost() == ([Cut(A)], ["item_1", "item_3"])
    assert voice.lost() == ([], [])
    voice.begin(A)
    voice.started("resp_1")
    voice.stopped("resp_1")
    assert voice.lost() == ([Ended(A)], [])


def test_named_sound_of_a_session_that_is_lost_is_gone_unless_all_of_it_was_heard() -> None:
    voice = Voice(list)
    for part in (A, C):
        voice.begin(part)
        voice.queued(part, FRAME)
        voice.finished(part)
    assert told(voice.sound(tone())) == [("Heard", "item_1"), ("Ended", "item_1")]
    assert voice.lost() == ([Cut(C)], ["item_3"])


def test_of_several_parts_the_last_that_was_begun_is_heard() -> None:
    begun: list[str] = []
    voice = Voice(lambda: begun)
    voice.begin(A)
    voice.begin(B)
    voice.begin(B)
    voice.started("resp_1")
    assert voice.part == A
    begun += ["item_1", "item_2"]
    assert voice.part == B
    voice.stopped("resp_1")
    assert voice.sound(silence(FRAME)) == [Ended(A), Ended(B)]


def test_an_answer_of_which_no_part_is_known_is_not_told() -> None:
    voice = Voice(list)
    voice.started("resp_9")
    assert voice.part is None
    assert voice.sound(tone()) == []
    voice.stopped("resp_9")
    assert voice.sound(tone()) == []


def test_named_sound_is_shared_out_as_it_is_heard() -> None:
    voice = Voice(list)
    voice.queued(A, 30)
    voice.queued(A, 30)
    voice.queued(C, 50)
    assert voice.finished(A) == []
    assert voice.part == A
    news = voice.sound(tone(80))
    assert told(news) == [("Heard", "item_1"), ("Ended", "item_1"), ("Heard", "item_3")]
    assert heard(news) == 80
    assert voice.finished(C) == []
    assert told(voice.sound(tone(40))) == [("Heard", "item_3"), ("Ended", "item_3")]
    assert voice.part is None


def test_named_sound_that_is_cut_is_gone() -> None:
    voice = Voice(list)
    voice.queued(A, 30)
    voice.queued(C, 50)
    assert voice.cleared() == [Cut(A)]
    assert voice.sound(tone()) == []


def test_more_of_a_part_may_come_after_all_of_it_was_heard() -> None:
    voice = Voice(list)
    voice.queued(A, 30)
    assert told(voice.sound(tone(40))) == [("Heard", "item_1")]
    voice.queued(A, 30)
    assert heard(voice.sound(tone(30))) == 30
    assert voice.finished(A) == [Ended(A)]


def test_answers_that_were_never_heard_do_not_pile_up() -> None:
    voice = Voice(list)
    for number in range(1000):
        voice.begin(Part(f"resp_{number}", "item", 0))
    voice.started("resp_0")
    assert voice.part is None
    voice.started("resp_999")
    assert voice.part is not None
