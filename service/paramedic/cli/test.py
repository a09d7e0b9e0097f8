"""`paramedic test`: rehearsals in virtual time, over a simulated world. Needs no running service, touches nothing."""

import argparse
import json
import logging
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from paramedic.cli.output import coloured, paint
from paramedic.clock import SystemClock
from paramedic.errors import Fault
from paramedic.settings import Settings, read_settings

if TYPE_CHECKING:
    from paramedic.catalog.faults import Located
    from paramedic.catalog.load import Loaded
    from paramedic.cli.main import Subparsers
    from paramedic.plugin import Plugins
    from paramedic.rehearse.run import Result

__all__ = ["add"]


def add(subparsers: "Subparsers") -> None:
    """Register the command."""
    parser = subparsers.add_parser("test", help="rehearsals: the expected line beside what happened")
    parser.add_argument("paths", nargs="*", type=Path, metavar="FILE|DIR", help="default: all beside the playbooks")
    parser.add_argument("-k", dest="word", default="", metavar="WORD", help="only rehearsals and files that hold WORD")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write the results as JUnit's XML")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Rehearse; 1 when something went otherwise than told, or a file could not be read."""
    from paramedic.rehearse.files import find_files
    from paramedic.rehearse.report import as_json, junit, summary

    settings = read_settings(environment)
    files = find_files(args.paths or [path for path in (settings.playbooks, settings.rules) if path.exists()])
    if not files:
        raise Fault("test", "there is no rehearsal", "write one as playbooks/NAME.test.yaml, or name a file")
    clock = SystemClock()
    started = clock.monotonic()
    show = _Screen(silent=args.json, colour=coloured(sys.stdout, environment))
    quiet = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # a rehearsed crash warns as a real one does; here the results say it all
    try:
        results, unread = _rehearsed(files, args.word, settings, clock, show)
    finally:
        logging.disable(quiet)
    faults = list(dict.fromkeys(fault for faults in unread for fault in faults))
    took = clock.monotonic() - started
    if args.junit is not None:
        _write(args.junit, junit(results, faults, took))
    if args.json:
        print(json.dumps(as_json(results, faults, took), indent=2))
    if args.word and not results and not faults:
        raise Fault("-k", f'no rehearsal holds "{args.word}"', "leave -k away to see all of them")
    show.say(summary(results, len(unread), took))
    return 0 if not faults and all(result.ok for result in results) else 1


class _Screen:
    """Where it is told how each rehearsal went, as it goes."""

    def __init__(self, *, silent: bool, colour: bool) -> None:
        self._silent, self._colour = silent, colour

    def say(self, line: str) -> None:
        """Print a line."""
        if not self._silent:
            print(line)

    def paint(self, text: str, tone: str) -> str:
        """The text in a tone, where colour is wanted."""
        return paint(text, tone, self._colour)


def _rehearsed(
    files: list[Path], word: str, settings: Settings, clock: SystemClock, show: _Screen
) -> "tuple[list[Result], list[Sequence[Located]]]":
    """What the rehearsals came to, and the faults of each file that could not be read."""
    from paramedic.plugin import discover
    from paramedic.rehearse.files import read_rehearsals
    from paramedic.rehearse.report import fault_line, result_lines
    from paramedic.rehearse.run import rehearse

    plugins = discover()
    beside = _Beside(settings, plugins)
    results: list[Result] = []
    unread: list[Sequence[Located]] = []
    for path in files:
        file = read_rehearsals(str(path), _text(path), plugins, partial(beside.of, path))
        wanted = [one for one in file.rehearsals if word in str(path) or word in one.script.rehearsal]
        if wanted or file.faults:
            show.say(str(path))
        for fault in file.faults:
            show.say(fault_line(fault, show.paint))
        for rehearsal in wanted:
            results.append(rehearse(rehearsal, plugins, clock.monotonic))
            for line in result_lines(results[-1], show.paint):
                show.say(line)
        if file.faults:
            unread.append(file.faults)
    return results, unread


class _Beside:
    """The bundles of the folders that rehearsals are about, each loaded once."""

    def __init__(self, settings: Settings, plugins: "Plugins") -> None:
        self._settings, self._plugins = settings, plugins
        self._loaded: dict[tuple[Path, Path], Loaded] = {}

    def of(self, file: Path) -> "Loaded":
        """The rules and playbooks nearest above the file; else those of the settings."""
        from paramedic.catalog.load import load

        folders = self._settings.rules, self._settings.playbooks
        for above in file.resolve().parents:
            if (above / folders[0].name).is_dir() and (above / folders[1].name).is_dir():
                folders = above / folders[0].name, above / folders[1].name
                break
        if folders not in self._loaded:
            self._loaded[folders] = load(*folders, self._plugins)
        return self._loaded[folders]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Fault(str(path), "this is not UTF-8", "save the file as UTF-8") from error
    except OSError as error:
        raise Fault(str(path), f"cannot be read: {error.strerror}", "name a file that can be") from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Fault(str(path), f"cannot be written: {error.strerror}", "name a file that can be") from error
