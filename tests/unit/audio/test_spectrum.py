"""Spectra that nobody has touched are the sound that they were cut from."""

import numpy as np

from vivavoce.audio.frame import RATE_HZ
from vivavoce.audio.spectrum import BANDS, HOP, SIZE, Overlap, pcm, powers, spectra, weighted


def noise(hops: int) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    return np.random.default_rng(1).normal(0, 3000, hops * HOP).astype(np.float32)


def test_there_and_back_nothing_is_lost() -> None:
    sound = noise(20)
    overlap = Overlap()
    given = [overlap.add(spectra(sound[at * HOP : (at + 4) * HOP])) for at in range(0, 18, 3)]
    out = np.concatenate((*given, overlap.end(sound[18 * HOP :])))
    # The first frame only leads in.
    assert len(out) == 19 * HOP
    assert int(np.abs(pcm(out).astype(int) - pcm(sound[HOP:])).max()) <= 1


def test_what_leaves_at_once_goes_through_as_it_is() -> None:
    sound = noise(1)
    np.testing.assert_array_equal(Overlap().end(np.concatenate((np.zeros(HOP, np.float32), sound))), sound)


def test_a_tone_is_strong_in_its_own_band_alone() -> None:
    time = np.arange(SIZE) / RATE_HZ
    strengths = powers(spectra((10_000 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32)))[0]
    assert strengths.shape == (BANDS,)
    best = int(strengths.argmax())
    assert strengths[best] > 100 * np.delete(strengths, [best - 1, best, best + 1]).max()


def test_gains_weaken_what_they_are_for() -> None:
    frames = spectra(noise(2))
    np.testing.assert_allclose(powers(weighted(frames, np.full((1, BANDS), 0.5, np.float32))), powers(frames) / 4, 1e-4)
