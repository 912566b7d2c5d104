"""The user's sound, where it travels in events."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Final

from vivavoce.audio.format import Encoder
from vivavoce.audio.frame import RATE_HZ, Pcm, sample_count, silence
from vivavoce.session.patience import WAITS_MS
from vivavoce.session.settings import PCM, known
from vivavoce.wire.config import ServerVad, TurnDetection
from vivavoce.wire.event import InputAudioBufferAppend

PIECE: Final = RATE_HZ
"""Samples that one event carries at most: a second."""

BEYOND_MS: Final = 500
"""A pause lasts so much longer than the one that ends a turn: a detector's windows and its hangover."""


def pause(detection: TurnDetection) -> Pcm:
    """Silence after which a server takes the user's turn for over, whatever he had said."""
    match detection:
        case ServerVad(silence_duration_ms=wanted):
            ends_ms = known(wanted, 500)
        case _:
            ends_ms = WAITS_MS[known(detection.eagerness, "auto")][1]
    return silence(sample_count(ends_ms + BEYOND_MS))


class Uplink:
    """One stream of sound in the format that the session wants."""

    def __init__(self) -> None:
        self._encoder = Encoder(PCM.type)

    def format(self, name: str) -> None:
        """The session wants this format from now on."""
        if self._encoder.format.value != name:
            self._encoder = Encoder(name)

    def events(self, samples: Pcm) -> Iterator[InputAudioBufferAppend]:
        """Events that carry the samples; telephone formats hold back up to 5 ms."""
        for start in range(0, len(samples), PIECE):
            data = self._encoder.encode(samples[start : start + PIECE])
            if data:
                yield InputAudioBufferAppend(audio=b64encode(data).decode("ascii"))
