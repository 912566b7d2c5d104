"""The way of the user's sound into a call: beside the text or inside events, through the microphone, to the intake."""

from collections import deque
from typing import Final

from vivavoce.audio.frame import RATE_HZ, Pcm
from vivavoce.session.answers import Sound
from vivavoce.session.intake import Intake
from vivavoce.session.microphone import Microphone
from vivavoce.session.settings import Settings
from vivavoce.session.upload import Upload

STALL_S: Final = 1.0
"""Media that stops for so long while somebody speaks ends the turn: a muted or vanished caller says nothing more."""
MARK_S: Final = 0.5
MARKS: Final = 80
"""How far back it is known when sound came: 40 s, longer than any caller may be idle."""


class Inlet:
    """Knows when sound last came, and how it is coded where it comes in events."""

    def __init__(self, microphone: Microphone, intake: Intake, settings: Settings, sound: Sound, now: float) -> None:
        self._microphone = microphone
        self._intake = intake
        self._settings = settings
        self._sound = sound
        self._upload = Upload(settings.input_format.type)
        self._last_sound = now
        self._marks: deque[tuple[float, int]] = deque([(now, 0)], MARKS)
        """Moments, and how much sound had come by then."""

    @property
    def stall_at(self) -> float | None:
        """When a turn ends because no more sound comes; None where that does not matter now."""
        detection = self._settings.detection
        if self._sound is not Sound.MEDIA or detection is None or not self._intake.speaking:
            return None
        return self._last_sound + max(STALL_S, self._intake.wait_s(detection))

    def position_at(self, time: float) -> int:
        """How many samples had come by then: to a piece for who sends in real time, to half a second for others."""
        later = self._intake.position
        for at, position in reversed(self._marks):
            if at <= time:
                return min(later, position + int((time - at) * RATE_HZ))
            later = position
        return later

    def hear(self, samples: Pcm, now: float) -> None:
        """Sound that came beside the text."""
        self._last_sound = now
        if now - self._marks[-1][0] >= MARK_S:
            self._marks.append((now, self._intake.position))
        self._take(self._microphone.hear(samples, now))

    def append(self, audio: str, now: float) -> None:
        """Sound that came in an event.

        Raises:
            RequestError: it is none in the session's input format.
        """
        if self._upload.format_name != self._settings.input_format.type:
            self._upload = Upload(self._settings.input_format.type)
        self.hear(self._upload.read(audio, "audio"), now)

    def release(self) -> None:
        """All sound so far is wanted, the last milliseconds too."""
        self._take(self._microphone.release())

    def _take(self, samples: Pcm) -> None:
        self._intake.hear(samples, self._settings.detection)
        wish = self._settings.written_along
        if wish is not None:
            self._intake.write_along(wish)
