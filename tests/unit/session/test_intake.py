"""What the user says: sound in, turns, items and their words out."""

from typing import Literal

import pytest
from msgspec import UNSET

from tests.unit.session.outcome import counting, events, jobs, of_kind, the, types
from vivavoce.audio.frame import duration_ms, sample_count, silence
from vivavoce.errors import RequestError
from vivavoce.session.conversation import Conversation
from vivavoce.session.effect import Cancel, Effect, Feed, Finish, Listen, Transcribe
from vivavoce.session.intake import KEPT_WHILE_QUIET_MS, Intake
from vivavoce.session.outbox import Outbox
from vivavoce.session.recording import Archive
from vivavoce.session.result import Failed, Partial
from vivavoce.session.result import Final as FinalText
from vivavoce.session.scribe import PATIENCE_S, Scribe
from vivavoce.session.turn import Onset, Pause
from vivavoce.testing.ear import WINDOW, voice
from vivavoce.wire.config import SemanticVad, ServerVad, Transcription, TranscriptionLanguage, TurnDetection
from vivavoce.wire.event import (
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionDelta,
    ConversationItemInputAudioTranscriptionFailed,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    InputAudioBufferTimeoutTriggered,
)
from vivavoce.wire.item import InputAudio, InputText, UserContent, UserMessage

VAD = ServerVad(threshold=0.5, prefix_padding_ms=100, silence_duration_ms=200)
WISH = Transcription(model="gpt-realtime-whisper")
TURN = [
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.added",
    "conversation.item.done",
]


class Mouth:
    """An intake and somebody who speaks into it. The detector hears everything at once, or when it is asked."""

    def __init__(self, detection: TurnDetection | None = VAD, wish: Transcription | None = WISH) -> None:
        self.out = Outbox(counting())
        self.conversation = Conversation()
        self.archive = Archive()
        self.scribe = Scribe(self.out)
        self.intake = Intake(self.out, self.conversation, self.archive, self.scribe)
        self.detection = detection
        self.wish = wish
        self.now = 100.0
        self.listened = 0
        self.judged = 0
        self.changes: list[Onset | Pause] = []

    def hear(self, windows: int, *, loud: bool) -> list[Effect]:
        """So many windows of 32 ms arrive; the detector says nothing yet."""
        samples = windows * WINDOW
        self.intake.hear(voice(samples) if loud else silence(samples), self.detection)
        if self.detection is not None:
            self.listened += windows
        return self.out.drain()

    def judge(self, windows: int, probability: float, floor: Literal["free", "assistant"] = "free") -> list[Effect]:
        """The detector's word on the next windows."""
        assert self.detection is not None
        for _ in range(windows):
            self.judged += 1
            heard = self.judged * WINDOW
            change = self.intake.speech(probability, heard, self.detection, self.wish, floor, self.now)
            if change is not None:
                self.changes.append(change)
        return self.out.drain()

    def speak(self, windows: int) -> list[Effect]:
        return self.hear(windows, loud=True) + self.judge(windows, 0.9)

    def keep_silent(self, windows: int) -> list[Effect]:
        return self.hear(windows, loud=False) + self.judge(windows, 0.0)

    def commit(self) -> list[Effect]:
        self.intake.commit(self.wish, self.now)
        return self.out.drain()


def fed(effects: list[Effect]) -> int:
    return sum(len(feed.samples) for feed in of_kind(effects, Feed))


def transcript(mouth: Mouth) -> str | None:
    item = list(mouth.conversation)[-1]
    assert isinstance(item, UserMessage)
    part = item.content[0]
    assert isinstance(part, InputAudio)
    return part.transcript if isinstance(part.transcript, str) else None


