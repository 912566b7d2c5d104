import argparse
import io
import json
from pathlib import Path

import pytest

from tests.unit.dump.calls import RIDE, write
from vivavoce.cli.dump import configure, explain
from vivavoce.cli.exit_code import ExitCode
from vivavoce.cli.main import main
from vivavoce.cli.terminal import Terminal
from vivavoce.errors import ConfigError


def explained(*arguments: str) -> str:
    parser = argparse.ArgumentParser()
    configure(parser)
    stream = io.StringIO()
    options = parser.parse_args(arguments)
    options.json = False
    assert explain(options, Terminal(stream, {})) == 0
    return stream.getvalue()


def test_the_command_explains_it_for_machines_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "call.jsonl", *RIDE)
    assert main(["check", "--read", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [state["what"] for state in told["states"]][:3] == ["Negotiating", "Connecting", "Connected"]
    assert told["gaps"][0]["begin"] == 20.0
    assert told["advice"][0].startswith("The connection was away once")
    assert main(["check", "--read", str(tmp_path / "none.jsonl")]) != 0


def test_a_picture_of_no_call_is_refused_before_anything_is_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--plot", "call.svg"]) == ExitCode.USAGE
    assert "--read" in capsys.readouterr().err


def test_a_call_is_explained_from_its_beginning_to_what_to_do(tmp_path: Path) -> None:
    words = explained("--read", str(write(tmp_path / "call.jsonl", *RIDE)), "--plot", str(tmp_path / "call.svg"))
    flat = " ".join(words.split())
    for expected in (
        "https://far.example/v1 · webrtc · 60.0 s · 2026-11-28 09:28:27 UTC",
        "0.60 s connected rtc_1",
        "20.00 s a gap of 3.00 s",
        "at worst 420 ms at 10 s",
        "2.00 s spoken · heard after 400 ms · completed · interrupted",
        "refused: unknown_parameter (session.update)",
        "→ The connection was away once",
    ):
        assert expected in flat
    assert (tmp_path / "call.svg").read_text().startswith("<svg")


def test_a_cut_file_is_explained_as_far_as_it_goes(tmp_path: Path) -> None:
    path = write(tmp_path / "call.jsonl", *RIDE)
    path.write_bytes(path.read_bytes()[:-20])
    words = " ".join(explained("--read", str(path)).split())
    assert "cut off" in words
    assert "connected rtc_1" in words


def test_a_picture_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "call.jsonl", *RIDE)
    with pytest.raises(ConfigError):
        explained("--read", str(path), "--plot", str(tmp_path / "nowhere" / "call.svg"))
