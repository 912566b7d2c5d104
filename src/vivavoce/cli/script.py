"""What a scripted caller does, step by step, and how it knows that it has been answered."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, assert_never

from vivavoce.audio.frame import Pcm, sample_count, silence
from vivavoce.cli.exit_code import Unanswered
from vivavoce.cli.mouth import Mouth
from vivavoce.client.call import Call
from vivavoce.errors import Fault, Never
from vivavoce.session.peer import Activity

LEAD_IN: Final = sample_count(600)
"""Samples of silence before the first word; both sides' jitter buffers settle in it."""
SETTLE_S: Final = 0.3
"""Quiet for so long after an answer is the end of it."""


@dataclass(frozen=True, slots=True)
class Write:
    """Send a text."""

    text: str


@dataclass(frozen=True, slots=True)
class Speak:
    """Say something. `name` is what it is called in messages."""

    samples: Pcm
    name: str


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Say something so many seconds after the first sound of the answer to what came before."""

    after_s: float
    samples: Pcm
    name: str


Step = Write | Speak | Interrupt


class Script:
    """Performs steps in a call."""

    def __init__(self, call: Call, mouth: Mouth, *, patience_s: float) -> None:
        """Begin.

        Args:
            call: the call, connected.
            mouth: speaks into it.
            patience_s: how long an answer may take to begin.
        """
        self._call = call
        self._mouth = mouth
        self._patience_s = patience_s

    async def perform(self, steps: Sequence[Step]) -> None:
        """All steps, each after the answer to the one before.

        Raises:
            Unanswered: an answer did not come.
            VivaError: the call has failed.
        """
        self._mouth.say(silence(LEAD_IN))
        for step, following in zip(steps, [*steps[1:], None], strict=True):
            turns = len(self._call.timings.turns)
            match step:
                case Write(text):
                    await self._write(text)
                case Speak(samples):
                    self._mouth.say(samples)
                    await self._mouth.silent()
                    await self._heard(turns, step.name)
                case Interrupt():
                    await self._interrupt(step, turns)
                case _:
                    assert_never(step)
            if not isinstance(following, Interrupt):
                await self._over()

    async def _write(self, text: str) -> None:
        content = [{"type": "input_text", "text": text}]
        await self._call.conversation.item.create(item={"type": "message", "role": "user", "content": content})
        await self._call.response.create()

    async def _interrupt(self, step: Interrupt, turns: int) -> None:
        await self._until(lambda call: call.activity is Activity.SPEAKING, "The answer to be interrupted did not begin")
        with suppress(TimeoutError):
            await self._call.until(lambda call: call.activity is not Activity.SPEAKING, step.after_s)
            raise Unanswered(
                f"The answer was over before {step.after_s:g} s had passed, so it could not be interrupted.",
                fault=Fault.CALLER,
                next=Never(),
            )
        self._mouth.say(step.samples)
        await self._mouth.silent()
        await self._heard(turns, step.name)

    async def _heard(self, turns: int, name: str) -> None:
        def taken(call: Call) -> bool:
            return len(call.timings.turns) > turns and call.timings.turns[-1].asked_at is not None

        await self._until(taken, f"The server did not hear {name}")

    async def _over(self) -> None:
        """Wait for the end of the answer, however many pieces it comes in."""
        while True:
            await self._until(_stirring, "No answer began")
            await self._call.until(lambda call: call.activity is Activity.IDLE)
            with suppress(TimeoutError):
                await self._call.until(lambda call: call.activity is not Activity.IDLE, SETTLE_S)
                continue
            return

    async def _until(self, condition: Callable[[Call], bool], otherwise: str) -> None:
        try:
            await self._call.until(condition, self._patience_s)
        except TimeoutError:
            raise Unanswered(
                f"{otherwise} within {self._patience_s:g} s.", fault=Fault.PROVIDER, next=Never()
            ) from None


def _stirring(call: Call) -> bool:
    return call.activity in (Activity.SPEAKING, Activity.IDLE)
