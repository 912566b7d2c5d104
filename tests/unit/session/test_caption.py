"""Words as they grow, on both sides of a call."""

from vivavoce.session.caption import Caption, Captions, CaptionState, Role


def test_words_grow_and_are_done() -> None:
    captions = Captions()
    assert captions.extend("a", Role.USER, 0, " Hel") == Caption("a", Role.USER, "Hel", CaptionState.WRITING)
    assert captions.extend("a", Role.USER, 0, "lo") == Caption("a", Role.USER, "Hello", CaptionState.WRITING)
    assert captions.finish("a") == Caption("a", Role.USER, "Hello", CaptionState.DONE)
    assert captions.finish("a") is None
    assert captions.extend("a", Role.USER, 0, "!") is None


def test_parts_of_one_item_are_joined_in_their_order() -> None:
    captions = Captions()
    captions.extend("a", Role.ASSISTANT, 1, " two")
    captions.complete("a", Role.ASSISTANT, 0, "One")
    assert captions.text("a") == "One two"


def test_a_whole_transcript_replaces_its_pieces_even_after_the_end() -> None:
    captions = Captions()
    captions.extend("a", Role.USER, 0, "Helo")
    captions.finish("a")
    assert captions.complete("a", Role.USER, 0, "Hello.") == Caption("a", Role.USER, "Hello.", CaptionState.DONE)
    assert captions.complete("a", Role.USER, 0, "Hello.") is None


def test_what_was_cut_stays_cut() -> None:
    captions = Captions()
    captions.extend("a", Role.ASSISTANT, 0, "One two three")
    assert captions.cut("a", "One") == Caption("a", Role.ASSISTANT, "One", CaptionState.CUT)
    assert captions.complete("a", Role.ASSISTANT, 0, "One two three four") is None
    assert captions.cut("a", "One two") == Caption("a", Role.ASSISTANT, "One two", CaptionState.CUT)
    assert captions.text("a") == "One two three four"


def test_what_nobody_has_heard_of_is_left_alone() -> None:
    captions = Captions()
    assert captions.finish("x") is None
    assert captions.cut("x", "") is None
    captions.remove("x")
    assert captions.begin("a", Role.USER) is not None
    assert captions.begin("a", Role.USER) is None
    captions.remove("a")
    assert captions.all() == ()
