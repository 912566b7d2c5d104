"""What belongs to a person: words spoken, instructions, addresses, who somebody is."""

from dataclasses import dataclass
from typing import Generic, NoReturn, TypeVar

from vivavoce.telemetry.secret import STARS

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class Private(Generic[T]):
    """A value that may be used but not shown. Prints, formats and logs as stars.

    Unlike `Secret` it compares and hashes as the value does: it is not worth guessing, only not ours to
    pass on.
    """

    _value: T

    def reveal(self) -> T:
        """The value, for the place that works with it."""
        return self._value

    def __repr__(self) -> str:
        return f"Private({STARS})"

    def __str__(self) -> str:
        return STARS

    def __format__(self, spec: str) -> str:
        return STARS

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Private value is never pickled; reveal it where it is needed.")
