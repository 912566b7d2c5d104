import pytest
from starlette.datastructures import Headers, QueryParams

from vivavoce.errors import RequestError
from vivavoce.gateway.credential import credential, select_subprotocol


def test_a_bearer_token_is_taken_whatever_the_case_of_the_scheme() -> None:
    assert credential(Headers({"Authorization": "bearer  abc "})).reveal() == "abc"


def test_azure_clients_send_api_key() -> None:
    assert credential(Headers({"api-key": "abc"})).reveal() == "abc"


def test_browsers_put_it_into_a_subprotocol() -> None:
    offered = ["realtime", "openai-insecure-api-key.ek_1.2", "openai-agents-sdk.0.20"]
    assert credential(Headers(), offered).reveal() == "ek_1.2"


def test_browsers_that_know_azure_put_it_into_the_query() -> None:
    assert credential(Headers(), [], QueryParams("model=m&api-key=abc")).reveal() == "abc"
    with pytest.raises(RequestError):
        credential(Headers(), [], QueryParams("model=m&api-key="))


def test_the_authorization_header_comes_first() -> None:
    headers = Headers({"Authorization": "Bearer one", "api-key": "two"})
    assert credential(headers, ["openai-insecure-api-key.three"]).reveal() == "one"


@pytest.mark.parametrize(
    ("headers", "offered"),
    [
        ({}, []),
        ({}, ["realtime", "openai-insecure-api-key."]),
        ({"Authorization": "Basic abc"}, []),
        ({"Authorization": "Bearer"}, []),
        ({"Authorization": "Bearer   "}, ["openai-insecure-api-key.three"]),
        ({"Authorization": ""}, []),
        ({"api-key": ""}, []),
    ],
)
def test_without_a_usable_one_it_is_401(headers: dict[str, str], offered: list[str]) -> None:
    with pytest.raises(RequestError) as refused:
        credential(Headers(headers), offered)
    assert (refused.value.status, refused.value.code) == (401, "invalid_api_key")


def test_realtime_is_selected_if_and_only_if_it_was_offered() -> None:
    assert select_subprotocol(["openai-insecure-api-key.x", "realtime"]) == "realtime"
    assert select_subprotocol(["openai-insecure-api-key.x"]) is None
    assert select_subprotocol([]) is None
