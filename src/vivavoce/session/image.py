"""Pictures that a client puts into the conversation: PNG or JPEG inside a data URI."""

import re
from base64 import b64decode
from typing import Final

from vivavoce.errors import RequestError

BYTES: Final = 10 * 1024 * 1024
"""Longest picture; the protocol names no limit, so this is ours."""

_HEAD: Final = re.compile(r"data:(image/[\w.+-]+);base64,", re.IGNORECASE)
_SIGNATURES: Final = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff", "image/jpg": b"\xff\xd8\xff"}
_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_GLANCE: Final = 16
"""Characters of base64 that hold the longest signature."""


def check_image(url: str, param: str) -> None:
    """Whether a picture can be shown to a thinker. Looks at its form and first bytes, not at what it shows.

    Raises:
        RequestError: no data URI, another kind of picture, not base64, or too large (`invalid_value`).
    """
    head = _HEAD.match(url)
    if head is None:
        raise _unusable(param, "expected a data URI such as 'data:image/png;base64,…'; addresses are not fetched")
    signature = _SIGNATURES.get(head[1].lower())
    if signature is None:
        raise _unusable(param, f"the media type is {head[1][:60]!r}, expected 'image/png' or 'image/jpeg'")
    size = (len(url) - head.end()) * 3 // 4
    if size > BYTES + 2:
        raise _unusable(param, f"the image has about {size} bytes, at most {BYTES} can be taken. Make it smaller")
    data = url[head.end() :].encode("utf-8", "replace")
    # Found without decoding all of it: ten megabytes would hold up every other call.
    if len(data) % 4 or data[:-2].translate(None, _ALPHABET) or data[-2:].rstrip(b"=").translate(None, _ALPHABET):
        raise _unusable(param, "expected base64-encoded image bytes")
    if not b64decode(data[:_GLANCE]).startswith(signature):
        raise _unusable(param, f"the bytes are not those of {head[1]!r}")


def _unusable(param: str, why: str) -> RequestError:
    return RequestError(f"Invalid '{param}': {why}.", code="invalid_value", param=param)
