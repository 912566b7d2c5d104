"""Somebody's web application, written from OpenAI's guide: a page, and two endpoints that hold the real key.

Only the base URL is not OpenAI's.
"""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

import httpx2

PAGES: Final = Path(__file__).parent / "pages"
AGENTS_SDK: Final = Path("node_modules/@openai/agents-realtime/dist/bundle")
WEATHER: Final = {
    "type": "function",
    "name": "get_weather",
    "description": "Says how the weather is in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
SESSION: Final = {
    "type": "realtime",
    "model": "gpt-realtime",
    "instructions": "Be brief.",
    "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}, "output": {"voice": "marin"}},
    "tools": [WEATHER],
}

OLDER_SESSION: Final = {
    "model": "gpt-4o-realtime-preview",
    "modalities": ["audio", "text"],
    "voice": "verse",
    "input_audio_transcription": {"model": "whisper-1"},
    "tools": [WEATHER],
}


@dataclass
class Site:
    """The application: at `origin`, calling `base_url` with `key` once these are known."""

    origin: str
    base_url: str = ""
    key: str = ""
    refused: list[str] = field(default_factory=list[str])
    """What was answered to it other than success."""

    def guide(self, **options: str) -> str:
        """The address of the page."""
        return self.page("guide", base=self.base_url, **options)

    def page(self, name: str, **options: str) -> str:
        """The address of a page of that name."""
        return str(httpx2.URL(f"{self.origin}/{name}.html", params=options))

    def token(self) -> httpx2.Response:
        """A client secret for the browser, with the real key."""
        return self._ask("client_secrets", json={"session": SESSION})

    def old_token(self) -> httpx2.Response:
        """The same as the guide of 2025 had it."""
        return self._ask("sessions", json=OLDER_SESSION)

    def session(self, offer: bytes) -> httpx2.Response:
        """The answer to a browser's offer, by the unified interface: plain form fields, as `FormData` sends them."""
        return self._ask("calls", files={"sdp": (None, offer), "session": (None, json.dumps(SESSION))})

    def _ask(self, where: str, **body: object) -> httpx2.Response:
        bearer = {"Authorization": f"Bearer {self.key}"}
        reply = httpx2.post(f"{self.base_url}/realtime/{where}", headers=bearer, **body)  # pyright: ignore[reportArgumentType]  # its own keywords
        if not reply.is_success:
            self.refused.append(f"{where}: {reply.status_code} {reply.text}")
        return reply


class _Application(SimpleHTTPRequestHandler):
    def __init__(self, site: Site, *args: object) -> None:
        self._site = site
        super().__init__(*args, directory=str(PAGES))  # type: ignore[arg-type]

    def translate_path(self, path: str) -> str:
        # As a bundler or a copy among one's own files would have it.
        place, _, file = path.rpartition("/")
        return str(AGENTS_SDK / file) if place == "/agents-realtime" else super().translate_path(path)

    def do_GET(self) -> None:
        if self.path == "/token":
            self._pass_on(self._site.token())
        elif self.path == "/old-token":
            self._pass_on(self._site.old_token())
        else:
            super().do_GET()

    def do_POST(self) -> None:
        offer = self.rfile.read(int(self.headers["Content-Length"]))
        self._pass_on(self._site.session(offer))

    def _pass_on(self, reply: httpx2.Response) -> None:
        self.send_response(reply.status_code)
        self.send_header("Content-Type", reply.headers["Content-Type"])
        self.send_header("Content-Length", str(len(reply.content)))
        self.end_headers()
        self.wfile.write(reply.content)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@contextmanager
def hosted() -> Generator[Site]:
    """The application on a port of its own, so that the page and the server are of different origins."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    site = Site(f"http://127.0.0.1:{server.server_address[1]}")
    server.RequestHandlerClass = partial(_Application, site)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
