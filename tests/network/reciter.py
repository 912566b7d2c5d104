"""Somebody who gives a recording to a call, all at once, and asks the server in the end what it has heard of it.

    python -m tests.network.reciter BASE_URL

Each quarter of a second of the recording is a tone of its own. As lines of JSON: `{"connected": true}`, then
`{"seconds": …, "sessions": …, "complete": …}`: for how long the server has heard each tone, in the order in which they
came, and what `restored` said. The key is in the environment.
"""

import asyncio
import json
import sys
from base64 import b64decode
from contextlib import suppress
from itertools import groupby
from typing import Final

import numpy as np

import vivavoce
from vivavoce.audio.format import Decoder
from vivavoce.audio.frame import RATE_HZ, Pcm, sample_count
from vivavoce.client.state import Connected, State
from vivavoce.wire.event import ConversationItemRetrieved, InputAudioBufferCommitted
from vivavoce.wire.item import InputAudio, UserMessage

TONES: Final = 12
TONE_S: Final = 0.25
LOWEST_HZ: Final = 400
APART_HZ: Final = 200
LOUD: Final = 1000
# In linear samples it would be too long to be retrieved over WebRTC.
BY_HAND: Final = {"type": "realtime", "audio": {"input": {"format": {"type": "audio/pcmu"}, "turn_detection": None}}}


def recording() -> Pcm:
    """One tone after another."""
    time = np.arange(round(TONE_S * RATE_HZ)) / RATE_HZ
    tones = [np.sin(2 * np.pi * (LOWEST_HZ + APART_HZ * number) * time) for number in range(TONES)]
    return (8000 * np.concatenate(tones)).astype(np.int16)


def heard(samples: Pcm) -> list[tuple[int, float]]:
    """Which tones these are, and for how many seconds each sounds in all, in the order in which they begin."""
    frame = sample_count(20)
    frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
    loud = frames[np.abs(frames).max(axis=1, initial=0) > LOUD]
    peaks = np.abs(np.fft.rfft(loud, axis=1)).argmax(axis=1) * (RATE_HZ / frame)
    tones = [round((peak - LOWEST_HZ) / APART_HZ) for peak in peaks]
    runs = [(tone, len(list(run)) * frame / RATE_HZ) for tone, run in groupby(tones)]
    return [(tone, round(seconds, 2)) for tone, seconds in runs]


async def ask(call: vivavoce.Call) -> Pcm:
    """What the server has heard."""
    await call.input_audio_buffer.commit()
    async for event in call:
        match event:
            case InputAudioBufferCommitted():
                await call.conversation.item.retrieve(item_id=event.item_id)
            case ConversationItemRetrieved(item=UserMessage(content=[InputAudio(audio=str(audio))])):
                return Decoder("audio/pcmu").decode(b64decode(audio))
            case _:
                pass
    raise AssertionError("the call has ended")


def say(**fields: object) -> None:
    """One line."""
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


async def main(base_url: str) -> None:
    """Give it, wait until it has been said, and ask."""
    states: list[State] = []
    connecting = vivavoce.connect(base_url=base_url, transport="webrtc", session=BY_HAND, on_state=states.append)
    async with connecting as call:
        await call.send_audio(recording())
        say(connected=True)
        await call.until(lambda call: call.unsent_ms == 0 and isinstance(call.state, Connected))
        with suppress(TimeoutError):  # what has left is still under way
            await call.until(lambda _: False, timeout_s=0.3)
        seconds = heard(await ask(call))
        restored = [state.restored for state in states if isinstance(state, Connected) and state.restored is not None]
        say(
            seconds=seconds,
            sessions=[each.session.value for each in restored],
            complete=all(each.complete for each in restored),
        )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
