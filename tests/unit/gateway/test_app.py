import asyncio

import pytest

from tests.unit.gateway.stand import KEY, OTHER_KEY, Stand, settings, standing
from vivavoce.errors import ConfigError
from vivavoce.gateway.app import open_origins
from vivavoce.gateway.settings import Limits


def test_health_is_open_to_all_and_says_how_many_calls_there_are(stand: Stand) -> None:
    health = stand.get("/healthz", key=None)
    assert health.status == 200
    assert health.json().keys() == {"status", "calls", "version"}
    assert (health.json()["status"], health.json()["calls"]) == ("ok", 0)
    stand.call()
    assert stand.running() == 1


def test_the_answerer_lives_as_long_as_the_gateway_and_all_calls_end_with_it() -> None:
    with standing() as stand:
        assert (stand.answerer.opened, stand.answerer.closed) == (1, 0)
        for key in (KEY, OTHER_KEY):
            stand.call(key=key)
    assert stand.answerer.closed == 1

    async def ended() -> None:
        async with asyncio.timeout(5):
            for call in stand.answerer.calls:
                await call.ended()

    asyncio.run(ended())
    assert len(stand.answerer.calls) == 2


def test_processes_that_share_a_store_honour_each_others_secrets() -> None:
    with standing() as one, standing(beside=one) as two:
        assert two.call(key=one.secret()).status == 201


def test_secrets_of_a_key_that_was_withdrawn_are_worth_nothing() -> None:
    with standing() as before, standing(settings(keys=(OTHER_KEY,)), beside=before) as after:
        assert after.call(key=before.secret(key=KEY)).error == (401, "invalid_api_key", None)
        assert after.call(key=before.secret(key=OTHER_KEY)).status == 201


def test_a_full_store_refuses_new_secrets_and_nothing_else() -> None:
    with standing(settings(limits=Limits(json_bytes=80 * 1024 * 1024))) as stand:
        instructions = "x" * (66 * 1024 * 1024)
        refused = stand.mint('{"session":{"type":"realtime","instructions":"' + instructions + '"}}')
        assert refused.error == (503, None, None)
        assert refused.headers["retry-after"] == "10"
        assert stand.call().status == 201


@pytest.mark.parametrize(
    ("bind", "origins", "origin", "welcome"),
    [
        ("127.0.0.1", None, "http://localhost:3000", True),
        ("0.0.0.0", None, "http://localhost:3000", False),
        ("127.0.0.1", (), "http://localhost:3000", False),
        ("0.0.0.0", ("https://app.example",), "https://app.example", True),
    ],
)
def test_pages_of_this_computer_may_call_where_only_this_computer_can(
    bind: str, origins: tuple[str, ...] | None, origin: str, welcome: bool
) -> None:
    assert open_origins(settings(bind=bind, origins=origins)).allows(origin) is welcome


def test_a_setting_that_is_no_origin_stops_the_start() -> None:
    with pytest.raises(ConfigError), standing(settings(origins=("app.example",))):
        pass
