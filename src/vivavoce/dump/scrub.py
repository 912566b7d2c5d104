"""Takes out of what is written down what opens doors, and of sound and pictures all but their length. Pure.

Words stay, and addresses: without them nothing could be explained. Secrets are known in three ways: as words that were
used in this call, by the name of the field that they stand in, and by their looks.
"""

import re
from collections.abc import Collection
from typing import Final, cast

import msgspec

from vivavoce.telemetry.secret import STARS

LONGEST: Final = 32_768
"""Characters of one string that are kept."""
MARGIN: Final = 4096
"""Characters of the longest secret."""
SHORTEST: Final = 6
"""A secret of fewer characters would strike out words of every kind."""

_LOOKS: Final = re.compile(
    r"\b(?:sk-|ek_|viva_|eyJ)[\w*.-]{6,}|(?<=[Bb]earer )[^\s\"']+|(?<=://)[^/@\s\"']+(?=@)|(?<=[?&]key=)[^&\s\"']+"
)
_CLOSED_FIELDS: Final = re.compile(
    r"(?:.*[_-])?(?:authorization|api[_-]?key|secret|token|password|passwd|credential|credentials|cookie|headers)",
    re.IGNORECASE,
)
_SDP_CLOSED: Final = ("a=ice-pwd:", "a=crypto:", "a=identity:", "a=key-mgmt:", "k=")
_SOUND_EVENTS: Final = ("response.output_audio.delta", "response.audio.delta")


class Scrub:
    """Cleans what one call writes down. `secrets` are words that it has used; more may be told."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        self._secrets: set[str] = set()
        for words in secrets:
            self.hide(words)

    def hide(self, words: str) -> None:
        """Words that must not be written from now on."""
        if len(words) >= SHORTEST:
            self._secrets.add(words)

    def text(self, text: str) -> str:
        """A text without secrets, and not without end."""
        clean = text[: LONGEST + MARGIN]
        for words in self._secrets:
            clean = clean.replace(words, STARS)
        clean = _LOOKS.sub(STARS, clean)
        if len(text) <= LONGEST:
            return clean
        # The last of it may be the beginning of a secret, which could not be known.
        return f"{clean[: max(0, min(LONGEST, len(clean) - MARGIN))]}… <{len(text)} characters>"

    def event(self, text: str) -> object:
        """An event as JSON, without secrets, sound and pictures; text that is no JSON as it is."""
        try:
            event: object = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            return self.text(text)
        match event:
            case {"type": str(kind), "delta": str(delta)} if kind in _SOUND_EVENTS:
                return self.value({**cast("dict[str, object]", event), "delta": _sound(delta)})
            case _:
                return self.value(event)

    def value(self, value: object, field: str = "") -> object:
        """Any JSON likewise; `field` is the name that it stands under."""
        match value:
            case str() if field == "audio":
                return _sound(value)
            case str() if value.startswith("data:"):
                return f"<{value[5:].partition(';')[0][:40]}: {len(value)} characters>"
            case str():
                return STARS if value and _CLOSED_FIELDS.fullmatch(field) else self.text(value)
            case dict():
                fields = cast("dict[str, object]", value)
                if _CLOSED_FIELDS.fullmatch(field) and fields:
                    return dict.fromkeys(map(self.text, fields), STARS)
                return {self.text(name): self.value(inner, name) for name, inner in fields.items()}
            case list():
                return [self.value(inner, field) for inner in cast("list[object]", value)]
            case _:
                return value

    def sdp(self, sdp: str) -> str:
        """A description of media without what a stranger could join in with: passwords and keys."""
        lines = [line for line in sdp.splitlines() if not line.startswith(_SDP_CLOSED)]
        return self.text("\n".join(lines))


def _sound(base64: str) -> str:
    """How much sound a text holds."""
    return f"<sound: {len(base64) * 3 // 4} bytes>"
