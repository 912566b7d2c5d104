"""Look at all that a call needs, one thing after the other: what works, what fails, and what to do about it.

With a key (OPENAI_API_KEY) or a base URL that server is looked at. With neither one of our own is started on this
computer, in a process of its own, and ended afterwards.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from math import isfinite
from typing import Final

from vivavoce.assembly import MODEL
from vivavoce.check.case import Order
from vivavoce.check.checklist import HOPS
from vivavoce.check.conversation import estimate_usd
from vivavoce.check.hop import examine
from vivavoce.cli import dump, network
from vivavoce.cli.embedded import embedded
from vivavoce.cli.findings import as_json, code_of, print_end, print_finding
from vivavoce.cli.talk import end_on_sigterm
from vivavoce.cli.terminal import Ink, Terminal
from vivavoce.client.endpoint import OPENAI
from vivavoce.clock import Clock, SystemClock
from vivavoce.errors import ConfigError

EXAMPLES: Final = """examples:
  viva check                                       the agent on this computer
  OPENAI_API_KEY=sk-… viva check --no-talk         OpenAI, at no cost
  viva check --base-url https://voice.example/v1   a server of yours, its key in OPENAI_API_KEY
  viva check --json | jq .hops                     for scripts
  viva check --read call.jsonl --plot call.svg     explain what `viva talk --dump call.jsonl` has written down"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.epilog = EXAMPLES
    whom = parser.add_argument_group("what is looked at")
    whom.add_argument("--base-url", metavar="URL", help="like https://api.openai.com/v1 (or OPENAI_BASE_URL)")
    whom.add_argument("--local", action="store_true", help="the agent on this computer, even if there is a key")
    whom.add_argument("--model", metavar="NAME", help=f"on Azure the deployment (default: {MODEL})")
    network.configure(parser)
    how = parser.add_argument_group("how")
    how.add_argument("--no-talk", dest="talk", action="store_false", help="say nothing: providers take money for that")
    how.add_argument("--no-cut", dest="cut", action="store_false", help="do not cut the call to see it come back")
    how.add_argument("--seconds", type=float, default=5.0, metavar="N", help="watch the call so long (default: 5)")
    how.add_argument("--patience", type=float, default=5.0, metavar="SECONDS", help="wait so long for one thing")
    dump.configure(parser)
    parser.add_argument("--json", action="store_true", help="the findings for machines on standard output")


def run(options: argparse.Namespace) -> int:
    """Look; the exit code is that of the first thing that failed.

    Raises:
        VivaError: the server on this computer did not start, an option cannot be, or a file is no dump.
    """
    if options.read is not None:
        return dump.explain(options, Terminal(sys.stderr if options.json else sys.stdout))
    if options.plot is not None:
        raise ConfigError("--plot draws what --read FILE explains; give both, or neither.")
    for name in ("seconds", "patience"):
        value = getattr(options, name)
        if not (isfinite(value) and value > 0):
            raise ConfigError(f"--{name} is {value}; it must be more than 0 seconds.")
    return asyncio.run(_check(options))


async def _check(options: argparse.Namespace) -> int:
    end_on_sigterm()
    terminal = Terminal(sys.stderr if options.json else sys.stdout)
    async with _order(options, terminal) as order:
        return await check(order, terminal, SystemClock(), json_too=options.json)


async def check(order: Order, terminal: Terminal, clock: Clock, *, json_too: bool = False) -> int:
    """Carry out an order and show what is found; the exit code."""
    terminal.line()
    findings = await examine(
        order,
        HOPS,
        clock,
        begin=lambda hop: terminal.status(f"… {hop.name}") if terminal.rewrites else None,
        tell=lambda finding: print_finding(terminal, finding),
    )
    print_end(terminal, findings)
    if json_too:
        print(json.dumps(as_json(order, findings)))
    return code_of(findings)


@asynccontextmanager
async def _order(options: argparse.Namespace, terminal: Terminal) -> AsyncGenerator[Order]:
    """What is to be looked at: the server that was named, or one of our own."""
    base_url = options.base_url or os.environ.get("OPENAI_BASE_URL")
    keyed = any(os.environ.get(name) for name in ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY"))
    order = Order(
        base_url or OPENAI,
        model=options.model,
        ice_servers=network.ice_servers(options, os.environ),
        relay_only=options.relay_only,
        proxy=network.proxy(options),
        patience_s=options.patience,
        steady_s=options.seconds,
        talk=options.talk,
        cut=options.cut,
    )
    if not options.local and (base_url or keyed):
        terminal.line(f"viva check · {order.base_url} · {options.model or MODEL}")
        usd = estimate_usd(order.base_url, options.model or MODEL) if order.talk else None
        if usd is not None:
            terminal.line(f"  one phrase and its answer, about {usd:.2f} USD (--no-talk: none)", Ink.QUIET)
        yield order
        return
    terminal.line("viva check · the agent on this computer")
    terminal.line("  … loading its engines", Ink.QUIET)
    async with embedded() as server:
        yield replace(order, base_url=server.base_url, api_key=server.key)
