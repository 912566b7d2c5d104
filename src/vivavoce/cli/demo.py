"""Two scripted callers, one after the other, call an agent on this computer over real WebRTC.

The first asks a question; what it hears is written to a WAV file, in which speech must be found. The second asks for a
long answer and interrupts it; its history must end at the words that it has heard. Nothing is downloaded, no key and
no model is needed.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vivavoce.assembly import open_detector
from vivavoce.audio.frame import RATE_HZ, Pcm, sample_count, silence
from vivavoce.audio.meter import measure
from vivavoce.cli.embedded import embedded
from vivavoce.cli.exit_code import ExitCode, Unanswered
from vivavoce.cli.report import Line, lines
from vivavoce.cli.talk import TRANSCRIPTION, at, end_on_sigterm, folder_exists, loudspeaker, read_steps
from vivavoce.cli.terminal import Ink, Terminal
from vivavoce.cli.visit import Conduct, Place, Visit
from vivavoce.cli.wav import read_wav
from vivavoce.client.call import Call
from vivavoce.client.player import Player
from vivavoce.errors import EngineError, Fault, Never
from vivavoce.session.timing import Turn

QUESTION = "what is twelve times seven"
LONG_QUESTION = "count from one to fifty"
LAST_WORD = "fifty"
INTERRUPTION = "stop please"
INTERRUPT_AFTER_S = "3"
SPEECH_S = 0.5
"""So much speech at least must be in the reply."""
LISTEN_S = 30.0


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--out", default="reply.wav", metavar="WAV", help="what was heard (default: %(default)s)")
    parser.add_argument("--transport", choices=("webrtc", "websocket"), default="webrtc", help="default: %(default)s")
    parser.add_argument("--silent", action="store_true", help="do not use a loudspeaker")


def run(options: argparse.Namespace) -> int:
    """Both calls; the exit code.

    Raises:
        VivaError: something did not happen as it should.
    """
    folder_exists(options.out)
    asyncio.run(_demo(options))
    return ExitCode.DONE


async def _demo(options: argparse.Namespace) -> None:
    terminal = Terminal(sys.stdout)
    end_on_sigterm()
    asking = await read_steps([("--say", QUESTION)])
    cutting = await read_steps([("--say", LONG_QUESTION), ("--interrupt-after", INTERRUPT_AFTER_S, INTERRUPTION)])
    session = {"audio": {"input": {"transcription": {"model": TRANSCRIPTION}}}}
    place = Place(None, None, None, options.transport, session)
    terminal.line(f"viva demo · two callers, one agent, all on this computer · {options.transport}")
    terminal.line("  … loading its engines", Ink.QUIET)
    async with embedded() as server:
        place = at(place, server)
        terminal.line()
        terminal.line(f"First caller: asks “{QUESTION}?”")
        conduct = Conduct(asking, player=_player(options), out=options.out)
        call = await _visit(terminal, place, conduct)
        reply = await asyncio.to_thread(read_wav, options.out)
        found = await check_answer(lines(call), call.timings.turns, reply)
        terminal.row("checked", f"{options.out}: {found}", Ink.ASSISTANT)
        terminal.line()
        terminal.line(f"Second caller: says “{LONG_QUESTION}”, and after {INTERRUPT_AFTER_S} s “{INTERRUPTION}”")
        conduct = replace(conduct, steps=cutting, out=None, player=_player(options))
        call = await _visit(terminal, place, conduct)
        terminal.row("checked", check_interruption(lines(call), call.timings.turns), Ink.ASSISTANT)
    terminal.line()
    terminal.line(f"All of it happened. What the first caller heard is in {options.out}", Ink.ASSISTANT)


def _player(options: argparse.Namespace) -> Player | None:
    return None if options.silent else loudspeaker()


async def _visit(terminal: Terminal, place: Place, conduct: Conduct) -> Call:
    visit = Visit(terminal, place, conduct)
    await visit.make()
    visit.report()
    if visit.call is None:
        raise missing("there was no call")
    return visit.call


async def check_answer(said: Sequence[Line], turns: Sequence[Turn], reply: Pcm) -> str:
    """Whether the first caller was understood, answered and heard, in words.

    Raises:
        Unanswered: it was not.
        EngineError: the speech detector failed.
    """
    if not _by("you", said):
        raise missing("the agent wrote down no word of the question")
    if not _by("agent", said):
        raise missing("the agent said nothing")
    if all(turn.answer_ms is None for turn in turns):
        raise missing("no sound of the answer was heard")
    level = measure(loudest_second(reply))
    if level.silent:
        raise missing("what was heard is silent")
    speech_s = await speech_in(reply)
    if speech_s < SPEECH_S:
        raise missing(f"{speech_s:.1f} s of speech were heard; expected {SPEECH_S} s at least")
    return f"{len(reply) / RATE_HZ:.1f} s, {speech_s:.1f} s of speech at {level.rms_db:.0f} dB"


def check_interruption(said: Sequence[Line], turns: Sequence[Turn]) -> str:
    """Whether the second caller interrupted and its history ends at the words heard, in words.

    Raises:
        Unanswered: it does not.
    """
    cut = [line.words for line in said if line.cut]
    if not cut:
        raise missing("the long answer was not interrupted")
    if not cut[0]:
        raise missing("of the long answer no word was heard")
    if cut[0].lower().rstrip(" .”").endswith(LAST_WORD):
        raise missing("the history claims the end of an answer that was interrupted")
    silent_ms = [turn.barge_in_ms for turn in turns if turn.barge_in_ms is not None]
    if not silent_ms:
        raise missing("nobody was heard to interrupt")
    return f"the agent was silent {silent_ms[0]:.0f} ms after the caller began to speak; the rest is unsaid"


def missing(what: str) -> Unanswered:
    """What did not happen."""
    return Unanswered(f"The demo did not go as it should: {what}.", fault=Fault.OURS, next=Never())


def loudest_second(sound: Pcm) -> Pcm:
    """The second with the most energy, or all of it if it is shorter."""
    step = RATE_HZ // 4
    if len(sound) <= RATE_HZ:
        return sound
    starts = range(0, len(sound) - RATE_HZ, step)
    best = max(starts, key=lambda start: float(np.square(sound[start : start + RATE_HZ].astype(np.float64)).sum()))
    return sound[best : best + RATE_HZ]


async def speech_in(sound: Pcm) -> float:
    """Seconds of a sound in which the speech detector hears somebody speak.

    Raises:
        EngineError: it gave no answer.
    """
    loud = 0
    done = asyncio.Event()
    async with open_detector() as detector:
        window = detector.traits.window
        last = len(sound) // window * window

        def report(probability: float, heard: int) -> None:
            nonlocal loud
            loud += probability > 0.5
            if heard >= last:
                done.set()

        ear = detector.open(report)
        try:
            for start in range(0, last, sample_count(1000)):
                ear.push(sound[start : start + sample_count(1000)])
                await asyncio.sleep(0)
            ear.push(silence(window))  # a detector may look ahead before it judges the last window
            async with asyncio.timeout(LISTEN_S):
                await done.wait()
        except TimeoutError:
            raise EngineError(f"The speech detector gave no answer within {LISTEN_S:.0f} s.") from None
        finally:
            ear.close()
    return loud * window / RATE_HZ


def _by(who: str, said: Sequence[Line]) -> list[str]:
    return [line.words for line in said if line.who == who and line.words]