# ── turns ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_turn_is_told_from_its_prefix_to_the_silence_that_ends_it() -> None:
    mouth = Mouth()
    mouth.keep_silent(10)
    started = the(mouth.speak(5), InputAudioBufferSpeechStarted)
    assert started.audio_start_ms == 320 - 100
    assert mouth.intake.speaking
    effects = mouth.keep_silent(7)
    assert types(effects) == TURN
    assert the(effects, InputAudioBufferSpeechStopped).audio_end_ms == 22 * 32
    assert the(effects, InputAudioBufferCommitted).item_id == started.item_id
    assert not mouth.intake.speaking
    assert [type(change) for change in mouth.changes] == [Onset, Pause]


def test_the_transcriber_gets_the_turn_and_nothing_else() -> None:
    mouth = Mouth()
    mouth.keep_silent(10)
    effects = mouth.speak(5) + mouth.keep_silent(7)
    assert fed(effects) == sample_count(100) + 12 * WINDOW
    assert len(of_kind(effects, Finish)) == 1
    assert mouth.archive.of("item_1").length == fed(effects)


def test_all_that_is_heard_goes_to_the_detector() -> None:
    mouth = Mouth()
    assert sum(len(listen.samples) for listen in of_kind(mouth.speak(5) + mouth.keep_silent(9), Listen)) == 14 * WINDOW


def test_a_file_sent_at_once_gives_the_turns_that_it_would_give_when_spoken() -> None:
    spoken, sent = Mouth(), Mouth()
    parts = [(20, False), (30, True), (400, False), (10, True), (20, False), (40, True), (10, False)]
    at_pace = [effect for windows, loud in parts for effect in (spoken.speak if loud else spoken.keep_silent)(windows)]
    for windows, loud in parts:
        sent.hear(windows, loud=loud)
    at_once = [effect for windows, loud in parts for effect in sent.judge(windows, 0.9 if loud else 0.0)]
    assert types(at_once) == types(at_pace)
    assert events(at_once) == events(at_pace)
    assert fed(at_once) == fed(at_pace)
    assert len(list(sent.conversation)) == 3


def test_a_late_detector_takes_nothing_from_the_next_turn() -> None:
    mouth = Mouth()
    mouth.hear(5, loud=True)
    mouth.hear(7, loud=False)
    mouth.hear(9, loud=True)
    effects = mouth.judge(5, 0.9) + mouth.judge(7, 0.0)
    assert fed(effects) == 12 * WINDOW
    started = the(mouth.judge(9, 0.9), InputAudioBufferSpeechStarted)
    assert started.audio_start_ms == 12 * 32


def test_the_prefix_reaches_back_only_to_the_turn_before() -> None:
    mouth = Mouth()
    mouth.speak(5)
    mouth.keep_silent(8)
    assert the(mouth.speak(5), InputAudioBufferSpeechStarted).audio_start_ms == 12 * 32


def test_a_cough_into_the_answer_needs_more_than_one_into_silence() -> None:
    mouth = Mouth()
    mouth.hear(10, loud=True)
    assert types(mouth.judge(2, 0.9, floor="assistant")) == []
    assert types(mouth.judge(1, 0.9, floor="assistant")) == ["input_audio_buffer.speech_started"]


def test_what_the_detector_has_not_heard_is_not_forgotten() -> None:
    mouth = Mouth()
    mouth.hear(1000, loud=True)
    assert the(mouth.judge(2, 0.9), InputAudioBufferSpeechStarted).audio_start_ms == 0


def test_of_long_silence_only_the_end_is_kept() -> None:
    mouth = Mouth()
    for _ in range(1000):
        mouth.keep_silent(1)
    mouth.detection = None
    effects = mouth.commit()
    assert abs(duration_ms(fed(effects)) - KEPT_WHILE_QUIET_MS) <= 32


def test_a_long_prefix_is_kept_for() -> None:
    mouth = Mouth(ServerVad(prefix_padding_ms=15_000, silence_duration_ms=200))
    for _ in range(600):
        mouth.keep_silent(1)
    assert the(mouth.speak(2), InputAudioBufferSpeechStarted).audio_start_ms == 600 * 32 - 15_000


