"""Let the model use the tools of an MCP server, and have a say in each call.

The MCP server is a small one in here. With `viva serve` on this computer (OpenAI could not reach it):

    OPENAI_BASE_URL=http://127.0.0.1:8765/v1 OPENAI_API_KEY=… python examples/mcp_tool.py "What is the weather in Bern?"
"""

import asyncio
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import uvicorn
from mcp.server.mcpserver import MCPServer

import vivavoce
from vivavoce.wire.event import ConversationItemDone, ResponseOutputTextDone
from vivavoce.wire.item import McpApprovalRequest, McpCall, McpListTools

weather = MCPServer("weather", log_level="ERROR")


@weather.tool()
def get_weather(city: str) -> str:
    """Tells the weather."""
    return f"It is sunny in {city}, at 21 degrees."


@asynccontextmanager
async def running() -> AsyncGenerator[str]:
    """The MCP server's URL, until the context ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(weather.streamable_http_app(), log_level="error"))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
        server.should_exit = True


async def main(question: str) -> None:
    async with running() as url:
        tool = {"type": "mcp", "server_label": "weather", "server_url": url, "require_approval": "always"}
        session = {"type": "realtime", "output_modalities": ["text"], "tools": [tool]}
        async with vivavoce.connect(session=session, transport="websocket") as call:
            async for event in call:
                match event:
                    case ConversationItemDone(item=McpListTools(tools=tools)):
                        print("tools:", ", ".join(tool.name for tool in tools))
                        words = [{"type": "input_text", "text": question}]
                        await call.conversation.item.create(item={"type": "message", "role": "user", "content": words})
                        await call.response.create()
                    case ConversationItemDone(item=McpApprovalRequest(id=id, name=name, arguments=arguments)):
                        print(f"allows {name}({arguments})")
                        answer = {"type": "mcp_approval_response", "approval_request_id": id, "approve": True}
                        await call.conversation.item.create(item=answer)
                    case ConversationItemDone(item=McpCall(name=name, output=output)):
                        # The call asks for the answer by itself, as it does after functions of the program.
                        print(f"{name} says: {output}")
                    case ResponseOutputTextDone(text=text):
                        print(text)
                        return
                    case _:
                        pass


if __name__ == "__main__":
    asyncio.run(main(" ".join(sys.argv[1:]) or "What is the weather in Bern?"))
