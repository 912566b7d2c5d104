"""What a client knows of a conversation, and what it does about it."""

from base64 import b64decode, b64encode

import numpy as np
import pytest

from tests.unit.session.table import Table, assistant, event, place, sent, shown, tone
from vivavoce.audio.frame import sample_count
from vivavoce.session.answers import Sound
from vivavoce.session.caption import Caption, CaptionState, Role
from vivavoce.session.errand import CallTool, Errand, Flush, Play
from vivavoce.session.peer import Activity
from vivavoce.wire.config import ResponseConfig
from vivavoce.wire.event import (
    ConversationItemCreate,
    ConversationItemRetrieve,
    ConversationItemTruncate,
    Error,
    InputAudioBufferAppend,
    OutputAudioBufferClear,
    ResponseCancel,
    ResponseCreate,
)
from vivavoce.wire.item import AssistantMessage, FunctionCallOutput, InputAudio, OutputText, UserMessage

SEEN = '"seen"'
WORDS = "The quick brown fox jumps over the lazy dog and runs away into the dark wood."


# ── words of both sides ─────────────────────────────────────────────────────────────────────────────────


def test_both_sides_are_shown_as_they_speak() -> None:
    table = Table(Sound.MEDIA, session='{"input":{"transcription":{"model":"x"}}}')
    table.speech_started()
    delta = (
        '{"type":"conversation.item.input_audio_transcription.delta","item_id":"u1","content_index":0,"delta":"Hel"}'
    )
    assert shown(table.tell(delta)) == [Caption("u1", Role.USER, "Hel", CaptionState.WRITING)]
    table.speech_stopped()
    table.commit()
    table.begin()
    assert shown(table.say("Good ")) == [Caption("a1", Role.ASSISTANT, "Good ", CaptionState.WRITING)]
    done = (
        '{"type":"conversation.item.input_audio_transcription.completed","item_id":"u1","content_index":0,'
        '"transcript":"Hello.","usage":{"type":"duration","seconds":2}}'
    )
    assert shown(table.tell(done)) == [Caption("u1", Role.USER, "Hello.", CaptionState.DONE)]
    table.end("Good morning.")
    assert [caption.text for caption in table.peer.captions] == ["Hello.", "Good morning."]
    assert table.peer.tokens.transcription_s == 2


def test_words_that_come_before_their_item_are_not_lost() -> None:
    table = Table(Sound.MEDIA, session='{"input":{"transcription":{"model":"x"}}}')
    table.tell(
        '{"type":"conversation.item.input_audio_transcription.completed","item_id":"u1","content_index":0,'
        '"transcript":"Hello."}'
    )
    table.commit()
    item = table.peer.history()[0]
    assert isinstance(item, UserMessage)
    assert item.content == [InputAudio(transcript="Hello.")]


def test_what_nobody_could_write_down_says_so() -> None:
    table = Table(Sound.MEDIA)
    table.tell(
        '{"type":"conversation.item.input_audio_transcription.failed","item_id":"u1","content_index":0,"error":{}}'
    )
    assert table.caption("u1").state is CaptionState.FAILED


def test_a_spoken_turn_that_nobody_writes_down_is_finished_at_once() -> None:
    table = Table(Sound.MEDIA)
    table.commit()
    assert table.caption("u1").state is CaptionState.DONE


def test_a_written_answer_is_in_the_history_while_it_grows() -> None:
    table = Table(Sound.MEDIA)
    table.tell(
        '{"type":"response.created","response":{"id":"r1","conversation_id":"c"}}',
        f'{{"type":"conversation.item.added","item":{assistant("a1")}}}',
        f'{{"type":"response.output_text.delta",{place("r1", "a1")},"delta":"Four"}}',
    )
    message = table.peer.history()[0]
    assert isinstance(message, AssistantMessage)
    assert message.content == [OutputText(text="Four")]


# ── what was heard, where the server plays ──────────────────────────────────────────────────────────────


def test_an_answer_that_was_played_to_its_end_was_heard() -> None:
    table = Table(Sound.MEDIA)
    table.begin()
    table.say(WORDS)
    assert table.heard() == ""
    table.player("started")
    table.end(WORDS)
    table.player("stopped")
    assert table.heard() == WORDS
    assert table.peer.activity is Activity.IDLE


