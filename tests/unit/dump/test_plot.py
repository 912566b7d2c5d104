from pathlib import Path
from xml.etree import ElementTree

from tests.unit.dump.calls import END, RIDE, server, state, write
from vivavoce.dump.plot import PANELS, sparkline, svg
from vivavoce.dump.reader import Record, read
from vivavoce.dump.story import story

NS = "{http://www.w3.org/2000/svg}"


def drawn(path: Path, *records: Record) -> ElementTree.Element:
    return ElementTree.fromstring(svg(story(read(write(path / "call.jsonl", *records)))))


def test_the_picture_has_each_figure_each_gap_and_each_answer(tmp_path: Path) -> None:
    picture = drawn(tmp_path, *RIDE)
    texts = [text.text or "" for text in picture.iter(f"{NS}text")]
    assert all(line.name in texts for panel in PANELS for line in panel.lines)
    rects = list(picture.iter(f"{NS}rect"))
    assert [rect.get("class") for rect in rects].count("gap") == 1
    titles = [title.text or "" for title in picture.iter(f"{NS}title")]
    assert "20.0 s: The way is gone." in titles
    assert any("after 400 ms: Hello there." in title for title in titles)
    # Another connection is another line: nothing is drawn over the gap between them.
    lines = [line.get("points", "").split() for line in picture.iter(f"{NS}polyline")]
    assert [len(points) for points in lines if len(points) > 1]
    for points in lines:
        for point in points:
            x, y = map(float, point.split(","))
            assert 0 <= x <= 960
            assert 60 <= y <= 640


def test_anything_can_be_drawn(tmp_path: Path) -> None:
    drawn(tmp_path)
    drawn(tmp_path, END)
    drawn(
        tmp_path,
        state(1.0, "Disrupted"),
        server(1.0, "response.created", response={"id": "r"}),
        server(1.0, "response.output_text.done", response_id="r", text='<&"\x00\x1b\ud83d\ude00'),
    )


def test_a_line_of_blocks_shows_peaks_and_what_is_not_known() -> None:
    assert sparkline([]) == ""
    assert sparkline([1.0, 1.0]) == "▁▁"
    assert sparkline([0.0, None, 7.0]) == "▁ █"
    assert sparkline([None, None]) == "  "
    assert len(sparkline([float(value % 10) for value in range(1000)], 60)) == 60
    assert sparkline([0.0, 9.0, 0.0, 0.0], 2) == "█▁"
