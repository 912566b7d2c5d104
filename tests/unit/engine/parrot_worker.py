"""A child process that does as it is told, for tests of how children are kept: its engine is the telling itself."""

import os
import sys
from collections.abc import Callable

from vivavoce.engine.pipe import Frame, Kind, Parent, serve


def handle(frame: Frame, parent: Parent) -> None:
    match frame.kind, frame.body:
        case _, b"raise":
            raise RuntimeError("was told to raise")
        case _, b"exit":
            os.write(2, b"last words\n")
            os._exit(3)
        case _, b"nonsense":
            # Past the frames, straight into the pipe that they travel in.
            os.write(max(int(name) for name in os.listdir("/proc/self/fd") if _is_pipe(name)), b"\xff" * 64)
        case _, b"print":
            os.write(1, b"a library says hello\n")
            parent.answer(Kind.WORDS, frame.job, b"printed")
        case _, b"silence":
            pass
        case Kind.BEGIN, _:
            pass
        case _, body:
            parent.answer(Kind.WORDS, frame.job, body)


def _is_pipe(name: str) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{name}").startswith("pipe")
    except OSError:
        return False


def load() -> Callable[[Frame, Parent], None]:
    match sys.argv[1:]:
        case ["refuse"]:
            raise RuntimeError("this machine has no parrot")
        case ["die"]:
            os._exit(7)
        case ["hang"]:
            while True:
                sys.stdin.read(0)
        case _:
            return handle


if __name__ == "__main__":
    serve(load)
