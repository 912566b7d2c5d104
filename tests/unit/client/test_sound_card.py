"""The sound card by way of its driver, with a driver that the test wrote."""

import sys
from ctypes.util import find_library

import pytest

from tests.unit.client.test_device import ScriptedCard
from vivavoce.client.card import Kind, open_device
from vivavoce.client.sound_card import SoundCard

KINDS: tuple[Kind, ...] = ("input", "output")


def ignore(*_: object) -> None:
    """Nothing flows here."""


def card_of(driver: ScriptedCard, reloads: list[str], says: str = "{}") -> SoundCard:
    return SoundCard(driver, lambda: reloads.append("reload"), (sys.executable, "-c", f"print({says!r})"))


def test_a_look_closes_what_is_open_and_loads_the_driver_anew_once_for_all_who_ask() -> None:
    driver, reloads = ScriptedCard(), list[str]()
    card = card_of(driver, reloads)
    devices = [open_device(card, kind, None, ignore) for kind in KINDS]
    card.look(0)
    assert [stream.calls for stream in driver.opened] == [["close"], ["close"]]
    card.look(0)
    assert (card.looks, reloads) == (1, ["reload"])
    card.look(card.looks)
    assert (card.looks, len(reloads)) == (2, 2)
    assert [device.name for device in devices] == ["built-in", "built-in"]


def test_a_driver_that_cannot_be_loaded_again_breaks_nothing() -> None:
    def fail() -> None:
        raise OSError("no sound server")

    card = SoundCard(ScriptedCard(), fail)
    card.look(0)
    assert card.looks == 1


@pytest.mark.parametrize(
    ("said", "understood"),
    [
        ('{"input": "headset", "output": null}', {"input": "headset", "output": None}),
        ("no JSON", {}),
        ("{}", {}),
    ],
)
async def test_another_process_says_what_the_devices_are_now(said: str, understood: object) -> None:
    assert await card_of(ScriptedCard(), [], said).defaults() == understood


async def test_where_no_other_process_can_be_started_nothing_is_known() -> None:
    assert await SoundCard(ScriptedCard(), lambda: None, ("/no/such/program",)).defaults() == {}


@pytest.mark.skipif(find_library("portaudio") is None, reason="PortAudio is not installed")
async def test_the_looker_of_this_package_names_a_device_of_each_kind_or_says_that_there_is_none() -> None:
    found = await SoundCard(ScriptedCard(), lambda: None).defaults()
    assert set(found) == set(KINDS)
    assert all(name is None or isinstance(name, str) for name in found.values())
