"""ICE servers that the application fetches."""

import pytest

from vivavoce.client.ice import Given, fetched
from vivavoce.client.secret import Credential, Kind
from vivavoce.errors import ConfigError, Fault, Retry, TransportError
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.ice import IceServer

KEY = Credential(Secret("sk-0123456789abcdef"), Kind.API_KEY)


async def test_servers_are_fetched_anew_for_each_connection() -> None:
    numbers = iter("12")

    async def fetch() -> Given:
        return {"iceServers": [{"urls": "turn:relay.example", "username": next(numbers), "credential": "hunter2"}]}

    servers = fetched(fetch)
    for name in "12":
        assert await servers(KEY) == (IceServer(("turn:relay.example",), name, Secret("hunter2")),)


async def test_a_plain_function_may_give_them_too() -> None:
    assert await fetched(lambda: [IceServer(("stun:stun.example",))])(KEY) == (IceServer(("stun:stun.example",)),)


async def test_a_backend_that_cannot_be_reached_is_asked_again_later() -> None:
    def fetch() -> Given:
        raise OSError("no network")

    with pytest.raises(TransportError) as failed:
        await fetched(fetch)(KEY)
    assert failed.value.fault is Fault.NETWORK
    assert isinstance(failed.value.next, Retry)


async def test_what_is_no_server_is_the_callers_mistake() -> None:
    with pytest.raises(ConfigError):
        await fetched(lambda: [{"urls": "https://relay.example"}])(KEY)
