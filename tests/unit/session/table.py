"""A peer on a table, and a hand that gives it events by name."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Literal

import numpy as np

from vivavoce.audio.frame import Pcm, sample_count, to_bytes
from vivavoce.session.answers import Sound
from vivavoce.session.caption import Caption
from vivavoce.session.errand import Errand, Send, Show
from vivavoce.session.peer import Peer
from vivavoce.wire.codec import decode_server
from vivavoce.wire.event import ClientEvent, ServerEvent, UnknownEvent
from vivavoce.wire.item import AssistantMessage, OutputAudio


def event(text: str) -> ServerEvent | UnknownEvent:
    return decode_server(text)


class Table:
    """A peer, and a hand that gives it events by name."""

    def __init__(self, sound: Sound, *, tools: Sequence[str] = (), session: str = "{}") -> None:
        self.now = 100.0
        self._count = 0
        self.peer = Peer(ids=self.id, sound=sound, tools=tools, now=self.now)
        self.errands: list[Errand] = []
        self.tell(f'{{"type":"session.created","session":{{"type":"realtime","audio":{session}}}}}')

    def id(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}_{self._count}"

    def tell(self, *texts: str) -> list[Errand]:
        errands = [errand for text in texts for errand in self.peer.receive(event(text), self.now)]
        self.errands += errands
        return errands

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def listen(self, seconds: float, *, silent: bool = False) -> None:
        """Sound comes from the other side for so long."""
        for _ in range(round(seconds * 10)):
            self.peer.hear(tone(100) * (0 if silent else 1), self.now)
            self.now += 0.1
        self.peer.hear(tone(0), self.now)

    def begin(self, response: str = "r1", item: str = "a1", *, conversation: str = '"c1"') -> list[Errand]:
        return self.tell(
            f'{{"type":"response.created","response":{{"id":"{response}","conversation_id":{conversation}}}}}',
            f'{{"type":"response.output_item.added","response_id":"{response}","output_index":0,"item":{assistant(item)}}}',
            f'{{"type":"conversation.item.added","item":{assistant(item)}}}',
            f'{{"type":"response.content_part.added",{place(response, item)},"part":{{"type":"audio"}}}}',
        )

    def say(self, words: str, response: str = "r1", item: str = "a1") -> list[Errand]:
        return self.tell(
            f'{{"type":"response.output_audio_transcript.delta",{place(response, item)},"delta":"{words}"}}'
        )

    def sound(self, ms: int, response: str = "r1", item: str = "a1") -> list[Errand]:
        delta = b64encode(to_bytes(tone(ms))).decode()
        return self.tell(f'{{"type":"response.output_audio.delta",{place(response, item)},"delta":"{delta}"}}')

    def end(
        self,
        words: str,
        response: str = "r1",
        item: str = "a1",
        *,
        status: Literal["completed", "cancelled"] = "completed",
    ) -> list[Errand]:
        made = "completed" if status == "completed" else "incomplete"
        done = assistant(item, made, words)
        return self.tell(
            f'{{"type":"response.output_audio.done",{place(response, item)}}}',
            f'{{"type":"response.output_audio_transcript.done",{place(response, item)},"transcript":"{words}"}}',
            f'{{"type":"response.output_item.done","response_id":"{response}","output_index":0,"item":{done}}}',
            f'{{"type":"conversation.item.done","item":{done}}}',
            f'{{"type":"response.done","response":{{"id":"{response}","status":"{status}"}}}}',
        )

    def played(self, ms: int) -> None:
        self.peer.played(sample_count(ms), self.now)

    def speech_started(self, item: str = "u1") -> list[Errand]:
        return self.tell(f'{{"type":"input_audio_buffer.speech_started","item_id":"{item}","audio_start_ms":0}}')

    def speech_stopped(self, item: str = "u1") -> list[Errand]:
        return self.tell(f'{{"type":"input_audio_buffer.speech_stopped","item_id":"{item}","audio_end_ms":0}}')

    def commit(self, item: str = "u1") -> list[Errand]:
        content = '[{"type":"input_audio","transcript":null}]'
        user = f'{{"type":"message","role":"user","id":"{item}","status":"completed","content":{content}}}'
        return self.tell(
            f'{{"type":"input_audio_buffer.committed","item_id":"{item}"}}',
            f'{{"type":"conversation.item.added","item":{user}}}',
            f'{{"type":"conversation.item.done","item":{user}}}',
        )

    def player(self, which: str, response: str = "r1") -> list[Errand]:
        return self.tell(f'{{"type":"output_audio_buffer.{which}","response_id":"{response}"}}')

    def caption(self, item: str) -> Caption:
        return next(caption for caption in self.peer.captions if caption.item_id == item)

    def heard(self, item: str = "a1") -> str | None:
        message = next(each for each in self.peer.history() if each.id == item)
        assert isinstance(message, AssistantMessage)
        part = message.content[0]
        assert isinstance(part, OutputAudio)
        return part.transcript if isinstance(part.transcript, str) else None


def place(response: str, item: str) -> str:
    return f'"response_id":"{response}","item_id":"{item}","output_index":0,"content_index":0'


def assistant(id: str, status: str = "in_progress", words: str | None = None) -> str:
    content = "[]" if words is None else f'[{{"type":"output_audio","transcript":"{words}"}}]'
    return f'{{"type":"message","role":"assistant","id":"{id}","status":"{status}","content":{content}}}'


def tone(ms: int) -> Pcm:
    return (8000 * np.sin(np.arange(sample_count(ms)) * 0.2)).astype(np.int16)


def sent(errands: Sequence[Errand]) -> list[ClientEvent]:
    return [errand.event for errand in errands if isinstance(errand, Send)]


def shown(errands: Sequence[Errand]) -> list[Caption]:
    return [errand.caption for errand in errands if isinstance(errand, Show)]
