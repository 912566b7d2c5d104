"""What to do about what a dump tells. Pure; each rule looks at one thing."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from vivavoce.dump.story import Figures, Story

LOSS: Final = 0.05
ROUND_TRIP_MS: Final = 300.0
CONCEALED: Final = 0.05
SETTLED_S: Final = 5.0
"""That share counts from the beginning of a call, before which nothing could be heard."""
WAIT_MS: Final = 2000.0
QUIET_DB: Final = -60.0
LOUD_DB: Final = -0.1

ADVICE: Final = {
    "invalid_api_key": "The key is not accepted: check it, and that it belongs to this server.",
    "insufficient_quota": "The account has no credit left.",
    "rate_limit_exceeded": "The provider's limit was reached: wait, ask for less, or have the limit raised.",
    "session_expired": "The provider ended the session: its time was over.",
}
"""By the code of a refusal."""


def advice(story: Story) -> list[str]:
    """Sentences, the gravest first; one that says so when nothing stands out."""
    found = [*_connecting(story), *_gaps(story), *_figures(story), *_sound(story), *_refusals(story), *_answers(story)]
    return found or ["Nothing stands out."]


def worst(figures: Sequence[Figures], key: Callable[[Figures], float | None]) -> Figures | None:
    """The reading with the highest of one figure; None where nobody knew it."""
    known = [reading for reading in figures if key(reading) is not None]
    return max(known, key=lambda reading: key(reading) or 0.0, default=None)


def _connecting(story: Story) -> Iterator[str]:
    names = [state.what for state in story.states]
    if "Connected" in names:
        return
    if "Connecting" in names and not story.connections:
        yield (
            "The server agreed, but nothing got through to it: a firewall may stop UDP. Try --transport websocket, or "
            "a relay (--ice-server). `viva check` looks at each hop."
        )
    elif names:
        yield "The call never came to be: see what was refused. `viva check` looks at each hop."


def _gaps(story: Story) -> Iterator[str]:
    if story.gaps:
        seconds = sum((gap.end if gap.end is not None else story.length_s) - gap.begin for gap in story.gaps)
        causes = {gap.moments[0].words for gap in story.gaps if gap.moments and gap.moments[0].words}
        because = f" First failure: {sorted(causes)[0]}" if causes else ""
        times = "once" if len(story.gaps) == 1 else f"{len(story.gaps)} times"
        yield f"The connection was away {times}, {seconds:.1f} s in all.{because}"
    if any("not all of the conversation" in state.words for state in story.states):
        yield "Not all of the conversation could be told to the new session: the server may not remember the rest."


def _figures(story: Story) -> Iterator[str]:
    lossy = worst(story.figures, lambda one: one.loss)
    if lossy is not None and (lossy.loss or 0.0) >= LOSS:
        yield (
            f"Up to {100 * (lossy.loss or 0.0):.0f} % of the packets were lost (at {lossy.t:.0f} s): the network is "
            "overloaded or the radio weak. Try a cable, or another network."
        )
    slow = worst(story.figures, lambda one: one.round_trip_ms)
    if slow is not None and (slow.round_trip_ms or 0.0) >= ROUND_TRIP_MS:
        yield f"A round trip took up to {slow.round_trip_ms:.0f} ms (at {slow.t:.0f} s): it is far, or a queue fills."
    shares = [one.concealed for one in story.figures if one.concealed is not None and one.t >= SETTLED_S]
    if shares and shares[-1] >= CONCEALED:
        yield f"{100 * shares[-1]:.0f} % of what was heard was made up for packets that came late or never."
    relayed = [one.path for one in story.figures if one.path and "relay" in one.path]
    if relayed:
        yield f"The call went through a relay ({relayed[0]}): no direct way was found."


def _sound(story: Story) -> Iterator[str]:
    levels = [one.user_db for one in story.figures if one.user_db is not None]
    spoken = any(answer.how == "spoken" for answer in story.answers)
    if len(levels) > 3 and max(levels) < QUIET_DB and not spoken and not story.answers:
        yield "Nothing was heard of the user, and nothing was answered: is the microphone muted, or another one chosen?"
    if levels and max(levels) >= LOUD_DB:
        yield "The user's sound reaches the end of the scale: turn the microphone down."


def _refusals(story: Story) -> Iterator[str]:
    for code, words in ADVICE.items():
        if any(one.what.startswith(code) for one in story.refused):
            yield words


def _answers(story: Story) -> Iterator[str]:
    waits = [wait for answer in story.answers if (wait := answer.wait_ms) is not None]
    if waits and max(waits) >= WAIT_MS:
        yield f"An answer was waited for up to {max(waits) / 1000:.1f} s: the model behind the server is slow."
    failed = sum(answer.status == "failed" for answer in story.answers)
    if failed:
        yield f"{failed} answers failed; the refusals say why."
