"""`paramedic explain`: what would be done about the alerts of an Alertmanager body, and why. Writes nothing.

A service that can be reached asks its guards now, by the bundle that it has in force; else, or with `--offline`, the
files here say which rule and playbook, and why no guard was asked.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paramedic.cli.output import plain
from paramedic.errors import Fault, Temporary
from paramedic.settings import Settings, read_settings

if TYPE_CHECKING:
    from paramedic.cli.main import Subparsers

__all__ = ["add"]


def add(subparsers: "Subparsers") -> None:
    """Register the command."""
    parser = subparsers.add_parser("explain", help="what would be done about an alert now, and why nothing else")
    parser.add_argument("file", metavar="FILE", help="a body as Alertmanager sends it; - for standard input")
    parser.add_argument("--source", default="default", metavar="NAME", help="the source that it comes from")
    parser.add_argument("--offline", action="store_true", help="go by the files here, and ask no service")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Explain every alert of the body; 1 when the files have faults or an element is no alert."""
    settings, body = read_settings(environment), _body(args.file)
    if args.offline:
        return _by_files(args, settings, body, "the service was not to be asked")
    from paramedic.cli.client import Client

    try:
        found = Client(settings).send("explain", body=body, source=args.source)
    except Temporary as error:
        return _by_files(args, settings, body, str(error).partition(": start it")[0])
    return _say(args, found["explained"], found["rejected"], found["left_out"])


def _by_files(args: argparse.Namespace, settings: Settings, body: bytes, unheard: str) -> int:
    """By the rules and playbooks of the two folders."""
    from paramedic.catalog.explain import explain, explained_lines
    from paramedic.catalog.load import load
    from paramedic.catalog.report import summary
    from paramedic.clock import SystemClock
    from paramedic.intake.alertmanager import parse_body
    from paramedic.plugin import discover

    loaded = load(settings.rules, settings.playbooks, discover())
    bundle = loaded.bundle
    if bundle is None:
        print(f"the files here count, because {plain(unheard)}", file=sys.stderr)
        for fault in loaded.faults:
            print(plain(str(fault)), file=sys.stderr)
        print(summary(loaded), file=sys.stderr)
        return 1
    parsed, now, most = parse_body(args.source, body), SystemClock().now(), settings.mode
    found = [
        {
            **explained.as_json(most, bundle, now),
            "unheard": unheard,
            "lines": list(explained_lines(explained, bundle, most, now, unheard=unheard)),
        }
        for explained in (explain(alert, bundle) for alert in parsed.alerts)
    ]
    return _say(args, found, [rejected.reason for rejected in parsed.rejected], 0)


def _say(args: argparse.Namespace, found: list[dict[str, Any]], rejected: list[str], left_out: int) -> int:
    if args.json:
        print(json.dumps([{key: value for key, value in one.items() if key != "lines"} for one in found], indent=2))
    else:
        print("\n\n".join("\n".join(map(_printable, one["lines"])) for one in found))
    for reason in rejected:
        print(plain(reason), file=sys.stderr)
    if left_out:
        print(f"{left_out} more alerts were left out: explain them by themselves", file=sys.stderr)
    return 1 if rejected or left_out else 0


def _printable(line: str) -> str:
    """A line that a service sent, its blanks as they are."""
    return "".join(char if char.isprintable() else " " for char in line[:4000])


def _body(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise Fault(
            name, f"cannot be read: {error.strerror}", "name a file that can be, or - for standard input"
        ) from error
