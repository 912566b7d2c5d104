from pathlib import Path

import pytest

from tests.unit.dump.calls import END, HEADER, RIDE, state, write
from vivavoce.dump.reader import read
from vivavoce.errors import ConfigError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "call.jsonl"


def test_a_whole_dump_is_read_without_complaint(path: Path) -> None:
    reading = read(write(path, *RIDE))
    assert len(reading.records) == len(RIDE)
    assert reading.faults == ()
    assert reading.about["endpoint"] == "https://far.example/v1"


@pytest.mark.parametrize("content", ["", "\n", "{}", "no dump at all\n", '["vivavoce dump"]\n', "\x00\xff"])
def test_what_is_no_dump_is_refused(path: Path, content: str) -> None:
    path.write_text(content)
    with pytest.raises(ConfigError):
        read(path)


def test_a_file_that_is_not_there_is_refused(path: Path) -> None:
    with pytest.raises(ConfigError):
        read(path)


def test_a_dump_that_was_cut_anywhere_is_read_as_far_as_it_goes(path: Path) -> None:
    whole = write(path, *RIDE).read_bytes()
    head = whole.index(b"\n") + 1
    counts: list[int] = []
    for length in range(head, len(whole) - 1, 37):
        path.write_bytes(whole[:length])
        reading = read(path)
        counts.append(len(reading.records))
        assert reading.faults, length
    assert counts == sorted(counts)
    assert counts[-1] >= len(RIDE) - 2


def test_lines_that_cannot_be_read_are_named_and_left_out(path: Path) -> None:
    write(path, *RIDE)
    lines = path.read_bytes().splitlines(keepends=True)
    spoiled = [b"\xff", b"[1]", b'{"kind":"state"}', b'{"t":"x","kind":"in"}', b"[", b"{}", b"1"]
    path.write_bytes(b"".join([*lines[:3], *(line + b"\n" for line in spoiled), *lines[3:]]))
    reading = read(path)
    assert len(reading.records) == len(RIDE)
    (fault,) = reading.faults
    assert "4, 5, 6, 7, 8 and 2 more" in fault


def test_what_is_missing_is_said(path: Path) -> None:
    assert len(read(write(path, state(1.0, "Negotiating"))).faults) == 1
    assert len(read(write(path, END, header={**HEADER, "version": 2})).faults) == 1
    assert len(read(write(path, {"kind": "full", "t": 1.0}, END)).faults) == 1
    assert read(write(path, {"kind": "something new", "t": 1.0}, END)).faults == ()
