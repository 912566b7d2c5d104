"""`server_vad` in all its settings, and what becomes of a turn when they change in the middle of it."""

import json

import pytest

from vivavoce.audio.frame import sample_count
from vivavoce.session.answers import Sound
from vivavoce.testing.ear import voice
from vivavoce.testing.script import Script
from vivavoce.wire.codec import decode_session, encode
from vivavoce.wire.event import (
    Error,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    InputAudioBufferTimeoutTriggered,
    ResponseDone,
    SessionUpdated,
)

LONG = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen."
BOTH = pytest.mark.parametrize("sound", Sound)


def vad(call: Script, detection: dict[str, object] | None) -> None:
    """The client changes its turn detection."""
    audio = {"input": {"turn_detection": detection}}
    call.send({"type": "session.update", "session": {"type": "realtime", "audio": audio}})


def calling(sound: Sound = Sound.MEDIA, replies: tuple[str, ...] = (LONG, "All right."), **settings: object) -> Script:
    detection = {"type": "server_vad", **settings}
    config = {"type": "realtime", "audio": {"input": {"turn_detection": detection}}}
    return Script(
        session=decode_session(json.dumps(config).encode()),
        sound=sound,
        transcripts=["first", "second", "third"],
        replies=replies,
    )


def in_force(call: Script) -> dict[str, object] | None:
    """The turn detection that the server shows."""
    shown = json.loads(encode(call.last(SessionUpdated)))
    return shown["session"]["audio"]["input"]["turn_detection"]


def outcomes(call: Script) -> list[tuple[str, str | None]]:
    """Of each answer: how it ended and why."""
    done = [event.response for event in call.events if isinstance(event, ResponseDone)]
    return [
        (str(each.status), getattr(each.status_details, "reason", None) if each.status == "cancelled" else None)
        for each in done
    ]


# ── who answers and who is interrupted ──────────────────────────────────────────────────────────────────


@BOTH
@pytest.mark.parametrize("interrupts", [True, False])
@pytest.mark.parametrize("creates", [True, False])
def test_speech_over_an_answer_does_what_the_two_switches_say(sound: Sound, creates: bool, interrupts: bool) -> None:
    call = calling(sound, create_response=creates, interrupt_response=interrupts)
    call.send({"type": "response.create"})
    call.wait(1.5)
    call.speak(1.0)
    call.wait(0.5)
    assert call.types.count("input_audio_buffer.committed") == 1
    cut = "conversation.item.truncated" in call.types or "output_audio_buffer.cleared" in call.types
    call.wait(30.0)
    if sound is Sound.MEDIA:
        # The server plays: only it can stop, and it stops where it was told to.
        assert cut == interrupts
        assert " ".join(call.heard_words).startswith(LONG) == (not interrupts)
    expected = 2 if creates else 1
    assert call.types.count("response.created") == expected
    assert [status for status, _ in outcomes(call)][-1] == "completed"


def test_an_answer_that_is_still_being_made_is_cancelled_only_if_speech_interrupts() -> None:
    for interrupts, first in ((True, ("cancelled", "turn_detected")), (False, ("completed", None))):
        call = calling(interrupt_response=interrupts, create_response=False)
        call.send({"type": "response.create"})
        call.speak(0.4)
        call.wait(30.0)
        assert outcomes(call) == [first]


def test_speech_that_does_not_interrupt_is_answered_when_the_answer_is_over() -> None:
    call = calling(interrupt_response=False)
    call.send({"type": "response.create"})
    call.wait(1.5)
    call.speak(1.0)
    call.wait(60.0)
    assert outcomes(call) == [("completed", None), ("completed", None)]
    assert not [event for event in call.events if isinstance(event, Error)]
    assert "conversation.item.truncated" not in call.types
    assert " ".join(call.heard_words) == f"{LONG} All right."


# ── its numbers ─────────────────────────────────────────────────────────────────────────────────────────


