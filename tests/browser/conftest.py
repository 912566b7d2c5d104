"""What every test in a browser needs: the page on a server of its own, and a microphone that plays a file."""

import json
import wave
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import numpy.typing as npt
import pytest

import vivavoce
from tests.viva import viva_server

__all__ = ["viva_server"]

RATE_HZ = 48_000
POLICY = "default-src 'self'; connect-src 'self' http://127.0.0.1:*; base-uri 'none'; form-action 'none'"
PAGE = Path(vivavoce.__file__).parent / "page"

Samples = npt.NDArray[np.int16]
Microphone = Callable[..., Path]


class _Files(SimpleHTTPRequestHandler):
    """Serves the page under the strictest policy it must live with, and knows no key."""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        message = "Incorrect API key provided: nobody here knows it."
        body = json.dumps({"error": {"message": message, "type": "invalid_request_error", "code": "invalid_api_key"}})
        self.send_response(401)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet; who asked for what is in the trace of a failed test."""


@pytest.fixture
def page_server() -> Iterator[ThreadingHTTPServer]:
    """The page alone, with no calls behind it. May be closed by a test that wants it gone."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(PAGE)))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def page_address(page_server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{page_server.server_address[1]}/"


@pytest.fixture
def microphone(tmp_path: Path) -> Microphone:
    """Writes a WAV file for `visit` from pieces: a number is that many seconds of silence, an array is sound."""

    def write(*pieces: float | Samples) -> Path:
        sound = [
            piece if isinstance(piece, np.ndarray) else np.zeros(round(piece * RATE_HZ), np.int16) for piece in pieces
        ]
        path = tmp_path / "microphone.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            file.writeframes(np.concatenate(sound).tobytes())
        return path

    return write


@pytest.fixture
def humming(microphone: Microphone) -> Path:
    """A minute of a voice-like hum: harmonics that swell and fade, so that no noise suppression takes it for noise."""
    at = np.arange(60 * RATE_HZ) / RATE_HZ
    voice = sum(np.sin(2 * np.pi * 140 * harmonic * at) / harmonic for harmonic in range(1, 12))
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 3.1 * at)
    return microphone((6000 * voice * swell).astype(np.int16))
