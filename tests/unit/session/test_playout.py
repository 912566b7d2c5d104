"""What the listener has heard, by the count of samples that have left."""

from vivavoce.session.playout import Playout


def two_items() -> Playout:
    """A hundred samples of `a`, then fifty of `b`, all of one response."""
    playout = Playout()
    playout.queue("r", "a", 60)
    playout.queue("r", "a", 40)
    playout.queue("r", "b", 50)
    return playout


def test_nothing_is_heard_before_it_is_played() -> None:
    playout = two_items()
    assert (playout.heard("a"), playout.heard("b"), playout.total) == (0, 0, 0)
    assert not playout.finished("r")


def test_each_played_sample_belongs_to_one_item() -> None:
    playout = two_items()
    playout.played(120)
    assert (playout.heard("a"), playout.heard("b")) == (100, 20)
    assert playout.current is not None
    assert playout.current.item_id == "b"
    playout.played(150)
    assert playout.current is None
    assert playout.finished("r")


def test_a_count_never_falls_nor_passes_what_there_was_to_play() -> None:
    playout = two_items()
    playout.played(100)
    playout.played(40)
    assert playout.heard("a") == 100
    playout.played(10_000)
    assert playout.total == 150


def test_a_cut_leaves_only_what_was_heard() -> None:
    playout = two_items()
    assert [stretch.item_id for stretch in playout.cut(70)] == ["a", "b"]
    assert (playout.heard("a"), playout.heard("b")) == (70, 0)
    assert playout.current is None
    playout.queue("s", "c", 10)
    playout.played(75)
    assert (playout.heard("a"), playout.heard("c")) == (70, 5)


def test_a_cut_in_what_is_played_again_leaves_only_what_was_heard_then() -> None:
    playout = two_items()
    playout.played(120)
    assert [stretch.item_id for stretch in playout.cut(70)] == ["a", "b"]
    assert (playout.heard("a"), playout.heard("b"), playout.total) == (70, 0, 70)


def test_a_cut_after_the_end_cuts_nothing() -> None:
    assert two_items().cut(150) == []


def test_an_item_waits_to_be_heard_until_its_last_sample() -> None:
    playout = two_items()
    playout.played(99)
    assert playout.unheard("a") is not None
    playout.played(100)
    assert playout.unheard("a") is None
    assert playout.unheard("b") is not None
    assert playout.unheard("c") is None


def test_items_that_take_turns_are_counted_apart() -> None:
    playout = Playout()
    for _ in range(3):
        playout.queue("r", "a", 10)
        playout.queue("s", "b", 10)
    playout.played(45)
    assert (playout.heard("a"), playout.heard("b")) == (25, 20)


def test_what_is_forgotten_was_never_heard_here() -> None:
    playout = two_items()
    playout.played(150)
    playout.forget("r")
    assert playout.heard("a") == 0
    assert playout.finished("r")
    assert playout.total == 150
