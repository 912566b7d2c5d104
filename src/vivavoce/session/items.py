"""The client's own hand in the conversation: items that it puts in, asks for and takes out."""

from base64 import b64encode
from typing import Final

from msgspec import UNSET
from msgspec.structs import replace

from vivavoce.audio.format import Encoder
from vivavoce.audio.frame import Pcm
from vivavoce.errors import RequestError
from vivavoce.session.answers import Answers, Sound
from vivavoce.session.context import Context
from vivavoce.session.conversation import Conversation, item_id, with_id
from vivavoce.session.image import check_image
from vivavoce.session.intake import Intake
from vivavoce.session.outbox import Outbox
from vivavoce.session.recording import Archive
from vivavoce.session.settings import Settings, known
from vivavoce.session.upload import Upload
from vivavoce.wire.config import Transcription
from vivavoce.wire.event import (
    ConversationItemAdded,
    ConversationItemDeleted,
    ConversationItemDone,
    ConversationItemRetrieved,
)
from vivavoce.wire.item import (
    AssistantMessage,
    FunctionCall,
    InputAudio,
    InputImage,
    InputItem,
    Item,
    ItemReference,
    McpApprovalRequest,
    McpApprovalResponse,
    McpCall,
    McpListTools,
    OutputAudio,
    UserMessage,
)

RETRIEVED_LIMIT: Final = 48 * 1024
"""Sound that `conversation.item.retrieved` may carry over a data channel, in bytes; more could kill the channel."""


