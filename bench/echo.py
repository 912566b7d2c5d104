"""Which canceller takes the loudspeaker's echo out of a microphone best: `./dev bench echo`.

Synthetic, so that truth is known: one espeak voice comes out of an overdriven loudspeaker into a small room with
seven reflections, 80 ms late, another talks over it from the twelfth to the eighteenth second and alone afterwards,
and there is faint noise. Each candidate is given both sides, 10 ms at a time, as a client would give them.

Columns: processor time per second of sound; how far the echo went down from second 1 to 3 and from second 8 to 12
(ERLE, down to the noise at most); the share of windows of those last seconds in which Silero hears a voice, though
nobody speaks (an assistant that hears itself stops); how much of the near voice is left while both talk and while it
talks alone, by projection onto it; how late sound comes out. One table for each level of the echo against the near
voice. Candidates that are not installed here are named, with what is missing. What was chosen, and why:
docs/explain/decisions/0012-devices.md.
"""

import argparse
import asyncio
import ctypes
import os
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.cleaner import Processing
from vivavoce.audio.echo import Echo
from vivavoce.audio.frame import RATE_HZ, Pcm, from_bytes, silence, to_bytes
from vivavoce.audio.resampler import Resampler
from vivavoce.engine.espeak import Espeak
from vivavoce.engine.silero import load_network
from vivavoce.engine.silero_network import MEMORY, WINDOW
from vivavoce.engine.silero_network import RATE_HZ as SILERO_HZ
from vivavoce.engine.webrtc_cleaner import WebRtcCleaner

Floats = NDArray[np.float64]
Process = Callable[[Pcm, Pcm], Pcm]
"""10 ms of the microphone and of the loudspeaker to 10 ms of what is sent."""

FAR: Final = (
    "Good morning. The train to the coast leaves at nine from platform four, and there is a seat by the window. "
    "You change at the junction, where the café has fresh bread and strong coffee, and go on along the river. "
    "It takes two hours and ten minutes if nothing goes wrong, and it costs less than you would think. "
    "Shall I reserve the seat now, or would you rather travel in the afternoon, when it is not so full?"
)
NEAR: Final = (
    "Wait, I would rather go tomorrow. Is there another train before noon, and can I take my bicycle along? "
    "Also tell me what the ticket costs for two people, there and back, please."
)
DELAY_MS: Final = 80
TAPS: Final = ((0.0, 0.0), (6.3, -8.0), (13.7, -11.0), (23.1, -13.0), (37.9, -16.0), (61.3, -20.0), (83.2, -25.0))
DRIVE: Final = 2.0
NOISE_DB: Final = -66.0
NEAR_DB: Final = -26.0
TALK, ALONE, END = 12, 18, 24
LEVELS: Final = (-20.0, -10.0, 0.0)


async def _voices() -> tuple[Pcm, Pcm]:
    spoken: list[Pcm] = []
    for voice, text in (("en-us+m3", FAR), ("en-gb-x-rp+f2", NEAR)):
        async with Espeak(voice=voice) as espeak:
            pieces = [piece.samples async for piece in espeak.speak(text, voice, 1.0)]
        spoken.append(np.concatenate(pieces))
    return spoken[0], spoken[1]


def _level(sound: Floats) -> float:
    return float(10 * np.log10(np.mean(np.square(sound)) + 1e-9))


def _scaled(sound: Pcm, to_db: float) -> Floats:
    wide = sound.astype(np.float64)
    loud = wide[np.abs(wide) > 200]
    return wide * 32_768 * 10 ** (to_db / 20) / np.sqrt(np.mean(np.square(loud)))


def _tiled(sound: Floats, start_s: float, end_s: float) -> Floats:
    line = np.zeros(END * RATE_HZ)
    start, end = int(start_s * RATE_HZ), int(end_s * RATE_HZ)
    line[start:end] = np.resize(sound, end - start)
    return line


def _room(far: Floats) -> Floats:
    driven = np.tanh(far / 32_768 * DRIVE) / DRIVE * 32_768
    heard = np.zeros(len(far))
    for ms, db in TAPS:
        late = int((DELAY_MS + ms) * RATE_HZ / 1000)
        heard[late:] += 10 ** (db / 20) * driven[: len(driven) - late]
    return heard


def _int16(sound: Floats) -> Pcm:
    return np.rint(sound).clip(-32_768, 32_767).astype(np.int16)


