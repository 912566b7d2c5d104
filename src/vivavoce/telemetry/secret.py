"""Words that open doors."""

import hmac
from typing import NoReturn

STARS = "***"


class Secret:
    """A key or client secret. Prints, formats and logs as stars; `reveal` is the only way to the words.

    Two secrets are compared in constant time. A secret has no hash and cannot be pickled, so it does not
    end up as a dictionary key or in a dump by accident.
    """

    __slots__ = ("_words",)
    __hash__ = None  # type: ignore[assignment]  # equality in constant time and hashing do not go together

    def __init__(self, words: str) -> None:
        self._words = words

    def reveal(self) -> str:
        """The words themselves, for the one place that must send or compare them."""
        return self._words

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._words.encode(), other._words.encode())

    def __bool__(self) -> bool:
        return bool(self._words)

    def __repr__(self) -> str:
        return f"Secret({STARS})"

    def __str__(self) -> str:
        return STARS

    def __format__(self, spec: str) -> str:
        return STARS

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Secret is never pickled; reveal it where it is needed.")
