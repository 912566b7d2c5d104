import argparse
import io
from pathlib import Path

import pytest

from tests.unit.dump.calls import RIDE, write
from vivavoce.cli.dump import configure, explain
from vivavoce.cli.terminal import Terminal
from vivavoce.errors import ConfigError


def explained(*arguments: str) -> str:
    parser = argparse.ArgumentParser()
    configure(parser)
    stream = io.StringIO()
    assert explain(parser.parse_args(arguments), Terminal(stream, {})) == 0
    return stream.getvalue()


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
