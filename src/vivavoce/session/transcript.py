"""What was said in a call: the items that the server holds, their words as they come, and how much was heard.

Events of any age and in any order are taken in; changed captions are collected for whoever shows them.
"""

from msgspec import UnsetType
from msgspec.structs import replace

from vivavoce.session.answers import Sound
from vivavoce.session.caption import Caption, Captions, CaptionState, Role
from vivavoce.session.hearing import Hearing
from vivavoce.session.mirror import Mirror
from vivavoce.session.settings import known
from vivavoce.wire.config import ContentPart
from vivavoce.wire.event import (
    ConversationItemAdded,
    ConversationItemCreated,
    ConversationItemDone,
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionDelta,
    ConversationItemInputAudioTranscriptionFailed,
    ResponseContentPartAdded,
    ResponseContentPartDone,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputAudioTranscriptDone,
    ResponseOutputTextDelta,
    ResponseOutputTextDone,
)
from vivavoce.wire.item import AssistantMessage, InputAudio, InputText, Item, OutputAudio, OutputText, UserMessage

ItemNews = ConversationItemAdded | ConversationItemCreated | ConversationItemDone
UserWords = (
    ConversationItemInputAudioTranscriptionDelta
    | ConversationItemInputAudioTranscriptionCompleted
    | ConversationItemInputAudioTranscriptionFailed
)
AssistantWords = (
    ResponseContentPartAdded
    | ResponseContentPartDone
    | ResponseOutputTextDelta
    | ResponseOutputTextDone
    | ResponseOutputAudioTranscriptDelta
    | ResponseOutputAudioTranscriptDone
)


