"""The engine work of one call: each `Begin` is a task, its results are inputs, cancelling it is forgetting it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, assert_never

from vivavoce.answer.connections import Connections
from vivavoce.answer.failure import failure
from vivavoce.audio.frame import RATE_HZ, Pcm
from vivavoce.engine import interface as engine
from vivavoce.engine.interface import (
    Detector,
    Speaker,
    Thinker,
    ToolAddress,
    ToolError,
    ToolServers,
    Transcriber,
    TurnModel,
)
from vivavoce.errors import EngineError
from vivavoce.session.effect import Address, CallTool, Charge, Job, Judge, ListTools, Speak, Think, Transcribe, Work
from vivavoce.session.result import (
    CallArguments,
    CallBegun,
    Charged,
    Draft,
    Ended,
    Failed,
    Final,
    Judged,
    Listed,
    Partial,
    Result,
    Returned,
    Spoken,
    Thought,
    ToolFailed,
    Words,
)
from vivavoce.telemetry.log import Log
from vivavoce.wire.config import RateLimit
from vivavoce.wire.item import McpToolExecutionError

log = Log("answer")

CHARGE_S = 2.0
"""Whoever counts for so long keeps somebody waiting for an answer: it is given uncounted."""
PIECE = RATE_HZ
"""Samples that an engine is given at once, at most."""

Post = Callable[[Job, Result], None]


@dataclass(frozen=True)
class Engines:
    """Who hears, thinks and speaks for every call of the process, and who reaches MCP servers, if anybody.

    Without a turn model words alone tell when a turn has ended.
    """

    detector: Detector
    transcriber: Transcriber
    thinker: Thinker
    speaker: Speaker
    tool_servers: ToolServers | None = None
    turn_model: TurnModel | None = None


class Allowance(Protocol):
    """What somebody's calls may cost in a minute, all of them together."""

    async def charge(self, responses: int, tokens: int) -> Sequence[RateLimit]:
        """Count so much and tell what is left of each limit, below zero when there was less."""
        ...


class SoundQueue:
    """Sound on its way to a transcriber; ends with `finish`."""

    def __init__(self) -> None:
        self._chunks: deque[Pcm | None] = deque()
        self._ready = asyncio.Event()

    def push(self, samples: Pcm) -> None:
        """More sound."""
        self._chunks.append(samples)
        self._ready.set()

    def finish(self) -> None:
        """No more sound."""
        self._chunks.append(None)
        self._ready.set()

    async def __aiter__(self) -> AsyncIterator[Pcm]:
        """The sound, once, until it is finished."""
        while True:
            while self._chunks:
                samples = self._chunks.popleft()
                if samples is None:
                    return
                yield samples
            self._ready.clear()
            await self._ready.wait()


