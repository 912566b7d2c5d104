"""Laws of the pieces of an answer, whatever a model writes."""

from hypothesis import given
from hypothesis import strategies as st

from vivavoce.session.sentence import LIMIT, Sentences
from vivavoce.session.spoken import spoken

SHARDS = [
    *["Hello", "Dr", "D.C", "e.g", "No", "3", "14", "He", "and", "etc", "p.m", "word"],
    *["你好", "नमस्ते", "é", "e\u0301", "😀", "👩‍👧", "\u200d", "\ufe0f"],
    *[
        ".",
        "!",
        "?",
        "…",
        "...",
        "。",
        "？",
        "।",
        ",",
        ";",
        ":",
        "—",
        " - ",
        "，",
        '"',
        "”",
        ")",
        "(",
        "[",
        "]",
        "](",
        "|",
    ],
    *[" ", "  ", "\t", "\n", "\n\n", "\n- ", "\n1. ", "# ", "> ", "`", "``", "```", "*", "**", "_", "~~", "\\", "<b>"],
    *["---", "https://example.com/a?b", "www.x.org", "2 * 3"],
]
written = st.one_of(
    st.lists(st.sampled_from(SHARDS), max_size=120).map("".join),
    st.text(max_size=600),
    st.lists(st.sampled_from(["a", "b c", ". ", ", ", "```", "\n", "漢", "https://e.org/"]), max_size=400).map("".join),
)


def whole(text: str) -> list[str]:
    sentences = Sentences()
    return sentences.push(text) + sentences.flush()


@given(written)
def test_the_pieces_joined_are_the_text(text: str) -> None:
    pieces = whole(text)
    assert "".join(pieces) == text
    assert all(pieces)


@given(written, st.data())
def test_how_the_text_was_chopped_does_not_move_the_cuts(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=30)))
    sentences = Sentences()
    pieces: list[str] = []
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        pieces += sentences.push(text[start:end])
    assert pieces + sentences.flush() == whole(text)


@given(written)
def test_prose_is_never_longer_than_the_limit(text: str) -> None:
    for piece in whole(text):
        kept_whole = "```" in piece or "://" in piece or "www." in piece
        assert kept_whole or len(piece) <= LIMIT


@given(written)
def test_hearing_more_never_moves_the_transcript_back(text: str) -> None:
    heard = spoken(text)
    ends = [heard.source_end(said) for said in range(len(heard.text) + 1)]
    assert ends == sorted(ends)
    assert ends[-1] == len(text)
    assert all(0 <= end <= len(text) for end in ends)


@given(written)
def test_what_is_said_is_tidy(text: str) -> None:
    said = spoken(text).text
    assert said == said.strip()
    assert "\n" not in said
    assert "  " not in said
