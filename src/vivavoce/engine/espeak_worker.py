"""The child process in which espeak-ng runs. The library is GPL; it is loaded here and never into our own process.

`BEGIN` carries an `Utterance`. It is answered by `SOUND` (int16 at 24 kHz), each with `WORDS` before it if words end
in it (JSON `[end in the text, sample]`), and then by one `END`, even when it was cancelled. The library's interface
is in `espeak-ng/speak_lib.h`, revision 12.
"""

import ctypes
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.frame import RATE_HZ, to_bytes
from vivavoce.audio.resampler import Resampler
from vivavoce.engine.pipe import Frame, Kind, Parent, serve

try:
    import espeakng_loader
except ImportError:  # the extra is optional; then the system's library serves
    espeakng_loader = None

SYSTEM_LIBRARY: Final = "libespeak-ng.so.1"

_SYNCHRONOUS, _DONT_EXIT = 2, 0x8000
_RATE, _PITCH, _RANGE = 1, 3, 4
_UTF8, _BY_CHARACTER = 1, 1
_END_OF_EVENTS, _WORD = 0, 1
_BUFFER_MS: Final = 40
_EARLY: Final = RATE_HZ // 10
"""So much goes out in small pieces; what follows is gathered to `_GATHER`."""
_GATHER: Final = RATE_HZ // 5


class Utterance(msgspec.Struct, frozen=True):
    """What to say and how: an espeak voice with variant, pitch and its range 0–99, words per minute 80–450."""

    text: str
    voice: str
    pitch: int
    range: int
    rate: int


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )
    type: int
    text_position: int
    audio_position: int


# Both pointers as plain addresses.
_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


class Delivery:
    """One utterance on its way to the parent: gathers samples and times the words."""

    def __init__(self, parent: Parent, job: int, text: str, rate_hz: int) -> None:
        self._parent = parent
        self._job = job
        self._text = text
        self._resampler = Resampler(rate_hz, RATE_HZ)
        self._pieces: list[NDArray[np.int16]] = []
        self._gathered = 0
        self._sent = 0
        self._said = 0
        self._marks: deque[tuple[int, int]] = deque()

    @property
    def is_unwanted(self) -> bool:
        """Whether the parent has given it up."""
        return self._parent.is_cancelled(self._job)

    def word(self, start: int, at_ms: int) -> None:
        """A word begins at character `start`, so those before it are over.

        Only what stands between blanks counts: "$42.50" is several words for the library, whose lengths cannot be
        relied on, and half of it has another meaning than the whole.
        """
        start = min(len(self._text), max(0, start))
        while start > 0 and not self._text[start - 1].isspace():
            start -= 1
        self._over(start, at_ms * RATE_HZ // 1000)

    def samples(self, samples: NDArray[np.int16]) -> None:
        """More sound, at the library's rate."""
        self._gather(self._resampler.push(samples))
        if self._gathered >= (_GATHER if self._sent >= _EARLY else 1):
            self._send()

    def finish(self) -> None:
        """No more sound: the last word ends here."""
        if self.is_unwanted:
            self._parent.answer(Kind.END, self._job)
            return
        self._gather(self._resampler.flush())
        end = self._sent + self._gathered
        self._over(len(self._text), end)
        self._marks = deque((text_end, min(at, end)) for text_end, at in self._marks)
        self._send()
        self._parent.answer(Kind.END, self._job)

    def _over(self, text_end: int, at: int) -> None:
        text_end = len(self._text[:text_end].rstrip())
        if text_end > self._said:
            self._marks.append((text_end, at))
            self._said = text_end

    def _gather(self, samples: NDArray[np.int16]) -> None:
        self._pieces.append(samples)
        self._gathered += len(samples)

    def _send(self) -> None:
        sound = np.concatenate(self._pieces)
        self._pieces, self._gathered = [], 0
        self._sent += len(sound)
        marks: list[tuple[int, int]] = []
        while self._marks and self._marks[0][1] <= self._sent:
            marks.append(self._marks.popleft())
        if marks:
            self._parent.answer(Kind.WORDS, self._job, msgspec.json.encode(marks))
        if len(sound) or marks:
            self._parent.answer(Kind.SOUND, self._job, to_bytes(sound))


class Synthesiser:
    """The library, saying one utterance after the other: it has one global state."""

    def __init__(self, library: ctypes.CDLL, data: str | None) -> None:
        """Initialise the library.

        Raises:
            RuntimeError: it refuses, for instance for want of its data.
        """
        self._library = library
        path = None if data is None else data.encode()
        self._rate_hz: int = library.espeak_Initialize(_SYNCHRONOUS, _BUFFER_MS, path, _DONT_EXIT)
        if self._rate_hz <= 0:
            raise RuntimeError(f"espeak-ng cannot start with the data in {data or 'its usual place'}")
        self._delivery: Delivery | None = None
        # Kept, because the library keeps no reference that Python knows of.
        self._callback = _Callback(self._heard)
        library.espeak_SetSynthCallback(self._callback)

    def handle(self, frame: Frame, parent: Parent) -> None:
        """Say one utterance.

        Raises:
            RuntimeError: the voice is unknown, or the library failed.
        """
        if parent.is_cancelled(frame.job):
            parent.answer(Kind.END, frame.job)
            return
        wanted = msgspec.json.decode(frame.body, type=Utterance)
        library = self._library
        if library.espeak_SetVoiceByName(wanted.voice.encode()) != 0:
            raise RuntimeError(f"espeak-ng has no voice {wanted.voice!r}")
        for parameter, value in ((_RATE, wanted.rate), (_PITCH, wanted.pitch), (_RANGE, wanted.range)):
            library.espeak_SetParameter(parameter, value, 0)
        # A zero character would end the text for C; lengths must stay as they are for the words' places.
        text = wanted.text.replace("\0", " ").encode(errors="replace")
        self._delivery = Delivery(parent, frame.job, wanted.text, self._rate_hz)
        code = library.espeak_Synth(text, ctypes.c_size_t(len(text) + 1), 0, _BY_CHARACTER, 0, _UTF8, None, None)
        if code != 0:
            raise RuntimeError(f"espeak-ng failed with code {code}")
        self._delivery.finish()

    def _heard(self, wave: int | None, count: int, events: int | None) -> int:
        """What the library calls for each stretch of sound; 1 makes it stop."""
        delivery = self._delivery
        if delivery is None or delivery.is_unwanted:
            return 1
        while events and (event := _Event.from_address(events)).type != _END_OF_EVENTS:
            if event.type == _WORD:
                delivery.word(event.text_position - 1, event.audio_position)
            events += ctypes.sizeof(_Event)
        if wave and count > 0:
            delivery.samples(np.frombuffer(ctypes.string_at(wave, 2 * count), np.int16))
        return 0


def load() -> Callable[[Frame, Parent], None]:
    """Find the library: the extra's own, else the system's.

    Raises:
        RuntimeError: there is none, or it does not start.
    """
    if espeakng_loader is not None:
        return Synthesiser(ctypes.CDLL(espeakng_loader.get_library_path()), espeakng_loader.get_data_path()).handle
    try:
        library = ctypes.CDLL(SYSTEM_LIBRARY)
    except OSError as error:
        raise RuntimeError(
            "there is no espeak-ng here; install the extra (`pip install vivavoce[espeak]`) "
            "or the system's library (Debian: apt-get install libespeak-ng1)"
        ) from error
    return Synthesiser(library, None).handle


if __name__ == "__main__":
    serve(load)
