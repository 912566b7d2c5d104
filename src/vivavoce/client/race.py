"""Several ways to one end, tried one beside another: the first that gets there wins."""

import asyncio
from asyncio import Event, TaskGroup
from collections.abc import Awaitable, Callable, Sequence

from vivavoce.errors import TransportError, VivaError

Stuck = Callable[[], None]
Contender = Callable[[Stuck], Awaitable[None]]
"""Tries one way. It calls what it is given as soon as this seems to take long, so that the next is tried beside it."""


async def race(contenders: Sequence[Contender]) -> None:
    """Return when one of them has got there; the others have been cancelled by then.

    Each begins when the one before it is stuck, or could not be connected. Who is refused is not: that is an answer,
    which the next way would only get again.

    Raises:
        VivaError: what the first failed with. All have failed, or the first was refused before another had begun.
    """
    turns = [Event() for _ in range(len(contenders) + 1)]
    turns[0].set()
    failures: dict[int, VivaError] = {}

    def left() -> int:
        return sum(turn.is_set() for turn in turns[:-1]) - len(failures)

    async def run(number: int) -> None:
        await turns[number].wait()
        try:
            await contenders[number](turns[number + 1].set)
        except VivaError as error:
            failures[number] = error
            if isinstance(error, TransportError):
                turns[number + 1].set()
            if left():
                return
        for task in running:
            if task is not asyncio.current_task():
                task.cancel()

    async with TaskGroup() as tasks:
        running = [tasks.create_task(run(number)) for number in range(len(contenders))]
    if not left():
        raise failures[0]