def test_while_it_plays_no_more_than_a_slow_voice_could_have_said_counts() -> None:
    table = Table(Sound.MEDIA)
    table.begin()
    table.say(WORDS)
    table.player("started")
    table.listen(2.0)
    assert table.heard() == "The quick brown"
    assert WORDS.startswith(table.heard() or "")


def test_while_nothing_sounds_no_words_are_heard() -> None:
    table = Table(Sound.MEDIA)
    table.begin()
    table.say(WORDS)
    table.player("started")
    table.listen(1.0)
    heard = table.heard()
    table.listen(10.0, silent=True)
    assert table.heard() == heard


def test_a_cut_answer_ends_at_the_words_that_the_server_says_were_heard() -> None:
    table = Table(Sound.MEDIA)
    table.begin()
    table.say(WORDS)
    table.player("started")
    table.wait(2.0)
    table.speech_started("u2")
    table.end(WORDS, status="cancelled")
    table.player("cleared")
    estimate = table.heard()
    assert estimate == "The quick brown"
    truncated = '{"type":"conversation.item.truncated","item_id":"a1","content_index":0,"audio_end_ms":2000}'
    assert [type(each) for each in sent(table.tell(truncated))] == [ConversationItemRetrieve]
    retrieved = (
        f'{{"type":"conversation.item.retrieved","item":{assistant("a1", "incomplete", "The quick brown fox")}}}'
    )
    table.tell(retrieved)
    assert table.heard() == "The quick brown fox"
    assert table.caption("a1") == Caption("a1", Role.ASSISTANT, "The quick brown fox", CaptionState.CUT)


def test_a_server_that_drops_the_words_of_a_cut_answer_leaves_us_the_estimate() -> None:
    table = Table(Sound.MEDIA)
    table.begin()
    table.say(WORDS)
    table.player("started")
    table.wait(4.0)
    table.tell(
        '{"type":"conversation.item.truncated","item_id":"a1","content_index":0,"audio_end_ms":4000}',
        f'{{"type":"conversation.item.retrieved","item":{assistant("a1", "incomplete", "")}}}',
    )
    assert table.heard() == "The quick brown fox jumps over the"


def test_an_answer_cancelled_before_its_first_sound_was_not_heard() -> None:
    table = Table(Sound.MEDIA)
    table.begin()
    table.say(WORDS)
    table.end(WORDS, status="cancelled")
    table.wait(60)
    table.peer.hear(tone(10), table.now)
    assert table.heard() == ""
    assert table.caption("a1") == Caption("a1", Role.ASSISTANT, "", CaptionState.CUT)


def test_an_answer_cancelled_before_its_first_sound_may_still_be_played() -> None:
    table = Table(Sound.MEDIA)
    table.begin()
    table.say(WORDS)
    table.end(WORDS, status="cancelled")
    table.player("started")
    table.player("stopped")
    assert table.heard() == WORDS


def test_a_server_that_never_tells_of_its_player_is_believed_after_a_while() -> None:
    table = Table(Sound.MEDIA)
    table.begin()
    table.say(WORDS)
    table.end(WORDS)
    assert table.heard() == ""
    assert table.peer.activity is Activity.SPEAKING
    table.listen(30)
    assert table.heard() == WORDS
    assert table.peer.activity is Activity.IDLE


def test_a_second_copy_of_the_sound_on_the_data_channel_is_not_played() -> None:
    table = Table(Sound.MEDIA)
    table.begin()
    assert table.sound(100) == []


# ── what was heard, where this side plays ───────────────────────────────────────────────────────────────


def test_sound_in_events_is_played() -> None:
    table = Table(Sound.TEXT)
    table.begin()
    errands = [errand for errand in table.sound(100) if isinstance(errand, Play)]
    assert [len(errand.samples) for errand in errands] == [sample_count(100)]
    assert np.array_equal(errands[0].samples, tone(100))


def test_telephone_sound_is_played_whole() -> None:
    table = Table(Sound.TEXT, session='{"output":{"format":{"type":"audio/pcmu"}}}')
    table.begin()
    delta = b64encode(bytes([0x80] * 800)).decode()
    table.tell(f'{{"type":"response.output_audio.delta",{place("r1", "a1")},"delta":"{delta}"}}')
    table.end("Beep.")
    assert sum(len(errand.samples) for errand in table.errands if isinstance(errand, Play)) == sample_count(100)


