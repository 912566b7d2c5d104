"""Cuts the parts out of an utterance that could be values of parameters: "in Paris", "called Bob", "to buy milk"."""

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Final

_PREPOSITIONS: Final = frozenset(
    [
        "in",
        "for",
        "to",
        "called",
        "named",
        "at",
        "about",
        "from",
        "with",
        "by",
        "of",
        "on",
        "near",
        "saying",
        "that",
        "titled",
    ]
)
_STOPS: Final = _PREPOSITIONS - {"of", "by", "with"} | {"please", "then"}
_ARTICLES: Final = frozenset(["of", "the", "a", "an", "my", "me", "our", "your", "is", "says", "it", "reads"])
_ENDINGS: Final = frozenset(["please", "now", "today", "tomorrow", "tonight", "yesterday", "right", "and"])
_FILLERS: Final = frozenset(
    _PREPOSITIONS
    | _ARTICLES
    | _ENDINGS
    | {"what", "which", "who", "how", "when", "where", "are", "do", "does", "can", "could", "would", "will", "you", "i"}
    | {"want", "like", "need", "tell", "give", "show", "get", "set", "and", "or", "some", "any", "this", "there", "up"}
)

KINDS: Final[dict[str, tuple[frozenset[str], tuple[str, ...]]]] = {
    "place": (
        frozenset(
            [
                "city",
                "location",
                "place",
                "where",
                "country",
                "town",
                "address",
                "region",
                "room",
                "area",
                "state",
                "venue",
            ]
        ),
        ("in", "at", "near", "for", "of", "to", "from"),
    ),
    "source": (frozenset(["from", "origin", "source", "departure"]), ("from",)),
    "goal": (
        frozenset(["to", "destination", "target", "recipient", "receiver", "contact", "person", "attendee"]),
        ("to", "with", "for"),
    ),
    "text": (
        frozenset(
            [
                *["text", "message", "content", "body", "note", "subject", "task", "reminder", "query", "question"],
                *["search", "term", "topic", "item"],
            ]
        ),
        ("saying", "that", "about", "to", "for", "of", "called"),
    ),
    "moment": (frozenset(["date", "day", "time", "when", "datetime", "deadline", "due"]), ("on", "at", "by", "for")),
    "name": (frozenset(["name", "title", "label", "username"]), ("called", "named", "titled", "for")),
}
"""Kinds of parameters: the words by which a parameter's name tells its kind, and what stands before its value."""
ANY: Final = ("called", "named", "in", "for", "to", "at", "about", "with", "from", "of", "on", "that")


def kind_of(words: Sequence[str]) -> str | None:
    """The kind of a parameter whose name consists of these words."""
    return next((kind for kind, (names, _) in KINDS.items() if names & set(words)), None)


@dataclass(frozen=True)
class _Token:
    word: str
    start: int
    end: int
    pause: bool
    """Whether punctuation stands before it."""


class Phrases:
    """The phrases of one utterance, each taken at most once.

    Args:
        text: the utterance.
        own: words that name the function that is called.
    """

    def __init__(self, text: str, own: frozenset[str]) -> None:
        self._text = text
        self._own = own
        self._tokens = list(_tokens(text))
        self._taken: set[int] = set()
        self._quotes = [found[1] or found[2] for found in re.finditer(r'"([^"]+)"|“([^”]+)”', text)]

    def quoted(self) -> str | None:
        """What stands in quotes."""
        return self._quotes.pop(0) if self._quotes else None

    def after(self, openings: Sequence[str], *, whole: bool = False) -> str | None:
        """What follows the first of these words, up to the next preposition or punctuation (`whole`: to the end)."""
        for opening in openings:
            for at, token in enumerate(self._tokens):
                if token.word == opening and at not in self._taken and (found := self._phrase(at, whole=whole)):
                    return found
        return None

    def after_of(self, names: Set[str]) -> str | None:
        """What follows one of these words and "of": "the city of Rome"."""
        for at, token in enumerate(self._tokens[:-1]):
            if token.word in names and self._tokens[at + 1].word == "of" and at + 1 not in self._taken:
                return self._phrase(at + 1, whole=False)
        return None

    def rest(self) -> str | None:
        """The words that are left when all that say nothing are gone."""
        left = [
            at
            for at, token in enumerate(self._tokens)
            if at not in self._taken and token.word not in _FILLERS and token.word not in self._own
        ]
        if not left:
            return None
        self._taken.update(left)
        return " ".join(self._text[self._tokens[at].start : self._tokens[at].end] for at in left)

    def _phrase(self, opening: int, *, whole: bool) -> str | None:
        first = opening + 1
        while first < len(self._tokens) and self._tokens[first].word in _ARTICLES:
            first += 1
        last = first
        while last < len(self._tokens) and last not in self._taken and (whole or not self._stops(last, first)):
            last += 1
        while last > first and self._tokens[last - 1].word in _ENDINGS:
            last -= 1
        if last == first or all(self._tokens[at].word in self._own for at in range(first, last)):
            return None
        self._taken.update(range(opening, last))
        return self._text[self._tokens[first].start : self._tokens[last - 1].end]

    def _stops(self, at: int, first: int) -> bool:
        token = self._tokens[at]
        return token.word in _STOPS or (token.pause and at > first)


def _tokens(text: str) -> Iterator[_Token]:
    end = 0
    for found in re.finditer(r"[^\W_]+(?:['’@.:/_-][^\W_]+)*", text):
        yield _Token(
            found[0].lower(), found.start(), found.end(), bool(re.search(r"[,;.!?]", text[end : found.start()]))
        )
        end = found.end()
