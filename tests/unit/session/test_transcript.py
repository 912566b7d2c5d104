"""What was said, whatever the order in which one learns of it."""

from vivavoce.session.answers import Sound
from vivavoce.session.caption import CaptionState
from vivavoce.session.message import Place
from vivavoce.session.transcript import Transcript
from vivavoce.wire.config import ContentPart
from vivavoce.wire.event import (
    ConversationItemAdded,
    ConversationItemDone,
    ResponseContentPartDone,
    ResponseOutputTextDelta,
    ResponseOutputTextDone,
)
from vivavoce.wire.item import (
    AssistantMessage,
    FunctionCall,
    InputAudio,
    InputImage,
    InputText,
    OutputAudio,
    OutputText,
    SystemMessage,
    UserContent,
    UserMessage,
)


def test_a_written_message_is_finished_at_once() -> None:
    transcript = Transcript(Sound.MEDIA)
    content: list[UserContent] = [InputText(text="Look"), InputImage(image_url="data:image/png;base64,AAAA")]
    transcript.put(ConversationItemAdded(item=UserMessage(id="u", content=content)), transcribes=True)
    assert [(caption.text, caption.state) for caption in transcript.drain()] == [("Look", CaptionState.DONE)]
    assert transcript.drain() == []


def test_a_spoken_message_waits_for_its_words_if_somebody_writes_them_down() -> None:
    transcript = Transcript(Sound.MEDIA)
    item = UserMessage(id="u", content=[InputAudio(transcript=None)])
    transcript.put(ConversationItemDone(item=item), transcribes=True)
    assert transcript.captions[0].state is CaptionState.WRITING
    transcript.put(ConversationItemDone(item=item), transcribes=False)
    assert transcript.captions[0].state is CaptionState.DONE


def test_a_written_answer_is_read_bit_by_bit_and_whole() -> None:
    transcript = Transcript(Sound.MEDIA)
    place: Place = {"response_id": "r", "item_id": "a", "output_index": 0, "content_index": 0}
    transcript.assistant_words(ResponseOutputTextDelta(**place, delta="Fou"))
    transcript.assistant_words(ResponseOutputTextDone(**place, text="Four."))
    transcript.assistant_words(ResponseContentPartDone(**place, part=ContentPart(type="text", text="Four.")))
    assert [caption.text for caption in transcript.drain()] == ["Four."]


def test_a_conversation_that_was_not_listened_to_can_be_cut_too() -> None:
    transcript = Transcript(Sound.MEDIA)
    words = "One, two, three, four, five, six, seven, eight, nine, ten."
    item = AssistantMessage(id="a", status="completed", content=[OutputAudio(transcript=words)])
    transcript.put(ConversationItemDone(item=item), transcribes=False)
    assert transcript.history(0) == (item,)
    transcript.truncated("a", 2000)
    transcript.recaption("a", 0)
    message = transcript.history(0)[0]
    assert isinstance(message, AssistantMessage)
    part = message.content[0]
    assert isinstance(part, OutputAudio)
    assert isinstance(part.transcript, str)
    assert words.startswith(part.transcript)
    assert 0 < len(part.transcript) < len(words)
    assert transcript.captions[0].text == part.transcript


def test_what_is_no_speech_is_as_the_server_says() -> None:
    transcript = Transcript(Sound.MEDIA)
    items = [
        SystemMessage(id="s", content=[InputText(text="Be brief.")]),
        AssistantMessage(id="a", content=[OutputText(text="Yes.")]),
        FunctionCall(id="f", name="add", arguments="{}"),
    ]
    for item in items:
        transcript.put(ConversationItemAdded(item=item), transcribes=False)
    transcript.put(ConversationItemAdded(item=UserMessage(content=[])), transcribes=False)
    transcript.retrieved(items[0])
    transcript.recaption("a", 0)
    assert list(transcript.history(0)) == items
    assert not transcript.in_progress("a")
    transcript.remove("a")
    assert not transcript.holds("a")