def test_semantic_detection_has_a_prefix_of_its_own() -> None:
    mouth = Mouth(SemanticVad())
    mouth.keep_silent(20)
    assert the(mouth.speak(2), InputAudioBufferSpeechStarted).audio_start_ms == 640 - 300
    mouth = Mouth(ServerVad())
    mouth.keep_silent(20)
    assert the(mouth.speak(2), InputAudioBufferSpeechStarted).audio_start_ms == 640 - 300


def test_sound_that_stops_in_mid_word_ends_the_turn() -> None:
    mouth = Mouth()
    assert not mouth.intake.fall_silent(mouth.now)
    mouth.speak(5)
    mouth.hear(1, loud=True)
    assert mouth.intake.fall_silent(mouth.now)
    effects = mouth.out.drain()
    assert types(effects) == TURN
    assert the(effects, InputAudioBufferSpeechStopped).audio_end_ms == 6 * 32
    assert types(mouth.judge(1, 0.9)) == []  # about what is committed already


# ── detection on and off ────────────────────────────────────────────────────────────────────────────────


def test_switching_detection_off_leaves_an_open_turn_to_the_client() -> None:
    mouth = Mouth()
    effects = mouth.speak(5)
    (job,) = jobs(effects, Transcribe)
    mouth.intake.stop_detecting()
    assert not mouth.intake.speaking
    mouth.detection = None
    mouth.hear(5, loud=True)
    effects += mouth.commit()
    assert types(effects) == ["input_audio_buffer.speech_started", *TURN[1:]]
    assert fed(effects) == 10 * WINDOW
    assert of_kind(effects, Finish) == [Finish(job)]
    started, committed = the(effects, InputAudioBufferSpeechStarted), the(effects, InputAudioBufferCommitted)
    assert started.item_id == committed.item_id


def test_switching_detection_on_makes_just_sound_of_what_was_being_said() -> None:
    mouth = Mouth()
    (job,) = jobs(mouth.speak(5), Transcribe)
    mouth.intake.stop_detecting()
    mouth.intake.start_detecting()
    assert mouth.out.drain() == [Cancel(job)]
    assert not mouth.intake.reserves("item_1")
    assert the(mouth.speak(2), InputAudioBufferSpeechStarted).audio_start_ms == 5 * 32 - 100


def test_words_of_the_detector_from_before_it_was_switched_off_count_no_more() -> None:
    mouth = Mouth()
    mouth.hear(10, loud=True)
    mouth.intake.stop_detecting()
    mouth.detection = None
    mouth.hear(50, loud=True)
    mouth.detection = VAD
    assert types(mouth.judge(10, 0.9)) == []
    mouth.keep_silent(5)
    assert the(mouth.speak(3), InputAudioBufferSpeechStarted).audio_start_ms == 65 * 32 - 100


def test_a_turn_after_detection_was_off_begins_where_it_begins() -> None:
    mouth = Mouth()
    mouth.speak(1)
    mouth.intake.stop_detecting()
    mouth.detection = None
    mouth.hear(50, loud=False)
    mouth.detection = ServerVad(prefix_padding_ms=0, silence_duration_ms=200)
    assert the(mouth.speak(2), InputAudioBufferSpeechStarted).audio_start_ms == 51 * 32


# ── what the client commits and clears ──────────────────────────────────────────────────────────────────


def test_a_commit_in_mid_speech_takes_the_turn_and_what_the_detector_has_not_heard() -> None:
    mouth = Mouth()
    (job,) = jobs(mouth.speak(5), Transcribe)
    mouth.hear(3, loud=True)
    effects = mouth.commit()
    assert types(effects) == TURN[1:]
    assert of_kind(effects, Finish) == [Finish(job)]
    assert next(iter(mouth.conversation)).id == "item_1"
    assert types(mouth.judge(3, 0.9)) == []
    assert not mouth.intake.speaking


