"""Who works for a running call beside its loop, and how all of them come to an end."""

import asyncio
from asyncio import Task, TaskGroup
from collections.abc import Callable, Coroutine

from vivavoce.client.leg import Leg, Post
from vivavoce.client.player import Clockwork, Heard, Player
from vivavoce.clock import Clock
from vivavoce.errors import VivaError


class Crew:
    """The tasks of a call, its connections and its player. `player` is None where sound is only handed on."""

    def __init__(self, tasks: TaskGroup, player: Player | None) -> None:
        self.player = player
        self.tasks = tasks
        self._at_work = True
        self._working: set[Task[None]] = set()
        self._legs: dict[Leg, Task[None]] = {}

    def start(self, work: Coroutine[object, object, None]) -> "Task[None]":
        """Have something done beside the call, at most until its end."""
        task = self.tasks.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return task

    def carry(self, leg: Leg, post: Post) -> None:
        """Have a connection bring what arrives, until it is closed."""
        self._legs[leg] = task = self.tasks.create_task(leg.carry(post))
        task.add_done_callback(lambda _: self._legs.pop(leg, None))

    def watch(self, leg: Leg, post: Post, clock: Clock) -> None:
        """Have the signs of life of a connection looked at."""
        self.start(leg.locate())
        self.start(leg.watch(post, clock))

    def let_go(self, leg: Leg) -> None:
        """Close a connection that is not needed any more."""
        if self._at_work:  # otherwise it is let go with all others
            self.start(leg.close())

    def give_up(self, leg: Leg) -> None:
        """Close a connection whose session is not come back to."""
        if self._at_work:  # likewise
            self.start(leg.give_up())

    def listen(self, heard: Heard, broke: Callable[[VivaError], None]) -> None:
        """Let the player play."""
        if self.player is not None:
            self.start(_play(self.player, heard, broke))

    def need_player(self, heard: Heard, broke: Callable[[VivaError], None]) -> Player:
        """Sound comes faster than it is heard: somebody must play it, or count at least."""
        if self.player is None:
            self.player = Clockwork()
            self.listen(heard, broke)
        return self.player

    def dismiss(self) -> None:
        """Stop all work but that of the connections."""
        self._at_work = False
        for task in self._working:
            task.cancel()

    async def leave(self) -> None:
        """Close the connections, saying what is still to be said; no other is being made by then."""
        await asyncio.gather(*self._working, return_exceptions=True)
        for leg in list(self._legs):
            await leg.close()


async def _play(player: Player, heard: Heard, broke: Callable[[VivaError], None]) -> None:
    try:
        await player.run(heard)
    except VivaError as error:
        broke(error)
