"""What holds in every conversation, whatever its people, programs and engines do."""

import gc
from base64 import b64decode
from collections import Counter, defaultdict
from types import FunctionType, ModuleType
from typing import TypeVar

import numpy as np

from tests.property.talk import TOKEN
from vivavoce.audio.frame import Pcm, from_bytes, sample_count
from vivavoce.session.answers import Sound
from vivavoce.session.recording import Recording
from vivavoce.session.settings import Settings
from vivavoce.testing.script import Script
from vivavoce.wire.config import PcmFormat
from vivavoce.wire.event import (
    ConversationItemTruncated,
    InputAudioBufferSpeechStarted,
    OutputAudioBufferCleared,
    OutputAudioBufferStopped,
    ResponseCreated,
    ResponseOutputAudioDelta,
    ResponseOutputAudioTranscriptDelta,
    ServerEvent,
    SessionCreated,
    SessionUpdated,
)
from vivavoce.wire.item import AssistantMessage, Item, OutputAudio

K = TypeVar("K")


class Laws:
    """Looks at a call after everything that happens in it.

    `received` is the sound that came in events, by item.
    """

    def __init__(self, sound: Sound) -> None:
        self.received: dict[str, list[Pcm]] = defaultdict(list)
        self.truncated: dict[str, int] = {}
        self._sound = sound
        self._events = 0
        self._thoughts = 0
        self._maker: dict[str, str] = {}
        self._words: dict[str, str] = defaultdict(str)
        self._silenced: set[str] = set()
        self._interrupts = True
        self._coarse: set[str] = set()
        """Responses whose sound came in a telephone format, which does not keep sample values."""

    def __call__(self, call: Script) -> None:
        """Something has happened."""
        fresh, thoughts = call.events[self._events :], call.thoughts[self._thoughts :]
        if not fresh and not thoughts:
            return
        self._events += len(fresh)
        self._thoughts += len(thoughts)
        for event in fresh:
            self._note(event)
        assert call.order.item_ids == [item.id for item in call.host.items]
        for items in [call.host.items, *(thought.items for thought in thoughts)]:
            self._check_heard(call, items)
        for event in fresh:
            if isinstance(event, ConversationItemTruncated):
                self._check_truncated(call, event)
            if isinstance(event, InputAudioBufferSpeechStarted) and self._interrupts:
                assert call.order.active is None or fresh[-1].type == "response.created", "nobody yields the floor"
                assert call.order.playing is None or not call.order.in_band(call.order.playing), "both speak"

    def rest(self, call: Script) -> None:
        """Nobody has done anything for long: all has ended, and nothing is held that nobody needs."""
        assert call.order.open == []
        assert call.listener.silent
        assert not call.cast.busy, "an engine works for nobody"
        for item in call.host.items:
            assert item.status != "in_progress"
            if self._sound is Sound.MEDIA:
                assert tokens(item) <= set(TOKEN.findall(" ".join(call.heard_words)))
        assert len(held(call.host, Recording)) <= len(call.host.items)
        samples = sum(array.size for array in held(call.host, np.ndarray) if array.base is None)
        # What `conversation.item.retrieve` may ask for, and one chunk of a file as it was sent.
        assert samples <= sample_count(60_000) + sample_count(60_000)

    def _note(self, event: ServerEvent) -> None:
        match event:
            case ResponseCreated(response=response):
                audio = response.audio
                if not audio or not audio.output or not isinstance(audio.output.format, PcmFormat):
                    self._coarse.add(str(response.id))
            case SessionCreated(session=session) | SessionUpdated(session=session):
                self._interrupts = Settings(session).interrupts_response
            case ResponseOutputAudioTranscriptDelta():
                self._maker[event.item_id] = event.response_id
                self._words[event.item_id] += event.delta
            case ResponseOutputAudioDelta():
                assert self._sound is Sound.TEXT
                self.received[event.item_id].append(decoded(event.delta))
            case ConversationItemTruncated():
                self.truncated[event.item_id] = event.audio_end_ms
            case OutputAudioBufferStopped() | OutputAudioBufferCleared():
                assert self._sound is Sound.MEDIA
                self._silenced.add(event.response_id)
            case _:
                pass

    @property
    def item_ids(self) -> list[str]:
        """Every item that the assistant has spoken, also what is not in the conversation."""
        return list(self._maker)

    def coarse(self, item_id: str) -> bool:
        """Whether words cannot be told by the item's sound."""
        return self._maker[item_id] in self._coarse

    def _check_heard(self, call: Script, items: tuple[Item, ...]) -> None:
        """No word is told that the listener has not heard, nor is going to hear."""
        everything = set(TOKEN.findall(" ".join(call.heard_words)))
        for item in filter(tokens, items):
            id = str(item.id)
            if self._sound is Sound.MEDIA:
                if id in self.truncated or self._maker[id] in self._silenced:
                    assert tokens(item) <= everything, f"never heard: {sorted(tokens(item) - everything)}"
            elif not self.coarse(id):
                heard = self._heard_of(call, id)
                assert tokens(item) <= heard, f"never heard: {sorted(tokens(item) - heard)}"

    def _heard_of(self, call: Script, item_id: str) -> set[str]:
        """Words in the sound that came of an item, as far as the client says that it was heard."""
        sound = np.concatenate([np.zeros(0, np.int16), *self.received[item_id]])
        if item_id in self.truncated:
            sound = sound[: sample_count(self.truncated[item_id])]
        values, counts = np.unique(sound, return_counts=True)
        counter = Counter(dict(zip(values.tolist(), counts.tolist(), strict=True)))
        return set(TOKEN.findall(" ".join(call.cast.words(counter))))

    def _check_truncated(self, call: Script, event: ConversationItemTruncated) -> None:
        if self._sound is Sound.TEXT:
            return
        heard = call.cast.lengths(call.listener.heard)
        mine = set(TOKEN.findall(self._words[event.item_id]))
        if not mine:
            return  # the answer of a thinker whose script has run out
        samples = sum(count for word, count in heard.items() if mine & set(TOKEN.findall(word)))
        assert sample_count(event.audio_end_ms) <= samples, f"{event.audio_end_ms} ms are more than was heard"


def tokens(item: Item) -> set[str]:
    """The telling words of what the assistant is said to have said aloud."""
    if not isinstance(item, AssistantMessage):
        return set()
    spoken = [part.transcript for part in item.content if isinstance(part, OutputAudio)]
    return {token for words in spoken if isinstance(words, str) for token in TOKEN.findall(words)}


def spoken(item: Item) -> bool:
    """Whether the assistant has said it aloud."""
    return isinstance(item, AssistantMessage) and any(isinstance(part, OutputAudio) for part in item.content)


def decoded(delta: str) -> Pcm:
    """Sound of an event; a telephone format gives nonsense of half the length or less."""
    data = b64decode(delta)
    return from_bytes(data[: len(data) // 2 * 2])


def held(root: object, kind: type[K]) -> list[K]:
    """Everything of a kind that something holds, directly or not."""
    seen: set[int] = set()
    todo: list[object] = [root]
    found: list[K] = []
    while todo:
        thing = todo.pop()
        if id(thing) in seen or isinstance(thing, type | ModuleType | FunctionType):
            continue
        seen.add(id(thing))
        if isinstance(thing, kind):
            found.append(thing)
        todo.extend(gc.get_referents(thing))
    return found