@pytest.mark.parametrize("windows", [0, 3])
def test_less_than_a_tenth_of_a_second_is_not_committed(windows: int) -> None:
    mouth = Mouth(detection=None)
    mouth.hear(windows, loud=True)
    with pytest.raises(RequestError) as error:
        mouth.commit()
    assert error.value.code == "input_audio_buffer_commit_empty"
    assert f"{windows * 32}.00ms" in error.value.message
    assert mouth.out.drain() == []


def test_a_refused_commit_does_not_end_the_turn() -> None:
    mouth = Mouth(ServerVad(prefix_padding_ms=0, silence_duration_ms=200))
    mouth.speak(2)
    with pytest.raises(RequestError):
        mouth.commit()
    assert mouth.intake.speaking


def test_clearing_forgets_the_open_turn_and_all_sound() -> None:
    mouth = Mouth()
    (job,) = jobs(mouth.speak(5), Transcribe)
    mouth.hear(4, loud=True)
    mouth.intake.clear()
    effects = mouth.out.drain()
    assert (of_kind(effects, Cancel), types(effects)) == ([Cancel(job)], ["input_audio_buffer.cleared"])
    assert types(mouth.judge(4, 0.9)) == []
    with pytest.raises(RequestError):
        mouth.commit()


def test_an_idle_callers_silence_becomes_an_item() -> None:
    mouth = Mouth(ServerVad(idle_timeout_ms=20_000, silence_duration_ms=200))
    for _ in range(1000):
        mouth.keep_silent(1)
    mouth.intake.time_out(mouth.intake.position - sample_count(20_000), mouth.wish, mouth.now)
    effects = mouth.out.drain()
    triggered = the(effects, InputAudioBufferTimeoutTriggered)
    assert (triggered.audio_start_ms, triggered.audio_end_ms) == (12_000, 32_000)
    assert types(effects) == ["input_audio_buffer.timeout_triggered", *TURN[1:]]
    assert fed(effects) == sample_count(20_000)


def test_an_idle_caller_who_sent_no_sound_at_all_is_idle_too() -> None:
    mouth = Mouth()
    mouth.intake.time_out(-5000, mouth.wish, mouth.now)
    effects = mouth.out.drain()
    assert the(effects, InputAudioBufferTimeoutTriggered).audio_end_ms == 0
    assert fed(effects) == 0


def test_somebody_who_just_begins_when_the_time_is_out_begins_again() -> None:
    mouth = Mouth()
    mouth.speak(1)
    mouth.intake.time_out(0, mouth.wish, mouth.now)
    mouth.out.drain()
    assert types(mouth.speak(1)) == []
    assert the(mouth.speak(1), InputAudioBufferSpeechStarted).audio_start_ms == 32


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────


def committed(wish: Transcription | None = WISH) -> tuple[Mouth, int]:
    """Somebody has spoken; the number of the transcriber's job."""
    mouth = Mouth(wish=wish)
    (job,) = jobs(mouth.speak(5), Transcribe)
    mouth.keep_silent(8)
    return mouth, job


def test_words_come_with_their_price_and_go_into_the_conversation() -> None:
    mouth, job = committed()
    assert mouth.scribe.transcribing("item_1")
    mouth.scribe.result(job, Partial("hello "))
    assert the(mouth.out.drain(), ConversationItemInputAudioTranscriptionDelta).delta == "hello "
    mouth.scribe.result(job, FinalText(" hello there "))
    effects = mouth.out.drain()
    assert types(effects) == ["conversation.item.input_audio_transcription.completed"]
    completed = the(effects, ConversationItemInputAudioTranscriptionCompleted)
    assert (completed.transcript, completed.content_index) == ("hello there", 0)
    assert "seconds=1" in repr(completed.usage)
    assert transcript(mouth) == "hello there"
    assert not mouth.scribe.owns(job)
    assert not mouth.scribe.transcribing("item_1")


def test_a_transcript_that_comes_at_once_is_told_as_one_delta() -> None:
    mouth, job = committed()
    mouth.scribe.result(job, FinalText("hello"))
    assert types(mouth.out.drain()) == [
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
    ]


