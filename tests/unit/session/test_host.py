"""The machine as a whole: what a client's event, a sound, a report and the time lead to."""

from base64 import b64encode
from collections.abc import Mapping

import msgspec
import pytest

from tests.unit.session.outcome import counting, jobs, of_kind, the, types
from vivavoce.audio.frame import Pcm, sample_count, silence, to_bytes
from vivavoce.session.answers import Sound
from vivavoce.session.effect import (
    Begin,
    Cancel,
    Effect,
    Feed,
    Finish,
    Flush,
    Hangup,
    Listen,
    Play,
    Speak,
    Think,
    Transcribe,
)
from vivavoce.session.host import Host
from vivavoce.session.inlet import STALL_S
from vivavoce.session.result import Ended, Failed, Partial, Result, Spoken, Thought, Words
from vivavoce.session.result import Final as FinalText
from vivavoce.session.settings import effective
from vivavoce.testing.ear import WINDOW, voice
from vivavoce.wire.codec import decode_session
from vivavoce.wire.event import (
    Error,
    InputAudioBufferTimeoutTriggered,
    ResponseCreated,
    ResponseDone,
    SessionUpdated,
)
from vivavoce.wire.item import InputAudio, UserMessage

LIFETIME_S = 600.0
TURN = ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"]


class Desk:
    """A host at second 100 and all that reaches it."""

    def __init__(self, sound: Sound = Sound.MEDIA, session: Mapping[str, object] | None = None) -> None:
        wanted = decode_session(msgspec.json.encode({"type": "realtime"} | dict(session or {})))
        self.now = 100.0
        self.host = Host(
            effective(wanted, "sess_1", "house", 99), ids=counting(), sound=sound, lifetime_s=LIFETIME_S, now=self.now
        )
        self.opened = self.host.open(self.now)
        self.heard = 0

    def send(self, type: str, **fields: object) -> list[Effect]:
        return self.host.receive(msgspec.json.encode({"type": type} | fields), self.now)

    def update(self, **settings: object) -> list[Effect]:
        return self.send("session.update", session={"type": "realtime"} | settings)

    def detect(self, detection: Mapping[str, object] | None) -> list[Effect]:
        return self.update(audio={"input": {"turn_detection": detection}})

    def append(self, samples: Pcm) -> list[Effect]:
        return self.send("input_audio_buffer.append", audio=b64encode(to_bytes(samples)).decode())

    def speak(self, windows: int, probability: float = 0.9) -> list[Effect]:
        """The user is heard for so many windows of 32 ms, at the pace of speech."""
        effects: list[Effect] = []
        for _ in range(windows):
            self.now += 0.032
            self.heard += WINDOW
            effects += self.host.hear(voice(WINDOW), self.now)
            effects += self.host.speech(probability, self.heard, self.now)
        return effects

    def turn(self) -> list[Effect]:
        """Somebody speaks and is silent."""
        return self.speak(5) + self.speak(8, 0.0)

    def tell(self, job: int, *results: Result) -> list[Effect]:
        return [effect for result in results for effect in self.host.result(job, result, self.now)]

    def ask(self, **response: object) -> list[Effect]:
        return self.send("response.create", response=response)

    def tick(self, seconds: float) -> list[Effect]:
        """So much time passes in which nothing happens."""
        self.now += seconds
        return self.host.tick(self.now)


def error(effects: list[Effect]) -> tuple[str | None, str | None, str | None]:
    """Code, param and event id of the one error."""
    body = the(effects, Error).error
    found = [value if isinstance(value, str) else None for value in (body.code, body.param, body.event_id)]
    return found[0], found[1], found[2]


# ── events ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_session_is_told_first_and_again_to_whoever_joins() -> None:
    desk = Desk()
    assert types(desk.opened) == ["session.created"]
    joined = desk.host.introduction()
    assert joined.session == desk.host.introduction().session
    assert joined.event_id not in {"event_1", "event_2"}


