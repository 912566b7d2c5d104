"""What the table of bad networks says of calls."""

from bench.network import Cell, Figures, Play, table


def figures(ours: list[Play], aiortc: Play) -> Figures:
    def cell(plays: list[Play]) -> Cell:
        return Cell("1 May 2026", "a machine", 0.5, plays)

    return {"outage-5": {"viva": cell(ours), "aiortc": cell([aiortc])}}


def line(ours: list[Play], aiortc: Play) -> list[str]:
    written = table(figures(ours, aiortc)).splitlines()[2]
    return [each.strip() for each in written.strip("|").split("|")]


def test_a_row_shows_the_middle_and_the_worst_and_how_much_longer_others_take() -> None:
    ours = [Play(gap, "same session", kept=True) for gap in (2.0, 1.0, 4.0)]
    said = line(ours, Play(8.0, "same connection", kept=True))
    assert said == ["nothing passes for 5 s", "2.0 s", "4.0 s", "same session", "–", "8.0 s (4.0 ×)", "–"]


def test_what_is_forgotten_or_never_heard_again_is_said() -> None:
    ours = [Play(1.0, "same session", kept=True), Play(None, "silent"), Play(2.0, "new session", kept=False)]
    _, middle, worst, ended, _, other, _ = line(ours, Play(5.0, "same connection", kept=False))
    assert (middle, worst) == ("1.5 s", "nothing within 60 s")
    assert ended == "same session (1), silent (1), new session (1); 1 of 3 did not tell all of it within 8 s"
    assert other == "5.0 s (3.3 ×), all forgotten"


def test_a_call_that_is_over_is_not_compared_with_one_that_came_back() -> None:
    ours = [Play(1.0, "same session", kept=True)]
    assert line(ours, Play(29.0, "failed"))[5] == "29.0 s, over"
    assert line(ours, Play(None, "silent"))[5] == "nothing within 60 s"
    assert line(ours, Play(None, "no call"))[5] == "no call"