def test_silence_is_written_down_as_nothing() -> None:
    mouth, job = committed()
    mouth.scribe.result(job, Partial(""))
    mouth.scribe.result(job, FinalText("  "))
    assert types(mouth.out.drain()) == ["conversation.item.input_audio_transcription.completed"]
    assert transcript(mouth) == ""


def test_unasked_words_are_only_for_the_thinker() -> None:
    mouth, job = committed(wish=None)
    for result in (Partial("hello"), FinalText("hello")):
        mouth.scribe.result(job, result)
    assert mouth.out.drain() == []
    assert transcript(mouth) == "hello"
    mouth, job = committed(wish=None)
    mouth.scribe.result(job, Failed("gone"))
    assert mouth.out.drain() == []
    assert mouth.scribe.failure("item_1") == Failed("gone")


def test_words_are_told_before_the_item_and_their_end_behind_it() -> None:
    mouth = Mouth()
    effects = mouth.speak(5)
    (job,) = jobs(effects, Transcribe)
    mouth.scribe.result(job, Partial("hel"))
    delta = the(mouth.out.drain(), ConversationItemInputAudioTranscriptionDelta)
    assert delta.item_id == the(effects, InputAudioBufferSpeechStarted).item_id
    mouth.scribe.result(job, Failed("It broke.", code="engine_error"))
    assert mouth.out.drain() == []
    assert mouth.scribe.deadline is None
    effects = mouth.keep_silent(8)
    assert types(effects) == [*TURN, "conversation.item.input_audio_transcription.failed"]
    assert of_kind(effects, Finish) == []
    error = the(effects, ConversationItemInputAudioTranscriptionFailed).error
    assert (error.type, error.code, error.message) == ("transcription_error", "engine_error", "It broke.")
    assert mouth.scribe.failure("item_1") is not None


def test_whisper_1_tells_a_transcript_in_one_piece() -> None:
    mouth, job = committed(wish=Transcription(model="whisper-1"))
    mouth.scribe.result(job, Partial("hello "))
    assert mouth.out.drain() == []
    mouth.scribe.result(job, FinalText("hello there"))
    effects = mouth.out.drain()
    assert the(effects, ConversationItemInputAudioTranscriptionDelta).delta == "hello there"
    assert the(effects, ConversationItemInputAudioTranscriptionCompleted).transcript == "hello there"


@pytest.mark.parametrize("languages", [(), ("en", "de")])
def test_gpt_transcribe_tells_the_languages_that_it_heard(languages: tuple[str, ...]) -> None:
    mouth, job = committed(wish=Transcription(model="gpt-transcribe"))
    mouth.scribe.result(job, FinalText("hello", languages))
    told = the(mouth.out.drain(), ConversationItemInputAudioTranscriptionCompleted).languages
    assert told == [TranscriptionLanguage(code=code) for code in languages]
    mouth, job = committed()
    mouth.scribe.result(job, FinalText("hello", languages))
    assert the(mouth.out.drain(), ConversationItemInputAudioTranscriptionCompleted).languages is UNSET


def test_other_wishes_for_the_words_hold_from_the_first_on_if_none_was_told() -> None:
    mouth = Mouth(wish=None)
    (first,) = jobs(mouth.speak(5), Transcribe)
    mouth.hear(2, loud=True)
    mouth.intake.rewish(WISH)
    effects = mouth.out.drain()
    (second,) = jobs(effects, Transcribe)
    assert of_kind(effects, Cancel) == [Cancel(first)]
    assert fed(effects) == 5 * WINDOW
    mouth.scribe.result(second, Partial("hello"))
    assert the(mouth.out.drain(), ConversationItemInputAudioTranscriptionDelta).item_id == "item_1"
    mouth.intake.rewish(None)
    assert mouth.out.drain() == []
    mouth.judge(2, 0.9)
    mouth.keep_silent(8)
    mouth.scribe.result(second, FinalText("hello"))
    assert types(mouth.out.drain()) == ["conversation.item.input_audio_transcription.completed"]


