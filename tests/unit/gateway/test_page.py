from pathlib import Path

import pytest

from tests.unit.gateway.stand import Stand, standing
from vivavoce.gateway.app import PAGE
from vivavoce.gateway.page import Page


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    page = tmp_path / "page"
    (page / "sound").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html><title>Viva Voce</title>")
    (page / "page.js").write_text("export const one = 1;")
    (page / "sound" / "meter.js").write_text("export {};")
    (page / "icon.svg").write_text("<svg/>")
    (page / ".hidden").write_text("secret")
    (page / "__pycache__").mkdir()
    (page / "__pycache__" / "x.pyc").write_text("secret")
    (tmp_path / "outside.txt").write_text("secret")
    return page


def test_the_page_and_its_modules_are_served_with_their_types(folder: Path) -> None:
    with standing(page=folder) as stand:
        for path, kind in [
            ("/", "text/html; charset=utf-8"),
            ("/index.html", "text/html; charset=utf-8"),
            ("/page.js", "text/javascript; charset=utf-8"),
            ("/sound/meter.js", "text/javascript; charset=utf-8"),
            ("/icon.svg", "image/svg+xml"),
        ]:
            reply = stand.get(path, key=None)
            assert (reply.status, reply.headers["content-type"]) == (200, kind), path


def test_the_page_may_run_its_own_scripts_only_and_is_never_stale(folder: Path) -> None:
    with standing(page=folder) as stand:
        headers = stand.get("/", key=None).headers
        policy = dict(each.strip().split(" ", 1) for each in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == "'self'"
        assert policy["frame-ancestors"] == "'none'"
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert "microphone=(self)" in headers["permissions-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/../outside.txt",
        "/%2e%2e/outside.txt",
        "/..%2foutside.txt",
        "/.hidden",
        "/__pycache__/x.pyc",
        "/sound",
        "/nope.js",
    ],
)
def test_nothing_else_can_be_fetched(folder: Path, path: str) -> None:
    with standing(page=folder) as stand:
        reply = stand.get(path, key=None)
        assert reply.error == (404, "unknown_url", None)
        assert b"secret" not in reply.body


def test_a_file_can_only_be_read(folder: Path) -> None:
    with standing(page=folder) as stand:
        assert stand.client.head("/page.js").status_code == 200
        assert stand.post("/page.js").error == (404, "unknown_url", None)


def test_without_a_page_there_is_none(stand: Stand) -> None:
    assert stand.get("/", key=None).error == (404, "unknown_url", None)


def test_the_page_that_ships_asks_for_nothing_that_is_not_served() -> None:
    page = Page(PAGE)
    assert page.find("") is not None
    html = (PAGE / "index.html").read_text()
    assert "<script>" not in html
    assert " style=" not in html
    assert " onclick=" not in html
