"""How sure the transcriber is, from an engine to a program of the `openai` package."""

from openai.types.realtime import (
    ConversationItemInputAudioTranscriptionCompletedEvent,
    ConversationItemInputAudioTranscriptionDeltaEvent,
    SessionUpdatedEvent,
)

from tests.system.listener import Listener
from tests.system.sdk import MODEL, sdk
from tests.viva import engines, scripted_server
from vivavoce.audio.frame import sample_count, silence
from vivavoce.engine.fake import Hear
from vivavoce.engine.interface import Final, Partial
from vivavoce.wire.config import LogProb

SURE = LogProb(token="yes", logprob=-0.01, bytes=[121, 101, 115])


async def test_what_an_engine_knows_reaches_who_asked_for_it() -> None:
    script = engines(heard=[[Hear(), Partial("yes", (SURE,)), Final("yes", logprobs=(SURE,))]])
    async with scripted_server(script) as viva, sdk(viva).realtime.connect(model=MODEL) as connection:
        heard = Listener(connection)
        await connection.session.update(
            session={
                "type": "realtime",
                "include": ["item.input_audio_transcription.logprobs"],
                "audio": {"input": {"turn_detection": None, "transcription": {"model": "gpt-4o-transcribe"}}},
            }
        )
        assert (await heard.until(SessionUpdatedEvent)).session.include is not None
        await heard.say(silence(sample_count(500)))
        await connection.input_audio_buffer.commit()
        completed = await heard.until(ConversationItemInputAudioTranscriptionCompletedEvent)
        delta = heard.last(ConversationItemInputAudioTranscriptionDeltaEvent)
        for told in (delta.logprobs, completed.logprobs):
            assert told is not None
            assert [(each.token, each.logprob, each.bytes) for each in told] == [("yes", -0.01, [121, 101, 115])]