def test_sound_without_turns_can_be_written_down_as_it_comes() -> None:
    mouth = Mouth(detection=None)
    effects: list[Effect] = []
    for loud in (True, False):
        mouth.hear(5, loud=loud)
        mouth.intake.write_along(WISH)
        effects += mouth.out.drain()
    (job,) = jobs(effects, Transcribe)
    assert fed(effects) == 10 * WINDOW
    mouth.scribe.result(job, Partial("hello"))
    told = the(mouth.out.drain(), ConversationItemInputAudioTranscriptionDelta)
    effects = mouth.commit()
    assert the(effects, InputAudioBufferCommitted).item_id == told.item_id
    assert fed(effects) == 0
    mouth.hear(1, loud=False)
    mouth.intake.write_along(WISH)
    (other,) = jobs(mouth.out.drain(), Transcribe)
    assert other != job


def test_a_transcriber_that_hangs_is_given_up() -> None:
    mouth, job = committed()
    assert mouth.scribe.deadline == mouth.now + PATIENCE_S
    mouth.scribe.tick(mouth.now + PATIENCE_S - 0.001)
    assert mouth.out.drain() == []
    mouth.scribe.tick(mouth.now + PATIENCE_S)
    effects = mouth.out.drain()
    assert of_kind(effects, Cancel) == [Cancel(job)]
    assert the(effects, ConversationItemInputAudioTranscriptionFailed).error.code == "engine_timeout"
    assert mouth.scribe.deadline is None


def test_an_item_that_is_gone_needs_no_words() -> None:
    mouth, job = committed()
    mouth.conversation.remove("item_1")
    mouth.scribe.forget("item_1")
    assert mouth.out.drain() == [Cancel(job)]
    assert not mouth.scribe.owns(job)
    mouth, job = committed()
    mouth.scribe.result(job, Failed("gone"))
    mouth.scribe.forget("item_1")
    assert mouth.scribe.failure("item_1") is None


def test_sound_that_a_client_brings_is_written_down_in_its_place() -> None:
    mouth = Mouth()
    parts: list[UserContent] = [InputText(text="look:"), InputAudio(transcript=None), InputAudio(transcript=None)]
    mouth.conversation.insert(UserMessage(id="mine", content=parts))
    mouth.scribe.adopt("mine", 2, voice(50), WISH, mouth.conversation, mouth.now)
    effects = mouth.out.drain()
    (job,) = jobs(effects, Transcribe)
    assert (fed(effects), of_kind(effects, Finish)) == (50, [Finish(job)])
    mouth.scribe.result(job, FinalText("hello"))
    assert the(mouth.out.drain(), ConversationItemInputAudioTranscriptionCompleted).content_index == 2
    assert mouth.conversation.get("mine") == UserMessage(
        id="mine", content=[InputText(text="look:"), InputAudio(transcript=None), InputAudio(transcript="hello")]
    )


def test_words_for_an_item_that_was_taken_out_go_nowhere() -> None:
    mouth, job = committed()
    mouth.conversation.remove("item_1")
    mouth.scribe.result(job, FinalText("hello"))
    assert list(mouth.conversation) == []


def test_an_id_is_reserved_while_somebody_speaks_under_it() -> None:
    mouth = Mouth()
    (job,) = jobs(mouth.speak(5), Transcribe)
    assert mouth.intake.reserves("item_1")
    mouth.scribe.result(job, Failed("gone"))
    assert mouth.intake.reserves("item_1")
    mouth.keep_silent(8)
    assert not mouth.intake.reserves("item_1")


def test_when_the_call_is_over_nobody_writes_down_anything() -> None:
    mouth, job = committed()
    (other,) = jobs(mouth.speak(5), Transcribe)
    mouth.intake.stop()
    assert {cancel.job for cancel in of_kind(mouth.out.drain(), Cancel)} == {job, other}
    assert not mouth.intake.speaking
    assert mouth.scribe.deadline is None
