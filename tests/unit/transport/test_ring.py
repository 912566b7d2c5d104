from vivavoce.transport.ring import Ring


def kept(ring: Ring, label: str | None) -> list[str] | None:
    place = ring.place(label)
    return None if place is None else ring.since(place)


def test_who_got_a_message_is_sent_what_followed_it() -> None:
    ring = Ring(10_000)
    for name in "abcd":
        ring.push(name.upper(), 1, name)
    assert kept(ring, "b") == ["C", "D"]
    assert kept(ring, "d") == []
    assert kept(ring, None) == ["A", "B", "C", "D"]
    assert kept(ring, "z") is None


def test_what_is_forgotten_is_not_passed_over_in_silence() -> None:
    ring = Ring(3 * 65)
    for name in "abcde":
        ring.push(name.upper(), 1, name)
    assert kept(ring, "a") is None  # B is gone
    assert kept(ring, "b") == ["C", "D", "E"]
    assert kept(ring, None) is None


def test_a_place_may_be_forgotten_before_it_is_come_back_to() -> None:
    ring = Ring(2 * 65)
    ring.push("A", 1, "a")
    place = ring.place("a")
    assert place is not None
    for name in "bcd":
        ring.push(name.upper(), 1, name)
    assert ring.since(place) is None


def test_a_message_larger_than_all_that_is_kept_leaves_nothing_to_go_on_from() -> None:
    ring = Ring(100)
    ring.push("A", 1, "a")
    ring.push("B" * 200, 200, "b")
    assert kept(ring, "a") is None
    assert kept(ring, "b") == []
