import numpy as np

from vivavoce.audio.frame import Pcm
from vivavoce.audio.reel import Reel


def counted(start: int, end: int) -> Pcm:
    return np.arange(start, end, dtype=np.int16)


def rest(reel: Reel) -> list[int]:
    return [int(sample) for piece in reel.rest() for sample in piece]


def test_sound_goes_on_where_it_stopped() -> None:
    reel = Reel(repeatable=0)
    reel.push(counted(0, 10))
    reel.push(counted(10, 20))
    reel.reach(13, 1.0)
    assert rest(reel) == list(range(13, 20))


def test_what_was_sent_while_nothing_was_heard_is_played_again() -> None:
    reel = Reel(repeatable=10)
    reel.push(counted(0, 40))
    for second in range(1, 31):
        reel.reach(second, float(second))
    reel.rewind(silent_since=25.0)
    assert reel.played == 25
    assert rest(reel) == list(range(25, 40))


def test_no_more_is_repeated_than_is_kept() -> None:
    reel = Reel(repeatable=10)
    for start in range(0, 40, 5):
        reel.push(counted(start, start + 5))
    for second in range(1, 31):
        reel.reach(second, float(second))
    reel.rewind(silent_since=3.0)
    assert reel.played == 20


def test_what_was_broken_off_is_not_taken_up_again() -> None:
    reel = Reel(repeatable=10)
    reel.push(counted(0, 40))
    reel.reach(20, 1.0)
    reel.clear()
    reel.rewind(silent_since=0.0)
    assert (reel.played, rest(reel)) == (20, [])
    reel.push(counted(50, 60))
    reel.reach(23, 2.0)
    assert rest(reel) == list(range(53, 60))
