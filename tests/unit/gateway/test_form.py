import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.errors import RequestError
from vivavoce.gateway.form import Form


def body(*parts: str, end: str = "--b--\r\n") -> bytes:
    return ("".join(f"--b\r\n{part}\r\n" for part in parts) + end).encode()


def part(name: str, words: str, *more: str) -> str:
    return "\r\n".join([f'Content-Disposition: form-data; name="{name}"', *more, "", words])


def test_fields_are_read_byte_for_byte() -> None:
    form = Form.read(b"b", body(part("sdp", "v=0\r\ns=-\r\n"), part("session", '{"ü": 1}')))
    assert form.fields == {"sdp": b"v=0\r\ns=-\r\n", "session": '{"ü": 1}'.encode()}


def test_file_names_and_content_types_make_no_difference() -> None:
    one = body(
        'Content-Disposition: form-data; name="sdp"; filename="blob"\r\nContent-Type: application/sdp\r\n\r\nv=0'
    )
    assert Form.read(b"b", one).fields == {"sdp": b"v=0"}
    assert Form.read(b"b", body(part("sdp", "v=0"))).fields == {"sdp": b"v=0"}


def test_an_empty_field_is_an_empty_field() -> None:
    assert Form.read(b"b", body(part("sdp", ""))).fields == {"sdp": b""}


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b"", "invalid_multipart"),
        (b"v=0\r\n", "invalid_multipart"),
        (b"--other\r\n\r\n--other--\r\n", "invalid_multipart"),
        (body(part("sdp", "v=0"), end=""), "invalid_multipart"),
        (body(part("sdp", "v=0"))[:-8], "invalid_multipart"),
        (body("Content-Type: text/plain\r\n\r\nv=0"), "invalid_multipart"),
        (body("Content-Disposition: form-data\r\n\r\nv=0"), "invalid_multipart"),
        (body(*(part(f"p{number}", "x") for number in range(9))), "invalid_multipart"),
        (body("X: " + "y" * 20_000 + "\r\n" + part("sdp", "v=0")), "invalid_multipart"),
        (body("".join(f"X{number}: y\r\n" for number in range(50)) + part("sdp", "v=0")), "invalid_multipart"),
        (body(part("sdp", "a"), part("sdp", "b")), "invalid_value"),
    ],
)
def test_what_is_no_whole_and_small_form_is_refused(bad: bytes, code: str) -> None:
    with pytest.raises(RequestError) as refused:
        Form.read(b"b", bad)
    assert (refused.value.status, refused.value.code) == (400, code)


@given(st.binary(max_size=300), st.binary(min_size=1, max_size=70))
def test_no_bytes_at_all_break_the_reader(junk: bytes, boundary: bytes) -> None:
    for tried in (junk, b"--" + boundary + b"\r\n" + junk + b"\r\n--" + boundary + b"--\r\n"):
        with contextlib.suppress(RequestError):
            assert len(Form.read(boundary, tried).fields) <= 8


@given(st.lists(st.binary(max_size=100), min_size=1, max_size=8))
def test_every_field_that_was_sent_is_read(values: list[bytes]) -> None:
    framed = [
        b'--boundary9f3\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n%b\r\n' % (number, value)
        for number, value in enumerate(values)
    ]
    form = Form.read(b"boundary9f3", b"".join(framed) + b"--boundary9f3--\r\n")
    assert form.fields == {f"f{number}": value for number, value in enumerate(values)}


@pytest.mark.parametrize(
    "name", ['name="sdp"', "name=sdp", 'name="sdp"; filename="offer.sdp"', "filename=offer;name=sdp"]
)
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_a_form_written_by_hand_keeps_the_line_ends_of_its_data(name: str, end: str) -> None:
    for data in ("v=0\r\ns=-\r\n", "v=0\ns=-\n", "v=0\n\n\r\n", ""):
        lines = ["--b", f"content-disposition: form-data; {name}", "Content-Type: application/sdp", "", data]
        session = ["--b", 'Content-Disposition: form-data; name="session"', "", "null", "--b--", ""]
        sent = end.join([*lines, *session]).encode()
        assert Form.read(b"b", sent).fields == {"sdp": data.encode(), "session": b"null"}


@given(st.binary(max_size=60).map(lambda noise: noise.replace(b"#", b"\n--b")))
def test_a_form_with_bare_line_feeds_is_read_or_refused(noise: bytes) -> None:
    with contextlib.suppress(RequestError):
        Form.read(b"b", b"--b\n" + noise)