def test_without_any_patience_the_first_silent_window_ends_a_turn() -> None:
    call = calling(silence_duration_ms=0)
    call.speak(0.96)
    call.wait(0.1)
    stopped = call.last(InputAudioBufferSpeechStopped)
    assert 960 <= stopped.audio_end_ms <= 1010


def test_a_minute_of_patience_keeps_a_turn_open() -> None:
    call = calling(silence_duration_ms=60_000)
    call.speak(1.0)
    call.wait(59.0)
    assert "input_audio_buffer.speech_stopped" not in call.types
    call.speak(1.0)
    call.wait(61.0)
    assert call.types.count("input_audio_buffer.speech_started") == 1
    assert call.types.count("input_audio_buffer.committed") == 1


@pytest.mark.parametrize("padding", [5_000, 60_000])
def test_a_turn_cannot_begin_before_the_sound_or_the_turn_before_it(padding: int) -> None:
    call = calling(prefix_padding_ms=padding, replies=("Yes.", "No."))
    call.wait(2.0)
    call.speak(1.0)
    assert call.last(InputAudioBufferSpeechStarted).audio_start_ms == 0
    call.wait(3.0)
    end = call.last(InputAudioBufferSpeechStopped).audio_end_ms
    call.speak(1.0)
    assert call.last(InputAudioBufferSpeechStarted).audio_start_ms == end


@pytest.mark.parametrize(("threshold", "turns"), [(0.0, 1), (0.45, 1), (0.55, 0), (1.0, 0)])
def test_the_threshold_says_how_sure_the_detector_must_be(threshold: float, turns: int) -> None:
    call = calling(threshold=threshold)
    doubtful = voice(sample_count(20))
    doubtful[::2] = 0  # the detector is half sure of it
    for _ in range(50):
        call.hear(doubtful)
        call.wait(0)
    assert call.types.count("input_audio_buffer.speech_started") == turns


# ── nobody says anything ────────────────────────────────────────────────────────────────────────────────


@BOTH
def test_an_idle_caller_is_spoken_to_only_after_the_answer_was_heard(sound: Sound) -> None:
    call = calling(sound, replies=("Hello there.", "Are you there?"), idle_timeout_ms=5000)
    call.send({"type": "response.create"})
    call.wait(5.0)
    assert "input_audio_buffer.timeout_triggered" not in call.types
    call.wait(3.0)
    assert call.types.count("input_audio_buffer.timeout_triggered") == 1
    triggered = call.last(InputAudioBufferTimeoutTriggered)
    assert triggered.audio_end_ms - triggered.audio_start_ms == pytest.approx(5000, abs=100)
    assert call.last(InputAudioBufferCommitted).item_id == triggered.item_id
    assert call.types.count("response.created") == 2


@BOTH
def test_a_caller_who_sends_nothing_at_all_is_idle_too(sound: Sound) -> None:
    call = calling(sound, replies=("Hello there.", "Are you there?"), idle_timeout_ms=5000)
    call.wait(1.0)
    call.send({"type": "response.create"})
    call.lose_sound(8.0)
    triggered = call.last(InputAudioBufferTimeoutTriggered)
    assert triggered.audio_start_ms == triggered.audio_end_ms == pytest.approx(1000, abs=20)


@BOTH
def test_whoever_speaks_when_the_time_is_up_is_not_idle(sound: Sound) -> None:
    call = calling(sound, replies=("Yes.", "Go on."), idle_timeout_ms=5000)
    call.send({"type": "response.create"})
    call.wait(4.0)
    call.speak(6.0)
    assert "input_audio_buffer.timeout_triggered" not in call.types


# ── a microphone that sends nothing ─────────────────────────────────────────────────────────────────────


def test_a_sender_that_sends_nothing_between_words_has_not_finished() -> None:
    call = calling(silence_duration_ms=500)
    call.speak(0.6)
    call.lose_sound(0.4)
    call.speak(0.6)
    call.wait(1.0)
    assert call.types.count("input_audio_buffer.speech_started") == 1
    started, stopped = call.last(InputAudioBufferSpeechStarted), call.last(InputAudioBufferSpeechStopped)
    assert started.audio_start_ms == 0
    assert stopped.audio_end_ms == pytest.approx(1200 + 500, abs=60)  # sound that came, and not the time between


