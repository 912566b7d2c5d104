"""A thinker behind any OpenAI-compatible `/v1/chat/completions` server: Ollama, vLLM, llama.cpp, LM Studio, OpenAI."""

from vivavoce.engine.chat.thinker import open_thinker

__all__ = ["open_thinker"]
