"""Let the model call a Python function.

With `viva serve` on this computer; without the base URL it calls OpenAI:

    OPENAI_BASE_URL=http://127.0.0.1:8765/v1 OPENAI_API_KEY=… python examples/tool.py "What is the weather in Bern?"
"""

import asyncio
import sys

import vivavoce
from vivavoce.wire.event import ResponseFunctionCallArgumentsDone, ResponseOutputTextDone


def get_weather(city: str) -> dict[str, object]:
    """Tells the weather.

    Args:
        city: where, for instance Bern
    """
    return {"city": city, "sky": "sunny", "celsius": 21}


async def main(question: str) -> None:
    session = {"type": "realtime", "output_modalities": ["text"]}
    async with vivavoce.connect(session=session, tools=[get_weather], transport="websocket") as call:
        await call.conversation.item.create(
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": question}]}
        )
        await call.response.create()
        async for event in call:
            match event:
                case ResponseFunctionCallArgumentsDone(name=name, arguments=arguments):
                    print(f"calls {name}({arguments})")
                case ResponseOutputTextDone(text=text):
                    print(text)
                    return
                case _:
                    pass


if __name__ == "__main__":
    asyncio.run(main(" ".join(sys.argv[1:]) or "What is the weather in Bern?"))
