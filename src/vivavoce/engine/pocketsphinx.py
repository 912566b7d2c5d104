"""Writes down English with pocketsphinx, in child processes, while it is being said.

It understands clean, plainly spoken English and little else; it is there so that everything runs without a
download. A job holds a child only while it has sound for it, and long sound is cut at pauses into stretches, between
which others get their turn. Facts and figures: docs/explain/decisions/0004-embedded-speech.md.
"""

import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from importlib.util import find_spec
from typing import Final, Self

import msgspec
import numpy as np

from vivavoce.audio.frame import RATE_HZ, Pcm, to_bytes
from vivavoce.audio.resampler import Resampler
from vivavoce.clock import Clock
from vivavoce.engine.agreement import FRAMES_PER_S, Agreement, Heard
from vivavoce.engine.child import Child, Talk
from vivavoce.engine.interface import Draft, Partial, TranscriberTraits, Transcribing
from vivavoce.engine.interface import Final as FinalText
from vivavoce.engine.pipe import Kind
from vivavoce.engine.pool import IDLE_S, Pool
from vivavoce.errors import ConfigError, EngineError, Fault, Never
from vivavoce.wire.config import Transcription

WORKER: Final = "vivavoce.engine.pocketsphinx_worker"
DECODER_HZ: Final = 16_000
LOAD_S: Final = 30.0
PATIENCE_S: Final = 30.0
"""An answer takes 25 ms, on a starved machine seconds; a child that needs this long hangs."""
WAITING: Final = 32
_LOOK: Final = DECODER_HZ // 10
_PAUSE_FRAMES: Final = 40
STRETCH_S: Final = 15.0
"""Sound is cut at the first pause after so long, and after twice as long wherever it is."""