def test_a_user_who_interrupts_stops_the_player_and_the_server_learns_what_was_heard() -> None:
    table = Table(Sound.TEXT)
    table.begin()
    table.say(WORDS)
    table.sound(5000)
    table.end(WORDS)
    table.played(2500)
    errands = table.speech_started("u2")
    assert [errand for errand in errands if isinstance(errand, Flush)] == [Flush()]
    truncate = sent(errands)[0]
    assert isinstance(truncate, ConversationItemTruncate)
    assert (truncate.item_id, truncate.content_index, truncate.audio_end_ms) == ("a1", 0, 2500)
    assert table.heard() == "The quick brown fox jumps over"
    assert table.caption("a1").state is CaptionState.CUT


def test_what_comes_of_an_interrupted_answer_is_not_played() -> None:
    table = Table(Sound.TEXT)
    table.begin()
    table.sound(1000)
    table.speech_started("u2")
    assert table.sound(1000) == []
    assert not [errand for errand in table.end(WORDS, status="cancelled") if isinstance(errand, Play)]
    table.begin("r2", "a2")
    assert [errand for errand in table.sound(100, "r2", "a2") if isinstance(errand, Play)]


def test_an_answer_that_was_played_to_its_end_is_not_truncated() -> None:
    table = Table(Sound.TEXT)
    table.begin()
    table.say(WORDS)
    table.sound(1000)
    table.end(WORDS)
    table.played(1000)
    assert sent(table.speech_started("u2")) == []
    assert table.heard() == WORDS
    assert table.caption("a1").state is CaptionState.DONE


def test_two_answers_that_wait_to_be_played_are_both_truncated() -> None:
    table = Table(Sound.TEXT)
    for number in "12":
        table.begin(f"r{number}", f"a{number}")
        table.sound(1000, f"r{number}", f"a{number}")
        table.end("Words.", f"r{number}", f"a{number}")
    table.played(400)
    truncations = [each for each in sent(table.speech_started("u2")) if isinstance(each, ConversationItemTruncate)]
    assert [(each.item_id, each.audio_end_ms) for each in truncations] == [("a1", 400), ("a2", 0)]


def test_a_session_that_may_not_be_interrupted_is_not() -> None:
    quiet = '{"input":{"turn_detection":{"type":"server_vad","interrupt_response":false}}}'
    table = Table(Sound.TEXT, session=quiet)
    table.begin()
    table.sound(1000)
    assert sent(table.speech_started("u2")) == []
    assert [errand for errand in table.sound(1000) if isinstance(errand, Play)]


def test_clearing_the_output_stops_our_own_player_where_the_server_has_none() -> None:
    table = Table(Sound.TEXT)
    table.begin()
    table.sound(1000)
    table.played(300)
    errands = table.peer.command(OutputAudioBufferClear(), table.now)
    assert [type(each) for each in sent(errands)] == [ResponseCancel]
    assert Flush() in errands
    # A server refuses to truncate what it is still making.
    truncate = sent(table.end(WORDS, status="cancelled"))[0]
    assert isinstance(truncate, ConversationItemTruncate)
    assert truncate.audio_end_ms == 300


def test_sound_that_comes_after_the_output_was_cleared_was_not_heard() -> None:
    table = Table(Sound.TEXT)
    table.begin()
    assert [type(each) for each in sent(table.peer.command(OutputAudioBufferClear(), table.now))] == [ResponseCancel]
    table.say(WORDS)
    assert not [errand for errand in table.sound(1000) if isinstance(errand, Play)]
    # The server had finished before it was told to stop.
    truncate = sent(table.end(WORDS))[0]
    assert isinstance(truncate, ConversationItemTruncate)
    assert truncate.audio_end_ms == 0
    assert table.heard() == ""


def test_clearing_the_output_is_the_servers_work_where_it_plays() -> None:
    table = Table(Sound.MEDIA)
    assert [type(each) for each in sent(table.peer.command(OutputAudioBufferClear(), table.now))] == [
        OutputAudioBufferClear
    ]


