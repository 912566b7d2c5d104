"""Networks that let no UDP through, from the beginning or from some time on, or for a while; no relay helps."""

from dataclasses import replace
from typing import Final

from tests.network.relays import UDP_SHUT
from tests.network.stage import Outcome, Play, Row, Stage

EITHER_WAY: Final = ("--transport", "auto")
BOTH_WAYS: Final = "meta l4proto udp counter drop"
TCP_SHUT: Final = "iifname { w0, c0 } meta l4proto tcp counter drop"
AGAIN_S: Final = 60.0
"""WebRTC is looked for three times a minute."""


def before(stage: Stage) -> Outcome:
    """What is measured is how long the caller waits for the first word after the click."""
    stage.lab.filter(UDP_SHUT)
    with stage.server(), stage.call(*EITHER_WAY) as talk:
        outcome = talk.outcome()
        return replace(outcome, gap_s=outcome.setup_s)


def _during(rule: str) -> Play:
    def play(stage: Stage) -> Outcome:
        with stage.server(), stage.call(*EITHER_WAY) as talk:
            stage.lab.filter(rule)
            return talk.outcome(at_least_s=5)

    return play


def lossy(stage: Stage) -> Outcome:
    """Where a third is lost, some arrives: the session is waited for, a WebSocket or not."""
    with stage.server(), stage.call(*EITHER_WAY) as talk:
        stage.lab.cut(5)
        stage.lab.filter("numgen random mod 100 < 30 counter drop")
        return talk.outcome(at_least_s=5)


def for_a_while(stage: Stage) -> Outcome:
    """What is heard in the end proves the way it took: only UDP is left."""
    stage.lab.filter(UDP_SHUT)
    with stage.server(), stage.call(*EITHER_WAY, "--pause", "4") as talk:
        stage.lab.filter()
        back = talk.until(AGAIN_S, state="Connected", session=...)
        stage.lab.filter(TCP_SHUT)
        talk.until(15, heard_after_s=...)
        outcome = talk.outcome(at_least_s=1)
        return replace(outcome, gap_s=back["gap_s"], ended=back["session"])


SHUT: Final = (
    Row("udp-shut", "UDP is shut, no relay; the time until the call stands", before, 4.0, ("same connection",)),
    Row("udp-shut-later", "UDP is shut in the middle of a call", _during(BOTH_WAYS), 3.0, ("new session",)),
    Row(
        "udp-shut-outward",
        "UDP from the caller is shut in the middle of a call",
        _during(UDP_SHUT),
        8.0,
        ("new session",),
    ),
    Row("udp-lossy", "nothing passes for 5 s, then 70 % of all packets", lossy, 14.0, ("same session",)),
    Row("udp-open-again", "UDP is shut, and opened again", for_a_while, 0.1, ("same session", "new session")),
)
