"""A client's copy of the items: it refuses nothing and keeps no sound."""

from vivavoce.session.mirror import Mirror
from vivavoce.wire.item import AssistantMessage, FunctionCall, InputAudio, InputText, OutputAudio, UserMessage


def user(id: str, transcript: str | None = None) -> UserMessage:
    return UserMessage(id=id, content=[InputText(text="x"), InputAudio(audio="AAA=", transcript=transcript)])


def test_sound_is_not_kept_and_words_are() -> None:
    mirror = Mirror()
    mirror.put(user("u", "Hello."))
    mirror.put(AssistantMessage(id="a", content=[OutputAudio(audio="AAA=", transcript="Hi.")]))
    mirror.put(FunctionCall(id="f", name="add", arguments="{}"))
    first, second, third = mirror
    assert isinstance(first, UserMessage)
    assert first.content[1] == InputAudio(transcript="Hello.")
    assert isinstance(second, AssistantMessage)
    assert second.content == [OutputAudio(transcript="Hi.")]
    assert third.id == "f"


def test_a_transcript_outlives_news_of_its_item_that_has_none() -> None:
    mirror = Mirror()
    mirror.transcribed("u", "Hello.")
    mirror.put(user("u"))
    mirror.put(user("u"))
    (item,) = mirror
    assert isinstance(item, UserMessage)
    assert item.content[1] == InputAudio(transcript="Hello.")
    mirror.transcribed("u", "Hello there.")
    (item,) = mirror
    assert isinstance(item, UserMessage)
    assert item.content[1] == InputAudio(transcript="Hello there.")


def test_an_item_without_an_id_has_no_place() -> None:
    mirror = Mirror()
    mirror.put(UserMessage(content=[]))
    assert list(mirror) == []
    mirror.remove("x")
    assert mirror.get("x") is None
