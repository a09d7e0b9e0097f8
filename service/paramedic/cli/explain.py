"""`paramedic explain`: which rule and playbook an Alertmanager body leads to, and why no other. Writes nothing."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from paramedic.cli.output import plain
from paramedic.errors import Fault
from paramedic.settings import read_settings

if TYPE_CHECKING:
    from paramedic.cli.main import Subparsers

__all__ = ["add"]


def add(subparsers: "Subparsers") -> None:
    """Register the command."""
    parser = subparsers.add_parser("explain", help="which rule and playbook an alert leads to, and why no other")
    parser.add_argument("file", metavar="FILE", help="a body as Alertmanager sends it; - for standard input")
    parser.add_argument("--source", default="default", metavar="NAME", help="the source that it comes from")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Explain every alert of the body; 1 when the files have faults or an element is no alert."""
    from paramedic.catalog.explain import explain, explained_lines
    from paramedic.catalog.load import load
    from paramedic.catalog.report import summary
    from paramedic.clock import SystemClock
    from paramedic.intake.alertmanager import parse_body
    from paramedic.plugin import discover

    settings = read_settings(environment)
    loaded = load(settings.rules, settings.playbooks, discover())
    bundle = loaded.bundle
    if bundle is None:
        for fault in loaded.faults:
            print(plain(str(fault)), file=sys.stderr)
        print(summary(loaded), file=sys.stderr)
        return 1
    parsed = parse_body(args.source, _body(args.file))
    answers = [explain(alert, bundle) for alert in parsed.alerts]
    if args.json:
        print(json.dumps([answer.as_json(settings.mode) for answer in answers], indent=2))
    else:
        now = SystemClock().now()
        print("\n\n".join("\n".join(explained_lines(answer, bundle, settings.mode, now)) for answer in answers))
    for rejected in parsed.rejected:
        print(plain(rejected.reason), file=sys.stderr)
    return 1 if parsed.rejected else 0


def _body(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise Fault(
            name, f"cannot be read: {error.strerror}", "name a file that can be, or - for standard input"
        ) from error
