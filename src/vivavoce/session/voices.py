"""Which voices may be asked for: OpenAI's, which every speaker has or stands in for, and the speaker's own."""

from dataclasses import dataclass
from typing import Final

from msgspec import UnsetType

from vivavoce.errors import RequestError
from vivavoce.wire.config import CustomVoice, Voice

OPENAI: Final = ("alloy", "ash", "ballad", "cedar", "coral", "echo", "marin", "sage", "shimmer", "verse")
"""A client that changes its URL must not have to change its voice too."""


@dataclass(frozen=True, slots=True)
class Voices:
    """The names and ids that are known here. `own` are those of the speaker."""

    own: tuple[str, ...] = ()

    def check(self, voice: Voice | UnsetType, param: str) -> None:
        """See whether somebody can speak so.

        Raises:
            RequestError: nobody can; answering in another voice would claim what is not so.
        """
        if isinstance(voice, UnsetType):
            return
        name = voice.id if isinstance(voice, CustomVoice) else voice
        if name in self.own or (name in OPENAI and not isinstance(voice, CustomVoice)):
            return
        named = sorted({*OPENAI, *self.own})
        shown = name if len(name) <= 60 else name[:60] + "…"
        raise RequestError(
            f"Invalid value: '{shown}'. Supported values are: {', '.join(repr(each) for each in named)}.",
            code="invalid_value",
            param=param,
        )


VOICES: Final = Voices()
"""Those of a speaker that has none of its own."""
