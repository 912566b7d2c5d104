"""Agents of the `openai-agents` package, over our client and WebRTC, with a server that a script thinks for."""

import asyncio
import importlib
import wave
from asyncio import TaskGroup
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import pytest
from agents import Agent, GuardrailFunctionOutput, OutputGuardrail, RunContextWrapper
from agents.realtime import (
    RealtimeAgent,
    RealtimeAudio,
    RealtimeAudioEnd,
    RealtimeAudioInterrupted,
    RealtimeError,
    RealtimeGuardrailTripped,
    RealtimeHistoryAdded,
    RealtimeHistoryUpdated,
    RealtimeItem,
    RealtimeModelConfig,
    RealtimeRunConfig,
    RealtimeRunner,
    RealtimeSession,
    RealtimeSessionEvent,
    RealtimeTurnDetectionConfig,
)
from agents.realtime.model_events import RealtimeModelRawServerEvent

from tests.viva import engines, scripted_server
from vivavoce.agents import Model
from vivavoce.answer.job import Engines
from vivavoce.audio.frame import duration_ms, from_bytes, sample_count, to_bytes
from vivavoce.audio.meter import measure
from vivavoce.engine.fake import (
    ScriptedDetector,
    ScriptedSpeaker,
    ScriptedThinker,
    ScriptedTranscriber,
    ThinkStep,
    thinking,
)
from vivavoce.engine.interface import ToolArguments, ToolCall
from vivavoce.wire.item import FunctionCallOutput

PATIENCE_S: Final = 20.0
LONG: Final = "One two three four five six seven eight nine ten eleven twelve."
HUM: Final = (8_000 * np.sin(np.arange(sample_count(300)) * 0.07)).astype(np.int16)
"""Somebody who is not the echo of what is played."""

CAREFUL: Final[RealtimeRunConfig] = {"guardrails_settings": {"debounce_text_length": 1}}

pytestmark = pytest.mark.realtime

Event = TypeVar("Event")


class Attentive(ScriptedDetector):
    """Hears speech whenever the test says that somebody speaks."""

    speaking = False

    def _probability(self, sample: int) -> float:
        return 1.0 if self.speaking else 0.0