class Jobs:
    """Running engine work by number. Results are posted; nothing is posted of work that was cancelled."""

    def __init__(self, tasks: asyncio.TaskGroup, engines: Engines, allowance: Allowance | None, post: Post) -> None:
        self._tasks = tasks
        self._engines = engines
        self._allowance = allowance
        self._post = post
        self._running: dict[Job, asyncio.Task[None]] = {}
        self._sound: dict[Job, SoundQueue] = {}
        servers = engines.tool_servers
        self._connections = None if servers is None else Connections(tasks, servers)

    def begin(self, job: Job, work: Work) -> None:
        """Start."""
        results: AsyncIterator[Result]
        match work:
            case Transcribe(wish):
                sound = self._sound[job] = SoundQueue()
                results = _heard(self._engines.transcriber.transcribe(aiter(sound), wish))
            case Judge(samples):
                results = _judged(self._engines.turn_model, samples)
            case Think():
                results = _thought(self._engines.thinker.think(_prompt(work)))
            case Speak(text, voice, speed):
                results = _said(self._engines.speaker.speak(text, voice, speed))
            case Charge():
                # Not among the others: what was used is counted though the call is over.
                self._tasks.create_task(self._charge(job, work))
                return
            case ListTools(address):
                results = self._list(_tool_address(address))
            case CallTool(address, name, arguments):
                results = self._call(_tool_address(address), name, arguments)
            case _:
                assert_never(work)
        self._running[job] = self._tasks.create_task(self._follow(job, results))

    def feed(self, job: Job, samples: Pcm) -> None:
        """More sound for a transcription."""
        if job in self._sound:
            # A file that was sent at once comes as if it had been spoken: what an engine does with a piece is short.
            for start in range(0, len(samples), PIECE):
                self._sound[job].push(samples[start : start + PIECE])

    def finish(self, job: Job) -> None:
        """No more sound for a transcription."""
        if job in self._sound:
            self._sound[job].finish()

    def cancel(self, job: Job) -> None:
        """Stop."""
        task = self._running.pop(job, None)
        if task is not None:
            task.cancel()

    def cancel_all(self) -> None:
        """Stop everything."""
        for job in list(self._running):
            self.cancel(job)
        if self._connections is not None:
            self._connections.close()

    async def _charge(self, job: Job, charge: Charge) -> None:
        left: Sequence[RateLimit] = ()
        try:
            if self._allowance is not None:
                async with asyncio.timeout(CHARGE_S):
                    left = await self._allowance.charge(charge.responses, charge.tokens)
        except Exception as error:  # whoever counts is somebody else's code, and must not end the call
            log.failure("charge_failed", error)
        self._post(job, Charged(tuple(left)))

    async def _follow(self, job: Job, results: AsyncIterator[Result]) -> None:
        last: Result | None = None
        try:
            async for last in results:
                self._report(job, last)
            if not isinstance(last, Final | Judged | Thought | Ended | Listed | Returned | ToolFailed):
                self._report(job, Failed("An engine ended in the middle of its work."))
        except EngineError as error:
            self._report(job, failure(error))
        except Exception as error:  # an engine is somebody else's code: whatever it raises ends its job, not the call
            log.failure("engine_raised", error)
            self._report(job, Failed(f"An engine failed ({type(error).__name__}).", code="engine_error"))
        finally:
            self._running.pop(job, None)
            self._sound.pop(job, None)

    async def _list(self, address: ToolAddress) -> AsyncIterator[Result]:
        try:
            yield Listed(await self._reachable.tools(address))
        except Exception as error:  # a server is somebody else's: whatever goes wrong there is told of it
            yield _tool_failed(error)

    async def _call(self, address: ToolAddress, name: str, arguments: str) -> AsyncIterator[Result]:
        try:
            yield Returned(await self._reachable.call(address, name, arguments))
        except Exception as error:  # as above
            yield _tool_failed(error)

    @property
    def _reachable(self) -> Connections:
        if self._connections is None:
            raise ToolError(McpToolExecutionError(message="MCP servers cannot be reached from here."))
        return self._connections

    def _report(self, job: Job, result: Result) -> None:
        if job in self._running:
            self._post(job, result)


def _tool_address(address: Address) -> ToolAddress:
    return ToolAddress(address.url, address.headers)


def _tool_failed(error: Exception) -> ToolFailed:
    if isinstance(error, ToolError):
        return ToolFailed(error.error)
    if isinstance(error, EngineError):
        return ToolFailed(McpToolExecutionError(message=error.message))
    log.failure("tool_raised", error)
    return ToolFailed(McpToolExecutionError(message=f"The tool failed ({type(error).__name__})."))


def _prompt(think: Think) -> engine.Prompt:
    return engine.Prompt(
        model=think.model,
        instructions=think.instructions,
        items=think.items,
        tools=think.tools,
        tool_choice=think.tool_choice,
        parallel_tool_calls=think.parallel_tool_calls,
        max_output_tokens=think.max_output_tokens,
        metadata=think.metadata,
        effort=think.effort,
    )


async def _heard(texts: AsyncIterator[engine.Transcribing]) -> AsyncIterator[Result]:
    async for text in texts:
        match text:
            case engine.Partial(delta, logprobs):
                yield Partial(delta, logprobs)
            case engine.Draft(whole, samples):
                yield Draft(whole, samples)
            case engine.Final(whole, languages, logprobs):
                yield Final(whole, languages, logprobs)
            case _:
                assert_never(text)


async def _judged(model: TurnModel | None, samples: Pcm) -> AsyncIterator[Result]:
    if model is None:
        raise EngineError("there is no turn model")
    try:
        yield Judged(await model.judge(samples))
    except EngineError as error:
        # Nobody is told: the turn ends by its words alone. Whoever runs the server should know.
        log.failure("turn_model_failed", error)
        raise


async def _thought(steps: AsyncIterator[engine.Thinking]) -> AsyncIterator[Result]:
    async for step in steps:
        match step:
            case engine.Words(delta):
                yield Words(delta)
            case engine.ToolCall(index, name):
                yield CallBegun(index, name)
            case engine.ToolArguments(index, delta):
                yield CallArguments(index, delta)
            case engine.Thought(cut, input_tokens, cached_tokens, output_tokens):
                yield Thought(cut, input_tokens, cached_tokens, output_tokens)
            case _:
                assert_never(step)


async def _said(speech: AsyncIterator[engine.Speech]) -> AsyncIterator[Result]:
    async for piece in speech:
        yield Spoken(piece.samples, tuple((mark.text_end, mark.at_sample) for mark in piece.marks))
    yield Ended()
