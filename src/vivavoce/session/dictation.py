"""What each of OpenAI's transcription models takes, by its name.

By the types of the openai package 3.51, and captures of the live service, October 2026. Any other name is the
operator's own or is newer than this table: it may take everything.
"""

import re
from dataclasses import dataclass
from typing import Final

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from vivavoce.errors import RequestError
from vivavoce.wire.config import AudioInput, Transcription

_PLACE: Final = "session.audio.input"
_BY_MODEL: Final = ("delay", "keywords", "languages", "prompt")


@dataclass(frozen=True, slots=True)
class _Abilities:
    """Which fields of `_BY_MODEL` a model takes, and whether turn detection may cut what it writes."""

    takes: tuple[str, ...]
    detects_turns: bool = True


_MODELS: Final = {
    "whisper-1": _Abilities(("prompt",)),
    "gpt-4o-transcribe": _Abilities(("prompt",)),
    "gpt-4o-mini-transcribe": _Abilities(("prompt",)),
    "gpt-4o-transcribe-diarize": _Abilities(()),
    "gpt-transcribe": _Abilities(("keywords", "languages", "prompt")),
    "gpt-live-transcribe": _Abilities(("keywords", "languages", "prompt"), detects_turns=False),
    "gpt-realtime-whisper": _Abilities(("delay",), detects_turns=False),
}
_ANY: Final = _Abilities(_BY_MODEL)
_SNAPSHOT: Final = re.compile(r"-\d{4}-\d\d-\d\d\Z")


def dictated(whole: AudioInput, update: AudioInput, *, only: bool) -> AudioInput:
    """The input's settings after an update, as its transcription model can have them.

    What the update does not name and the new model does not take falls away with the old model: no update could take
    it back. `delay` is taken and not shown, as the live service does.

    Args:
        whole: the settings with the update on top.
        update: what is asked for.
        only: whether the session only transcribes; in a conversation turns are not the transcriber's affair.

    Raises:
        RequestError: the update names what its model does not take, or leaves a model without turns to detection.
    """
    wish = whole.transcription
    if not isinstance(wish, Transcription):
        return whole
    abilities = _abilities(wish.model)
    if only and not abilities.detects_turns and whole.turn_detection is not None:
        raise RequestError(
            f"The model '{wish.model}' does not detect turns: set '{_PLACE}.turn_detection' to null.",
            code="invalid_value",
            param=f"{_PLACE}.turn_detection",
        )
    alien = [name for name in _BY_MODEL if name not in abilities.takes]
    for name in alien:
        if getattr(update.transcription, name, UNSET) not in (UNSET, "", []):
            raise RequestError(
                f"The model '{wish.model}' does not take '{name}': leave it out, or ask for {_takers(name)}.",
                code="invalid_value",
                param=f"{_PLACE}.transcription.{name}",
            )
    return replace(whole, transcription=replace(wish, **dict.fromkeys((*alien, "delay"), UNSET)))


def _abilities(model: str | UnsetType) -> _Abilities:
    return _ANY if isinstance(model, UnsetType) else _MODELS.get(_SNAPSHOT.sub("", model), _ANY)


def _takers(name: str) -> str:
    return " or ".join(model for model, abilities in _MODELS.items() if name in abilities.takes)
