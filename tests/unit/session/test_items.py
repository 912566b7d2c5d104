"""What a client puts into the conversation, asks for and takes out."""

from base64 import b64decode, b64encode

import pytest

from tests.unit.session.outcome import counting, events, jobs, of_kind, the, types
from vivavoce.audio.frame import Pcm, sample_count, to_bytes
from vivavoce.errors import RequestError
from vivavoce.session.answers import Answers, Sound
from vivavoce.session.conversation import Conversation
from vivavoce.session.effect import Cancel, Effect, Feed, Transcribe
from vivavoce.session.intake import Intake
from vivavoce.session.items import RETRIEVED_LIMIT, Items
from vivavoce.session.outbox import Outbox
from vivavoce.session.recording import Archive
from vivavoce.session.result import Final as FinalText
from vivavoce.session.scribe import Scribe
from vivavoce.session.settings import Settings, effective
from vivavoce.testing.ear import voice
from vivavoce.wire.config import AudioConfig, AudioInput, PcmuFormat, RealtimeSession, Transcription
from vivavoce.wire.event import ConversationItemAdded, ConversationItemRetrieved
from vivavoce.wire.item import (
    AssistantMessage,
    FunctionCall,
    InputAudio,
    InputText,
    Item,
    ItemReference,
    OutputAudio,
    OutputText,
    SystemMessage,
    UserContent,
    UserMessage,
)

DONE = ["conversation.item.added", "conversation.item.done"]


def coded(samples: Pcm) -> str:
    return b64encode(to_bytes(samples)).decode()


def sounding(samples: int = 2400, transcript: str | None = None) -> InputAudio:
    return InputAudio(audio=coded(voice(samples)), transcript=transcript)


def spoken(*parts: UserContent, id: str = "mine") -> UserMessage:
    return UserMessage(id=id, content=list(parts))


class Hand:
    """A client's hand in a conversation."""

    def __init__(self, sound: Sound = Sound.TEXT, update: AudioInput | None = None) -> None:
        self.out = Outbox(counting())
        self.conversation = Conversation()
        self.archive = Archive()
        self.intake = Intake(self.out, self.conversation, self.archive, Scribe(self.out))
        answers = Answers(self.out, self.conversation, self.archive, sound)
        heard = update or AudioInput(transcription=Transcription(model="whisper-1"))
        session = effective(RealtimeSession(audio=AudioConfig(input=heard)), "sess_1", "house", 99)
        self.items = Items(self.out, self.conversation, self.archive, self.intake, answers, Settings(session), sound)

    def create(self, item: Item, previous: str | None = None) -> list[Effect]:
        self.items.create(item, previous, 100.0)
        return self.out.drain()

    def refusal(self, item: Item, previous: str | None = None) -> RequestError:
        before = list(self.conversation)
        with pytest.raises(RequestError) as error:
            self.items.create(item, previous, 100.0)
        assert self.out.drain() == []
        assert list(self.conversation) == before
        return error.value

    def retrieved(self, id: str) -> Item:
        self.items.retrieve(id)
        return the(self.out.drain(), ConversationItemRetrieved).item


def part_of(item: Item | None, place: int = 0) -> InputAudio | OutputAudio:
    assert isinstance(item, UserMessage | AssistantMessage)
    part = item.content[place]
    assert isinstance(part, InputAudio | OutputAudio)
    return part


# ── putting in ──────────────────────────────────────────────────────────────────────────────────────────


def test_an_item_is_added_and_done_at_once_and_has_an_id() -> None:
    hand = Hand()
    effects = hand.create(SystemMessage(content=[InputText(text="Hello.")]))
    assert types(effects) == DONE
    added = the(effects, ConversationItemAdded)
    assert (added.item.id, added.item.status, added.previous_item_id) == ("item_1", "completed", None)
    assert list(hand.conversation) == [added.item]
    assert the(hand.create(SystemMessage(id="", content=[])), ConversationItemAdded).previous_item_id == "item_1"


