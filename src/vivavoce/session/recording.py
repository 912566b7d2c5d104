"""The sound behind items: how long it is, which words it says when, and the samples while there is room."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from vivavoce.audio.frame import Pcm, sample_count

ROOM: Final = sample_count(60_000)
"""Samples kept per call so that `conversation.item.retrieve` can return sound; the oldest items lose theirs first."""


@dataclass(slots=True)
class Recording:
    """One item's sound. `marks` are (sample, text length): so much text has been said by that sample."""

    length: int = 0
    text: str = ""
    marks: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    chunks: list[Pcm] = field(default_factory=list[Pcm])

    def heard_text(self, samples: int) -> str:
        """The words that somebody has heard whole after that many samples. Never more than was said by then."""
        return self.text[: max((text_end for at, text_end in self.marks if at <= samples), default=0)]


class Archive:
    """Recordings by item id, within a bounded number of kept samples."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._kept = 0
        self._recordings: dict[str, Recording] = {}
        self._sounding: dict[str, Recording] = {}
        """Those that still have samples, oldest first."""

    def get(self, item_id: str) -> Recording | None:
        """The item's recording, or None when it never had sound."""
        return self._recordings.get(item_id)

    def of(self, item_id: str) -> Recording:
        """The item's recording, a new one if there is none."""
        return self._recordings.setdefault(item_id, Recording())

    def add(self, item_id: str, samples: Pcm) -> Recording:
        """More sound of an item."""
        recording = self._sounding[item_id] = self.of(item_id)
        recording.length += len(samples)
        recording.chunks.append(samples)
        self._kept += len(samples)
        while self._kept > self._room:
            self._drop(next(iter(self._sounding)))
        return recording

    def samples(self, item_id: str) -> Pcm | None:
        """The item's sound, or None when it has none any more."""
        recording = self._recordings.get(item_id)
        if recording is None or not recording.chunks or sum(map(len, recording.chunks)) < recording.length:
            return None
        return np.concatenate(recording.chunks)

    def cut(self, item_id: str, samples: int) -> None:
        """Keep only the first samples of an item, and the words heard in them."""
        recording = self.of(item_id)
        kept = self.samples(item_id)
        recording.text = recording.heard_text(samples)
        recording.marks = [mark for mark in recording.marks if mark[0] <= samples]
        recording.length = min(recording.length, samples)
        if item_id not in self._sounding:
            return
        self._drop(item_id)
        if kept is not None and samples:
            recording.chunks = [kept[:samples].copy()]
            self._kept += len(recording.chunks[0])
            self._sounding[item_id] = recording

    def remove(self, item_id: str) -> None:
        """Forget an item's sound."""
        if item_id in self._sounding:
            self._drop(item_id)
        self._recordings.pop(item_id, None)

    def _drop(self, item_id: str) -> None:
        recording = self._sounding.pop(item_id)
        self._kept -= sum(map(len, recording.chunks))
        recording.chunks = []
