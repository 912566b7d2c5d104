"""What networks do to what the user says."""

import json
import subprocess
import sys

import pytest

from tests.network.lab import CALLER_NS
from tests.network.reciter import TONE_S, TONES
from tests.network.stage import URL, Stage

pytestmark = [pytest.mark.network, pytest.mark.timeout(120)]

SETTLED_S = 14
"""By then the engine has measured the network and its queue has drained: 8 s on a quiet machine."""


def test_speech_takes_what_an_uplink_carries_and_does_not_fill_its_queue(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = ["tc", "qdisc", "replace", "dev", "wlan0", "root", "tbf", "rate", "80kbit", "burst", "3000"]
    narrow = [*queue, "latency", "600ms"]
    subprocess.run(stage.lab.command(CALLER_NS, *narrow), check=True)
    with stage.server(), stage.process(CALLER_NS, "-m", "tests.network.speaker", URL) as caller:
        assert caller.stdout is not None
        assert json.loads(caller.stdout.readline()) == {"connected": True}
        seconds = [json.loads(caller.stdout.readline()) for _ in range(SETTLED_S + 6)]
    settled = seconds[SETTLED_S:]
    trips = sorted(second["round_trip_ms"] for second in settled)
    rates = [second["sent_bps"] for second in settled]
    with capsys.disabled():
        early = seconds[1]["round_trip_ms"]
        shown = f"round trip {early:.0f} ms at first, then {trips[len(trips) // 2]:.0f}; {max(rates) / 1000:.0f} kbit/s"
        sys.stdout.write(f"\nspeech through an uplink of 80 kbit/s: {shown} at most\n")
    assert trips[len(trips) // 2] < 300
    assert max(rates) < 80_000
    assert min(rates) > 25_000


def test_a_recording_that_was_given_at_once_is_heard_in_full_through_a_change_of_network(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    with stage.server(), stage.process(CALLER_NS, "-m", "tests.network.reciter", URL) as caller:
        assert caller.stdout is not None
        assert json.loads(caller.stdout.readline()) == {"connected": True}
        stage.lab.wait(1)
        stage.lab.switch("cell")
        told = json.loads(caller.stdout.readline())
    heard: dict[int, float] = {}
    for tone, seconds in told["seconds"]:
        heard[tone] = heard.get(tone, 0.0) + seconds
    with capsys.disabled():
        sys.stdout.write(f"\na recording through a change of network: {told}\n")
    assert (told["sessions"], told["complete"]) == (["same session"], True)
    assert list(heard) == list(range(TONES)), "in order, and none is missing"
    assert all(seconds > 0.7 * TONE_S for seconds in heard.values())
    assert sum(heard.values()) < TONES * TONE_S + 0.8, "what may have been heard is said again, but no more"
