"""Our server as `viva serve` runs it, with engines that cost next to nothing and never stop talking.

Every turn of the caller is noticed, written down and kept; every answer is thought in words and spoken sentence by
sentence at the pace of speech, so that both directions carry sound all the time and all that a call costs beside
engines is paid for. With `--detector silero` the real voice detector listens instead of a scripted one.
"""

import argparse
import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from itertools import repeat
from typing import Final, Self

from bench.stand import surface
from bench.stand.voice import PAUSE_S, TALK_S, voice
from vivavoce.answer.job import Engines
from vivavoce.assembly import ServerSettings
from vivavoce.audio.frame import Pcm, sample_count
from vivavoce.cli.serve import server_config
from vivavoce.engine.fake import ScriptedTranscriber, hearing
from vivavoce.engine.interface import (
    Detector,
    DetectorTraits,
    Mark,
    Prompt,
    Report,
    SpeakerTraits,
    Speech,
    ThinkerTraits,
    Thinking,
    Thought,
    Words,
)
from vivavoce.engine.silero import Silero
from vivavoce.gateway.identity import open_keyring
from vivavoce.gateway.settings import Limits
from vivavoce.gateway.settings import Settings as GatewaySettings
from vivavoce.transport.webrtc.settings import OfferedCandidates, WebRtcSettings
from vivavoce.wire.item import AssistantMessage

WORD_MS: Final = 350
"""How long a spoken word is."""
THOUGHT_MS: Final = 340
"""How long a word takes to be thought: a little less, so that an answer never waits for its words."""
SENTENCE: Final = ("There", "is", "always", "something", "more", "to", "tell", "you.")
SENTENCES: Final = 3
HEARD: Final = "This is what somebody said in one breath."

_MANY: Final = 10_000


class Loaded:
    """Entering and leaving an engine that has nothing to load."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        pass


@dataclass(eq=False)
class Ear:
    """One stream of `Rhythm`."""

    report: Report | None
    pushed: int = 0
    reported: int = 0

    def push(self, samples: Pcm) -> None:
        """Report every window that is whole."""
        self.pushed += len(samples)
        while self.report is not None and self.reported + Rhythm.WINDOW <= self.pushed:
            self.reported += Rhythm.WINDOW
            talking = self.reported % Rhythm.ROUND < Rhythm.TALK
            self.report(1.0 if talking else 0.0, self.reported)

    def close(self) -> None:
        """Report no more."""
        self.report = None


class Rhythm(Loaded):
    """A detector that hears talk and pauses as long as the callers' voice has them."""

    WINDOW: Final = 768
    TALK: Final = sample_count(TALK_S * 1000)
    ROUND: Final = sample_count((TALK_S + PAUSE_S) * 1000)

    @property
    def traits(self) -> DetectorTraits:
        """Windows of Silero's length."""
        return DetectorTraits(name="rhythm", window=self.WINDOW)

    def open(self, report: Report) -> Ear:
        """A new stream."""
        return Ear(report)


class Talker(Loaded):
    """A thinker whose words come at the pace of speech; only a first answer begins with a whole sentence at once."""

    @property
    def traits(self) -> ThinkerTraits:
        """Any model."""
        return ThinkerTraits(name="talker")

    async def think(self, prompt: Prompt) -> AsyncGenerator[Thinking, None]:
        """Some sentences."""
        first = not any(isinstance(item, AssistantMessage) for item in prompt.items)
        words = SENTENCE * SENTENCES
        for number, word in enumerate(words):
            # A sentence is known to be whole when the next one begins.
            if not first or number > len(SENTENCE):
                await asyncio.sleep(THOUGHT_MS / 1000)
            yield Words(f" {word}" if number else word)
        yield Thought(output_tokens=len(words))


class Speaker(Loaded):
    """Says every word as the next stretch of the voice that the callers have."""

    def __init__(self) -> None:
        loop = voice()
        # Contiguous stretches of the loop; they meet again at its start.
        count = sample_count(WORD_MS)
        self._stretches = [loop[start : start + count] for start in range(0, len(loop) - count + 1, count)]
        self._said = 0

    @property
    def traits(self) -> SpeakerTraits:
        """One voice, every word timed."""
        return SpeakerTraits(name="voice", voices=("voice",), marks=True)

    async def speak(self, text: str, voice: str, speed: float) -> AsyncGenerator[Speech, None]:
        """A piece of sound for each word."""
        end, spoken = 0, 0
        for word in text.split():
            end = text.index(word, end) + len(word)
            samples = self._stretches[self._said % len(self._stretches)]
            self._said += 1
            spoken += len(samples)
            yield Speech(samples, (Mark(end, spoken),))


def settings() -> ServerSettings:
    """A server that refuses nobody for being many."""
    limits = Limits(
        calls=_MANY, calls_per_identity=_MANY, half_open=_MANY, calls_per_minute=_MANY, secrets_per_minute=_MANY
    )
    return ServerSettings(GatewaySettings(limits=limits), WebRtcSettings(offered_candidates=OfferedCandidates.ALL))


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detector", choices=("scripted", "silero"), default="scripted")
    detector: Detector = Silero() if parser.parse_args().detector == "silero" else Rhythm()
    # One word for every 300 ms of sound, then the whole.
    transcriber = ScriptedTranscriber(repeat(hearing(HEARD, word_ms=300)))
    engines = Engines(detector=detector, transcriber=transcriber, thinker=Talker(), speaker=Speaker())
    chosen = settings()
    keyring = open_keyring(chosen.gateway)
    assert keyring.development is not None
    headers = {"Authorization": f"Bearer {keyring.development.reveal()}"}
    await surface.serve(server_config(chosen, keyring, engines), headers)


if __name__ == "__main__":
    asyncio.run(main())