def test_a_muted_sender_has_finished_after_a_second_and_is_heard_again_later() -> None:
    call = calling(replies=("Yes.", "Yes again."), silence_duration_ms=500)
    call.speak(0.6)
    call.lose_sound(0.9)
    assert "input_audio_buffer.speech_stopped" not in call.types
    call.lose_sound(0.2)
    assert call.last(InputAudioBufferSpeechStopped).audio_end_ms == 600
    call.lose_sound(20.0)
    call.speak(0.6)
    call.wait(2.0)
    assert call.types.count("input_audio_buffer.committed") == 2
    assert call.last(InputAudioBufferSpeechStarted).audio_start_ms == 600
    assert outcomes(call) == [("completed", None), ("completed", None)]


def test_a_caller_who_was_muted_in_mid_word_is_answered_and_then_idle() -> None:
    call = calling(replies=("Hello there.", "Are you there?"), idle_timeout_ms=5000)
    call.speak(1.0)
    call.lose_sound(12.0)
    triggered = call.last(InputAudioBufferTimeoutTriggered)
    assert triggered.audio_start_ms == triggered.audio_end_ms == pytest.approx(1000, abs=20)


# ── changes ─────────────────────────────────────────────────────────────────────────────────────────────


def test_detection_that_ends_in_mid_word_leaves_the_turn_to_the_client() -> None:
    call = calling()
    call.speak(0.5)
    started = call.last(InputAudioBufferSpeechStarted)
    vad(call, None)
    call.speak(0.5)
    call.wait(3.0)
    assert "input_audio_buffer.speech_stopped" not in call.types
    call.send({"type": "input_audio_buffer.commit"})
    assert call.last(InputAudioBufferCommitted).item_id == started.item_id


def test_detection_that_begins_late_takes_what_came_before_for_mere_sound() -> None:
    call = calling()
    vad(call, None)
    call.speak(1.0)
    vad(call, {"type": "server_vad"})
    call.wait(2.0)
    assert "input_audio_buffer.committed" not in call.types
    call.speak(1.0)
    call.wait(1.0)
    assert call.types.count("input_audio_buffer.committed") == 1
    assert call.last(InputAudioBufferSpeechStarted).audio_start_ms >= 2_600


def test_another_patience_counts_for_the_turn_that_is_being_said() -> None:
    call = calling(silence_duration_ms=5000)
    call.speak(1.0)
    call.wait(1.0)
    assert "input_audio_buffer.speech_stopped" not in call.types
    vad(call, {"type": "server_vad", "silence_duration_ms": 300})
    call.wait(0.2)
    assert call.types.count("input_audio_buffer.speech_stopped") == 1


def test_a_turn_that_one_kind_of_detection_began_another_ends() -> None:
    call = calling(silence_duration_ms=60_000)
    call.speak(1.0)
    vad(call, {"type": "semantic_vad", "eagerness": "high"})
    call.wait(3.0)
    assert call.types.count("input_audio_buffer.speech_started") == 1
    assert call.types.count("input_audio_buffer.committed") == 1


def test_after_null_what_is_not_named_is_as_by_default_and_not_as_it_was() -> None:
    call = calling(silence_duration_ms=900, threshold=0.9, create_response=False, idle_timeout_ms=6000)
    vad(call, {"type": "server_vad", "prefix_padding_ms": 100})
    assert in_force(call) == {
        "type": "server_vad",
        "threshold": 0.9,
        "prefix_padding_ms": 100,
        "silence_duration_ms": 900,
        "idle_timeout_ms": 6000,
        "create_response": False,
        "interrupt_response": True,
    }
    vad(call, None)
    assert in_force(call) is None
    vad(call, {"type": "server_vad", "prefix_padding_ms": 100})
    assert in_force(call) == {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 100,
        "silence_duration_ms": 200,
        "idle_timeout_ms": None,
        "create_response": True,
        "interrupt_response": True,
    }
