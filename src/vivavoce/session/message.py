"""One spoken or written assistant message while it is being made.

Words go in; the message sends its deltas, has its sentences spoken one after another, and remembers which
words end at which sample. It does not know why it begins or ends.
"""

from base64 import b64encode
from collections import deque
from dataclasses import dataclass
from typing import Literal, TypedDict, assert_never

from vivavoce.audio.format import Encoder
from vivavoce.audio.frame import Pcm
from vivavoce.session.effect import Cancel, Job, Speak
from vivavoce.session.outbox import Outbox
from vivavoce.session.output import OutputBuffer
from vivavoce.session.recording import Archive
from vivavoce.session.result import Ended, Spoken
from vivavoce.session.sentence import Sentences
from vivavoce.session.spoken import Spoken as Wording
from vivavoce.session.spoken import spoken
from vivavoce.wire.config import ContentPart
from vivavoce.wire.event import (
    ResponseContentPartAdded,
    ResponseContentPartDone,
    ResponseOutputAudioDelta,
    ResponseOutputAudioDone,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputAudioTranscriptDone,
    ResponseOutputTextDelta,
    ResponseOutputTextDone,
)
from vivavoce.wire.item import AssistantMessage, OutputAudio, OutputText

Ending = Literal["completed", "incomplete"]


class Place(TypedDict):
    """Where a part stands, as every event about it says."""

    response_id: str
    item_id: str
    output_index: int
    content_index: int


@dataclass(frozen=True, slots=True)
class Voice:
    """How a message is to sound. `encoder` is for sound that travels in events, None where it is played."""

    name: str
    speed: float
    encoder: Encoder | None


@dataclass(frozen=True, slots=True)
class Utterance:
    """A chunk of the message that is being spoken: where its text starts, and at which sample its sound does."""

    job: Job
    wording: Wording
    text_start: int
    text_end: int
    from_sample: int


class Message:
    """An assistant message of a running response; `voice` None writes instead of speaking."""

    def __init__(
        self,
        out: Outbox,
        archive: Archive,
        output: OutputBuffer,
        *,
        response_id: str,
        conversation_id: str | None,
        item_id: str,
        output_index: int,
        voice: Voice | None,
    ) -> None:
        self.item_id = item_id
        self.output_index = output_index
        self.response_id = response_id
        self._conversation_id = conversation_id
        self.text = ""
        self._out = out
        self._archive = archive
        self._output = output
        self._voice = voice
        self._sentences = Sentences()
        self._taken = 0
        self._unsaid: deque[tuple[int, int]] = deque()
        self._utterance: Utterance | None = None
        part = ContentPart(type="text", text="") if voice is None else ContentPart(type="audio", transcript="")
        out.send(ResponseContentPartAdded(part=part, **self._place()))

    @property
    def busy(self) -> bool:
        """Whether words are still on their way to the ear."""
        return self._utterance is not None or bool(self._unsaid)

    def add(self, delta: str) -> None:
        """More words."""
        self.text += delta
        if self._voice is None:
            self._out.send(ResponseOutputTextDelta(delta=delta, **self._place()))
            return
        self._out.send(ResponseOutputAudioTranscriptDelta(delta=delta, **self._place()))
        self._archive.of(self.item_id).text = self.text
        self._take(self._sentences.push(delta))

    def finish(self) -> None:
        """No more words; what is left of the last sentence may be spoken."""
        if self._voice is not None:
            self._take(self._sentences.flush())

    def owns(self, job: Job) -> bool:
        """Whether this is the utterance being spoken."""
        return self._utterance is not None and self._utterance.job == job

    def heard(self, result: Spoken | Ended) -> None:
        """The speaker's report on the utterance that this message owns."""
        utterance = self._utterance
        if utterance is None:
            return
        recording = self._archive.of(self.item_id)
        match result:
            case Spoken(samples, marks):
                recording.marks.extend(
                    (utterance.from_sample + at, utterance.text_start + utterance.wording.source_end(said))
                    for said, at in marks
                )
                self._sound(samples)
            case Ended():
                recording.marks.append((recording.length, utterance.text_end))
                self._utterance = None
                self._speak()
            case _:
                assert_never(result)

    def close(self, ending: Ending) -> AssistantMessage:
        """Send the closing events of the part and return the item as it stands."""
        if self._utterance is not None:
            self._out.add(Cancel(self._utterance.job))
            self._utterance = None
        self._unsaid.clear()
        if self._voice is None:
            self._out.send(ResponseOutputTextDone(text=self.text, **self._place()))
            part = ContentPart(type="text", text=self.text)
        else:
            if self._voice.encoder is not None and ending == "completed":
                self._deliver(self._voice.encoder.flush())
            self._out.send(ResponseOutputAudioDone(**self._place()))
            self._out.send(ResponseOutputAudioTranscriptDone(transcript=self.text, **self._place()))
            part = ContentPart(type="audio", transcript=self.text)
        self._out.send(ResponseContentPartDone(part=part, **self._place()))
        return self.item(ending)

    def item(self, status: Literal["in_progress", "completed", "incomplete"]) -> AssistantMessage:
        """The item as it stands."""
        content = OutputText(text=self.text) if self._voice is None else OutputAudio(transcript=self.text)
        return AssistantMessage(id=self.item_id, status=status, content=[content])

    def _take(self, chunks: list[str]) -> None:
        for chunk in chunks:
            self._unsaid.append((self._taken, self._taken + len(chunk)))
            self._taken += len(chunk)
        if self._utterance is None:
            self._speak()

    def _speak(self) -> None:
        """Begin the next chunk that has anything to say."""
        voice = self._voice
        recording = self._archive.of(self.item_id)
        while voice is not None and self._unsaid:
            start, end = self._unsaid.popleft()
            wording = spoken(self.text[start:end])
            if wording.text:
                job = self._out.begin(Speak(wording.text, voice.name, voice.speed))
                self._utterance = Utterance(job, wording, start, end, recording.length)
                return
            recording.marks.append((recording.length, end))

    def _sound(self, samples: Pcm) -> None:
        self._archive.add(self.item_id, samples)
        if self._voice is not None and self._voice.encoder is not None:
            self._deliver(self._voice.encoder.encode(samples))
        else:
            self._output.add(self.response_id, self._conversation_id, self.item_id, samples)

    def _deliver(self, data: bytes) -> None:
        if data:
            self._out.send(ResponseOutputAudioDelta(delta=b64encode(data).decode("ascii"), **self._place()))

    def _place(self) -> Place:
        return {
            "response_id": self.response_id,
            "item_id": self.item_id,
            "output_index": self.output_index,
            "content_index": 0,
        }