def test_an_error_names_the_event_that_it_is_about() -> None:
    desk = Desk()
    assert error(desk.send("response.cancel", event_id="mine"))[2] == "mine"
    assert error(desk.send("response.cancel"))[2] is None
    assert error(desk.send("no.such", event_id="mine")) == ("invalid_value", "type", "mine")
    assert error(desk.host.receive(b"{", desk.now))[0] == "invalid_json"


def test_where_the_client_plays_there_is_no_buffer_to_clear() -> None:
    assert error(Desk(Sound.TEXT).send("output_audio_buffer.clear"))[:2] == ("invalid_value", "type")
    assert Desk(Sound.MEDIA).send("output_audio_buffer.clear") == []


def test_a_fault_of_ours_is_told_without_blame() -> None:
    desk = Desk()
    assert error(desk.host.fault("The detector died.")) == (None, None, None)


def test_a_transcription_session_answers_nothing() -> None:
    desk = Desk(session={"type": "transcription"})
    assert error(desk.send("response.create"))[:2] == ("invalid_value", "type")


# ── sound and its settings ──────────────────────────────────────────────────────────────────────────────


def test_sound_goes_to_the_detector_only_while_there_is_one() -> None:
    desk = Desk()
    assert of_kind(desk.host.hear(voice(480), desk.now), Listen)
    desk.detect(None)
    assert desk.host.hear(voice(480), desk.now) == []
    assert desk.host.speech(0.9, 480, desk.now) == []


def test_switching_detection_off_leaves_the_open_turn_to_the_client() -> None:
    desk = Desk()
    (job,) = jobs(desk.speak(5), Transcribe)
    assert types(desk.detect(None)) == ["session.updated"]
    effects = desk.send("input_audio_buffer.commit")
    assert types(effects) == TURN
    assert of_kind(effects, Finish) == [Finish(job)]


def test_switching_detection_on_begins_anew() -> None:
    desk = Desk()
    (job,) = jobs(desk.speak(5), Transcribe)
    desk.detect(None)
    assert of_kind(desk.detect({"type": "server_vad"}), Cancel) == [Cancel(job)]


def test_other_settings_of_detection_leave_an_open_turn_open() -> None:
    desk = Desk()
    desk.speak(5)
    assert of_kind(desk.detect({"type": "semantic_vad", "eagerness": "high"}), Cancel) == []
    assert types(desk.speak(20, 0.0)) == []
    assert types(desk.speak(1, 0.0))[:2] == ["input_audio_buffer.speech_stopped", "input_audio_buffer.committed"]


def test_another_format_holds_from_the_next_sound_on() -> None:
    desk = Desk(Sound.TEXT)
    desk.detect(None)
    desk.append(voice(sample_count(100)))
    desk.update(audio={"input": {"format": {"type": "audio/pcmu"}}})
    desk.send("input_audio_buffer.append", audio=b64encode(b"\xff" * 800).decode())
    desk.update(audio={"input": {"format": {"type": "audio/pcmu"}}})
    desk.send("input_audio_buffer.append", audio=b64encode(b"\xff" * 800).decode())
    fed = sum(len(feed.samples) for feed in of_kind(desk.send("input_audio_buffer.commit"), Feed))
    assert sample_count(290) < fed <= sample_count(300)


def test_a_refused_update_changes_nothing_at_all() -> None:
    desk = Desk()
    desk.speak(5)
    settings = {"input": {"turn_detection": None}}
    effects = desk.update(audio=settings, tools=[{"type": "mcp", "server_label": "x"}])
    assert error(effects)[1] == "session.tools[0].type"
    assert of_kind(effects, Cancel) == []
    assert types(desk.speak(8, 0.0))[0] == "input_audio_buffer.speech_stopped"


def test_sound_that_stops_in_mid_word_ends_the_turn_in_time() -> None:
    desk = Desk()
    desk.speak(5)
    assert desk.host.deadline(desk.now) == pytest.approx(desk.now + STALL_S)
    assert types(desk.tick(STALL_S - 0.01)) == []
    assert types(desk.tick(0.02))[:2] == ["input_audio_buffer.speech_stopped", "input_audio_buffer.committed"]


