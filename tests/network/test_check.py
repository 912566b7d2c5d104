"""`viva check` tells apart what real networks do: one that works, one without UDP, a container nobody can see into."""

import json
from typing import Any

import pytest

from tests.network.lab import CALLER_NS, INSIDE, INSIDE_NS
from tests.network.stage import PORT, URL, Stage

pytestmark = [pytest.mark.network, pytest.mark.timeout(120)]


def examined(stage: Stage, *options: str) -> dict[str, Any]:
    """What the command finds from the caller's network."""
    words = ("-m", "vivavoce.cli.main", "check", "--base-url", URL, "--json", "--no-talk", *options)
    with stage.process(CALLER_NS, *words) as process:
        found: dict[str, Any] = json.loads(process.communicate(timeout=90)[0])
    assert process.returncode == found["exit_code"]
    return found


def hops(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {hop["name"]: hop for hop in found["hops"]}


def test_through_a_nat_all_is_well_and_the_call_comes_back(stage: Stage) -> None:
    with stage.server():
        found = examined(stage, "--seconds", "1")
    assert found["first"] is None, found
    assert hops(found)["return"]["outcome"] == "passed"


def test_a_network_without_udp_is_named_and_the_call_goes_by_websocket(stage: Stage) -> None:
    stage.lab.filter("meta l4proto udp counter drop")
    with stage.server():
        found = examined(stage, "--seconds", "1", "--patience", "3")
    assert (found["first"], found["exit_code"]) == ("udp", 6), found
    assert "UDP is shut" in hops(found)["udp"]["remedy"]
    assert hops(found)["websocket"]["outcome"] == "passed"
    assert hops(found)["call"]["figures"]["by"] == "websocket"


def test_a_container_that_does_not_know_its_outer_address_is_found(stage: Stage) -> None:
    stage.lab.publish(PORT, "40000-40100")
    with stage.server("--udp-ports", "40000-40100", host="0.0.0.0", namespace=INSIDE_NS):
        found = examined(stage, "--seconds", "1", "--patience", "3")
    assert (found["first"], found["exit_code"]) == ("udp", 6), found
    assert INSIDE in hops(found)["udp"]["found"]
