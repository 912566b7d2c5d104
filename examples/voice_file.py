"""Say a WAV file in a WebRTC call, and write the spoken answer into another.

    OPENAI_BASE_URL=http://127.0.0.1:8765/v1 OPENAI_API_KEY=… python examples/voice_file.py question.wav reply.wav

The question is 16-bit mono at 24 kHz, as `./dev demo` leaves one in reply.wav.
"""

import asyncio
import sys
import wave

import vivavoce
from vivavoce import Activity, Call, Role

SESSION = {"type": "realtime", "audio": {"input": {"transcription": {"model": "gpt-4o-mini-transcribe"}}}}


def is_answered(call: Call) -> bool:
    """Whether the assistant has said something and is not saying more."""
    return call.activity is Activity.IDLE and any(caption.role is Role.ASSISTANT for caption in call.transcript)


async def record(call: Call, path: str) -> None:
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        async for samples in call.audio():
            file.writeframes(samples.tobytes())


async def main(question: str, reply: str) -> None:
    with wave.open(question, "rb") as file:
        if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (1, 2, 24_000):
            sys.exit(f"{question} is {file.getparams()}; expected 16-bit mono at 24 kHz.")
        samples = file.readframes(file.getnframes())
    async with vivavoce.connect(session=SESSION) as call, asyncio.TaskGroup() as tasks:
        recording = tasks.create_task(record(call, reply))
        await call.send_audio(samples)
        await call.until(is_answered, timeout_s=60)
        recording.cancel()
        for caption in call.transcript:
            print(f"{caption.role.value}: {caption.text}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} QUESTION.wav REPLY.wav")
    asyncio.run(main(*sys.argv[1:]))
