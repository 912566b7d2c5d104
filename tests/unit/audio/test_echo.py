"""An echo is found, told from a voice, and taken out, and every sample stays in its place."""

from typing import Final

import numpy as np
import pytest

from vivavoce.audio.echo import LONGEST, Echo
from vivavoce.audio.frame import Pcm, sample_count, silence
from vivavoce.audio.meter import measure

STEP: Final = sample_count(20)


def babble(seconds: float, seed: int, level: float = 3000.0) -> Pcm:
    """Something that moves like speech: syllables of noise, each in bands of its own."""
    random = np.random.default_rng(seed)
    syllables: list[Pcm] = []
    while sum(map(len, syllables)) < seconds * 24_000:
        count = sample_count(random.uniform(60, 200))
        spectrum = np.fft.rfft(random.normal(0, 1, count))
        hz = np.fft.rfftfreq(count, 1 / 24_000)
        shape = sum(np.exp(-(((hz - centre) / 250) ** 2)) for centre in random.uniform(200, 4000, 3))
        sound = np.fft.irfft(spectrum * shape, count) * np.hanning(count)
        syllables.append(np.rint(sound / np.std(sound) * level).clip(-32_768, 32_767).astype(np.int16))
        syllables.append(silence(sample_count(random.uniform(0, 120))))
    return np.concatenate(syllables)[: int(seconds * 24_000)]


def late(sound: Pcm, ms: float, gain: float) -> Pcm:
    return np.rint(np.concatenate((silence(sample_count(ms)), sound))[: len(sound)] * gain).astype(np.int16)


def hum(samples: int) -> Pcm:
    return np.rint(np.random.default_rng(99).normal(0, 10, samples)).astype(np.int16)


def through(echo: Echo, heard: Pcm, played: Pcm | None, step: int = STEP) -> Pcm:
    return np.concatenate(
        [
            echo.push(heard[at : at + step], None if played is None else played[at : at + step])
            for at in range(0, len(heard), step)
        ]
    )


def share(echo: Echo, start_s: float, end_s: float) -> float:
    """How much of a stretch is said to be echo."""
    places = range(int(start_s * 24_000), int(end_s * 24_000), 768)
    return sum(echo.explains(place, place + 768) for place in places) / len(places)


@pytest.mark.parametrize(("delay_ms", "gain"), [(60, 1.0), (150, 0.5), (300, 0.25), (700, 0.5)])
def test_an_echo_alone_is_explained_from_its_beginning(delay_ms: float, gain: float) -> None:
    played = babble(5, seed=1)
    echo = Echo()
    through(echo, late(played, delay_ms, gain) + hum(len(played)), played)
    assert share(echo, 0, 4.9) == 1.0
    assert echo.lag_ms is not None
    assert abs(echo.lag_ms - delay_ms) <= 20


def test_an_echo_that_was_found_comes_out_weaker() -> None:
    played = babble(5, seed=1)
    heard = late(played, 120, 0.7) + hum(len(played))
    clean = through(Echo(), heard, played)
    second = slice(3 * 24_000, 4 * 24_000)
    assert measure(clean[second]).rms_db < measure(heard[second]).rms_db - 5


@pytest.mark.parametrize("gain", [0.0, 0.5, 1.0])
def test_a_voice_over_the_echo_is_not_explained(gain: float) -> None:
    played, voice = babble(6, seed=1), babble(2, seed=2)
    heard = late(played, 120, gain) + hum(len(played))
    heard[3 * 24_000 : 5 * 24_000] += voice
    echo = Echo()
    through(echo, heard, played)
    assert share(echo, 0, 2.9) == 1.0
    assert share(echo, 3.3, 5) < 0.2


def test_a_voice_over_the_echo_comes_out_about_as_loud_as_it_is() -> None:
    played, voice = babble(6, seed=1), babble(2, seed=2)
    heard = late(played, 120, 0.3) + hum(len(played))
    heard[3 * 24_000 : 5 * 24_000] += voice
    clean = through(Echo(), heard, played)
    spoken = slice(3 * 24_000, 5 * 24_000)
    assert abs(measure(clean[spoken]).rms_db - measure(voice).rms_db) < 1.5


def test_while_nothing_is_played_sound_goes_through_as_it_is() -> None:
    heard, echo = babble(1, seed=3), Echo()
    np.testing.assert_array_equal(through(echo, heard, None), heard)
    assert share(echo, 0, 1) == 0.0


@pytest.mark.parametrize("step", [7, 480, 777, 4800])
def test_no_sample_is_lost_or_moved_whenever_the_loudspeaker_begins_and_ends(step: int) -> None:
    heard, echo, random = babble(0.7, seed=3), Echo(), np.random.default_rng(step)
    out: list[Pcm] = []
    at, plays = 0, False
    while at < len(heard):
        for _ in range(random.integers(1, 40)):
            piece = heard[at : at + step]
            out.append(echo.push(piece, silence(len(piece)) if plays else None))
            at += len(piece)
            assert at - sum(map(len, out)) < sample_count(20)
        plays = not plays
        if random.random() < 0.3:
            out.append(echo.release())
            assert sum(map(len, out)) == at
    out.append(echo.release())
    # Nothing was played, so nothing may have been changed, but for rounding.
    assert int(np.abs(np.concatenate(out).astype(int) - heard).max()) <= 1


def test_the_longest_echo_is_most_of_a_second() -> None:
    assert sample_count(800) == LONGEST


def test_a_tone_that_goes_on_beside_a_silent_microphone_explains_nothing() -> None:
    tone = np.rint(8000 * np.sin(np.arange(20 * 24_000) * 0.115)).astype(np.int16)
    echo = Echo()
    came = np.concatenate((through(echo, silence(len(tone)), tone), echo.release()))
    assert np.array_equal(came, silence(len(tone)))


def test_whoever_begins_to_speak_as_the_assistant_did_is_heard_where_quiet_has_shown_that_there_is_no_echo() -> None:
    played = babble(6, seed=1)
    heard = hum(len(played))
    heard[3 * 24_000 :] += late(played, 200, 0.7)[3 * 24_000 :]
    echo = Echo()
    through(echo, heard, played)
    assert share(echo, 0, 2.9) == 1.0
    assert share(echo, 3.1, 3.3) == 0.0
    # But it goes on as an echo would: somebody has put down the headphones.
    assert share(echo, 5, 5.9) == 1.0


def test_quiet_under_a_whisper_shows_nothing() -> None:
    played = babble(6, seed=1)
    played[: 3 * 24_000] //= 100
    heard = late(played, 200, 0.25) + hum(len(played))
    echo = Echo()
    through(echo, heard, played)
    assert share(echo, 0, 5.9) == 1.0
