"""Place a voice call, by microphone and loudspeaker or by words and files.

With a key (OPENAI_API_KEY) or a base URL it calls that server. With neither it starts one of our own on this computer,
in a process of its own, calls it over WebRTC and ends it afterwards. With headphones both sides can talk at once best.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Final, get_args

import numpy as np

from vivavoce.assembly import MODEL, Way, open_card, open_cleaner, open_speaker
from vivavoce.audio.cleaner import Processing
from vivavoce.audio.frame import Pcm, silence
from vivavoce.cli import network
from vivavoce.cli.embedded import Embedded, embedded
from vivavoce.cli.exit_code import ExitCode
from vivavoce.cli.script import Interrupt, Speak, Step, Write
from vivavoce.cli.terminal import Ink, Terminal
from vivavoce.cli.visit import Conduct, Place, Visit
from vivavoce.cli.wav import read_wav
from vivavoce.client.card import probe
from vivavoce.client.device import DeviceChange, Loudspeaker, Microphone
from vivavoce.client.tariff import read_prices
from vivavoce.errors import ConfigError, DeviceError
from vivavoce.telemetry import log

VOICE: Final = "en-us+klatt4"
"""The scripted caller's voice: of espeak's, the one that recognisers understand best."""
TRANSCRIPTION: Final = "gpt-4o-mini-transcribe"

EXAMPLES: Final = """examples:
  viva talk                                       talk with the agent on this computer
  viva talk --say "what is twelve times seven" --out reply.wav
  viva talk --say "count to fifty" --interrupt-after 3 "stop please"
  OPENAI_API_KEY=sk-… viva talk                   talk with OpenAI
  viva talk --base-url http://127.0.0.1:8765/v1   talk with `viva serve`, its key in OPENAI_API_KEY"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.epilog = EXAMPLES
    what = parser.add_argument_group("what is said, in this order; a microphone if nothing")
    what.add_argument("--say", dest="said", action=Said, metavar="TEXT", help="say a text aloud")
    what.add_argument("--file", dest="said", action=Said, metavar="WAV", help="say a 16-bit WAV file")
    what.add_argument("--text", dest="said", action=Said, metavar="TEXT", help="send a text, silently")
    what.add_argument(
        "--interrupt-after",
        dest="said",
        action=Said,
        nargs=2,
        metavar=("SECONDS", "TEXT"),
        help="say a text so long after the answer to what came before has begun",
    )
    parser.set_defaults(said=[])
    what.add_argument("--turns", type=int, default=0, metavar="N", help="by microphone: hang up after so many answers")
    what.add_argument("--patience", type=float, default=30.0, metavar="SECONDS", help="wait so long for an answer")
    heard = parser.add_argument_group("what is heard")
    heard.add_argument("--out", metavar="WAV", help="write what was heard, in real time")
    heard.add_argument("--silent", action="store_true", help="do not use a loudspeaker")
    heard.add_argument("--microphone", metavar="NAME", help="part of a device's name, or its number")
    heard.add_argument("--loudspeaker", metavar="NAME", help="likewise")
    heard.add_argument("--headphones", action="store_true", help="no echo to take out: both sides can talk at once")
    heard.add_argument(
        "--dump",
        metavar="FILE",
        help="write down all that a report of a fault needs, words included; `viva check --read` explains it",
    )
    heard.add_argument("--stats", action="store_true", help="show every second how good the connection is")
    whom = parser.add_argument_group("whom to call, and how")
    whom.add_argument("--base-url", metavar="URL", help="like https://api.openai.com/v1 (or OPENAI_BASE_URL)")
    whom.add_argument("--local", action="store_true", help="the agent on this computer, even if there is a key")
    whom.add_argument("--model", metavar="NAME", help=f"on Azure the deployment (default: {MODEL})")
    whom.add_argument("--transport", choices=get_args(Way), default="auto", help="default: %(default)s")
    whom.add_argument("--instructions", metavar="TEXT", help="how the agent is to behave")
    whom.add_argument("--voice", metavar="NAME", help="the agent's voice")
    whom.add_argument("--transcription", metavar="MODEL", default=TRANSCRIPTION, help="default: %(default)s; none")
    whom.add_argument("--connect-timeout", type=float, default=20.0, metavar="SECONDS", help="default: %(default)s")
    whom.add_argument(
        "--return-within",
        type=float,
        default=300.0,
        metavar="SECONDS",
        help="give a lost connection up if it is not made again by then (default: %(default)s)",
    )
    whom.add_argument("--budget", type=float, metavar="USD", help="end the call politely once it has cost so much")
    whom.add_argument("--prices", metavar="TOML", help="what models cost where that is not known, a table for each")
    network.configure(parser)
    parser.add_argument("--json", action="store_true", help="a summary for machines on standard output")