def test_what_a_client_puts_in_is_never_in_progress() -> None:
    hand = Hand()
    item = SystemMessage(id="a", status="in_progress", content=[])
    assert the(hand.create(item), ConversationItemAdded).item.status == "completed"
    item = SystemMessage(id="b", status="incomplete", content=[])
    assert the(hand.create(item), ConversationItemAdded).item.status == "incomplete"


def test_a_call_that_a_client_puts_in_can_be_answered() -> None:
    item = the(Hand().create(FunctionCall(name="look", arguments="{}")), ConversationItemAdded).item
    assert isinstance(item, FunctionCall)
    assert item.call_id == "call_1"
    item = the(Hand().create(FunctionCall(name="look", arguments="{}", call_id="c")), ConversationItemAdded).item
    assert isinstance(item, FunctionCall)
    assert item.call_id == "c"


def test_nobody_but_the_assistant_makes_its_sound() -> None:
    error = Hand().refusal(AssistantMessage(content=[OutputAudio(transcript="never said")]))
    assert (error.code, error.param) == ("invalid_value", "item.content[0].type")
    assert types(Hand().create(AssistantMessage(content=[OutputText(text="written")]))) == DONE


def test_ids_that_are_in_use_are_refused() -> None:
    hand = Hand()
    hand.create(SystemMessage(id="a", content=[]))
    assert hand.refusal(SystemMessage(id="a", content=[])).param == "item.id"
    assert hand.refusal(SystemMessage(content=[]), "nowhere").param == "previous_item_id"


def test_sound_is_kept_and_written_down_but_does_not_travel() -> None:
    hand = Hand()
    effects = hand.create(spoken(InputText(text="Listen:"), sounding(1000)))
    added = the(effects, ConversationItemAdded).item
    assert part_of(added, 1) == InputAudio(transcript=None)
    (job,) = jobs(effects, Transcribe)
    assert sum(len(feed.samples) for feed in of_kind(effects, Feed)) == 1000
    hand.intake.scribe.result(job, FinalText("a voice"))
    assert part_of(hand.conversation.get("mine"), 1).transcript == "a voice"
    assert hand.archive.of("mine").length == 1000


def test_every_part_that_sounds_is_written_down_by_itself() -> None:
    hand = Hand()
    first, second = jobs(hand.create(spoken(sounding(10), sounding(20))), Transcribe)
    hand.intake.scribe.result(second, FinalText("two"))
    hand.intake.scribe.result(first, FinalText("one"))
    assert [part_of(hand.conversation.get("mine"), place).transcript for place in (0, 1)] == ["one", "two"]


def test_words_that_the_client_knows_need_no_transcriber() -> None:
    hand = Hand()
    assert jobs(hand.create(spoken(sounding(10, "known"))), Transcribe) == []
    assert hand.archive.of("mine").length == 10
    assert jobs(hand.create(spoken(InputAudio(transcript=None), id="silent")), Transcribe) == []


def test_sound_that_is_no_sound_is_refused_with_its_place() -> None:
    error = Hand().refusal(spoken(InputText(text="x"), InputAudio(audio="!!!")))
    assert error.param == "item.content[1].audio"


def test_sound_is_in_the_sessions_format() -> None:
    hand = Hand(update=AudioInput(format=PcmuFormat()))
    hand.create(spoken(InputAudio(audio=b64encode(bytes(800)).decode())))
    assert sample_count(90) <= hand.archive.of("mine").length <= sample_count(100)


# ── a context of its own ────────────────────────────────────────────────────────────────────────────────


def test_a_context_is_not_told_to_anybody() -> None:
    hand = Hand()
    hand.create(SystemMessage(id="a", content=[]))
    context = hand.items.context([ItemReference(id="a"), spoken(sounding(100)), SystemMessage(content=[])], 100.0)
    effects = hand.out.drain()
    assert events(effects) == []
    (job,) = jobs(effects, Transcribe)
    assert [item.id for item in context.items] == ["a", "mine", "item_3"]
    hand.intake.scribe.result(job, FinalText("a voice"))
    assert hand.out.drain() == []
    assert part_of(context.items[1]).transcript == "a voice"
    assert len(hand.conversation) == 1