class Items:
    """Carries out `conversation.item.*` of a client, truncation excepted: that is a matter of what was heard."""

    def __init__(
        self,
        out: Outbox,
        conversation: Conversation,
        archive: Archive,
        intake: Intake,
        answers: Answers,
        settings: Settings,
        sound: Sound,
    ) -> None:
        self._out = out
        self._conversation = conversation
        self._archive = archive
        self._intake = intake
        self._answers = answers
        self._settings = settings
        self._sound = sound

    def create(self, item: Item, previous_item_id: str | None, now: float) -> None:
        """Put a client's item into the conversation.

        Raises:
            RequestError: an id that is taken, an unknown neighbour, or sound that cannot be had.
        """
        item = self._accept(item, "item")
        sounds = self._sounds(item, "item")
        bare = without_audio(item)
        previous = self._conversation.insert(bare, previous_item_id)
        self._out.send(ConversationItemAdded(item=bare, previous_item_id=previous))
        self._out.send(ConversationItemDone(item=bare, previous_item_id=previous))
        self._write_down(item, sounds, self._settings.transcription, self._conversation, now)

    def context(self, wanted: list[InputItem], now: float) -> Context:
        """A response's own context. Words of new sound in it are asked for at once, and told to nobody else.

        Raises:
            RequestError: as `create`, or a reference to nothing.
        """
        context = Context(self._conversation)
        heard: list[tuple[Item, dict[int, Pcm]]] = []
        for place, item in enumerate(wanted):
            param = f"response.input[{place}]"
            if isinstance(item, ItemReference):
                context.refer(item, f"{param}.id")
                continue
            item = self._accept(item, param)
            heard.append((item, self._sounds(item, param)))
            context.add(without_audio(item))
        for item, sounds in heard:
            self._write_down(item, sounds, None, context.own, now)
        return context

    def retrieve(self, id: str) -> None:
        """Show an item with its sound.

        Raises:
            RequestError: no such item (`item_retrieve_invalid_item_id`).
        """
        item = self._conversation.get(id)
        if item is None:
            raise RequestError(
                f"Item with item_id '{id}' not found: nothing to retrieve.",
                code="item_retrieve_invalid_item_id",
                param="item_id",
            )
        self._out.send(ConversationItemRetrieved(item=self._with_audio(item)))

    def delete(self, id: str) -> None:
        """Take an item out. What is being said of it goes on, but leaves no trace in the conversation.

        Raises:
            RequestError: no such item (`item_delete_invalid_item_id`).
        """
        if not self._conversation.remove(id):
            raise RequestError(
                f"Item with item_id '{id}' not found: nothing to delete.",
                code="item_delete_invalid_item_id",
                param="item_id",
            )
        self._intake.scribe.forget(id)
        if not self._answers.makes(id):
            self._archive.remove(id)
        self._out.send(ConversationItemDeleted(item_id=id))

    # ── taking in ──────────────────────────────────────────────────────────────────────────────────────

    def _accept(self, item: Item, param: str) -> Item:
        """A client's item as the conversation will hold it.

        Raises:
            RequestError: assistant sound, which only the assistant makes; a picture that cannot be shown; or the id of
                something that is being made.
        """
        for place, part in enumerate(item.content if isinstance(item, AssistantMessage | UserMessage) else ()):
            at = f"{param}.content[{place}]"
            if isinstance(part, OutputAudio):
                raise RequestError(
                    "Audio of the assistant cannot be inserted: use output_text.",
                    code="invalid_value",
                    param=f"{at}.type",
                )
            if isinstance(part, InputImage):
                check_image(part.image_url, f"{at}.image_url")
        if isinstance(item, FunctionCall) and not isinstance(item.call_id, str):
            item = replace(item, call_id=self._out.ids("call"))
        status = "incomplete" if item.status == "incomplete" else "completed"
        if isinstance(item, McpListTools | McpCall | McpApprovalRequest | McpApprovalResponse):
            item = replace(item, status=UNSET, object=UNSET)  # these have neither
        else:
            item = replace(item, status=status, object=UNSET)
        if not isinstance(item.id, str) or not item.id:
            return with_id(item, self._out.ids("item"))
        if item.id in self._conversation or self._intake.reserves(item.id) or self._answers.makes(item.id):
            raise RequestError(
                f"There is an item '{item.id}' already. Leave the id out to have one made.",
                code="invalid_value",
                param=f"{param}.id",
            )
        return item

    def _sounds(self, item: Item, param: str) -> dict[int, Pcm]:
        """The sound in a client's message, by part.

        Raises:
            RequestError: not sound in the session's input format.
        """
        if not isinstance(item, UserMessage):
            return {}
        return {
            place: Upload(self._settings.input_format.type).read(part.audio, f"{param}.content[{place}].audio")
            for place, part in enumerate(item.content)
            if isinstance(part, InputAudio) and isinstance(part.audio, str)
        }

    def _write_down(
        self, item: Item, sounds: dict[int, Pcm], wish: Transcription | None, home: Conversation, now: float
    ) -> None:
        """Keep the sound of an item, and have those parts transcribed whose words the client did not give."""
        for place, samples in sounds.items():
            self._archive.add(item_id(item), samples)
            part = item.content[place] if isinstance(item, UserMessage) else None
            if isinstance(part, InputAudio) and not known(part.transcript, None):
                self._intake.scribe.adopt(item_id(item), place, samples, wish, home, now)

    def _with_audio(self, item: Item) -> Item:
        """The item with its sound, where that is kept and fits the connection."""
        samples = self._archive.samples(item_id(item))
        if samples is None or not isinstance(item, UserMessage | AssistantMessage):
            return item
        if sum(isinstance(part, InputAudio | OutputAudio) for part in item.content) != 1:
            return item
        theirs = self._settings.input_format if isinstance(item, UserMessage) else self._settings.output_format
        encoder = Encoder(theirs.type)
        data = encoder.encode(samples) + encoder.flush()
        if self._sound is Sound.MEDIA and len(data) > RETRIEVED_LIMIT:
            return item
        audio = b64encode(data).decode("ascii")
        content = [
            replace(part, audio=audio) if isinstance(part, InputAudio | OutputAudio) else part for part in item.content
        ]
        return replace(item, content=content)


def without_audio(item: Item) -> Item:
    """The item as it travels and is kept: sound lives in the archive."""
    if not isinstance(item, UserMessage):
        return item
    content = [replace(part, audio=UNSET) if isinstance(part, InputAudio) else part for part in item.content]
    return replace(item, content=content)
