"""Which pictures are taken, and what is said of the others."""

from base64 import b64encode

import pytest

from vivavoce.errors import RequestError
from vivavoce.session.image import BYTES, check_image

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
JPEG = b"\xff\xd8\xff\xe0" + bytes(41)


def uri(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{b64encode(data).decode()}"


@pytest.mark.parametrize(
    "url",
    [
        uri(PNG),
        uri(PNG, "IMAGE/PNG"),
        uri(JPEG, "image/jpeg"),
        uri(JPEG, "image/jpg"),
        uri(PNG + bytes(1)),
        uri(PNG + bytes(2)),
        uri(PNG + bytes(BYTES - len(PNG))),
    ],
)
def test_a_png_or_jpeg_in_a_data_uri_is_taken(url: str) -> None:
    check_image(url, "item.content[0].image_url")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://example.com/a.png",
        "data:image/png,raw",
        "data:image/png;base64",
        "data:;base64,AAAA",
        uri(PNG, "image/gif"),
        uri(PNG, "image/svg+xml"),
        uri(PNG, "text/html"),
        uri(JPEG, "image/png"),
        uri(PNG, "image/jpeg"),
        uri(b""),
        uri(PNG)[:-1],
        uri(PNG) + "====",
        uri(PNG).replace("AAAA", "A=AA", 1),
        uri(PNG).replace("AAAA", "A\u00e4A", 1),
        uri(PNG).replace("AAAA", "A AA", 1),
        uri(PNG + bytes(BYTES)),
    ],
)
def test_anything_else_is_refused_by_its_place(url: str) -> None:
    with pytest.raises(RequestError) as refused:
        check_image(url, "item.content[0].image_url")
    assert (refused.value.code, refused.value.param) == ("invalid_value", "item.content[0].image_url")
    assert len(refused.value.message) < 300