def test_a_client_that_sends_sound_in_events_may_take_its_time() -> None:
    desk = Desk(Sound.TEXT)
    desk.speak(5)
    assert desk.host.deadline(desk.now) == 100.0 + LIFETIME_S
    assert types(desk.tick(60.0)) == []


# ── answering ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_turn_is_answered_when_its_words_are_known() -> None:
    desk = Desk()
    effects = desk.turn()
    assert types(effects)[-1] == "response.created"
    assert jobs(effects, Think) == []
    (job,) = jobs(effects, Transcribe)
    (begin,) = of_kind(desk.tell(job, FinalText("hello")), Begin)
    assert isinstance(begin.work, Think)
    assert "hello" in repr(begin.work.items)


def test_partial_words_are_not_enough() -> None:
    desk = Desk()
    (job,) = jobs(desk.turn(), Transcribe)
    assert of_kind(desk.tell(job, Partial("hel")), Begin) == []


def test_a_report_of_the_wrong_kind_is_of_no_interest() -> None:
    desk = Desk()
    (job,) = jobs(desk.turn(), Transcribe)
    assert desk.tell(job, Ended()) == []
    assert jobs(desk.tell(job, FinalText("hello")), Think)


def test_words_that_fail_to_come_fail_the_answer() -> None:
    desk = Desk()
    (job,) = jobs(desk.turn(), Transcribe)
    done = the(desk.tell(job, Failed("It broke.")), ResponseDone).response
    assert "It broke." in repr(done.status_details)


def test_a_turn_that_ends_while_an_answer_runs_is_refused_without_blame() -> None:
    desk = Desk()
    desk.detect({"type": "server_vad", "interrupt_response": False})
    desk.ask(output_modalities=["text"])
    assert error(desk.turn()) == ("conversation_already_has_active_response", None, None)


def test_a_refused_request_costs_no_engine_anything() -> None:
    desk = Desk()
    desk.ask()
    sound = {"type": "input_audio", "audio": b64encode(bytes(4800)).decode()}
    effects = desk.ask(input=[{"type": "message", "role": "user", "content": [sound]}])
    assert error(effects)[0] == "conversation_already_has_active_response"
    assert of_kind(effects, Begin) == []


def test_an_answer_may_have_a_context_of_its_own() -> None:
    desk = Desk()
    desk.turn()
    aside = desk.ask(conversation="none", input=[])
    (begin,) = of_kind(aside, Begin)
    assert isinstance(begin.work, Think)
    assert begin.work.items == ()
    assert the(aside, ResponseCreated).response.conversation_id is None


def test_a_reference_is_read_when_its_words_are_known() -> None:
    desk = Desk()
    desk.detect({"type": "server_vad", "create_response": False})
    (job,) = jobs(desk.turn(), Transcribe)
    (user,) = desk.host.items
    effects = desk.ask(input=[{"type": "item_reference", "id": user.id}])
    assert types(effects) == ["response.created"]
    assert of_kind(effects, Begin) == []
    (begin,) = of_kind(desk.tell(job, FinalText("hello")), Begin)
    assert isinstance(begin.work, Think)
    (item,) = begin.work.items
    assert isinstance(item, UserMessage)
    assert item.content == [InputAudio(transcript="hello")]


def test_new_sound_in_a_context_is_written_down_before_it_is_answered() -> None:
    desk = Desk()
    sound = {"type": "input_audio", "audio": b64encode(bytes(4800)).decode()}
    effects = desk.ask(conversation="none", input=[{"type": "message", "role": "user", "content": [sound]}])
    (job,) = jobs(effects, Transcribe)
    assert jobs(effects, Think) == []
    effects = desk.tell(job, FinalText("a voice"))
    assert types(effects) == []
    (begin,) = of_kind(effects, Begin)
    assert "a voice" in repr(begin.work)