class Said(argparse.Action):
    """Keeps the order of options that say something."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[object] | None,
        option_string: str | None = None,
    ) -> None:
        """Add one."""
        given = [values] if isinstance(values, str) else [str(value) for value in values or ()]
        namespace.said = [*namespace.said, (str(option_string), *given)]


def run(options: argparse.Namespace) -> int:
    """Place the call; the exit code.

    Raises:
        VivaError: it could not be made, or did not go as it was to.
    """
    for name in ("patience", "connect_timeout", "return_within"):
        value = getattr(options, name)
        if not (isfinite(value) and value > 0):
            raise ConfigError(f"--{name.replace('_', '-')} is {value}; it must be more than 0 seconds.")
    if options.out is not None:
        folder_exists(options.out)
    return asyncio.run(_talk(options))


def folder_exists(path: str) -> None:
    """Find out before a call whether a file can be put there after it.

    Raises:
        ConfigError: there is no such folder.
    """
    if not Path(path).absolute().parent.is_dir():
        raise ConfigError(f"--out {path}: there is no such folder.")


async def _talk(options: argparse.Namespace) -> int:
    terminal = Terminal(sys.stderr if options.json else sys.stdout)
    log.configure(sys.stderr, level="warning")
    end_on_sigterm()
    steps = await read_steps(options.said)
    if options.dump:
        terminal.line(f"  everything is written to {options.dump}, also what is said; no keys, no sound", Ink.QUIET)
    async with _conduct(options, steps, terminal) as conduct, _callee(options, terminal) as place:
        visit = Visit(terminal, place, conduct)
        try:
            await visit.make()
        finally:
            visit.report()
            if options.out and visit.call is not None:
                terminal.row("out", options.out, Ink.QUIET)
            if options.json:
                print(json.dumps(visit.summary(base_url=place.base_url, model=place.model, transport=place.transport)))
    return ExitCode.DONE


@asynccontextmanager
async def _callee(options: argparse.Namespace, terminal: Terminal) -> AsyncGenerator[Place]:
    """Whom to call: the server that was named, or one of our own."""
    base_url = options.base_url or os.environ.get("OPENAI_BASE_URL")
    place = Place(
        base_url,
        None,
        options.model,
        options.transport,
        session_of(options),
        timeout_s=options.connect_timeout,
        return_s=options.return_within,
        dump=options.dump,
        ice_servers=network.ice_servers(options, os.environ),
        relay_only=options.relay_only,
        proxy=network.proxy(options),
        budget=options.budget,
        prices=read_prices(options.prices) if options.prices else None,
    )
    keyed = any(os.environ.get(name) for name in ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY"))
    if not options.local and (base_url or keyed):
        terminal.line(f"viva talk · {base_url or 'OpenAI'} · {options.model or MODEL} · {options.transport}")
        yield place
        return
    terminal.line(f"viva talk · the agent on this computer · {options.transport}")
    terminal.line("  … loading its engines", Ink.QUIET)
    async with embedded() as server:
        yield at(place, server)


def at(place: Place, server: Embedded) -> Place:
    """The same call, placed to a server of our own."""
    return replace(place, base_url=server.base_url, key=server.key)


def session_of(options: argparse.Namespace) -> dict[str, object]:
    """The session's config, as far as options speak of it."""
    session: dict[str, object] = {}
    audio: dict[str, object] = {}
    if options.transcription != "none":
        audio["input"] = {"transcription": {"model": options.transcription}}
    if options.voice:
        audio["output"] = {"voice": options.voice}
    if options.instructions is not None:
        session["instructions"] = options.instructions
    return {**session, "audio": audio} if audio else session