def test_sound_out_of_band_is_played_but_never_truncated() -> None:
    table = Table(Sound.TEXT)
    table.tell('{"type":"response.created","response":{"id":"r1","conversation_id":null}}')
    assert [errand for errand in table.sound(1000) if isinstance(errand, Play)]
    errands = table.speech_started("u2")
    assert Flush() in errands
    assert sent(errands) == []


# ── the user's sound ────────────────────────────────────────────────────────────────────────────────────


def test_the_users_sound_goes_into_events_of_a_second_at_most() -> None:
    table = Table(Sound.TEXT)
    events = sent(table.peer.speak(tone(2500), table.now))
    assert [type(each) for each in events] == [InputAudioBufferAppend] * 3


def test_the_users_sound_is_coded_as_the_session_wants_it() -> None:
    table = Table(Sound.TEXT, session='{"input":{"format":{"type":"audio/pcma"}}}')
    events = sent(table.peer.speak(tone(1000), table.now))
    assert sum(len(each.audio) for each in events if isinstance(each, InputAudioBufferAppend)) < 8000 * 4 / 3 + 10


def test_sound_beside_text_is_not_put_into_events() -> None:
    table = Table(Sound.MEDIA)
    assert table.peer.speak(tone(100), table.now) == []


@pytest.mark.parametrize(
    ("detection", "least_ms"),
    [
        ('{"type":"server_vad","silence_duration_ms":900}', 900),
        ('{"type":"semantic_vad","eagerness":"low"}', 8000),
        ("null", None),
    ],
)
def test_a_user_who_falls_silent_for_good_sends_the_pause_that_ends_his_turn(
    detection: str, least_ms: int | None
) -> None:
    table = Table(Sound.TEXT, session=f'{{"input":{{"turn_detection":{detection}}}}}')
    table.peer.speak(tone(100), table.now)
    events = table.peer.hush(table.now)
    sound = b"".join(b64decode(each.audio) for each in events)
    assert not any(sound)
    assert (len(sound) // 48 > least_ms) if least_ms is not None else not events
    assert Table(Sound.MEDIA).peer.hush(0.0) == []


# ── functions ───────────────────────────────────────────────────────────────────────────────────────────


def call(call_id: str, response: str = "r1", status: str = "completed", name: str = "add") -> str:
    item = (
        f'{{"type":"function_call","id":"i{call_id}","call_id":"{call_id}","name":"{name}","arguments":"{{}}",'
        f'"status":"{status}"}}'
    )
    return f'{{"type":"response.output_item.done","response_id":"{response}","output_index":0,"item":{item}}}'


def created(response: str) -> str:
    return f'{{"type":"response.created","response":{{"id":"{response}","conversation_id":"c"}}}}'


def done(response: str) -> str:
    return f'{{"type":"response.done","response":{{"id":"{response}","status":"completed"}}}}'


def test_a_function_is_run_once_however_often_its_call_is_told() -> None:
    table = Table(Sound.MEDIA, tools=["add"])
    errands = table.tell(created("r1"), call("c1"), call("c1"))
    assert [errand for errand in errands if isinstance(errand, CallTool)] == [CallTool("c1", "add", "{}")]


def test_a_call_that_was_broken_off_is_not_made() -> None:
    table = Table(Sound.MEDIA, tools=["add"])
    assert table.tell(created("r1"), call("c1", status="incomplete")) == []


def test_an_answer_is_asked_for_once_when_all_functions_have_returned() -> None:
    table = Table(Sound.MEDIA, tools=["add"])
    table.tell(created("r1"), call("c1"), call("c2"))
    assert table.peer.activity is Activity.THINKING
    first = sent(table.peer.returned("c1", "1", table.now))
    assert [type(each) for each in first] == [ConversationItemCreate]
    table.tell(done("r1"))
    second = sent(table.peer.returned("c2", "2", table.now))
    assert [type(each) for each in second] == [ConversationItemCreate, ResponseCreate]
    assert sent(table.tell(created("r2"), done("r2"))) == []
    assert table.peer.activity is Activity.IDLE


def test_no_answer_is_asked_for_while_the_model_is_still_talking() -> None:
    table = Table(Sound.MEDIA, tools=["add"])
    table.tell(created("r1"), call("c1"))
    assert [type(each) for each in sent(table.peer.returned("c1", "1", table.now))] == [ConversationItemCreate]
    assert [type(each) for each in sent(table.tell(done("r1")))] == [ResponseCreate]


def test_a_request_that_met_another_answer_is_made_again_after_it() -> None:
    table = Table(Sound.MEDIA, tools=["add"])
    table.tell(created("r1"), call("c1"), done("r1"))
    request = sent(table.peer.returned("c1", "1", table.now))[1]
    busy = (
        f'{{"type":"error","error":{{"type":"invalid_request_error","message":"no","event_id":"{request.event_id}",'
        '"code":"conversation_already_has_active_response"}}'
    )
    assert sent(table.tell(busy)) == []
    table.tell(created("r2"))
    assert sent(table.tell(done("r2"))) == []  # r2 knew of the output already


def test_a_request_that_is_refused_for_good_is_not_made_again() -> None:
    table = Table(Sound.MEDIA, tools=["add"])
    table.tell(created("r1"), call("c1"), done("r1"))
    request = sent(table.peer.returned("c1", "1", table.now))[1]
    refusal = f'{{"type":"error","error":{{"type":"x","message":"no","event_id":"{request.event_id}","code":"nope"}}}}'
    assert sent(table.tell(refusal)) == []
    assert table.peer.activity is Activity.IDLE


def test_functions_of_the_application_are_left_to_it() -> None:
    table = Table(Sound.MEDIA, tools=["add"])
    assert table.tell(created("r1"), call("c1", name="other"), done("r1")) == []
    output = ConversationItemCreate(item=FunctionCallOutput(call_id="c1", output="1"))
    assert [type(each) for each in sent(table.peer.command(output, table.now))] == [ConversationItemCreate]


def test_a_function_called_out_of_band_is_left_to_the_application() -> None:
    table = Table(Sound.MEDIA, tools=["add"])
    table.tell('{"type":"response.created","response":{"id":"r1","conversation_id":null}}')
    assert table.tell(call("c1")) == []


# ── the order of things, and disorder ───────────────────────────────────────────────────────────────────


def test_items_stand_where_the_server_puts_them() -> None:
    table = Table(Sound.MEDIA)

    def added(id: str, previous: str) -> str:
        item = f'{{"type":"message","role":"user","id":"{id}","content":[{{"type":"input_text","text":"{id}"}}]}}'
        return f'{{"type":"conversation.item.added","item":{item}{previous}}}'

    table.tell(added("b", ""), added("d", ',"previous_item_id":"b"'), added("c", ',"previous_item_id":"b"'))
    table.tell(added("a", ',"previous_item_id":null'), added("e", ',"previous_item_id":"nobody"'), added("b", ""))
    assert [item.id for item in table.peer.history()] == ["a", "b", "c", "d", "e"]
    table.tell('{"type":"conversation.item.deleted","item_id":"c"}')
    assert [item.id for item in table.peer.history()] == ["a", "b", "d", "e"]
    assert "c" not in [caption.item_id for caption in table.peer.captions]


@pytest.mark.parametrize("sound", Sound)
def test_disorder_changes_little_and_breaks_nothing(sound: Sound) -> None:
    table = Table(sound)
    texts = [
        *('{"type":"session.created","session":{"type":"realtime"}}', '{"type":"brand.new","x":1}', "not JSON"),
        f'{{"type":"conversation.item.done","item":{assistant("a1", "completed", "Hello.")}}}',
        '{"type":"conversation.item.truncated","item_id":"zzz","content_index":0,"audio_end_ms":5}',
        '{"type":"conversation.item.truncated","item_id":"a1","content_index":0,"audio_end_ms":5}',
        f'{{"type":"conversation.item.retrieved","item":{assistant("zzz", "completed", "Never.")}}}',
        '{"type":"conversation.item.deleted","item_id":"zzz"}',
        '{"type":"output_audio_buffer.stopped","response_id":"r9"}',
        '{"type":"output_audio_buffer.cleared","response_id":"r9"}',
        '{"type":"output_audio_buffer.started","response_id":"r9"}',
        '{"type":"input_audio_buffer.speech_stopped","item_id":"u9","audio_end_ms":5}',
        f'{{"type":"response.output_audio.done",{place("r9", "a9")}}}',
        f'{{"type":"response.output_audio.delta",{place("r9", "a9")},"delta":"***"}}',
        f'{{"type":"response.output_audio.delta",{place("r9", "a9")},"delta":"AA=="}}',
        '{"type":"response.done","response":{}}',
        done("r9"),
        done("r9"),
        created("r9"),
        created("r1"),
        created("r1"),
        '{"type":"error","error":{"type":"x","message":"m","event_id":"nobody"}}',
        '{"type":"error","error":{"type":"x","message":"m"}}',
    ]
    table.tell(*texts, *reversed(texts))
    assert [item.id for item in table.peer.history()] == ["a1"]
    assert table.heard() == ""


def test_an_error_names_the_command_that_it_is_about() -> None:
    table = Table(Sound.MEDIA)
    command = sent(table.peer.command(ResponseCancel(), table.now))[0]
    refusal = event(f'{{"type":"error","error":{{"type":"x","message":"m","event_id":"{command.event_id}"}}}}')
    assert isinstance(refusal, Error)
    assert table.peer.blame(refusal) == command
    stranger = event('{"type":"error","error":{"type":"x","message":"m"}}')
    assert isinstance(stranger, Error)
    assert table.peer.blame(stranger) is None


@pytest.mark.parametrize("end", ["cleared", "updated"])
def test_nobody_listens_to_a_user_whose_turn_was_called_off(end: str) -> None:
    table = Table(Sound.MEDIA)
    table.speech_started()
    if end == "cleared":
        table.tell('{"type":"input_audio_buffer.cleared"}')
    else:
        session = '{"type":"realtime","audio":{"input":{"turn_detection":null}}}'
        table.tell(f'{{"type":"session.updated","session":{session}}}')
    assert table.peer.activity is Activity.IDLE


def test_tokens_are_counted_once_per_answer() -> None:
    table = Table(Sound.MEDIA)
    usage = (
        '{"total_tokens":30,"input_tokens":20,"output_tokens":10,"input_token_details":{"text_tokens":5,'
        '"audio_tokens":15,"cached_tokens":3},"output_token_details":{"text_tokens":4,"audio_tokens":6}}'
    )
    text = f'{{"type":"response.done","response":{{"id":"r1","status":"completed","usage":{usage}}}}}'
    table.tell(created("r1"), text, text)
    tokens = table.peer.tokens
    assert (tokens.input_text, tokens.input_audio, tokens.input_cached) == (5, 15, 3)
    assert (tokens.output_text, tokens.output_audio, tokens.total) == (4, 6, 30)


# ── what is going on ────────────────────────────────────────────────────────────────────────────────────


def test_a_spoken_turn_goes_from_listening_to_thinking_to_speaking() -> None:
    table = Table(Sound.MEDIA, session='{"input":{"turn_detection":{"type":"server_vad"}}}')
    seen = [table.peer.activity]
    for step in (
        table.speech_started,
        table.speech_stopped,
        table.commit,
        table.begin,
        lambda: table.player("started"),
        lambda: table.end("Yes."),
        lambda: table.player("stopped"),
    ):
        step()
        seen.append(table.peer.activity)
    assert seen == [
        Activity.IDLE,
        Activity.LISTENING,
        Activity.THINKING,
        Activity.THINKING,
        Activity.THINKING,
        Activity.SPEAKING,
        Activity.SPEAKING,
        Activity.IDLE,
    ]


def test_an_answer_that_fails_before_it_begins_is_not_waited_for() -> None:
    table = Table(Sound.MEDIA, session='{"input":{"turn_detection":{"type":"server_vad"}}}')
    table.speech_started()
    table.speech_stopped()
    table.tell('{"type":"error","error":{"type":"x","message":"m"}}')
    assert table.peer.activity is Activity.IDLE


def test_a_written_request_waits_for_its_answer() -> None:
    table = Table(Sound.MEDIA)
    table.peer.command(ResponseCreate(), table.now)
    assert table.peer.activity is Activity.THINKING
    table.peer.command(ResponseCreate(response=ResponseConfig(conversation="none")), table.now)
    table.tell(created("r1"), done("r1"))
    assert table.peer.activity is Activity.IDLE


# ── how long it took ────────────────────────────────────────────────────────────────────────────────────


def test_an_answer_is_timed_from_the_real_end_of_speech_to_the_first_sound_heard() -> None:
    table = Table(Sound.MEDIA, session='{"input":{"turn_detection":{"type":"server_vad"}}}')
    # 1 s of speech, queued behind 100 ms that have not left yet: it ends at 101.1.
    table.peer.speak(np.concatenate([tone(1000), np.zeros(sample_count(500), np.int16)]), 100.0, ahead=2400)
    table.now = 100.4
    table.speech_started()
    table.now = 101.4
    table.speech_stopped()
    table.commit()
    table.begin()
    table.now = 101.5
    table.player("started")
    table.peer.hear(np.zeros(480, np.int16), 101.55)
    table.peer.hear(tone(20), 101.6)
    assert table.peer.turns[-1].answer_ms == pytest.approx(500)


def test_without_own_sound_the_servers_word_is_taken() -> None:
    table = Table(Sound.TEXT, session='{"input":{"turn_detection":{"type":"server_vad"}}}')
    table.speech_started()
    table.speech_stopped()
    table.begin()
    table.wait(0.25)
    table.sound(100)
    assert table.peer.turns[-1].answer_ms == pytest.approx(250)


def test_a_barge_in_is_timed_from_the_users_first_sound_to_the_last_of_the_assistant() -> None:
    table = Table(Sound.MEDIA, session='{"input":{"turn_detection":{"type":"server_vad"}}}')
    table.begin()
    table.player("started")
    for _ in range(20):
        table.wait(0.1)
        table.peer.hear(tone(100), table.now)
    table.peer.speak(tone(1000), table.now)
    began = table.now
    table.wait(0.15)
    table.speech_started("u2")
    table.player("cleared")
    table.peer.hear(tone(50), table.now)
    table.wait(0.05)
    table.peer.hear(np.zeros(sample_count(100), np.int16), table.now)
    assert table.peer.turns[-1].interrupted_at == pytest.approx(began)
    assert table.peer.turns[-1].barge_in_ms == pytest.approx(200)


def test_a_user_who_waits_for_the_end_interrupts_nothing() -> None:
    table = Table(Sound.MEDIA)
    table.begin()
    table.player("started")
    table.end("Yes.")
    table.player("stopped")
    table.wait(5)
    table.speech_started("u2")
    assert table.peer.turns[-1].barge_in_ms is None


def test_a_written_question_is_timed_from_the_request() -> None:
    table = Table(Sound.MEDIA)
    table.peer.command(ResponseCreate(), table.now)
    table.begin()
    table.wait(0.3)
    table.player("started")
    assert table.peer.turns[-1].answer_ms == pytest.approx(300)


def remote(output: str) -> str:
    """A call that the server made; `output` is JSON."""
    return (
        '{"id":"m1","type":"mcp_call","server_label":"s","name":"look","arguments":"{}",'
        f'"output":{output},"error":null}}'
    )


def ended(output: str, status: str = "completed") -> str:
    return f'{{"type":"response.done","response":{{"id":"r1","status":"{status}","output":[{remote(output)}]}}}}'


def asked(errands: list[Errand]) -> int:
    return sum(isinstance(event, ResponseCreate) for event in sent(errands))


def test_after_a_tool_that_the_server_ran_the_answer_is_asked_for_once() -> None:
    table = Table(Sound.MEDIA)
    table.begin()
    table.tell(
        f'{{"type":"response.output_item.done","response_id":"r1","output_index":0,"item":{remote(SEEN)}}}',
    )
    assert table.peer.activity is Activity.THINKING
    assert asked(table.tell(ended(SEEN))) == 1


def test_after_a_tool_that_was_stopped_with_its_response_nothing_is_asked() -> None:
    table = Table(Sound.MEDIA)
    table.begin()
    assert asked(table.tell(ended(SEEN, "cancelled"))) == 0


def test_a_tool_that_ends_after_its_response_is_waited_for() -> None:
    table = Table(Sound.MEDIA)
    table.begin()
    assert asked(table.tell(ended("null"))) == 0
    news = '{"type":"conversation.item.%s","previous_item_id":null,"item":%s}'
    assert asked(table.tell(news % ("added", remote("null")))) == 0
    assert asked(table.tell(news % ("done", remote(SEEN)))) == 1