def test_deleting_what_an_answer_waits_for_lets_it_go_on() -> None:
    desk = Desk()
    (job,) = jobs(desk.turn(), Transcribe)
    effects = desk.send("conversation.item.delete", item_id=desk.host.items[0].id)
    assert of_kind(effects, Cancel) == [Cancel(job)]
    assert jobs(effects, Think)


def test_what_is_being_made_is_not_shown_to_other_thinkers() -> None:
    desk = Desk()
    (job,) = jobs(desk.ask(output_modalities=["text"]), Think)
    desk.tell(job, Words("I was"))
    (begin,) = of_kind(desk.ask(conversation="none"), Begin)
    assert isinstance(begin.work, Think)
    assert begin.work.items == ()
    assert len(desk.host.items) == 1


def test_limits_and_choices_reach_the_thinker() -> None:
    desk = Desk()
    (begin,) = of_kind(desk.ask(max_output_tokens=7, instructions="Be kind.", metadata={"a": "b"}), Begin)
    assert isinstance(begin.work, Think)
    assert (begin.work.max_output_tokens, begin.work.instructions, begin.work.metadata) == (7, "Be kind.", {"a": "b"})
    (begin,) = of_kind(desk.ask(conversation="none"), Begin)
    assert isinstance(begin.work, Think)
    assert (begin.work.max_output_tokens, begin.work.model, begin.work.metadata) == (None, "house", {})


def test_speech_stops_the_answer_only_where_it_is_told_to() -> None:
    for interrupts in (True, False):
        desk = Desk()
        desk.detect({"type": "server_vad", "interrupt_response": interrupts})
        (job,) = jobs(desk.ask(), Think)
        (speak,) = jobs(desk.tell(job, Words("This is the first sentence. x")), Speak)
        assert of_kind(desk.tell(speak, Spoken(voice(4800))), Play)
        effects = desk.speak(5)
        assert (of_kind(effects, Flush) != []) == interrupts
        assert ("response.done" in types(effects)) == interrupts


# ── time ────────────────────────────────────────────────────────────────────────────────────────────────


def answered(sound: Sound, idle_ms: int = 5000) -> Desk:
    """The user has asked; a second of answer is made, and heard where the server plays."""
    desk = Desk(sound)
    desk.detect({"type": "server_vad", "idle_timeout_ms": idle_ms})
    (job,) = jobs(desk.ask(), Think)
    (speak,) = jobs(desk.tell(job, Words("Yes."), Thought()), Speak)
    desk.tell(speak, Spoken(voice(sample_count(1000))), Ended())
    if sound is Sound.MEDIA:
        assert desk.host.deadline(desk.now) == 100.0 + LIFETIME_S
        desk.now += 1.0
        desk.host.played(sample_count(1000), desk.now)
    return desk


def test_an_idle_callers_time_counts_from_the_end_of_the_sound() -> None:
    for sound, left in ((Sound.MEDIA, 5.0), (Sound.TEXT, 6.0)):
        desk = answered(sound)
        assert desk.host.deadline(desk.now) == pytest.approx(desk.now + left)
        assert types(desk.tick(left - 0.01)) == []
        effects = desk.tick(0.02)
        assert types(effects) == ["input_audio_buffer.timeout_triggered", *TURN, "response.created"]
        assert the(effects, InputAudioBufferTimeoutTriggered).audio_end_ms == 0  # no sound came in all that time


def test_a_caller_who_speaks_is_not_idle() -> None:
    desk = answered(Sound.MEDIA)
    desk.speak(5)
    assert desk.host.deadline(desk.now) == pytest.approx(desk.now + STALL_S)


def test_an_idle_turn_that_nobody_answers_is_not_repeated() -> None:
    desk = answered(Sound.MEDIA)
    desk.detect({"type": "server_vad", "idle_timeout_ms": 5000, "create_response": False})
    effects = desk.tick(5.01)
    assert types(effects) == ["input_audio_buffer.timeout_triggered", *TURN]
    desk.tell(jobs(effects, Transcribe)[0], FinalText(""))
    assert desk.host.deadline(desk.now) == 100.0 + LIFETIME_S


