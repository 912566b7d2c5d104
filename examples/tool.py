"""Let the agent call a Python function, over WebRTC, and hear what it makes of the result."""

import asyncio

import vivavoce


def get_weather(city: str) -> dict[str, object]:
    """The weather in a city, now."""
    return {"city": city, "sky": "clear", "degrees": 21}


async def main() -> None:
    async with vivavoce.connect(tools=[get_weather]) as call:
        content = [{"type": "input_text", "text": "What is the weather in Bern?"}]
        await call.conversation.item.create(item={"type": "message", "role": "user", "content": content})
        await call.response.create()
        async for event in call:
            if event.type == "response.output_audio_transcript.done":
                print(event.transcript)
                return


asyncio.run(main())
