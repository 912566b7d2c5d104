"""What happens to calls: networks that fail, servers that die."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Final

from tests.network.stage import FRONT_URL, Outcome, Play, Row, Stage


def _cut(seconds: float) -> Play:
    def play(stage: Stage) -> Outcome:
        with stage.server(), stage.call() as talk:
            stage.lab.cut(seconds)
            return talk.outcome()

    return play


def _switch(gap_s: float) -> Play:
    def play(stage: Stage) -> Outcome:
        with stage.server(), stage.call() as talk:
            stage.lab.switch("cell", gap_s)
            return talk.outcome()

    return play


def make_before_break(stage: Stage) -> Outcome:
    with stage.server(), stage.call() as talk:
        stage.lab.join("cell")
        stage.lab.wait(3)
        stage.lab.leave("wifi")
        return talk.outcome(at_least_s=6)


def rebinding(stage: Stage) -> Outcome:
    with stage.server(), stage.call() as talk:
        stage.lab.rebind()
        return talk.outcome(at_least_s=5)


def loss(stage: Stage) -> Outcome:
    with stage.server(), stage.call() as talk:
        stage.lab.filter("numgen random mod 100 < 30 counter drop")
        return talk.outcome(at_least_s=12)


def quiet(stage: Stage) -> Outcome:
    """The assistant says nothing for a while; that is no gap."""
    with stage.server(), stage.call("--pause", str(QUIET_S)) as talk:
        stage.lab.filter("numgen random mod 100 < 10 counter drop")
        outcome = talk.outcome(at_least_s=QUIET_S + 4)
        assert outcome.gap_s is not None
        return replace(outcome, gap_s=max(0.0, outcome.gap_s - QUIET_S))


def thin(stage: Stage) -> Outcome:
    with stage.server(), stage.call() as talk:
        stage.lab.throttle(40)
        return talk.outcome(at_least_s=12)


def restart(stage: Stage) -> Outcome:
    with stage.server() as first, ExitStack() as later, stage.call() as talk:
        first.kill()
        first.wait()
        later.enter_context(stage.server())
        return talk.outcome()


def gone(stage: Stage) -> Outcome:
    with stage.server() as server, stage.call("--give-up", "10") as talk:
        server.kill()
        return talk.outcome()


def lid(stage: Stage) -> Outcome:
    with stage.server(), stage.call() as talk:
        talk.freeze()
        stage.lab.wait(20)
        talk.thaw()
        return talk.outcome()


def expired(stage: Stage) -> Outcome:
    with stage.server(), stage.call("--secrets", "10") as talk:
        stage.lab.cut(15)
        return talk.outcome()


def _answered(*answers: Mapping[str, object]) -> Play:
    def play(stage: Stage) -> Outcome:
        with stage.server(), stage.front() as tell, stage.call("--secrets", "60", url=FRONT_URL) as talk:
            tell(*answers)
            stage.lab.switch("cell")
            return talk.outcome()

    return play


QUIET_S: Final = 20.0

KEPT: Final = ("same connection", "same session")
"""Not a word of the answer is lost."""

ROWS: Final = (
    Row("blip-1", "nothing passes for 1 s", _cut(1), 1.5, KEPT),
    Row("blip-2", "nothing passes for 2 s", _cut(2), 2.8, KEPT),
    Row("outage-5", "nothing passes for 5 s", _cut(5), 6.3, KEPT),
    Row("outage-25", "nothing passes for 25 s", _cut(25), 26.5, KEPT),
    Row("switch-0", "Wi-Fi to cellular at once", _switch(0), 2.5, KEPT),
    Row("switch-1", "Wi-Fi to cellular, 1 s without either", _switch(1), 3, KEPT),
    Row("make-before-break", "cellular comes, 3 s later Wi-Fi goes", make_before_break, 2, KEPT),
    Row("rebinding", "the NAT forgets the call and takes another address", rebinding, 3.5, KEPT),
    Row("loss-30", "30 % of all packets are lost", loss, 1.5, ("same connection",)),
    Row("quiet-10", "10 % of all packets are lost while nobody speaks for 20 s", quiet, 2.5, ("same connection",)),
    Row("thin-40", "40 kbit/s each way", thin, 3, ("same connection",)),
    Row("restart", "the server is killed, another started", restart, 8, ("new session",)),
    Row("gone", "the server is killed and does not come back; 10 s to give up", gone, 12.5, ("failed",)),
    Row("unauthorized", "Wi-Fi to cellular, and the next request is answered 401", _answered({"status": 401}), 7),
    Row(
        "too-many",
        "Wi-Fi to cellular, and the next request is answered 429, Retry-After: 2",
        _answered({"status": 429, "headers": {"Retry-After": "2"}}),
        9,
    ),
    Row("broken", "Wi-Fi to cellular, and the next two are answered 500", _answered(*2 * [{"status": 500}]), 9),
    Row("hung", "Wi-Fi to cellular, and the next request is never answered", _answered({}), 27),
    Row("lid", "the caller stands still for 20 s", lid, 23),
    Row("expired", "nothing passes for 15 s; the client secret lived for 10", expired, 18),
)