def test_whoever_has_spoken_without_an_answer_is_not_idle_by_the_last_one() -> None:
    desk = answered(Sound.MEDIA)
    desk.detect({"type": "server_vad", "idle_timeout_ms": 5000, "create_response": False})
    desk.tick(4.0)
    effects = desk.turn()
    desk.tell(jobs(effects, Transcribe)[0], FinalText("Well."))
    assert desk.host.deadline(desk.now) == 100.0 + LIFETIME_S
    assert types(desk.tick(2.0)) == []


def test_the_idle_item_is_the_silence_since_the_answer() -> None:
    desk = answered(Sound.MEDIA)
    for _ in range(100):
        desk.now += 0.05
        desk.host.hear(silence(1200), desk.now)
    triggered = the(desk.tick(0.001), InputAudioBufferTimeoutTriggered)
    assert (triggered.audio_start_ms, triggered.audio_end_ms) == (0, 5000)


def test_an_idle_callers_silence_is_counted_in_sound_that_was_written_and_not_by_the_clock() -> None:
    desk = answered(Sound.TEXT)  # heard for another second
    for _ in range(40):  # two seconds of sound in real time, then nothing for four
        desk.now += 0.05
        desk.host.hear(silence(1200), desk.now)
    triggered = the(desk.tick(4.001), InputAudioBufferTimeoutTriggered)
    assert (triggered.audio_start_ms, triggered.audio_end_ms) == (
        950,
        2000,
    )  # a piece of 50 ms belongs to where it ends


def test_an_idle_caller_who_has_sent_nothing_since_the_answer_leaves_an_empty_item() -> None:
    desk = Desk(Sound.MEDIA)
    for _ in range(60):
        desk.now += 0.05
        desk.host.hear(silence(1200), desk.now)
    (job,) = jobs(desk.ask(), Think)
    desk.detect({"type": "server_vad", "idle_timeout_ms": 5000})
    (speak,) = jobs(desk.tell(job, Words("Yes."), Thought()), Speak)
    desk.tell(speak, Spoken(voice(sample_count(1000))), Ended())
    desk.now += 1.0
    desk.host.played(sample_count(1000), desk.now)
    triggered = the(desk.tick(5.001), InputAudioBufferTimeoutTriggered)
    assert (triggered.audio_start_ms, triggered.audio_end_ms) == (3000, 3000)


def test_a_session_ends_after_its_time() -> None:
    desk = Desk()
    desk.ask()
    effects = desk.tick(LIFETIME_S)
    assert error(effects)[0] == "session_expired"
    assert the(effects, ResponseDone).response.status == "cancelled"
    (hangup,) = of_kind(effects, Hangup)
    assert (hangup.code, hangup.reason) == (1001, the(effects, Error).error.message)
    assert "10 minutes" in hangup.reason
    assert desk.tick(LIFETIME_S) == []


def test_a_closed_call_stops_all_work_and_keeps_what_was_heard() -> None:
    desk = Desk()
    (transcriber,) = jobs(desk.turn(), Transcribe)
    (aside,) = jobs(desk.ask(conversation="none", input=[]), Think)
    (speak,) = jobs(desk.tell(aside, Words("This is the first sentence. x")), Speak)
    desk.tell(speak, Spoken(voice(4800)))
    effects = desk.host.close(desk.now)
    assert {cancel.job for cancel in of_kind(effects, Cancel)} == {transcriber, aside, speak}
    assert of_kind(effects, Flush) == [Flush()]
    assert types(desk.host.flushed(100, desk.now)) == ["output_audio_buffer.cleared"]
    assert desk.host.deadline(desk.now) == 100.0 + LIFETIME_S


def test_an_update_is_answered_with_the_whole_config() -> None:
    desk = Desk()
    session = the(desk.update(instructions="Be kind."), SessionUpdated).session
    assert "Be kind." in repr(session)
    assert "server_vad" in repr(session) or "ServerVad" in repr(session)