@asynccontextmanager
async def _conduct(options: argparse.Namespace, steps: Sequence[Step], terminal: Terminal) -> AsyncGenerator[Conduct]:
    """What the caller does, with the devices that it takes."""
    conduct = Conduct(
        steps=steps, turns=options.turns, patience_s=options.patience, out=options.out, stats=options.stats
    )
    if steps:
        yield replace(conduct, player=None if options.silent else loudspeaker(options.loudspeaker))
        return
    card = open_card()
    probe(card, "input", _device(options.microphone))
    player = None

    def show(change: DeviceChange) -> None:
        what = "microphone" if change.kind == "input" else "loudspeaker"
        words = f"○ the {what} is gone; looking for another" if change.name is None else f"● {what}: {change.name}"
        terminal.line(f"  {words}", Ink.QUIET)

    if not options.silent:
        probe(card, "output", _device(options.loudspeaker))
        player = Loudspeaker(card, _device(options.loudspeaker), on_change=show)
    cleaner = open_cleaner(Processing(echo_cancellation=player is not None and not options.headphones))
    named = _device(options.microphone)
    async with Microphone(card, named, cleaner=cleaner, loudspeaker=player, on_change=show) as microphone:
        yield replace(conduct, microphone=microphone, player=player)


def loudspeaker(name: str | None = None) -> Loudspeaker | None:
    """A loudspeaker, if there is one; None where nobody could hear it.

    Raises:
        DeviceError: one was named, and cannot be used.
    """
    try:
        card = open_card()
        probe(card, "output", _device(name))
    except DeviceError:
        if name is not None:
            raise
        return None
    return Loudspeaker(card, _device(name))


def _device(name: str | None) -> int | str | None:
    return int(name) if name is not None and name.isdecimal() else name


async def read_steps(said: Sequence[tuple[str, ...]]) -> list[Step]:
    """What options say, spoken and read.

    Raises:
        ConfigError: a file that cannot be read, or an interruption of nothing.
        EngineError: the speaker on this computer failed.
    """
    speaks = any(option in ("--say", "--interrupt-after") for option, *_ in said)
    steps: list[Step] = []
    async with open_speaker() if speaks else nullcontext() as speaker:

        async def spoken(text: str) -> Pcm:
            if speaker is None:
                return silence(0)
            return np.concatenate([silence(0), *[each.samples async for each in speaker.speak(text, VOICE, 1.0)]])

        for option, *values in said:
            match option, values:
                case "--say", [text]:
                    steps.append(Speak(await spoken(text), f"“{text}”"))
                case "--file", [path]:
                    steps.append(Speak(read_wav(path), path))
                case "--interrupt-after", [seconds, text]:
                    if not steps:
                        raise ConfigError("--interrupt-after comes after what is to be interrupted.")
                    steps.append(Interrupt(_seconds(seconds), await spoken(text), f"“{text}”"))
                case _:
                    steps.append(Write(values[0]))
    return steps


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not (isfinite(seconds) and seconds >= 0):
        raise ConfigError(f"--interrupt-after {text!r}: expected a number of seconds.")
    return seconds


def end_on_sigterm() -> None:
    """Being told to end is like Ctrl-C: everything is given back."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
