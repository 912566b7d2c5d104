"""Two agents of the `openai-agents` package at one desk, over WebRTC: one answers, one takes over. You hear them.

With `pip install "vivavoce[agents]"` and `viva serve` on this computer; without the base URL it calls OpenAI:

    OPENAI_BASE_URL=http://127.0.0.1:8765/v1 OPENAI_API_KEY=… python examples/agent_desk.py out.wav "Weather in Bern?"
"""

import asyncio
import sys
import wave

from agents import function_tool
from agents.realtime import RealtimeAgent, RealtimeRunner

from vivavoce.agents import Model


@function_tool
def get_weather(city: str) -> str:
    """Tells the weather."""
    return f"It is sunny in {city}, at 21 degrees."


accountant = RealtimeAgent(
    name="Accountant", instructions="You pay people back.", handoff_description="pays money back, refunds"
)
clerk = RealtimeAgent(name="Clerk", instructions="Be brief.", tools=[get_weather], handoffs=[accountant])


async def main(recording: str, questions: list[str]) -> None:
    with wave.open(recording, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        async with await RealtimeRunner(clerk, model=Model()).run() as session:
            await session.send_message(questions.pop(0))
            async for event in session:
                match event.type:
                    case "tool_start":
                        print(f"{event.agent.name} uses {event.tool.name}({event.arguments})")
                    case "handoff":
                        print(f"{event.from_agent.name} hands over to {event.to_agent.name}")
                    case "audio":
                        file.writeframes(event.audio.data)
                    case "audio_end" if questions:
                        await session.send_message(questions.pop(0))
                    case "audio_end":
                        return
                    case _:
                        pass


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} RECORDING.wav [QUESTION …]")
    asyncio.run(
        main(sys.argv[1], sys.argv[2:] or ["What is the weather in Bern?", "Transfer me to the accountant, please."])
    )