class Stage:
    """A session of agents, all that it has told, and the engines at the other end."""

    def __init__(self, session: RealtimeSession, script: Engines) -> None:
        assert isinstance(script.thinker, ScriptedThinker)
        assert isinstance(script.detector, Attentive)
        self.session = session
        self.detector = script.detector
        self.prompts = script.thinker.prompts
        self.told: list[RealtimeSessionEvent] = []
        self._read = 0
        self._news = asyncio.Event()

    async def listen(self) -> None:
        async for event in self.session:
            self.told.append(event)
            self._news.set()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is true of what was told."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def next(self, kind: type[Event]) -> Event:
        """The next event of a kind that has not been waited for."""
        found: list[Event] = []

        def arrived() -> bool:
            while not found and self._read < len(self.told):
                event = self.told[self._read]
                self._read += 1
                if isinstance(event, kind):
                    found.append(event)
            return bool(found)

        await self.until(arrived)
        return found[0]

    def raw(self, type: str) -> int:
        """How many events of a type the server has sent."""
        raws = [event.data for event in self.told if event.type == "raw_model_event"]
        return sum(raw.data["type"] == type for raw in raws if isinstance(raw, RealtimeModelRawServerEvent))

    @property
    def words(self) -> list[tuple[str, str]]:
        """Who has said what, as the session has it by now."""
        history: list[RealtimeItem] = []
        for event in self.told:
            if isinstance(event, RealtimeHistoryUpdated):
                history = list(event.history)
            elif isinstance(event, RealtimeHistoryAdded):
                ids = [item.item_id for item in history]
                before = event.item.previous_item_id
                history.insert(ids.index(before) + 1 if before in ids else len(history), event.item)
        return [
            (item.role, getattr(part, "transcript", None) or getattr(part, "text", None) or "")
            for item in history
            if item.type == "message"
            for part in item.content
        ]

    async def until_cut(self) -> None:
        """Wait until the last answer is known to end before its end."""
        await self.next(RealtimeAudioInterrupted)
        await self.until(lambda: self.words[-1][1] in LONG[:-5] and self.words[-1][1])
        assert LONG.startswith(self.words[-1][1])

    async def until_heard(self, ms: int) -> None:
        """Wait until so much was heard of another answer."""
        first = await self.next(RealtimeAudio)
        while ms > 0:
            sound = await self.next(RealtimeAudio)
            assert sound.item_id == first.item_id
            ms -= duration_ms(len(sound.audio.data) // 2)


@asynccontextmanager
async def staged(
    agent: RealtimeAgent[None],
    thought: Sequence[str | Sequence[ThinkStep]],
) -> AsyncGenerator[Stage]:
    """A session with a scripted server, of which nothing is left afterwards."""
    script = Engines(
        Attentive(),
        ScriptedTranscriber(["Tell me all."]),
        ScriptedThinker(thought),
        ScriptedSpeaker(ms_per_character=60),
    )
    before = asyncio.all_tasks()
    async with scripted_server(script) as viva, asyncio.timeout(4 * PATIENCE_S):
        runner = RealtimeRunner(agent, model=Model(base_url=f"{viva.url}/v1"), config=CAREFUL)
        async with TaskGroup() as tasks, await runner.run(model_config=config_with(viva.key)) as session:
            stage = Stage(session, script)
            tasks.create_task(stage.listen())
            yield stage
        await viva.until_calls(0)
    assert asyncio.all_tasks() == before
    assert [event.error for event in stage.told if isinstance(event, RealtimeError)] == []


def config_with(key: str) -> RealtimeModelConfig:
    detection: RealtimeTurnDetectionConfig = {"type": "server_vad", "silence_duration_ms": 200}
    return {"api_key": key, "initial_model_settings": {"turn_detection": detection}}


def calls(name: str, arguments: str = "{}") -> list[ThinkStep]:
    """An answer that only calls a tool."""
    return [ToolCall(0, name), ToolArguments(0, arguments)]


async def test_the_example_has_a_tool_called_hands_over_and_records_what_was_heard(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    script = engines(
        thought=[calls("get_weather", '{"city": "Bern"}'), "Sunny.", calls("transfer_to_accountant"), "Paid."]
    )
    assert isinstance(script.thinker, ScriptedThinker)
    async with scripted_server(script) as viva, asyncio.timeout(PATIENCE_S):
        monkeypatch.setenv("OPENAI_BASE_URL", f"{viva.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", viva.key)
        example = importlib.import_module("examples.agent_desk")
        await example.main(str(tmp_path / "out.wav"), ["Weather in Bern?", "Pay me back."])
        await viva.until_calls(0)
    assert capsys.readouterr().out.splitlines() == [
        'Clerk uses get_weather({"city": "Bern"})',
        "Clerk hands over to Accountant",
    ]
    assert [prompt.instructions for prompt in script.thinker.prompts] == 3 * ["Be brief."] + ["You pay people back."]
    outputs = [item for item in script.thinker.prompts[-1].items if isinstance(item, FunctionCallOutput)]
    assert outputs[0].output == "It is sunny in Bern, at 21 degrees."
    with wave.open(str(tmp_path / "out.wav"), "rb") as file:
        heard = from_bytes(file.readframes(file.getnframes()))
    assert measure(heard).peak_db > -20
    said = script.speaker
    assert isinstance(said, ScriptedSpeaker)
    # Silence is not counted: how much of it surrounds the words depends on how busy the machine is.
    assert abs(int((np.abs(heard) > 1_000).sum()) - said.samples("Sunny. Paid.")) < sample_count(400)


async def judge(_: RunContextWrapper[None], agent: Agent[None], words: str) -> GuardrailFunctionOutput:
    """Somebody who listens to what is said, and does not want secrets in it."""
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered="secret" in words)


async def test_whoever_interrupts_leaves_only_words_that_were_heard() -> None:
    guard: OutputGuardrail[None] = OutputGuardrail(judge)
    agent: RealtimeAgent[None] = RealtimeAgent(name="Counter", output_guardrails=[guard])
    # Long enough for somebody on a busy machine to say no before the last word of its first sentence is heard.
    secret = thinking(f"The secret, which I was told to tell nobody on any account, is this. {LONG}", word_s=0.1)
    async with staged(agent, [LONG, LONG, "Bye.", secret, "No."]) as stage:
        await stage.session.send_message("Count.")
        await stage.until_heard(500)
        await stage.session.interrupt()
        await stage.until_cut()

        await stage.session.send_message("Again.")
        await stage.until_heard(500)
        stage.detector.speaking = True
        await stage.session.send_audio(to_bytes(HUM))
        await stage.until_cut()
        stage.detector.speaking = False
        await stage.next(RealtimeAudioEnd)
        await stage.until(lambda: stage.words[-2:] == [("user", "Tell me all."), ("assistant", "Bye.")])

        await stage.session.send_message("Tell me.")
        await stage.next(RealtimeGuardrailTripped)
        await stage.next(RealtimeAudioEnd)
        await stage.until(lambda: stage.words[-1] == ("assistant", "No."))
        assert not any(word in words for _, words in stage.words for word in ("this", "twelve"))
        # Over WebRTC the server truncates by itself, each time once.
        assert stage.raw("conversation.item.truncated") <= 3
