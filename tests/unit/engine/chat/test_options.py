"""What the owner of a server may say about the chat server."""

import os

import pytest

from vivavoce.engine.chat.options import ChatOptions, Opening, Sight, Warmth
from vivavoce.errors import ConfigError

GIVEN = {"url": "http://127.0.0.1:11434/v1", "model": "llama3.2"}


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1/chat/completions"),
        ("http://127.0.0.1:11434/v1/", "http://127.0.0.1:11434/v1/chat/completions"),
        ("https://api.openai.com/v1/chat/completions", "https://api.openai.com/v1/chat/completions"),
        ("https://x.example.com/v1?v=2", "https://x.example.com/v1/chat/completions?v=2"),
    ],
)
def test_a_base_url_or_the_whole_address_will_do(url: str, endpoint: str) -> None:
    assert ChatOptions.parse({**GIVEN, "url": url}).url == endpoint


def test_everything_can_be_said() -> None:
    options = ChatOptions.parse(
        {
            **GIVEN,
            "key": "sk-secret",
            "effort": "none",
            "temperature": "0.5",
            "opening": "thought",
            "sight": "no",
            "warmth": "yes",
            "context": "8192",
            "connect_s": "1",
            "first_s": "2",
            "stall_s": "3",
            "calls": "4",
        }
    )
    assert options.key is not None
    assert options.key.reveal() == "sk-secret"
    assert (options.effort, options.temperature) == ("none", 0.5)
    assert (options.opening, options.sight, options.warmth) == (Opening.THOUGHT, Sight.NO, Warmth.YES)
    assert (options.connect_s, options.first_s, options.stall_s, options.calls) == (1, 2, 3, 4)
    assert options.context == 8192


def test_the_key_does_not_print() -> None:
    assert "sk-secret" not in repr(ChatOptions.parse({**GIVEN, "key": "sk-secret"}))


def test_the_key_may_stand_in_the_environment() -> None:
    key = ChatOptions.parse({**GIVEN, "key_env": "PATH"}).key
    assert key is not None
    assert key.reveal() == os.environ["PATH"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": "m"},
        {"url": "127.0.0.1:11434", "model": "m"},
        {"url": "ftp://x/v1", "model": "m"},
        {"url": "http:///v1", "model": "m"},
        {"url": "http://x/v1"},
        {"url": "http://x/v1", "model": ""},
        {**GIVEN, "colour": "red"},
        {**GIVEN, "stall_s": "0"},
        {**GIVEN, "stall_s": "soon"},
        {**GIVEN, "stall_s": "inf"},
        {**GIVEN, "temperature": "-1"},
        {**GIVEN, "sight": "maybe"},
        {**GIVEN, "key_env": "SURELY_NOT_SET_ANYWHERE"},
        {**GIVEN, "key": "a", "key_env": "b"},
    ],
)
def test_what_makes_no_sense_is_refused_at_once(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        ChatOptions.parse(wrong)
