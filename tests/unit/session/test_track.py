"""Where in the session's input a detector's word belongs."""

from vivavoce.session.track import Track, Window


def test_windows_follow_one_another() -> None:
    track = Track()
    track.listen(2000)
    assert [track.judge(768), track.judge(1536)] == [Window(0, 768), Window(768, 1536)]


def test_sound_that_the_detector_never_had_counts_too() -> None:
    track = Track()
    track.skip(5000)
    track.listen(768)
    assert track.judge(768) == Window(5000, 5768)


def test_a_word_that_comes_after_detection_was_off_is_about_sound_of_before_and_too_late() -> None:
    track = Track()
    track.listen(2000)
    track.skip(10_000)
    track.listen(1000)
    assert track.judge(1536) is None
    assert track.judge(2000) is None
    assert track.judge(2304) == Window(12_000, 12_304)


def test_a_window_begins_after_what_was_forgotten() -> None:
    track = Track()
    track.listen(3000)
    track.forget(1000)
    assert track.judge(768) is None
    assert track.judge(1536) == Window(1000, 1536)


def test_forgetting_less_than_was_judged_brings_nothing_back() -> None:
    track = Track()
    track.listen(3000)
    track.judge(1536)
    track.forget(100)
    assert track.judge(2304) == Window(1536, 2304)


def test_a_detector_cannot_hear_what_has_not_come() -> None:
    track = Track()
    track.listen(500)
    assert track.judge(768) == Window(0, 500)
    assert track.judge(1536) is None
    assert track.position == 500
