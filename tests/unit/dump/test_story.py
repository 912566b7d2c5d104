from pathlib import Path

import pytest

from tests.unit.dump.calls import END, RIDE, client, decision, server, state, stats, write
from vivavoce.dump.advice import advice
from vivavoce.dump.reader import Record, read
from vivavoce.dump.story import Story, story


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "call.jsonl"


def tell(path: Path, *records: Record) -> Story:
    return story(read(write(path, *records)))


def test_the_states_stand_in_order_with_what_came_of_them(path: Path) -> None:
    told = tell(path, *RIDE)
    names = [state.what for state in told.states]
    assert names == [
        *["Negotiating", "Connecting", "Connected", "Disrupted", "Restoring", "Restoring", "Connected", "Closed"]
    ]
    assert told.states[2].words == "rtc_1"
    assert told.states[6].words == "new session, not all of the conversation, 3.50 s without a word"
    assert told.length_s == 60.0
    assert [(one.what, one.words) for one in told.connections] == [
        ("connection 1 open", "WebRTC"),
        ("connection 1 gone", "by lost, code 1006"),
    ]


def test_a_gap_has_its_causes_as_the_policy_saw_them(path: Path) -> None:
    (gap,) = tell(path, *RIDE).gaps
    assert (gap.begin, gap.end) == (20.0, 23.0)
    assert [(moment.what, moment.words) for moment in gap.moments] == [
        ("wait 0.50 s", "The way is gone."),
        ("call", "Nobody is there."),
    ]
    assert gap.outcome.startswith("connected: new session")


def test_gaps_without_an_end_and_those_that_pass_by_themselves_are_told(path: Path) -> None:
    told = tell(path, state(1.0, "Disrupted"), state(1.5, "Connected"), state(9.0, "Disrupted"))
    assert [(gap.begin, gap.end) for gap in told.gaps] == [(1.0, 1.5), (9.0, None)]
    told = tell(path, decision(1.0, "No.", "GiveUp"), state(1.0, "Failed", error={"message": "No."}))
    assert [(gap.begin, gap.end, gap.outcome) for gap in told.gaps] == [(1.0, None, "failed: No.")]


def test_answers_have_their_waits(path: Path) -> None:
    first, second = tell(path, *RIDE).answers
    assert (first.how, first.status, first.interrupted, first.words) == ("spoken", "completed", True, "Hello there.")
    assert first.wait_ms == pytest.approx(400)
    assert (second.how, second.status, second.interrupted, second.words) == ("asked for", "failed", False, "Well.")
    assert second.wait_ms == pytest.approx(3000)


def test_an_answer_beside_the_conversation_and_one_that_was_never_heard_are_told_as_such(path: Path) -> None:
    told = tell(
        path,
        client(1.0, "response.create", response={"conversation": "none"}),
        server(1.1, "response.created", response={"id": "resp_1"}),
    )
    assert [(answer.how, answer.wait_ms) for answer in told.answers] == [("begun by the server", None)]


def test_what_was_refused_names_the_command(path: Path) -> None:
    refused = tell(
        path, *RIDE, {"kind": "error", "t": 61.0, "error": {"is": "TransportError", "message": "Gone."}}
    ).refused
    assert [(one.what, one.words) for one in refused] == [
        ("unknown_parameter (session.update)", "No such thing."),
        ("failed", "the answer failed"),
        ("TransportError", "Gone."),
    ]


def test_a_dump_may_hold_anything(path: Path) -> None:
    events: list[object] = [
        None,
        1,
        "x",
        [],
        {},
        {"type": 1},
        {"type": "error", "error": []},
        {"type": "response.done"},
    ]
    odd: list[Record] = [
        {"kind": kind, "t": 1, "event": event, "state": event, "snapshot": event, "holds": event, "error": event}
        for kind in ("state", "decision", "gone", "in", "out", "stats", "error", "opened", "full")
        for event in events
    ]
    told = tell(path, *odd, END)
    assert advice(told)


def test_what_is_printed_cannot_steer_a_terminal(path: Path) -> None:
    told = tell(path, server(1.0, "error", error={"code": "x", "message": "\x1b[2J\nboo"}))
    assert told.refused[0].words.isprintable()


def test_the_advice_names_each_thing_that_stands_out(path: Path) -> None:
    said = " ".join(advice(tell(path, *RIDE)))
    for words in (
        "away once, 3.0 s in all. First failure: The way is gone.",
        "Not all of the conversation",
        "20 % of the packets",
        "420 ms",
        "6 % of what was heard",
        "relay",
        "3.0 s: the model",
        "1 answers failed",
    ):
        assert words in said


CALM = (state(0.1, "Connecting"), {"kind": "opened", "t": 0.2}, state(0.3, "Connected"))


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ((*CALM, stats(9.0, round_trip_ms=20.0)), "Nothing stands out."),
        ((state(0.1, "Negotiating"), state(0.2, "Failed")), "never came to be"),
        ((state(0.1, "Connecting"), state(9.0, "Failed")), "a firewall may stop UDP"),
        ((*CALM, *(stats(float(t), user_db=-90.0) for t in range(5))), "microphone muted"),
        ((*CALM, stats(9.0, user_db=0.0)), "turn the microphone down"),
        ((*CALM, server(1.0, "error", error={"code": "insufficient_quota"})), "no credit"),
        ((*CALM, server(1.0, "error", error={"code": "session_expired"})), "its time was over"),
    ],
)
def test_the_advice_fits_what_happened(path: Path, records: tuple[Record, ...], words: str) -> None:
    assert words in " ".join(advice(tell(path, *records, END)))
