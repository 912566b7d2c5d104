"""What of a conversation can be told to a server that does not know it, and what cannot."""

import pytest

from tests.unit.session.table import Table, sent
from vivavoce.session.answers import Sound
from vivavoce.session.past import Retold, retold
from vivavoce.session.peer import Peer
from vivavoce.wire.config import RealtimeSession
from vivavoce.wire.event import ConversationItemCreate, ResponseCreate, SessionUpdate
from vivavoce.wire.item import (
    AssistantMessage,
    FunctionCall,
    FunctionCallOutput,
    InputAudio,
    InputImage,
    InputText,
    Item,
    McpCall,
    McpListTools,
    OutputAudio,
    OutputText,
    SystemMessage,
    UserMessage,
)

IMAGE = InputImage(image_url="data:image/png;base64,AAAA")
CALL = FunctionCall(id="f", call_id="c", name="weather", arguments="{}")


@pytest.mark.parametrize(
    "item",
    [
        SystemMessage(id="i", content=[InputText(text="Be brief.")]),
        UserMessage(id="i", content=[InputText(text="Hello."), IMAGE]),
        AssistantMessage(id="i", content=[OutputText(text="Hello.")]),
        CALL,
        FunctionCallOutput(id="i", call_id="c", output="rain"),
    ],
    ids=lambda item: type(item).__name__,
)
def test_what_was_written_is_told_as_it_is(item: Item) -> None:
    assert retold([item]) == Retold((item,), complete=True)


@pytest.mark.parametrize(
    ("item", "told"),
    [
        (
            UserMessage(id="i", status="completed", content=[InputAudio(transcript="Hello.")]),
            UserMessage(id="i", content=[InputText(text="Hello.")]),
        ),
        (
            AssistantMessage(id="i", status="incomplete", content=[OutputAudio(transcript="Hello and")]),
            AssistantMessage(id="i", content=[OutputText(text="Hello and")]),
        ),
    ],
    ids=["user", "assistant"],
)
def test_what_was_spoken_is_told_in_words(item: Item, told: Item) -> None:
    assert retold([item]) == Retold((told,), complete=True)


@pytest.mark.parametrize(
    "item",
    [
        UserMessage(id="i", content=[InputAudio(transcript="")]),
        AssistantMessage(id="i", status="incomplete", content=[OutputAudio(transcript="")]),
        McpListTools(id="i", server_label="s", tools=[]),
    ],
    ids=["nothing said", "nothing heard", "listed again by the server"],
)
def test_what_holds_no_words_needs_no_telling(item: Item) -> None:
    assert retold([item]) == Retold((), complete=True)


@pytest.mark.parametrize(
    "item",
    [
        UserMessage(id="i", content=[InputAudio(transcript=None)]),
        FunctionCall(id="i", call_id="c", name="weather", arguments="{", status="in_progress"),
        McpCall(id="i", server_label="s", name="n", arguments="{}", output="x"),
        AssistantMessage(id="i", status="in_progress", content=[]),
    ],
    ids=["not written down", "broken off", "the server's own", "not begun"],
)
def test_what_cannot_be_told_is_missed(item: Item) -> None:
    assert retold([item]) == Retold((), complete=False)


def test_a_command_counts_as_read_when_the_server_shows_its_effect_or_refuses_it() -> None:
    table = Table(Sound.MEDIA)
    typed = UserMessage(content=[InputText(text="Hello.")])
    table.peer.command(ConversationItemCreate(item=typed, event_id="one"), 0)
    table.peer.command(SessionUpdate(session=RealtimeSession(instructions="x"), event_id="two"), 0)
    table.peer.command(ConversationItemCreate(item=typed, event_id="three"), 0)
    table.peer.command(SessionUpdate(session=RealtimeSession(model="y"), event_id="four"), 0)
    table.commit()  # spoken by the user meanwhile: not what was typed
    content = '[{"type":"input_text","text":"Hello."}]'
    table.tell(
        f'{{"type":"conversation.item.added","item":{{"type":"message","role":"user","id":"i","content":{content}}}}}',
        '{"type":"session.updated","session":{"type":"realtime","instructions":"x"}}',
        '{"type":"error","error":{"type":"x","message":"No.","event_id":"four"}}',
    )
    past = table.peer.part(table.now)
    assert [event.event_id for event in past.unseen] == ["three"]
    assert past.changes == RealtimeSession(instructions="x")


@pytest.mark.parametrize("sound", Sound)
def test_the_next_session_goes_on_with_what_was_said_and_spent(sound: Sound) -> None:
    table = Table(sound)
    table.begin()
    table.say("Hello to you, whoever you are.")
    past = table.peer.part(table.now)
    assert past.cut
    heir = Peer(ids=table.id, sound=Sound.TEXT, now=table.now, past=past)
    assert heir.captions == table.peer.captions
    assert heir.history() == table.peer.history()
    assert heir.turns == table.peer.turns
    assert heir.tokens == table.peer.tokens


def test_no_answer_is_asked_for_that_was_heard_in_part() -> None:
    table = Table(Sound.TEXT)
    table.commit()
    table.tell(
        '{"type":"conversation.item.input_audio_transcription.completed","item_id":"u1","content_index":0,'
        '"transcript":"What is it?","usage":{"type":"duration","seconds":1}}'
    )
    assert sent(table.peer.command(ResponseCreate(), 0))
    early = table.peer.part(table.now)
    assert early.unanswered(early.retold(table.now).items)
    table.begin()
    table.say("It is a fish and nothing but a fish.")
    table.sound(3000)
    table.played(2500)
    late = table.peer.part(table.now)
    assert not late.unanswered(late.retold(table.now).items)
