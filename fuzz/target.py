"""What is fuzzed: a reader of hostile bytes, where it starts from, and what it may say no with."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """One reader.

    Attributes:
        name: as `./dev fuzz NAME` calls it.
        feed: hands it one input, and asserts what holds for each.
        seeds: good inputs to start from.
        legal: the exceptions that `feed` may raise. Every other one is a finding.
        words: tokens that chance would not hit upon.
        longest: bytes of an input that are tried at most.
        smoke: how many mutated inputs the everyday tests try.
    """

    name: str
    feed: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]
    legal: tuple[type[Exception], ...] = ()
    words: tuple[bytes, ...] = ()
    longest: int = 4096
    smoke: int = 2000

    def take(self, data: bytes) -> None:
        """Feed one input.

        Raises:
            Exception: a finding.
        """
        with suppress(*self.legal):
            self.feed(data)
