"""The web page and its modules, as they lie in the package."""

import mimetypes
from pathlib import Path

from starlette.responses import FileResponse

_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".html": "text/html"}
"""What the system's own table may get wrong, and browsers then refuse as a module."""

# The page can be pointed at another server, so connections may go anywhere that is encrypted or here; scripts may
# come from here alone.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "media-src 'self' blob: mediastream:; worker-src 'self'; manifest-src 'self'; "
        "connect-src 'self' https: http://localhost:* http://127.0.0.1:*; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Page:
    """The files of one folder, listed once at the start: what is not on the list does not exist.

    So no path in a request is ever joined to a folder.
    """

    def __init__(self, folder: Path | None) -> None:
        files = (
            []
            if folder is None or not folder.is_dir()
            else sorted(each for each in folder.rglob("*") if each.is_file())
        )
        self._files = {
            each.relative_to(folder).as_posix(): each
            for each in files
            if folder is not None and not any(part.startswith((".", "__")) for part in each.relative_to(folder).parts)
        }

    def find(self, path: str) -> FileResponse | None:
        """The reply for a path without its first slash; `index.html` for none. None if there is no such file."""
        file = self._files.get(path or "index.html")
        if file is None:
            return None
        kind = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return FileResponse(file, media_type=kind, headers=_HEADERS)
