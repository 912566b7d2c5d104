"""What is done to a microphone's sound before anybody hears it."""

from dataclasses import dataclass
from typing import Protocol

from vivavoce.audio.frame import Pcm, sample_count

FRAME = sample_count(10)


@dataclass(frozen=True)
class Processing:
    """What is to be done.

    Attributes:
        echo_cancellation: take out what the loudspeaker plays. While both sides talk it also takes something off the
            near voice: whoever wears headphones does better without.
        noise_suppression: take out what goes on all the time, a fan for instance.
        gain_control: make everybody about equally loud.
    """

    echo_cancellation: bool = True
    noise_suppression: bool = True
    gain_control: bool = True


class Cleaner(Protocol):
    """Does it to one microphone. It remembers, and is used from one thread at a time."""

    def process(self, heard: Pcm, played: Pcm) -> Pcm:
        """As many samples as given, a multiple of `FRAME`, a few milliseconds late.

        Args:
            heard: by the microphone.
            played: what the loudspeaker plays, from a little later on: an echo comes after its sound.
        """
        ...
