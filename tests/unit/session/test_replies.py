"""Which answers are being made, and whether one may be asked for."""

from vivavoce.session.replies import REMEMBERED, Awaiting, Blocked, Fate, Free, Kind, Replies
from vivavoce.wire.config import PcmaFormat, Response, ResponseAudio, ResponseAudioOutput

BUSY = "conversation_already_has_active_response"


def test_only_the_conversations_answer_is_the_active_one() -> None:
    replies = Replies()
    assert replies.begin(Response(id="aside", conversation_id=None)) is Kind.OUT_OF_BAND
    assert replies.active is None
    assert replies.begin(Response(id="r", conversation_id="c")) is Kind.IN_BAND
    assert replies.begin(Response(id="r")) is None
    assert replies.active == "r"
    assert replies.end(Response(id="r")) is Kind.IN_BAND
    assert replies.end(Response(id="r")) is None
    assert replies.begin(Response(id="r")) is None
    assert (replies.active, replies.running) == (None, True)


def test_a_request_waits_for_its_answer_or_its_refusal() -> None:
    replies = Replies()
    replies.asked("e1")
    assert not replies.refused("other", None)
    assert replies.request == Awaiting("e1")
    assert replies.refused("e1", "nope")
    assert replies.request == Free()
    assert not replies.refused("e1", "nope")
    replies.asked("e2")
    replies.begin(Response(id="r", conversation_id="c"))
    assert replies.request == Free()


def test_a_request_that_met_another_answer_waits_for_its_end() -> None:
    replies = Replies()
    replies.asked("e1")
    assert not replies.refused("e1", BUSY)
    assert replies.request == Blocked()
    replies.end(Response(id="unknown", conversation_id="c"))
    assert replies.request == Free()


def test_muting_and_cancelling_leave_out_of_band_answers_alone() -> None:
    replies = Replies()
    replies.begin(Response(id="aside", conversation_id=None))
    assert not replies.stoppable
    replies.begin(Response(id="r", conversation_id="c"))
    assert replies.stoppable
    replies.cancel()
    assert not replies.stoppable
    replies.mute()
    fates = [reply.fate for id in ("aside", "r") if (reply := replies.get(id)) is not None]
    assert fates == [Fate.HEARD, Fate.UNHEARD]


def test_an_answer_may_have_a_format_of_its_own() -> None:
    replies = Replies()
    audio = ResponseAudio(output=ResponseAudioOutput(format=PcmaFormat()))
    replies.begin(Response(id="r", audio=audio))
    replies.begin(Response(id="s", audio=ResponseAudio()))
    assert [reply.format_name for id in "rs" if (reply := replies.get(id)) is not None] == ["audio/pcma", None]


def test_old_answers_are_forgotten() -> None:
    replies = Replies()
    for number in range(REMEMBERED + 1):
        replies.end(Response(id=str(number)))
    assert replies.get("0") is None
    assert replies.get("1") is not None
    assert replies.end(Response()) is None
