"""Sound of a call, by the engine's native objects."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import wrtc

from vivavoce.audio.frame import RATE_HZ, Pcm, to_bytes
from vivavoce.audio.resampler import Resampler
from vivavoce.errors import Fault, TransportError
from vivavoce.transport.interface import Played
from vivavoce.transport.playback import FRAME, Playback
from vivavoce.transport.webrtc.gate import Gate

_ENGINE_HZ: Final = 48_000  # what the engine's mixer gives for every codec, one channel, 10 ms at a time
_ENGINE_FRAME: Final = _ENGINE_HZ // 100
_KEPT_FRAMES: Final = 200  # two seconds wait in the engine when this process stalls; then the oldest are lost


class Media:
    """Sound of one call, both ways. Knows the engine's frames and rates, nothing of states."""

    def __init__(self, voice: wrtc.TrackGenerator, gate: Gate) -> None:
        self._voice = voice
        self._gate = gate
        self._playback = Playback()
        self._ear: wrtc.MediaStreamTrackProcessor | None = None
        self._resampler = Resampler(_ENGINE_HZ, RATE_HZ)
        self._discarded = 0

    def listen(self, track: wrtc.MediaStreamTrack) -> None:
        """Have the engine keep what arrives on a track from now on."""
        if self._ear is None:
            self._ear = wrtc.MediaStreamTrackProcessor(track, _KEPT_FRAMES)

    def hear(self) -> Iterator[Pcm]:
        """Everything that has arrived since the last time, in pieces of up to 20 ms."""
        if self._ear is None:
            return
        frames: list[bytes] = []
        while (frame := self._ear.read()) is not None:
            data = frame[0]
            if not isinstance(data, bytes) or len(data) != 2 * _ENGINE_FRAME:
                raise TransportError("The WebRTC engine gave sound in a form that was never seen.", fault=Fault.OURS)
            frames.append(data)
        if len(frames) >= _KEPT_FRAMES:
            frames[:0] = [bytes(2 * _ENGINE_FRAME)] * self._lost()
        # Not all at once: from 60 ms on, BLAS would share the resampler's product out to threads that wait busily.
        for start in range(0, len(frames), 2):
            samples = np.frombuffer(b"".join(frames[start : start + 2]), dtype="<i2")
            yield self._resampler.push(samples.astype(np.int16, copy=False))

    def play(self, samples: Pcm) -> None:
        """Queue samples to be heard."""
        self._playback.push(samples)
        self._gate.open()

    def played(self) -> int:
        """Samples that have been given to the engine."""
        return self._playback.played

    def flush(self) -> int:
        """Drop what waits; return what has been given to the engine."""
        return self._playback.flush()

    def speak(self, beats: int) -> Played | None:
        """Give the engine what is to be heard during so many beats."""
        if not self._gate.is_open:
            return None
        samples, note = self._playback.pull(beats * FRAME)
        if samples is None:
            self._gate.shut()
        else:
            self._voice.writeAudio(to_bytes(samples), RATE_HZ, 1, len(samples))
        return note

    def close(self) -> None:
        """Let go of the engine's objects."""
        self._voice.close()
        if self._ear is not None:
            self._ear.cancel()

    def _lost(self) -> int:
        """Frames that the engine dropped unread: they become silence, so that time has no gap."""
        assert self._ear is not None
        lost = self._ear.discardedFrames - self._discarded
        self._discarded += lost
        return lost
