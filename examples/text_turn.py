"""Ask a written question and print the answer as it is written.

With `viva serve` on this computer; without the base URL it calls OpenAI:

    OPENAI_BASE_URL=http://127.0.0.1:8765/v1 OPENAI_API_KEY=… python examples/text_turn.py "What is two plus two?"
"""

import asyncio
import sys

import vivavoce
from vivavoce.wire.event import ResponseDone, ResponseOutputTextDelta


async def main(question: str) -> None:
    session = {"type": "realtime", "output_modalities": ["text"]}
    async with vivavoce.connect(session=session, transport="websocket") as call:
        await call.conversation.item.create(
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": question}]}
        )
        await call.response.create()
        async for event in call:
            match event:
                case ResponseOutputTextDelta(delta=words):
                    print(words, end="", flush=True)
                case ResponseDone(response=response):
                    print(f"\n({response.status})")
                    return
                case _:
                    pass


if __name__ == "__main__":
    asyncio.run(main(" ".join(sys.argv[1:]) or "What is two plus two?"))