class Transcript:
    """Items, captions and hearing of one call. `hearing` is for whoever knows what is being played."""

    def __init__(self, sound: Sound) -> None:
        self.hearing = Hearing(sound)
        self._mirror = Mirror()
        self._captions = Captions()
        self._changed: dict[str, Caption] = {}

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────

    @property
    def captions(self) -> tuple[Caption, ...]:
        """Every caption, oldest first."""
        return self._captions.all()

    def drain(self) -> list[Caption]:
        """Captions that are new or have changed since the last time."""
        changed, self._changed = list(self._changed.values()), {}
        return changed

    def holds(self, item_id: str) -> bool:
        """Whether the conversation has the item."""
        return item_id in self._mirror

    def in_progress(self, item_id: str) -> bool:
        """Whether the server is still making the item."""
        item = self._mirror.get(item_id)
        return item is not None and item.status == "in_progress"

    def history(self, now: float) -> tuple[Item, ...]:
        """The conversation as it was heard."""
        return tuple(self._as_heard(item, now) for item in self._mirror)

    def _as_heard(self, item: Item, now: float) -> Item:
        if not isinstance(item, AssistantMessage) or not isinstance(item.id, str):
            return item
        if self.hearing.spoken(item.id):
            return replace(item, content=[OutputAudio(transcript=self.hearing.heard(item.id, now))])
        if not item.content and self._captions.text(item.id):
            return replace(item, content=[OutputText(text=self._captions.text(item.id))])
        return item

    # ── from one connection to the next ────────────────────────────────────────────────────────────────

    def settle(self, now: float) -> bool:
        """The connection is gone, and with it what was not heard or written yet; whether there was such a thing."""
        cut = self.hearing.settle(now)
        for item_id in cut:
            self.recaption(item_id, now)
        writing = [caption for caption in self.captions if caption.state is CaptionState.WRITING]
        for caption in writing:
            lost = caption.role is Role.USER and not caption.text
            self._note(self._captions.finish(caption.item_id, CaptionState.FAILED if lost else CaptionState.DONE))
        return bool(cut or writing)

    def goes_on(self, sound: Sound) -> None:
        """Another connection takes over, over which sound may travel in another way."""
        self.hearing = self.hearing.goes_on(sound)

    # ── items ──────────────────────────────────────────────────────────────────────────────────────────

    def put(self, event: ItemNews, *, transcribes: bool) -> None:
        """The server has an item; `transcribes` says whether somebody writes down what the user says."""
        item = event.item
        if not isinstance(item.id, str):
            return
        self._mirror.put(item, event.previous_item_id)
        final = not isinstance(event, ConversationItemAdded | ConversationItemCreated)
        match item:
            case UserMessage():
                self._read_user(item, item.id, final=final and not transcribes)
            case AssistantMessage():
                self._read_assistant(item, item.id, final=final)
            case _:
                pass

    def retrieved(self, item: Item) -> None:
        """The server's own copy of an item; it tells which words of a truncated one were heard."""
        if not isinstance(item, AssistantMessage) or not isinstance(item.id, str) or not self.holds(item.id):
            return
        part = next((part for part in item.content if isinstance(part, OutputAudio)), None)
        self.hearing.told(item.id, None if part is None else known(part.transcript, None))

    def truncated(self, item_id: str, heard_ms: int) -> None:
        """The server says that an item ends there."""
        item = self._mirror.get(item_id)
        if isinstance(item, AssistantMessage) and not self.hearing.spoken(item_id):
            # Spoken before this side was listening: all that is known of it are its words.
            spoken = [part.transcript for part in item.content if isinstance(part, OutputAudio)]
            self.hearing.speak(item_id, "")
            self.hearing.wrote(item_id, "".join(words for words in spoken if isinstance(words, str)))
        self.hearing.truncated(item_id, heard_ms)

    def remove(self, item_id: str) -> None:
        """The server has dropped an item."""
        self._mirror.remove(item_id)
        self._captions.remove(item_id)
        self.hearing.forget(item_id)

    def recaption(self, item_id: str, now: float) -> None:
        """Show no more of a spoken item than was heard, if it was cut short."""
        if self.hearing.cut(item_id):
            self._note(self._captions.cut(item_id, self.hearing.heard(item_id, now)))

    def _read_user(self, item: UserMessage, id: str, *, final: bool) -> None:
        self._note(self._captions.begin(id, Role.USER))
        spoken = False
        for place, part in enumerate(item.content):
            match part:
                case InputText():
                    self._note(self._captions.complete(id, Role.USER, place, part.text))
                case InputAudio():
                    spoken = spoken or not isinstance(part.transcript, str)
                    if isinstance(part.transcript, str):
                        self._note(self._captions.complete(id, Role.USER, place, part.transcript))
                case _:
                    pass
        if final or not spoken:
            self._note(self._captions.finish(id))

    def _read_assistant(self, item: AssistantMessage, id: str, *, final: bool) -> None:
        self._note(self._captions.begin(id, Role.ASSISTANT))
        for place, part in enumerate(item.content):
            words = part.text if isinstance(part, OutputText) else known(part.transcript, None)
            if words is not None:
                self._write(id, place, words)
        if final:
            if item.status != "incomplete":
                self.hearing.finish(id)
            self._note(self._captions.finish(id))

    # ── words ──────────────────────────────────────────────────────────────────────────────────────────

    def begin_user(self, item_id: str) -> None:
        """The user has begun to speak; the item will follow."""
        self._note(self._captions.begin(item_id, Role.USER))

    def user_words(self, event: UserWords) -> None:
        """What the user said, bit by bit or whole."""
        id, place = event.item_id, known(event.content_index, 0)
        match event:
            case ConversationItemInputAudioTranscriptionDelta():
                self._note(self._captions.extend(id, Role.USER, place, known(event.delta, "")))
            case ConversationItemInputAudioTranscriptionCompleted():
                self._mirror.transcribed(id, event.transcript)
                self._note(self._captions.complete(id, Role.USER, place, event.transcript))
                self._note(self._captions.finish(id))
            case ConversationItemInputAudioTranscriptionFailed():
                self._note(self._captions.begin(id, Role.USER))
                self._note(self._captions.finish(id, CaptionState.FAILED))

    def assistant_words(self, event: AssistantWords) -> None:
        """What the assistant says or writes, bit by bit or whole."""
        id, place = event.item_id, event.content_index
        match event:
            case ResponseOutputTextDelta():
                self._note(self._captions.extend(id, Role.ASSISTANT, place, event.delta))
            case ResponseOutputAudioTranscriptDelta():
                self.hearing.speak(id, event.response_id)
                self._note(self._captions.extend(id, Role.ASSISTANT, place, event.delta))
                self.hearing.wrote(id, self._captions.text(id))
            case ResponseOutputTextDone():
                self._write(id, place, event.text)
            case ResponseOutputAudioTranscriptDone():
                self.hearing.speak(id, event.response_id)
                self._write(id, place, event.transcript)
            case ResponseContentPartAdded() | ResponseContentPartDone():
                if event.part.type == "audio":
                    self.hearing.speak(id, event.response_id)
                self._write_part(id, place, event.part)

    def _write_part(self, item_id: str, place: int, part: ContentPart) -> None:
        words = part.transcript if part.type == "audio" else part.text
        if not isinstance(words, UnsetType) and words:
            self._write(item_id, place, words)

    def _write(self, item_id: str, place: int, words: str) -> None:
        self._note(self._captions.complete(item_id, Role.ASSISTANT, place, words))
        self.hearing.wrote(item_id, self._captions.text(item_id))

    def _note(self, caption: Caption | None) -> None:
        if caption is not None:
            self._changed[caption.item_id] = caption
