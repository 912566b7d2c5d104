"""Keys and client secrets, given or fetched."""

import threading
from collections.abc import Awaitable

import pytest

from vivavoce.client.policy import Call, History, Persistence, Wait
from vivavoce.client.secret import Fetched, Given, Kind
from vivavoce.errors import ConfigError, RefusedError, TransportError
from vivavoce.telemetry.secret import Secret


async def test_a_given_key_is_the_same_each_time() -> None:
    source = Given(" sk-0123456789\n", Kind.API_KEY)
    assert not source.fetches
    credential = await source.get()
    assert credential.secret.reveal() == "sk-0123456789"
    assert credential == await source.get()
    assert "sk-" not in repr(credential)


async def test_a_fetched_secret_is_fresh_for_each_call() -> None:
    numbers = iter("12")

    async def fetch() -> str:
        return f"ek_{next(numbers)}"

    source = Fetched(fetch)
    assert source.fetches
    assert source.kind is Kind.CLIENT_SECRET
    assert [(await source.get()).secret.reveal() for _ in range(2)] == ["ek_1", "ek_2"]


async def test_a_plain_function_does_not_hold_up_the_loop() -> None:
    threads: list[threading.Thread] = []

    def fetch() -> Secret:
        threads.append(threading.current_thread())
        return Secret("ek_1")

    await Fetched(fetch).get()
    assert threads != [threading.main_thread()]


async def test_a_function_that_gives_a_coroutine_is_awaited() -> None:
    async def later() -> str:
        return "ek_1"

    def fetch() -> Awaitable[str]:
        return later()

    assert (await Fetched(fetch).get()).secret == Secret("ek_1")


async def test_a_backend_that_fails_is_asked_again_by_a_call_that_comes_back() -> None:
    def fetch() -> str:
        raise OSError("backend is down")

    with pytest.raises(RefusedError) as refused:
        await Fetched(fetch).get()
    history = History(0.0, (Call(),), renews=True)
    assert isinstance(Persistence().decide(refused.value, history, 1.0, 0.5), Wait)


async def test_an_error_of_ours_passes_as_it_is() -> None:
    async def fetch() -> str:
        raise TransportError("no way")

    with pytest.raises(TransportError):
        await Fetched(fetch).get()


@pytest.mark.parametrize("words", ["", "  ", "sk- 1", "sk-ключ", "sk-\x00"])
async def test_what_cannot_be_a_key_is_refused_before_it_is_sent(words: str) -> None:
    with pytest.raises(ConfigError):
        Given(words, Kind.API_KEY)
    with pytest.raises(ConfigError):
        await Fetched(lambda: words).get()
