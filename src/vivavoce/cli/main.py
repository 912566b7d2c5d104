"""`viva`: the command line. Loads the command that was asked for and nothing else."""

import argparse
import os
import sys
from asyncio import CancelledError
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Final, NoReturn, Protocol, cast

from vivavoce.cli.exit_code import ExitCode, exit_code, explained
from vivavoce.errors import VivaError

COMMANDS: Final = {
    "talk": "place a voice call: microphone and loudspeaker, or words and files",
    "serve": "answer voice calls on this computer",
    "check": "look at all that a call needs, and say what is wrong",
    "demo": "two scripted calls to a server on this computer, checked",
}


class Command(Protocol):
    """A module of this package."""

    __doc__: str | None

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Declare its options."""
        ...

    def run(self, options: argparse.Namespace) -> int:
        """Do it; the exit code.

        Raises:
            VivaError: it could not be done; the message says why in one line.
        """
        ...


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong, as everything else does; a page of usage would hide it."""

    def error(self, message: str) -> NoReturn:
        """End the program."""
        self.exit(ExitCode.USAGE, f"viva: {message}. `{self.prog} --help` tells what can be given.\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        return _run(given)
    except VivaError as error:
        print(f"viva: {' '.join(error.message.split())}", file=sys.stderr)
        return exit_code(error)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except CancelledError:
        return ExitCode.ENDED
    except BrokenPipeError:
        # Whoever read our output has gone. Python must not stumble over it again when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE


def _run(given: list[str]) -> int:
    if not given or given[0] not in COMMANDS:
        _parser().parse_args(given)  # explains, or says what is wrong, and exits
        _parser().print_help()
        return ExitCode.USAGE
    name = given[0]
    command = cast("Command", import_module(f"vivavoce.cli.{name}"))
    parser = Parser(
        prog=f"viva {name}", description=command.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.configure(parser)
    parser.epilog = "\n\n".join(part for part in (parser.epilog, explained()) if part)
    return command.run(parser.parse_args(given[1:]))


def _parser() -> Parser:
    commands = "\n".join(f"  {name:<7}{words}" for name, words in COMMANDS.items())
    parser = Parser(
        prog="viva",
        usage="viva COMMAND [option …]",
        description=f"Voice conversations with a machine over WebRTC.\n\ncommands:\n{commands}",
        epilog=f"`viva COMMAND --help` tells more.\n\n{explained()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", nargs="?", choices=COMMANDS, metavar="COMMAND", help=argparse.SUPPRESS)
    parser.add_argument("--version", action="version", version=f"viva {version('vivavoce')}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
