"""Tool servers that speak MCP, the Model Context Protocol, over HTTP."""
