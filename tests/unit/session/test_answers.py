"""Responses side by side, and how much of them was heard."""

import pytest

from tests.unit.session.outcome import counting, jobs, of_kind, the, types
from vivavoce.audio.frame import RATE_HZ, sample_count
from vivavoce.errors import RequestError
from vivavoce.session.answers import Answers, Sound
from vivavoce.session.conversation import Conversation
from vivavoce.session.effect import Effect, Flush, Play, Speak, Think
from vivavoce.session.outbox import Outbox
from vivavoce.session.recording import Archive
from vivavoce.session.response import ENGINE_PATIENCE_S
from vivavoce.session.result import CallBegun, Ended, Failed, Result, Spoken, Thought, Words
from vivavoce.session.settings import Settings, realtime_defaults, wish
from vivavoce.testing.ear import voice
from vivavoce.wire.config import Modality, ResponseConfig
from vivavoce.wire.event import ConversationItemTruncated, ResponseCreated, ResponseDone
from vivavoce.wire.item import AssistantMessage, InputText, OutputAudio, OutputText, SystemMessage

SECOND = RATE_HZ
MARKED = Spoken(voice(SECOND), ((4, SECOND // 4), (13, SECOND // 2), (28, SECOND)))
SENTENCE = "This is the first sentence. "


class Talk:
    """The answers of one call; the listener is told of what is played."""

    def __init__(self, sound: Sound = Sound.MEDIA) -> None:
        self.out = Outbox(counting())
        self.conversation = Conversation()
        self.archive = Archive()
        self.answers = Answers(self.out, self.conversation, self.archive, sound)
        self.now = 100.0

    def ask(self, modality: Modality = "audio", conversation_id: str | None = "conv") -> tuple[str, int]:
        """The new response's id and its thinker's job."""
        session = realtime_defaults("", "", 0)
        wanted = wish(Settings(session), session, ResponseConfig(output_modalities=[modality]))
        response = self.answers.create(wanted, conversation_id=conversation_id, context=None, metadata=None)
        question = Think("", "", (), (), "auto", True, None, {})
        self.answers.think(response, question, self.now)
        effects = self.out.drain()
        (job,) = jobs(effects, Think)
        return str(the(effects, ResponseCreated).response.id), job

    def tell(self, job: int, *results: Result) -> list[Effect]:
        for result in results:
            self.answers.result(job, result, self.now)
        return self.out.drain()

    def say(self, job: int, *results: Result) -> tuple[int, list[Effect]]:
        """A sentence is thought, and some of its sound is made: the speaker's job, and what follows."""
        (speak,) = jobs(self.tell(job, Words(SENTENCE + "x")), Speak)
        return speak, self.tell(speak, *results)

    def finish(self, think: int, speak: int) -> list[Effect]:
        """The rest is said without a sound."""
        effects = self.tell(think, Thought()) + self.tell(speak, Ended())
        return effects + self.tell(jobs(effects, Speak)[0], Ended())

    def answer(self, conversation_id: str | None = "conv") -> tuple[str, str]:
        """A whole answer of a second of sound that is not heard yet: its response and its item."""
        response, think = self.ask(conversation_id=conversation_id)
        speak, _ = self.say(think, MARKED)
        self.finish(think, speak)
        return response, [str(item.id) for item in self.conversation][-1] if conversation_id else ""

    def played(self, seconds: float) -> list[Effect]:
        self.answers.played(int(seconds * SECOND), self.now)
        return self.out.drain()

    def flushed(self, seconds: float) -> list[Effect]:
        self.answers.flushed(int(seconds * SECOND), self.now)
        return self.out.drain()

    def truncate(self, item_id: str, end_ms: int, index: int = 0) -> list[Effect]:
        self.answers.truncate(item_id, index, end_ms, self.now)
        return self.out.drain()

    def words(self, item_id: str) -> str | None:
        item = self.conversation.get(item_id)
        assert isinstance(item, AssistantMessage)
        (part,) = item.content
        assert isinstance(part, OutputAudio)
        return part.transcript if isinstance(part.transcript, str) else None


# ── side by side ────────────────────────────────────────────────────────────────────────────────────────


def test_only_one_answer_at_a_time_may_write_the_conversation() -> None:
    talk = Talk()
    talk.answers.check_free()
    first, _ = talk.ask("text")
    with pytest.raises(RequestError, match=first) as error:
        talk.answers.check_free()
    assert error.value.code == "conversation_already_has_active_response"


def test_out_of_band_answers_run_beside_it() -> None:
    talk = Talk()
    aside, aside_job = talk.ask("text", None)
    talk.answers.check_free()
    first, job = talk.ask("text")
    assert talk.answers.active is not None
    assert talk.answers.active.brief.id == first
    done = [the(talk.tell(each, Words("x"), Thought()), ResponseDone).response for each in (job, aside_job)]
    assert [response.id for response in done] == [first, aside]
    assert len(talk.conversation) == 1


def test_an_answer_is_cancelled_by_name_or_as_the_one_that_runs() -> None:
    talk = Talk()
    aside, _ = talk.ask("text", None)
    first, _ = talk.ask("text")
    talk.answers.cancel(None, talk.now)
    assert the(talk.out.drain(), ResponseDone).response.id == first
    talk.answers.cancel(aside, talk.now)
    assert the(talk.out.drain(), ResponseDone).response.id == aside
    for id in (None, first, "nowhere"):
        with pytest.raises(RequestError) as error:
            talk.answers.cancel(id, talk.now)
        assert error.value.code == "response_cancel_not_active"


def test_engines_that_hang_are_given_up() -> None:
    talk = Talk()
    assert talk.answers.deadline is None
    talk.ask("text")
    assert talk.answers.deadline == talk.now + ENGINE_PATIENCE_S
    talk.answers.tick(talk.now + ENGINE_PATIENCE_S)
    assert the(talk.out.drain(), ResponseDone).response.status == "failed"
    assert talk.answers.deadline is None


def test_words_that_will_never_be_known_fail_the_answer_that_waits_for_them() -> None:
    talk = Talk()
    session = realtime_defaults("", "", 0)
    wanted = wish(Settings(session), session, ResponseConfig())
    waiting = talk.answers.create(wanted, conversation_id="conv", context=None, metadata=None)
    assert talk.answers.waiting == [waiting]
    assert talk.answers.deadline is None
    talk.answers.fail(waiting, Failed("No transcript."), talk.now)
    assert "No transcript." in repr(the(talk.out.drain(), ResponseDone).response.status_details)
    talk.answers.check_free()


# ── how much was heard ──────────────────────────────────────────────────────────────────────────────────


def test_the_user_hears_an_answer_to_its_end() -> None:
    talk = Talk()
    response, item = talk.answer()
    assert talk.answers.audible(talk.now)
    assert talk.played(0.5) == []
    assert types(talk.played(1.0)) == ["output_audio_buffer.stopped"]
    assert not talk.answers.audible(talk.now)
    assert talk.words(item) == SENTENCE + "x"
    assert talk.answers.quiet_since == talk.now
    assert response


def test_interrupted_it_ends_where_it_was_heard() -> None:
    talk = Talk()
    _, item = talk.answer()
    talk.answers.interrupt(talk.now)
    assert talk.out.drain() == [Flush()]
    effects = talk.flushed(0.6)
    assert types(effects) == ["output_audio_buffer.cleared", "conversation.item.truncated"]
    assert the(effects, ConversationItemTruncated).audio_end_ms == 600
    assert talk.words(item) == "This is the f"
    assert talk.archive.of(item).length == int(0.6 * SECOND)


def test_interrupted_in_the_making_it_is_closed_first() -> None:
    talk = Talk()
    _, think = talk.ask()
    talk.say(think, MARKED)
    talk.answers.interrupt(talk.now)
    effects = talk.out.drain()
    assert types(effects)[-1] == "response.done"
    assert effects[-1] == Flush()
    assert "turn_detected" in repr(the(effects, ResponseDone).response.status_details)
    talk.flushed(0.25)
    (item,) = talk.conversation
    assert talk.words(str(item.id)) == "This"


def test_an_interruption_while_nothing_sounds_flushes_nothing() -> None:
    talk = Talk()
    talk.ask()
    talk.answers.interrupt(talk.now)
    effects = talk.out.drain()
    assert types(effects) == ["response.done"]
    assert of_kind(effects, Flush) == []
    talk.answers.interrupt(talk.now)
    assert talk.out.drain() == []


def test_an_answer_that_waited_behind_another_was_not_heard_at_all() -> None:
    talk = Talk()
    _, first = talk.answer()
    _, second = talk.answer()
    talk.answers.interrupt(talk.now)
    effects = talk.out.drain()
    truncated = the(effects, ConversationItemTruncated)
    assert (truncated.item_id, truncated.audio_end_ms) == (second, 0)
    talk.flushed(0.5)
    assert (talk.words(first), talk.words(second)) == ("This is the f", "")
    assert talk.answers.quiet_since == talk.now


def test_only_the_conversation_yields_to_the_user() -> None:
    talk = Talk()
    aside, _ = talk.answer(None)
    talk.answers.interrupt(talk.now)
    assert talk.out.drain() == []
    assert types(talk.played(1.0)) == ["output_audio_buffer.stopped"]
    assert aside


def test_a_client_may_silence_everything() -> None:
    talk = Talk()
    talk.answer(None)
    _, think = talk.ask()
    talk.say(think, MARKED)
    talk.answers.clear(talk.now)
    effects = talk.out.drain()
    assert "client_cancelled" in repr(the(effects, ResponseDone).response.status_details)
    assert effects[-2] == Flush()
    assert the(effects, ConversationItemTruncated).audio_end_ms == 0
    assert types(talk.flushed(0.5)) == ["output_audio_buffer.cleared"]


def test_a_call_that_ends_keeps_only_what_was_heard() -> None:
    talk = Talk()
    _, item = talk.answer()
    _, think = talk.ask("text", None)
    talk.answers.stop(talk.now)
    effects = talk.out.drain()
    assert types(effects) == ["response.done"]
    assert of_kind(effects, Flush) == [Flush()]
    talk.flushed(0.5)
    assert talk.words(item) == "This is the f"
    assert not talk.answers.owns(think)


def test_what_is_played_while_nothing_was_queued_is_no_news() -> None:
    talk = Talk()
    assert talk.played(3.0) == []
    assert talk.answers.quiet_since is None


# ── truncation ──────────────────────────────────────────────────────────────────────────────────────────


def test_over_a_websocket_the_client_is_the_witness() -> None:
    talk = Talk(Sound.TEXT)
    _, item = talk.answer()
    assert talk.answers.audible(talk.now)
    talk.answers.interrupt(talk.now)
    assert talk.out.drain() == []
    assert talk.words(item) == SENTENCE + "x"
    assert not talk.answers.audible(talk.now)
    assert the(talk.truncate(item, 500), ConversationItemTruncated).audio_end_ms == 500
    assert talk.words(item) == "This is the f"


def test_a_client_that_truncates_plays_no_more() -> None:
    talk = Talk(Sound.TEXT)
    _, item = talk.answer()
    assert talk.answers.quiet_since == talk.now + 1.0
    talk.truncate(item, 500)
    assert not talk.answers.audible(talk.now)
    assert talk.answers.quiet_since == talk.now


def test_truncation_after_the_end_was_heard_only_forgets_words() -> None:
    talk = Talk()
    _, item = talk.answer()
    talk.played(1.0)
    effects = talk.truncate(item, 250)
    assert types(effects) == ["conversation.item.truncated"]
    assert of_kind(effects, Flush) == []
    assert talk.words(item) == "This"


@pytest.mark.parametrize(("wanted_ms", "played_s", "kept"), [(900, 0.5, "This is the f"), (300, 0.5, "This")])
def test_truncation_of_what_still_plays_stops_it_and_claims_no_more_than_was_heard(
    wanted_ms: int, played_s: float, kept: str
) -> None:
    talk = Talk()
    _, item = talk.answer()
    assert talk.truncate(item, wanted_ms) == [Flush()]
    effects = talk.flushed(played_s)
    assert types(effects) == ["output_audio_buffer.cleared", "conversation.item.truncated"]
    assert the(effects, ConversationItemTruncated).audio_end_ms == min(wanted_ms, int(played_s * 1000))
    assert talk.words(item) == kept


def test_truncation_of_what_was_heard_when_the_flush_came_still_counts() -> None:
    talk = Talk()
    _, item = talk.answer()
    assert talk.truncate(item, 250) == [Flush()]
    effects = talk.flushed(1.0)
    assert types(effects) == ["output_audio_buffer.stopped", "conversation.item.truncated"]
    assert the(effects, ConversationItemTruncated).audio_end_ms == 250
    assert talk.words(item) == "This"


def test_truncation_of_what_waits_behind_another_drops_it() -> None:
    talk = Talk()
    _, first = talk.answer()
    _, second = talk.answer()
    assert the(talk.truncate(second, 500), ConversationItemTruncated).audio_end_ms == 0
    assert talk.words(second) == ""
    assert types(talk.played(1.0)) == ["output_audio_buffer.stopped"]
    assert talk.words(first) == SENTENCE + "x"


def test_truncating_one_item_of_an_answer_that_goes_on_ends_the_answer() -> None:
    talk = Talk()
    _, think = talk.ask()
    speak, _ = talk.say(think, MARKED)
    effects = talk.tell(speak, Ended()) + talk.tell(think, CallBegun(0, "look"))
    talk.tell(jobs(effects, Speak)[0], Ended())
    item = next(iter(talk.conversation))
    assert item.status == "completed"
    effects = talk.truncate(str(item.id), 1000)
    assert the(effects, ResponseDone).response.status == "cancelled"
    assert effects[-1] == Flush()
    talk.flushed(0.5)
    assert talk.words(str(item.id)) == "This is the f"


def test_a_client_that_plays_may_say_what_was_heard_before_it_cancels() -> None:
    talk = Talk(Sound.TEXT)
    response, think = talk.ask()
    talk.say(think, MARKED)
    item = str(next(iter(talk.conversation)).id)
    assert talk.truncate(item, 500) == []
    assert not talk.answers.audible(talk.now)
    talk.answers.cancel(response, talk.now)
    effects = talk.out.drain()
    assert the(effects, ResponseDone).response.status == "cancelled"
    assert types(effects)[-1] == "conversation.item.truncated"
    assert talk.words(item) == "This is the f"


def test_what_a_client_says_of_an_answer_that_goes_on_holds_once_it_is_made() -> None:
    talk = Talk(Sound.TEXT)
    _, think = talk.ask()
    speak, _ = talk.say(think, MARKED)
    item = str(next(iter(talk.conversation)).id)
    assert talk.truncate(item, 300) == []
    effects = talk.finish(think, speak)
    assert the(effects, ResponseDone).response.status == "completed"
    assert the(effects, ConversationItemTruncated).audio_end_ms == 300
    assert talk.words(item) == "This"


@pytest.mark.parametrize("played_s", [0.5, 1.0])
def test_truncation_of_what_is_still_being_made_stops_it_where_the_server_plays(played_s: float) -> None:
    talk = Talk()
    _, think = talk.ask()
    talk.say(think, MARKED)
    talk.played(played_s)
    item = str(next(iter(talk.conversation)).id)
    effects = talk.truncate(item, 500) + talk.flushed(played_s)
    assert the(effects, ResponseDone).response.status == "cancelled"
    assert the(effects, ConversationItemTruncated).audio_end_ms == 500
    assert talk.words(item) == "This is the f"


def test_what_cannot_be_truncated_is_refused_in_the_services_words() -> None:
    talk = Talk()
    _, item = talk.answer()
    talk.conversation.insert(SystemMessage(id="s", content=[InputText(text="x")]))
    talk.conversation.insert(AssistantMessage(id="w", status="completed", content=[OutputText(text="x")]))
    talk.conversation.insert(AssistantMessage(id="e", status="completed", content=[]))
    _, think = talk.ask()
    talk.say(think)
    making = [str(item.id) for item in talk.conversation][-1]
    for id, index, end_ms, param in [
        ("nowhere", 0, 0, "item_id"),
        ("s", 0, 0, "item_id"),
        ("w", 0, 0, "item_id"),
        ("e", 0, 0, "item_id"),
        (making, 0, 1, "audio_end_ms"),
        (item, 1, 0, "content_index"),
        (item, 0, 1001, "audio_end_ms"),
        (item, 0, -1, "audio_end_ms"),
    ]:
        with pytest.raises(RequestError) as error:
            talk.truncate(id, end_ms, index)
        assert error.value.param == param
    assert talk.out.drain() == []


# ── silence ─────────────────────────────────────────────────────────────────────────────────────────────


def test_silence_begins_when_the_answer_was_heard_not_when_it_was_made() -> None:
    talk = Talk()
    assert talk.answers.quiet_since is None
    talk.answer()
    assert talk.answers.quiet_since is None
    talk.now += 1.0
    talk.played(1.0)
    assert talk.answers.quiet_since == talk.now
    talk.answers.ask(talk.now)
    assert talk.answers.quiet_since is None


def test_where_the_client_plays_silence_begins_when_it_should_have_ended() -> None:
    talk = Talk(Sound.TEXT)
    talk.answer()
    assert talk.answers.quiet_since == talk.now + 1.0
    assert talk.answers.audible(talk.now + 0.9)
    assert not talk.answers.audible(talk.now + 1.0)
    talk.ask("text")
    assert talk.answers.quiet_since is None


def test_the_voice_is_used_from_its_first_sound_on() -> None:
    talk = Talk()
    _, think = talk.ask()
    assert not talk.answers.voice_used
    speak, _ = talk.say(think)
    assert not talk.answers.voice_used
    talk.tell(speak, Spoken(voice(1)))
    assert talk.answers.voice_used


# ── what is kept ────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_kept_of_what_the_conversation_does_not_hold() -> None:
    talk = Talk()
    _, aside_job = talk.ask(conversation_id=None)
    speak, _ = talk.say(aside_job, MARKED)
    output = the(talk.finish(aside_job, speak), ResponseDone).response.output
    assert isinstance(output, list)
    assert talk.archive.get(str(output[0].id)) is None
    _, item = talk.answer()
    assert talk.archive.get(item) is not None


def test_an_item_deleted_in_the_making_is_heard_but_not_kept() -> None:
    talk = Talk()
    _, think = talk.ask()
    speak, _ = talk.say(think, Spoken(voice(sample_count(100))))
    (item,) = talk.conversation
    id = str(item.id)
    assert talk.answers.makes(id)
    talk.conversation.remove(id)
    assert of_kind(talk.tell(speak, MARKED), Play)
    talk.finish(think, speak)
    assert not talk.answers.makes(id)
    assert talk.archive.get(id) is None
    talk.answers.interrupt(talk.now)
    talk.out.drain()
    assert types(talk.flushed(0.5)) == ["output_audio_buffer.cleared"]
