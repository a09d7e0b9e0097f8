"""The command `paramedic`: finds the commands, reads the command line, runs one, turns errors into one line.

The console script of pyproject.toml calls `main`. How a command is written is said in this package's docstring.
"""

import argparse
import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence
from functools import partial
from typing import TypeAlias

import paramedic.cli
from paramedic.cli.output import plain
from paramedic.errors import Fault, ParamedicError

__all__ = ["Subparsers", "build_parser", "main"]

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""What a command's `add` gets; used in annotations only."""


class ShowVersion(argparse.Action):
    """`--version`, which looks the version up only when it is asked for: that takes longer than all else here."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"paramedic {version('paramedic')}")
        parser.exit()


def build_parser() -> argparse.ArgumentParser:
    """The parser with every command that has a file in this package, in the order of their names."""
    parser = argparse.ArgumentParser(
        prog="paramedic",
        description="A first responder for alerts: decides with rules, acts with playbooks, verifies, tells people.",
        epilog="exit codes: 0 fine, 1 found something wrong, 2 wrong usage",
        formatter_class=partial(argparse.HelpFormatter, max_help_position=20),
    )
    parser.add_argument("--version", action=ShowVersion, nargs=0, help="print the version and stop")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    for module_info in pkgutil.iter_modules(paramedic.cli.__path__):
        module = importlib.import_module(f"paramedic.cli.{module_info.name}")
        if hasattr(module, "add"):
            module.add(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (default: this process's). Answers the exit code; wrong usage leaves by SystemExit(2)."""
    parser = build_parser()
    args = parser.parse_args(argv)
    if not hasattr(args, "run"):
        parser.print_help(sys.stderr)
        return 2
    try:
        code = int(args.run(args, os.environ))
        sys.stdout.flush()
    except Fault as fault:
        return _failed(fault, 2)
    except ParamedicError as error:
        return _failed(error, 1)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader has seen enough. What is still buffered must not fail a second time when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _failed(error: ParamedicError, code: int) -> int:
    sys.stdout.flush()
    print(f"paramedic: {plain(str(error))}", file=sys.stderr)
    return code
