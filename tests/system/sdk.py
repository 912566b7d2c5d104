"""The `openai` package's client; nothing about it is ours but where it calls and with what key."""

from typing import Final

import openai

from tests.viva import Viva

MODEL: Final = "gpt-realtime-2.1"


def sdk(viva: Viva, key: str | None = None) -> openai.AsyncOpenAI:
    """For programs with an event loop."""
    return openai.AsyncOpenAI(api_key=key or viva.key, base_url=f"{viva.url}/v1", max_retries=0)


def sync_sdk(viva: Viva) -> openai.OpenAI:
    """For programs without."""
    return openai.OpenAI(api_key=viva.key, base_url=f"{viva.url}/v1", max_retries=0)
