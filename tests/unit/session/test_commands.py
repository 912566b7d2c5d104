"""Commands that can be blamed, and truncations that wait."""

from itertools import count

from vivavoce.session.commands import REMEMBERED, Commands
from vivavoce.wire.event import InputAudioBufferAppend, ResponseCancel


def commands() -> Commands:
    numbers = count(1)
    return Commands(lambda prefix: f"{prefix}_{next(numbers)}")


def test_a_command_keeps_its_own_id_and_gets_one_if_it_has_none() -> None:
    sent = commands()
    assert sent.stamp(ResponseCancel(event_id="mine")).event_id == "mine"
    assert sent.stamp(ResponseCancel()).event_id == "event_1"
    assert sent.get("mine") == ResponseCancel(event_id="mine")
    assert sent.get("other") is None
    assert sent.get(None) is None


def test_sound_does_not_crowd_out_what_can_be_blamed() -> None:
    sent = commands()
    first = sent.stamp(ResponseCancel())
    for _ in range(REMEMBERED * 2):
        sent.stamp(InputAudioBufferAppend(audio=""))
    assert sent.get("event_1") == first
    for _ in range(REMEMBERED):
        sent.stamp(ResponseCancel())
    assert sent.get("event_1") is None


def test_a_truncation_is_paid_once() -> None:
    sent = commands()
    sent.owe("a", 300)
    assert sent.pay("a") == 300
    assert sent.pay("a") is None
