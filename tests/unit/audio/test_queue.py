"""Samples that wait to be played."""

import numpy as np

from vivavoce.audio.queue import SampleQueue


def test_every_sample_comes_out_once_and_in_order_however_it_is_cut() -> None:
    queue = SampleQueue()
    sound = np.arange(1000, dtype=np.int16)
    for piece in np.split(sound, [1, 1, 300, 310, 999]):
        queue.push(piece)
    out = [queue.take(count) for count in (0, 5, 295, 400, 1000, 1)]
    assert [len(piece) for piece in out] == [0, 5, 295, 400, 300, 0]
    assert np.array_equal(np.concatenate(out), sound)
    assert not queue


def test_what_is_dropped_is_not_heard_later() -> None:
    queue = SampleQueue()
    queue.push(np.ones(10, np.int16))
    queue.clear()
    queue.push(np.full(3, 7, np.int16))
    assert queue.take(10).tolist() == [7, 7, 7]
