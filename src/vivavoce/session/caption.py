"""What both sides say, as text that grows while they say it.

Words come in any order: a transcript may begin before its item exists and end after the answer to it has begun.
"""

from dataclasses import dataclass, replace
from enum import Enum


class Role(Enum):
    """Who speaks."""

    USER = "user"
    ASSISTANT = "assistant"


class CaptionState(Enum):
    """How far a caption is."""

    WRITING = "writing"
    DONE = "done"
    CUT = "cut"  # interrupted: the text ends where the listener stopped hearing
    FAILED = "failed"  # nobody could write it down


@dataclass(frozen=True, slots=True)
class Caption:
    """One item's words so far. Of an assistant's speech they run ahead of the sound until it is done or cut."""

    item_id: str
    role: Role
    text: str
    state: CaptionState


class Captions:
    """The captions of a call, in the order in which their items were first heard of. Knows nothing of time."""

    def __init__(self) -> None:
        self._captions: dict[str, Caption] = {}
        self._parts: dict[str, dict[int, str]] = {}

    def all(self) -> tuple[Caption, ...]:
        """Every caption, oldest first."""
        return tuple(self._captions.values())

    def text(self, item_id: str) -> str:
        """All words of an item that have come, heard or not."""
        return _joined(self._parts.get(item_id, {}))

    def begin(self, item_id: str, role: Role) -> Caption | None:
        """Somebody has begun; the words will follow. None when that is known already."""
        if item_id in self._captions:
            return None
        return self._put(Caption(item_id, role, "", CaptionState.WRITING))

    def extend(self, item_id: str, role: Role, part: int, delta: str) -> Caption | None:
        """More words of one content part; None when the caption is finished and they change nothing."""
        self.begin(item_id, role)
        if self._captions[item_id].state is not CaptionState.WRITING or not delta:
            return None
        parts = self._parts.setdefault(item_id, {})
        parts[part] = parts.get(part, "") + delta
        return self._write(item_id, CaptionState.WRITING)

    def complete(self, item_id: str, role: Role, part: int, text: str) -> Caption | None:
        """All words of one content part, which replace what came before; the caption may still go on."""
        self.begin(item_id, role)
        self._parts.setdefault(item_id, {})[part] = text
        if self._captions[item_id].state is CaptionState.CUT:
            return None
        return self._write(item_id, self._captions[item_id].state)

    def finish(self, item_id: str, state: CaptionState = CaptionState.DONE) -> Caption | None:
        """No more words will come."""
        caption = self._captions.get(item_id)
        if caption is None or caption.state is not CaptionState.WRITING:
            return None
        return self._write(item_id, state)

    def cut(self, item_id: str, heard: str) -> Caption | None:
        """The listener has heard only this much, and will hear no more."""
        caption = self._captions.get(item_id)
        if caption is None:
            return None
        return self._change(replace(caption, text=heard, state=CaptionState.CUT))

    def remove(self, item_id: str) -> None:
        """The item is gone."""
        self._captions.pop(item_id, None)
        self._parts.pop(item_id, None)

    def _write(self, item_id: str, state: CaptionState) -> Caption | None:
        return self._change(replace(self._captions[item_id], text=self.text(item_id).lstrip(), state=state))

    def _change(self, caption: Caption) -> Caption | None:
        return None if self._captions.get(caption.item_id) == caption else self._put(caption)

    def _put(self, caption: Caption) -> Caption:
        self._captions[caption.item_id] = caption
        return caption


def _joined(parts: dict[int, str]) -> str:
    return "".join(parts[part] for part in sorted(parts))
