"""When a piece of an answer is ready to be said, and where it ends."""

import pytest

from vivavoce.session.sentence import CLAUSE_MIN, LIMIT, LINK_LIMIT, Sentences


def pieces_of(text: str) -> list[str]:
    """The pieces, one character at a time, as a slow model would send them."""
    sentences = Sentences()
    pieces = [piece for char in text for piece in sentences.push(char)]
    return pieces + sentences.flush()


def test_a_sentence_is_handed_out_when_the_next_one_begins() -> None:
    sentences = Sentences()
    assert sentences.push("It is five o'clock.") == []
    assert sentences.push(" ") == []
    assert sentences.push("T") == ["It is five o'clock. "]
    assert sentences.flush() == ["T"]


def test_one_delta_may_complete_many_sentences() -> None:
    text = "This is the first sentence. This is the second sentence. This is the third."
    sentences = Sentences()
    assert sentences.push(text) == ["This is the first sentence. ", "This is the second sentence. "]
    assert sentences.flush() == ["This is the third."]


def test_a_flushed_splitter_begins_again_with_a_short_first_piece() -> None:
    sentences = Sentences()
    assert sentences.push("Good morning. How are you on this fine day? Well") == [
        "Good morning. ",
        "How are you on this fine day? ",
    ]
    assert sentences.flush() == ["Well"]
    assert sentences.push("Good night. A") == ["Good night. "]


def test_an_empty_answer_has_no_pieces() -> None:
    sentences = Sentences()
    assert sentences.push("") == []
    assert sentences.flush() == []


@pytest.mark.parametrize(
    "whole",
    [
        "I met Dr. Smith and Mrs. Jones yesterday.",
        "It costs $3.50 in the shop next door.",
        "Bring some fruit, e.g. two apples or a pear.",
        "Bring the small one, i.e. The Hobbit.",
        "They moved to Washington D.C. in the spring.",
        "He works for the U.S. Navy in the far north.",
        "The book is by J. R. R. Tolkien, an Englishman.",
        "The train leaves at 5 p.m. from platform two.",
        "Please read No. 5 and Fig. 3 before we meet.",
        "We sell apples, pears, etc. in the market hall.",
        "The value of pi is 3.14159 and so on for ever.",
        "Er kommt am 3. Mai nach Berlin zu seiner Tante.",
        "Hmm, well... maybe we should wait a little while.",
        'He said "Stop!" and then they all stood still.',
        '"I see what you mean." he said to me quietly.',
        "Version 2.0.1 came out in the same week as ours.",
    ],
)
def test_a_dot_inside_a_sentence_does_not_end_it(whole: str) -> None:
    # Something ahead, so that clauses do not count any more.
    opening = "All right, here we go. "
    assert pieces_of(opening + whole) == [opening, whole]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("She lives in Washington D.C. ", "He lives somewhere else."),
        ("You are older than I. ", "The rest of us are young."),
        ("The shop closes at 8 p.m. ", "Then everybody goes home."),
        ("We have apples, pears, etc. ", "What would you like to have?"),
        ("I was born in the year 1990. ", "My sister is a bit older."),
        ("The answer is probably no. ", "Ask again some other day."),
        ("i like it when it rains. ", "it makes the garden green."),
        ("Is that really what you want? ", "I do not think so at all."),
        ("What a very good idea that is! ", "Let us begin right away."),
        ('She said: "I will not go." ', "Nobody was surprised by it."),
        ("I was not sure about that… ", "But then it all became clear."),
        ("Take the **big** one of them.** ", "The small one is broken."),
    ],
)
def test_a_sentence_ends_where_a_reader_would_end_it(first: str, second: str) -> None:
    opening = "All right, here we go. "
    assert pieces_of(opening + first + second) == [opening, first, second]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("你好。我是一个小助手，很高兴认识你。你呢？", ["你好。我是一个小助手，很高兴认识你。", "你呢？"]),
        (
            "今日はとても良い天気ですね。散歩に行きませんか？はい。",
            ["今日はとても良い天気ですね。", "散歩に行きませんか？", "はい。"],
        ),
        ("नमस्ते दोस्त। आप आज कैसे हैं? मैं ठीक हूँ।", ["नमस्ते दोस्त। ", "आप आज कैसे हैं? मैं ठीक हूँ।"]),
        ("هل تريد الشاي؟ نعم، أريد الشاي من فضلك.", ["هل تريد الشاي؟ ", "نعم، أريد الشاي من فضلك."]),
        (
            "他说：「我们明天早上去北京。」然后他就走了，没有回头。",
            ["他说：「我们明天早上去北京。」", "然后他就走了，没有回头。"],
        ),
    ],
)
def test_other_scripts_end_sentences_with_their_own_marks(text: str, pieces: list[str]) -> None:
    assert pieces_of(text) == pieces


def test_a_very_short_first_sentence_waits_for_the_second() -> None:
    assert pieces_of("Yes. I think that is right. Good.") == ["Yes. I think that is right. ", "Good."]


