"""Ask in writing, read the answer as it comes. Needs OPENAI_API_KEY, and OPENAI_BASE_URL for another server."""

import asyncio

import vivavoce


async def main() -> None:
    session = {"output_modalities": ["text"]}
    async with vivavoce.connect(transport="websocket", session=session) as call:
        content = [{"type": "input_text", "text": "What is twelve times seven?"}]
        await call.conversation.item.create(item={"type": "message", "role": "user", "content": content})
        await call.response.create()
        async for event in call:
            if event.type == "response.output_text.delta":
                print(event.delta, end="", flush=True)
            if event.type == "response.done":
                print()
                return


asyncio.run(main())