# ── candidates ──────────────────────────────────────────────────────────────────────────────────────────


def _nothing() -> Process:
    return lambda near, _: near


def _ours() -> Process:
    echo = Echo()
    waiting = silence(RATE_HZ // 50)  # it holds back up to 20 ms

    def process(near: Pcm, far: Pcm) -> Pcm:
        nonlocal waiting
        waiting = np.concatenate((waiting, echo.push(near, far)))
        out, waiting = waiting[: len(near)], waiting[len(near) :]
        return out

    return process


def _pywebrtc(rate_hz: int, **features: bool | int) -> Process:
    apm = import_module("pywebrtc_audio").AudioProcessor(
        sample_rate=rate_hz, echo_cancellation=True, stream_delay_ms=DELAY_MS, **features
    )
    return _at(rate_hz, apm.process)


def _livekit(**features: bool) -> Process:
    rtc = import_module("livekit.rtc")
    apm = rtc.AudioProcessingModule(echo_cancellation=True, **features)

    def process(near: Pcm, far: Pcm) -> Pcm:
        played = rtc.AudioFrame(bytearray(to_bytes(far)), RATE_HZ, 1, len(far))
        heard = rtc.AudioFrame(bytearray(to_bytes(near)), RATE_HZ, 1, len(near))
        apm.process_reverse_stream(played)
        apm.set_stream_delay_ms(DELAY_MS)
        apm.process_stream(heard)
        return from_bytes(bytes(heard.data))

    return process


def _speex() -> Process:
    """pyaec: Speex's canceller and preprocessor. Its wrapper copies sample by sample, so its library is called here."""
    pyaec = import_module("pyaec")
    handle: Any = pyaec.Aec(160, 1600, 16_000, True)
    pointer = ctypes.POINTER(ctypes.c_int16)

    def process(near: Pcm, far: Pcm) -> Pcm:
        out = np.empty(len(near), np.int16)
        near, far = np.ascontiguousarray(near), np.ascontiguousarray(far)
        sides = [each.ctypes.data_as(pointer) for each in (near, far, out)]
        pyaec.lib.AecCancelEcho(handle._aec, *sides, len(near))
        return out

    return _at(16_000, process)


def _at(rate_hz: int, process: Process) -> Process:
    """Run something at another rate than ours."""
    if rate_hz == RATE_HZ:
        return process
    ways = [Resampler(RATE_HZ, rate_hz), Resampler(RATE_HZ, rate_hz), Resampler(rate_hz, RATE_HZ)]
    held = [silence(0), silence(0)]
    frame = rate_hz // 100
    waiting = silence(RATE_HZ // 50)

    def turned(near: Pcm, far: Pcm) -> Pcm:
        nonlocal waiting
        for side, samples in enumerate((near, far)):
            held[side] = np.concatenate((held[side], ways[side].push(samples)))
        while min(map(len, held)) >= frame:
            done = process(held[0][:frame], held[1][:frame])
            held[:] = [side[frame:] for side in held]
            waiting = np.concatenate((waiting, ways[2].push(done)))
        out, waiting = waiting[: len(near)], waiting[len(near) :]
        return np.pad(out, (len(near) - len(out), 0))

    return turned


CANDIDATES: Final[dict[str, Callable[[], Process]]] = {
    "none": _nothing,
    "bands, as the server does": _ours,
    "pyaec (Speex), 16 kHz": _speex,
    "livekit AEC3, 24 kHz": _livekit,
    "livekit AEC3+NS+AGC, 24 kHz": lambda: _livekit(noise_suppression=True, auto_gain_control=True),
    "pywebrtc AEC3, 16 kHz": lambda: _pywebrtc(16_000),
    "pywebrtc AEC3, 24 kHz": lambda: _pywebrtc(24_000),
    "ours: pywebrtc AEC3+NS": lambda: WebRtcCleaner(Processing(gain_control=False), DELAY_MS).process,
    "ours: pywebrtc AEC3+NS+AGC": lambda: WebRtcCleaner(Processing(), DELAY_MS).process,
}


# ── measuring ───────────────────────────────────────────────────────────────────────────────────────────


def _run(process: Process, mic: Pcm, far: Pcm) -> tuple[Floats, float]:
    """What comes out, and milliseconds of processor time for each second of it."""
    step = RATE_HZ // 100
    before = sum(os.times()[:2])
    out = [process(mic[at : at + step], far[at : at + step]) for at in range(0, len(mic), step)]
    spent_ms = (sum(os.times()[:2]) - before) * 1000
    return np.concatenate(out).astype(np.float64), spent_ms / END


def _lag(out: Floats, near: Floats) -> int:
    """How much later the near voice comes out, in samples, where it talks alone."""
    part = slice((ALONE + 1) * RATE_HZ, (END - 1) * RATE_HZ)
    size = 1 << (2 * (part.stop - part.start)).bit_length()
    both = np.fft.irfft(np.fft.rfft(out[part], size) * np.conj(np.fft.rfft(near[part], size)), size)
    return int(np.argmax(both[: RATE_HZ // 10]))


def _kept(out: Floats, near: Floats, lag: int, start_s: float, end_s: float) -> float:
    """What is left of the near voice, in decibels."""
    start, end = int(start_s * RATE_HZ), int(end_s * RATE_HZ)
    ours, theirs = near[start : end - lag], out[start + lag : end]
    return float(20 * np.log10(max(1e-6, np.dot(theirs, ours) / np.dot(ours, ours))))


def _voiced(out: Floats) -> float:
    """Share of Silero's windows, over the last seconds of echo alone, in which it hears a voice."""
    network = load_network()
    sound = Resampler(RATE_HZ, SILERO_HZ).push(_int16(out[8 * RATE_HZ : TALK * RATE_HZ]))
    memory = np.zeros((1, MEMORY), np.float32)
    voiced: list[bool] = []
    for at in range(0, len(sound) - WINDOW, WINDOW):
        window = sound[np.newaxis, at : at + WINDOW].astype(np.float32) / np.float32(32_768)
        probability, memory = network.step(window, memory)
        voiced.append(bool(probability[0] >= 0.5))
    return sum(voiced) / len(voiced)


def _row(name: str, process: Process, echo: Floats, near: Floats, far: Floats) -> str:
    noise = np.random.default_rng(7).normal(0, 32_768 * 10 ** (NOISE_DB / 20), len(near))
    mic = _int16(echo + near + noise)
    out, cpu_ms = _run(process, mic, _int16(far))
    lag = _lag(out, near)

    def gone(start_s: int, end_s: int) -> float:
        part = slice(start_s * RATE_HZ, end_s * RATE_HZ)
        return _level(mic[part].astype(np.float64)) - _level(out[part])

    figures = (
        f"{cpu_ms:8.1f}{gone(1, 3):9.0f}{gone(8, TALK):9.0f}{_voiced(out):9.0%}"
        f"{_kept(out, near, lag, TALK + 0.5, ALONE):10.1f}{_kept(out, near, lag, ALONE + 1, END - 1):8.1f}"
    )
    return f"{name:<32}{figures}{lag * 1000 / RATE_HZ:9.1f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="./dev bench echo", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", default="", metavar="WORD", help="candidates with this word in their name")
    only = parser.parse_args().only
    far_voice, near_voice = asyncio.run(_voices())
    far = _tiled(_scaled(far_voice, -16.0), 0.5, ALONE)
    near = _tiled(_scaled(near_voice, NEAR_DB), TALK, END)
    reflected = _room(far)
    for level in LEVELS:
        echo = reflected * 10 ** ((NEAR_DB + level - _level_of_speech(reflected)) / 20)
        print(f"\necho {level:+.0f} dB against the near voice")
        print(f"{'':32}{'CPU':>8}{'ERLE':>9}{'ERLE':>9}{'taken':>9}{'kept':>10}{'kept':>8}{'later':>9}")
        print(f"{'':32}{'ms/s':>8}{'1-3 s':>9}{'8-12 s':>9}{'for voice':>10}{'double':>9}{'alone':>8}{'ms':>9}")
        for name, make in CANDIDATES.items():
            if only in name:
                try:
                    process = make()
                except ImportError as error:
                    print(f"{name:<32}not here: {error}")
                else:
                    print(_row(name, process, echo, near, far), flush=True)


def _level_of_speech(sound: Floats) -> float:
    """Of full scale, where there is any."""
    return _level(sound[np.abs(sound) > 200]) - 20 * np.log10(32_768)


if __name__ == "__main__":
    main()