@pytest.mark.parametrize(
    ("wanted", "param"),
    [
        (ItemReference(id="nowhere"), "response.input[1].id"),
        (SystemMessage(id="a", content=[]), "response.input[1].id"),
        (AssistantMessage(content=[OutputAudio()]), "response.input[1].content[0].type"),
        (spoken(InputAudio(audio="!"), id="other"), "response.input[1].content[0].audio"),
    ],
)
def test_one_bad_item_spoils_the_context_and_starts_nothing(wanted: Item | ItemReference, param: str) -> None:
    hand = Hand()
    hand.create(SystemMessage(id="a", content=[]))
    with pytest.raises(RequestError) as error:
        hand.items.context([spoken(sounding(100)), wanted], 100.0)
    assert error.value.param == param
    assert hand.out.drain() == []
    assert hand.archive.get("mine") is None


# ── asking for ──────────────────────────────────────────────────────────────────────────────────────────


def test_an_item_comes_back_with_its_sound() -> None:
    hand = Hand()
    hand.create(spoken(InputText(text="x"), sounding(1000, "known")))
    part = part_of(hand.retrieved("mine"), 1)
    assert part.transcript == "known"
    assert b64decode(str(part.audio)) == to_bytes(voice(1000))
    assert part_of(hand.conversation.get("mine"), 1).audio is not part.audio


def test_telephone_sound_comes_back_as_it_came() -> None:
    hand = Hand(update=AudioInput(format=PcmuFormat()))
    hand.create(spoken(InputAudio(audio=b64encode(bytes(800)).decode())))
    assert 720 <= len(b64decode(str(part_of(hand.retrieved("mine")).audio))) <= 800


def test_what_the_assistant_said_comes_back_too() -> None:
    hand = Hand()
    hand.conversation.insert(AssistantMessage(id="a", content=[OutputAudio(transcript="hi")]))
    hand.archive.add("a", voice(500))
    assert len(b64decode(str(part_of(hand.retrieved("a")).audio))) == 1000


@pytest.mark.parametrize(("sound", "samples", "comes"), [(Sound.MEDIA, 30_000, False), (Sound.TEXT, 30_000, True)])
def test_a_data_channel_is_not_given_more_than_it_can_carry(sound: Sound, samples: int, comes: bool) -> None:
    assert samples * 2 > RETRIEVED_LIMIT
    hand = Hand(sound)
    hand.create(spoken(sounding(samples)))
    assert isinstance(part_of(hand.retrieved("mine")).audio, str) == comes


def test_what_has_no_sound_comes_back_without() -> None:
    hand = Hand()
    hand.create(SystemMessage(id="a", content=[]))
    assert hand.retrieved("a") == hand.conversation.get("a")
    hand.create(spoken(sounding(10), sounding(20)))
    assert hand.retrieved("mine") == hand.conversation.get("mine")
    hand.archive.add("a", voice(5))
    assert hand.retrieved("a") == hand.conversation.get("a")


def test_what_is_not_there_cannot_be_had() -> None:
    with pytest.raises(RequestError) as error:
        Hand().items.retrieve("nowhere")
    assert error.value.code == "item_retrieve_invalid_item_id"


# ── taking out ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_deleted_item_leaves_nothing_behind() -> None:
    hand = Hand()
    (job,) = jobs(hand.create(spoken(sounding(100))), Transcribe)
    hand.items.delete("mine")
    effects = hand.out.drain()
    assert of_kind(effects, Cancel) == [Cancel(job)]
    assert types(effects) == ["conversation.item.deleted"]
    assert hand.archive.get("mine") is None
    assert list(hand.conversation) == []
    assert types(hand.create(spoken(sounding(100)))) == DONE


def test_what_is_not_there_cannot_be_deleted() -> None:
    hand = Hand()
    with pytest.raises(RequestError) as error:
        hand.items.delete("nowhere")
    assert error.value.code == "item_delete_invalid_item_id"
    assert hand.out.drain() == []
