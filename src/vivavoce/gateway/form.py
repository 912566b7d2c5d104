"""A `multipart/form-data` body of a few small fields. Pure, and bounded by the body given."""

import logging

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from vivavoce.errors import RequestError

_MOST_PARTS = 8

# The package warns of each bad form; the one who sent it is told already, and nobody else needs to know.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)


class Form:
    """The fields of a form, by name.

    Parts count as fields whether they carry a file name, a content type or neither: SDKs and browsers
    differ in that.
    """

    def __init__(self) -> None:
        self.fields: dict[str, bytes] = {}
        self.whole = False
        self._name = ""
        self._data = bytearray()
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._headers: dict[bytes, bytes] = {}

    @classmethod
    def read(cls, boundary: bytes, body: bytes) -> "Form":
        """Read a whole body.

        Raises:
            RequestError: it is not such a form, ends early, names a field twice or has too many.
        """
        form = cls()
        if not body.partition(b"\n")[0].endswith(b"\r"):
            body = _framed(boundary, body)
        try:
            parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": form._begin,
                    "on_header_field": form._take_header_name,
                    "on_header_value": form._take_header_value,
                    "on_header_end": form._end_header,
                    "on_headers_finished": form._end_headers,
                    "on_part_data": form._take_data,
                    "on_part_end": form._end,
                    "on_end": form._finish,
                },
            )
            parser.write(body)
        except FormParserError as error:
            raise _malformed(str(error)) from None
        if not form.whole:
            raise _malformed("it ends before its last boundary")
        return form

    def _begin(self) -> None:
        self._name = ""
        self._data.clear()
        self._headers.clear()
        if len(self.fields) >= _MOST_PARTS:
            raise _malformed(f"it has more than {_MOST_PARTS} parts")

    def _take_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _take_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        self._headers[bytes(self._header_name).lower()] = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        name = options.get(b"name")
        if not name:
            raise _malformed("a part has no name in its Content-Disposition")
        self._name = name.decode("utf-8", errors="replace")
        if self._name in self.fields:
            raise RequestError(f"The form has the part {self._name!r} twice.", code="invalid_value", param=self._name)

    def _take_data(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]

    def _end(self) -> None:
        self.fields[self._name] = bytes(self._data)

    def _finish(self) -> None:
        self.whole = True


def _framed(boundary: bytes, body: bytes) -> bytes:
    """A form written by hand with bare line feeds, its frame as the parser wants it and its data untouched."""
    delimiter = b"--" + boundary
    before, *parts = (b"\n" + body).split(b"\n" + delimiter)
    framed = [before]
    for part in parts:
        head, blank, data = part.partition(b"\n\n")
        whole = data + b"\r\n" if blank else b""
        framed.append(delimiter + (head + blank).replace(b"\n", b"\r\n") + whole)
    return b"".join(framed)


def _malformed(why: str) -> RequestError:
    return RequestError(f"The body is not a readable multipart form: {why}.", code="invalid_multipart")