def test_short_later_sentences_are_said_together() -> None:
    assert pieces_of("Good morning. Yes. No. Maybe. I am not sure.") == [
        "Good morning. ",
        "Yes. No. Maybe. I am not sure.",
    ]


@pytest.mark.parametrize("mark", [", ", "; ", ": ", " — ", " - ", " – ", "—"])
def test_the_first_piece_may_end_at_a_long_clause(mark: str) -> None:
    first = "If you ask me about the weather" + mark
    assert len(first) >= CLAUSE_MIN
    assert pieces_of(first + "then I have to look out of the window.") == [
        first,
        "then I have to look out of the window.",
    ]


def test_a_short_clause_does_not_end_the_first_piece() -> None:
    assert pieces_of("If you ask me, then it is going to rain.") == ["If you ask me, then it is going to rain."]


def test_later_pieces_do_not_end_at_clauses() -> None:
    later = "If you ask me about the weather, then I have to look out of the window."
    assert pieces_of("Good morning. " + later) == ["Good morning. ", later]


def test_a_range_of_numbers_is_not_a_clause() -> None:
    text = "It takes about twenty or perhaps 25–30 minutes on foot"
    assert pieces_of(text) == [text]


def test_the_lines_of_a_list_are_pieces_and_their_numbers_stay_with_them() -> None:
    text = "Here is the list:\n1. Two pounds of apples\n2. One pound of pears\n10. Some plums and a few figs"
    assert pieces_of(text) == [
        "Here is the list:\n",
        "1. Two pounds of apples\n",
        "2. One pound of pears\n",
        "10. Some plums and a few figs",
    ]


def test_an_abbreviation_at_the_end_of_a_line_ends_there() -> None:
    assert pieces_of("Good morning. We sell fruit, nuts, etc.\nOpen every day of the week.") == [
        "Good morning. ",
        "We sell fruit, nuts, etc.\n",
        "Open every day of the week.",
    ]


def test_a_dotted_name_waits_for_the_whole_next_word() -> None:
    sentences = Sentences()
    assert sentences.push("She lives in Washington D.C. T") == []
    assert sentences.push("he") == []
    assert sentences.push(" ") == ["She lives in Washington D.C. "]


def test_a_date_waits_for_the_whole_next_word() -> None:
    sentences = Sentences()
    assert sentences.push("Er kommt am 3. M") == []
    assert sentences.push("ai ") == []
    assert sentences.push("nach Hause. U") == ["Er kommt am 3. Mai nach Hause. "]


def test_a_sentence_without_end_is_cut_between_two_words() -> None:
    text = "word " * 100
    pieces = pieces_of(text)
    assert all(len(piece) <= LIMIT for piece in pieces)
    assert all(piece.endswith("word ") for piece in pieces)


def test_a_forced_cut_prefers_the_last_clause() -> None:
    text = "Good morning. " + "word " * 30 + "and, " + "word " * 30
    assert pieces_of(text)[1].endswith("and, ")


def test_a_forced_cut_without_blanks_tears_no_accent_and_no_picture_apart() -> None:
    accented = "e\u0301" * 200
    assert all(len(piece) % 2 == 0 for piece in pieces_of(accented))
    family = "\U0001f469\u200d\U0001f467"
    assert all(len(piece) % 3 == 0 for piece in pieces_of(family * 100))


def test_nothing_but_accents_is_still_cut() -> None:
    assert [len(piece) for piece in pieces_of("\u0301" * (LIMIT + 5))] == [LIMIT, 5]


def test_a_link_of_any_length_stays_whole() -> None:
    link = "https://example.com/" + "a" * 400
    assert pieces_of(link + " is the address.") == [link + " ", "is the address."]
    assert pieces_of("地址" + link) == ["地址", link]


def test_what_claims_to_be_a_link_does_not_grow_for_ever() -> None:
    link = "https://example.com/" + "a" * LINK_LIMIT
    assert pieces_of(link) == [link[:LINK_LIMIT], link[LINK_LIMIT:]]


def test_a_block_of_code_is_one_piece_whatever_is_in_it() -> None:
    code = "```python\n" + "print('One. Two. Three.')\n" * 20 + "```\n"
    assert pieces_of("This is how it is done:\n" + code + "That was really all of it. Good.") == [
        "This is how it is done:\n",
        code,
        "That was really all of it. ",
        "Good.",
    ]


def test_a_block_of_code_that_is_never_closed_comes_at_the_end() -> None:
    assert pieces_of("This is how it is done:\n```\nx. Y\n\nz") == ["This is how it is done:\n", "```\nx. Y\n\nz"]


def test_a_fence_split_between_deltas_is_still_a_fence() -> None:
    sentences = Sentences()
    assert sentences.push("Look at this here:\n``") == ["Look at this here:\n"]
    assert sentences.push("`\na. B\n``") == []
    assert sentences.push("`\n") == []
    assert sentences.push("T") == ["```\na. B\n```\n"]


def test_blanks_at_the_end_stay_with_the_last_piece() -> None:
    assert pieces_of("It is five o'clock.  \n") == ["It is five o'clock.  \n"]