class Pocketsphinx:
    """The transcriber."""

    traits = TranscriberTraits(name="pocketsphinx", partials=True, languages=("en",))

    def __init__(
        self,
        *,
        processes: int | None = None,
        waiting: int = WAITING,
        patience_s: float = PATIENCE_S,
        idle_s: float = IDLE_S,
        stretch_s: float = STRETCH_S,
    ) -> None:
        """Not loaded yet.

        Args:
            processes: how many children at most, 140 MB each; one per processor up to four when None.
            waiting: how many utterances may wait for a child.
            patience_s: after so long without an answer a child is killed.
            idle_s: so long an utterance may keep a child without sound for it while others wait.
            stretch_s: after so long an utterance lets go of its child at the next pause.
        """
        self._patience_s = patience_s
        self._stretch_frames = int(stretch_s * FRAMES_PER_S)
        size = processes or min(4, os.cpu_count() or 1)
        self._pool = Pool("pocketsphinx", _spawn, size=size, waiting=waiting, idle_s=idle_s)

    @property
    def pids(self) -> tuple[int, ...]:
        """The process ids of its living children."""
        return tuple(child.pid for child in self._pool.children)

    async def __aenter__(self) -> Self:
        """Start the first child.

        Raises:
            EngineError: pocketsphinx is not installed or cannot be loaded.
        """
        if find_spec("pocketsphinx") is None:
            raise EngineError(
                "pocketsphinx is not installed; it has no wheel for this platform or Python, so build it with "
                "`pip install pocketsphinx` and a C compiler, or choose another transcriber",
                next=Never(),
            )
        await self._pool.open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """End the children."""
        await self._pool.close()

    async def transcribe(
        self, sound: AsyncIterator[Pcm], wish: Transcription | None
    ) -> AsyncGenerator[Transcribing, None]:
        """Words as they become certain, what is to be made of the rest, then all of them.

        Of the wish only the language matters.

        Raises:
            EngineError: another language was asked for, the queue is full, or a child failed, hung or died.
        """
        _check_language(wish)
        source = _Source(sound)
        text, looked = "", 0
        look = await source.next()
        while look is not None:
            async with self._pool.seat(_end) as seat:
                stretch, before = _Stretch(seat.talk, self._patience_s, self._stretch_frames), text
                while look is not None and not seat.lost and not stretch.full:
                    seat.work()
                    if words := await stretch.hear(look):
                        delta = _joined(text, words)
                        text += delta
                        yield Partial(delta)
                    looked += len(look)
                    if stretch.words:
                        yield Draft(before + _joined(before, stretch.words), looked * RATE_HZ // DECODER_HZ)
                    seat.rest()
                    look = await source.next()
                seat.work()
                words = await stretch.finish(asked=seat.lost)
            if words:
                delta = _joined(text, words)
                text += delta
                yield Partial(delta)
        yield FinalText(text)


class _Source:
    """A call's sound, at the decoder's rate and in pieces worth a look each."""

    def __init__(self, sound: AsyncIterator[Pcm]) -> None:
        self._sound = sound
        self._resampler = Resampler(RATE_HZ, DECODER_HZ)
        self._held = np.zeros(0, np.int16)
        self._over = False

    async def next(self) -> Pcm | None:
        """About 100 ms, less at the end, then None."""
        while not self._over and len(self._held) < _LOOK:
            try:
                more = self._resampler.push(await anext(self._sound))
            except StopAsyncIteration:
                self._over = True
                more = self._resampler.flush()
            self._held = np.concatenate((self._held, more))
        # Of sound that has piled up, no more than a second at once, so that a cancel is never far away.
        piece, self._held = self._held[: 10 * _LOOK], self._held[10 * _LOOK :]
        return piece if len(piece) else None


class _Stretch:
    """Sound that a child decodes in one go."""

    def __init__(self, talk: Talk, patience_s: float, frames: int) -> None:
        self._frames = frames
        self._talk = talk
        self._patience_s = patience_s
        self._agreement = Agreement()
        self._samples = 0
        self._last_word = 0
        self.words: list[str] = []
        """What it is taken for now."""
        talk.send(Kind.BEGIN)

    @property
    def full(self) -> bool:
        """Long enough, and in a pause if there is one."""
        now = self._now()
        return now >= 2 * self._frames or (now >= self._frames and now - self._last_word >= _PAUSE_FRAMES)

    async def hear(self, samples: Pcm) -> list[str]:
        """Words that are certain by now, after those before."""
        self._samples += len(samples)
        self._talk.send(Kind.SOUND, to_bytes(samples))
        words = await self._words()
        self.words = [word.word for word in words]
        if words:
            self._last_word = words[-1].last
        return self._agreement.look(words, self._now())

    async def finish(self, *, asked: bool) -> list[str]:
        """The rest of the words. `asked`: the child has been told to end already."""
        if not asked:
            _end(self._talk)
        return self._agreement.finish(await self._words())

    def _now(self) -> int:
        return self._samples * FRAMES_PER_S // DECODER_HZ

    async def _words(self) -> list[Heard]:
        frame = await self._talk.receive(self._patience_s)
        try:
            return [Heard(*word) for word in msgspec.json.decode(frame.body, type=list[tuple[str, int, int]])]
        except msgspec.MsgspecError as error:
            raise EngineError(f"the pocketsphinx process wrote no words: {error}") from error


def _end(talk: Talk) -> None:
    talk.send(Kind.END)


def _joined(text: str, words: list[str]) -> str:
    return " " * bool(text) + " ".join(words)


def _check_language(wish: Transcription | None) -> None:
    if wish is None:
        return
    languages = wish.languages if isinstance(wish.languages, list) else []
    if isinstance(wish.language, str):
        languages = [wish.language]
    if languages and not any(language.lower().startswith("en") for language in languages):
        raise EngineError(
            f"pocketsphinx understands English only, not {', '.join(languages)}; choose another transcriber",
            fault=Fault.CALLER,
            next=Never(),
        )


async def _spawn() -> Child:
    return await Child.spawn("pocketsphinx", WORKER, patience_s=LOAD_S)


def open_transcriber(options: Mapping[str, str], clock: Clock) -> Pocketsphinx:
    """The engine `pocketsphinx`.

    Options: `processes`, how many children at most (140 MB each; one per processor up to four); `waiting`, how many
    utterances may wait for one (32).

    Raises:
        ConfigError: an unknown option, or one that is no number above 0.
    """
    if unknown := sorted(set(options) - {"processes", "waiting"}):
        raise ConfigError(f"pocketsphinx has no option {unknown[0]!r}; it has processes and waiting")
    for name, value in options.items():
        if not value.isdecimal() or int(value) < 1:
            raise ConfigError(f"the option {name!r} of pocketsphinx must be a number above 0")
    processes = options.get("processes")
    return Pocketsphinx(
        processes=int(processes) if processes else None, waiting=int(options.get("waiting", str(WAITING)))
    )
