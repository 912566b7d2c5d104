"""A server that says one text when it is asked to, and writes down all that it hears.

    python -m bench.stand.hall HOST TEXT_FILE HEARD_FILE red|fec

Files hold int16 samples at 24 kHz.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from bench.stand import surface
from bench.stand.ours import Ear, Loaded, Rhythm
from tests.network.stage import KEY
from vivavoce.answer.job import Engines
from vivavoce.assembly import ServerSettings
from vivavoce.audio.frame import Pcm, to_bytes
from vivavoce.cli.serve import server_config
from vivavoce.engine.fake import ScriptedThinker, ScriptedTranscriber
from vivavoce.engine.interface import Mark, Report, SpeakerTraits, Speech
from vivavoce.gateway.identity import open_keyring, read_keys
from vivavoce.gateway.settings import Settings
from vivavoce.transport.webrtc.opus import Opus
from vivavoce.transport.webrtc.settings import HostCandidates, OfferedCandidates, WebRtcSettings


class Recorder(Rhythm):
    """A detector that hears no speech in anything, but forgets nothing."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)

    def open(self, report: Report) -> Ear:
        """A new stream; there is one call."""
        return Stream(report, self._file)


class Stream(Ear):
    """What the caller says, on its way into a file."""

    def __init__(self, report: Report, file: BinaryIO) -> None:
        super().__init__(lambda _, heard: report(0.0, heard))
        self._file = file

    def push(self, samples: Pcm) -> None:
        """Write it down."""
        super().push(samples)
        self._file.write(to_bytes(samples))


class Reciter(Loaded):
    """A speaker who says the same whatever is asked."""

    def __init__(self, text: Pcm) -> None:
        self._text = text

    @property
    def traits(self) -> SpeakerTraits:
        """One voice."""
        return SpeakerTraits(name="reciter", voices=("voice",), marks=True)

    async def speak(self, text: str, voice: str, speed: float) -> AsyncGenerator[Speech, None]:
        """All of it."""
        yield Speech(self._text, (Mark(len(text), len(self._text)),))


async def main(host: str, text: Path, heard: Path, opus: Opus) -> None:
    """Serve."""
    said = np.fromfile(text, np.int16)
    engines = Engines(Recorder(heard), ScriptedTranscriber(()), ScriptedThinker(["Now."]), Reciter(said))
    settings = ServerSettings(
        Settings(bind=host, api_keys=read_keys(KEY)),
        WebRtcSettings(offered_candidates=OfferedCandidates.PUBLIC, host_candidates=HostCandidates.ROUTABLE, opus=opus),
    )
    await surface.serve(server_config(settings, open_keyring(settings.gateway), engines), {}, host)


if __name__ == "__main__":
    opus = replace(WebRtcSettings.opus, redundancy=sys.argv[4] == "red")
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), opus))
