"""The child process in which pocketsphinx runs: it holds Python's lock for as long as it decodes.

`BEGIN` starts an utterance and drops an unfinished one. `SOUND` (int16 at 16 kHz) and `END` are answered by `WORDS`:
the hypothesis so far, as JSON `[word, first frame, last frame]`. No utterance leaves a trace in the next one.
"""

import re
from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from pocketsphinx import Decoder

from vivavoce.engine.pipe import Frame, Kind, Parent, serve

RATE_HZ: Final = 16_000
_FRAME, _STEP = 410, 160
_PRIOR_FRAMES: Final = 500
"""The weight that the decoder gives to the mean it starts with (`CMN_WIN` in its `cmn.h`)."""
_PRIOR: Final = "41.00,-5.29,-0.12,5.09,2.48,-4.07,-1.37,-1.78,-5.08,-2.05,-6.45,-1.42,1.17"
"""Where the model's authors start the cepstral mean."""
_HEAD: Final = RATE_HZ
"""The first second tells the speaker's own mean."""
_LEAD: Final = RATE_HZ * 3 // 10
"""So much of the silence before it belongs to that second; a mean of silence alone makes silence look like speech."""
_LOUD: Final = 104.0
"""Sound begins here: −50 dBFS over 20 ms."""
_BLOCK: Final = RATE_HZ // 50
_HISS: Final = 40.0
"""Noise at −58 dBFS: digital silence is nothing that the model was trained on."""

_FILLER: Final = re.compile(r"[<\[+]")
_VARIANT: Final = re.compile(r"\(\d+\)$")

Samples = NDArray[np.int16]


class Recogniser:
    """One decoder, one utterance at a time."""

    def __init__(self) -> None:
        # Without the second pass over the whole utterance the end costs 15 ms in place of 100.
        self._decoder = Decoder(loglevel="FATAL", fwdflat=False)
        self._job = -1
        # What was heard before the search began; None from then on.
        self._head: Samples | None = None
        self._skipped = 0
        self._hiss = np.random.default_rng(0)

    def handle(self, frame: Frame, parent: Parent) -> None:
        """Do what one frame asks."""
        if frame.kind is Kind.BEGIN:
            self._drop()
            self._job, self._head, self._skipped = frame.job, np.zeros(0, np.int16), 0
            self._hiss = np.random.default_rng(0)
        elif frame.job == self._job and not parent.is_cancelled(frame.job):
            if frame.kind is Kind.SOUND:
                self._hear(np.frombuffer(frame.body, "<i2"))
            elif frame.kind is Kind.END:
                self._end()
            parent.answer(Kind.WORDS, frame.job, self._words())

    def _hear(self, samples: Samples) -> None:
        if self._head is None:
            self._decoder.process_raw(self._hissing(samples))
            return
        head = np.concatenate((self._head, samples))
        onset = _onset(head)
        dull = max(0, (len(head) if onset is None else onset) - _LEAD) // _STEP * _STEP
        self._skipped += dull
        self._head = head[dull:]
        if onset is not None and len(self._head) >= _HEAD:
            self._start(self._head)

    def _end(self) -> None:
        if self._head is not None and _onset(self._head) is not None:
            self._start(self._head)
        if self._head is None:
            self._decoder.end_utt()
        self._job = -1

    def _start(self, head: Samples) -> None:
        """Begin the search, with the mean of what has been heard so far."""
        self._head = None
        sound = self._hissing(head)
        self._decoder.set_cmn(self._mean(sound))
        self._decoder.start_utt()
        self._decoder.process_raw(sound)

    def _hissing(self, samples: Samples) -> bytes:
        noisy = samples + self._hiss.normal(0.0, _HISS, len(samples))
        return noisy.clip(-32_768, 32_767).astype(np.int16).tobytes()

    def _mean(self, sound: bytes) -> str:
        frames = (len(sound) // 2 - _FRAME) // _STEP + 1
        if frames < 1:
            return _PRIOR
        self._decoder.set_cmn(_PRIOR)
        self._decoder.start_utt()
        self._decoder.process_raw(sound, no_search=True)
        self._decoder.end_utt()
        mixed, prior = _numbers(self._decoder.get_cmn(False)), _numbers(_PRIOR)
        own = (mixed * (_PRIOR_FRAMES + frames) - prior * _PRIOR_FRAMES) / frames
        return ",".join(f"{value:.3f}" for value in own)

    def _drop(self) -> None:
        if self._job != -1 and self._head is None:
            self._decoder.end_utt()
        self._job = -1

    def _words(self) -> bytes:
        if self._head is not None or self._decoder.hyp() is None:
            return b"[]"
        skipped = self._skipped // _STEP
        return msgspec.json.encode(
            [
                (_VARIANT.sub("", segment.word).lower(), skipped + segment.start_frame, skipped + segment.end_frame)
                for segment in self._decoder.seg()
                if not _FILLER.match(segment.word)
            ]
        )


def _onset(samples: Samples) -> int | None:
    """Where the first loud block begins."""
    blocks = samples[: len(samples) // _BLOCK * _BLOCK].reshape(-1, _BLOCK).astype(np.float32)
    loud = np.flatnonzero(np.mean(np.square(blocks), axis=1) > _LOUD**2)
    return int(loud[0]) * _BLOCK if len(loud) else None


def _numbers(text: str) -> NDArray[np.float64]:
    return np.array([float(number) for number in text.split(",")])


def load() -> Callable[[Frame, Parent], None]:
    """Load the decoder and its English model (0.4 s)."""
    return Recogniser().handle


if __name__ == "__main__":
    serve(load)
