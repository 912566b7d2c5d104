"""The last line of `./dev test` counts every run, and a run that failed or vanished is never green."""

from pathlib import Path

import pytest

from tests.tally import main

PASSED = '<testcase name="a"/>'
SKIPPED = '<testcase name="b"><skipped type="pytest.skip" message="no sound card"/></testcase>'
EXPECTED = '<testcase name="c"><skipped type="pytest.xfail" message="known"/></testcase>'
FAILED = '<testcase name="d"><failure message="no"/></testcase>'
BROKEN = '<testcase name="e"><error message="fixture"/></testcase>'


def report(folder: Path, name: str, seconds: float, *cases: str) -> str:
    path = folder / name
    suite = f'<testsuite name="pytest" time="{seconds}">{"".join(cases)}</testsuite>'
    path.write_text(f"<testsuites>{suite}</testsuites>")
    return str(path)


def test_two_green_runs_make_one_green_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = report(tmp_path, "a.xml", 61.5, PASSED, PASSED, SKIPPED)
    second = report(tmp_path, "b.xml", 3, PASSED, EXPECTED)
    assert main([first, second]) == 0
    assert capsys.readouterr().out.strip(" =\n") == "3 passed, 1 skipped, 1 xfailed in 64.50s (0:01:04)"


@pytest.mark.parametrize("bad", [FAILED, BROKEN])
@pytest.mark.parametrize("place", [0, 1])
def test_a_failure_in_either_run_fails_the_whole(tmp_path: Path, bad: str, place: int) -> None:
    cases = [(PASSED, bad), (PASSED,)] if place == 0 else [(PASSED,), (PASSED, bad)]
    assert main([report(tmp_path, f"{number}.xml", 1, *each) for number, each in enumerate(cases)]) == 1


def test_a_run_that_left_no_report_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([report(tmp_path, "a.xml", 1, PASSED), str(tmp_path / "gone.xml")]) == 1
    assert "= 1 error, 1 passed in 1.00s =" in capsys.readouterr().out


def test_no_tests_at_all_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([report(tmp_path, "a.xml", 1)]) == 1
    assert "no tests ran" in capsys.readouterr().out
