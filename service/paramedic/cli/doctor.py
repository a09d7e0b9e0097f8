"""`paramedic doctor`: each system outside, is it reached and are we allowed, and what to do about what is wrong.

Needs no running service: it asks as the service would, with the same settings and files.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from platform import python_version
from typing import TYPE_CHECKING

from paramedic.cli.output import WIDTH, coloured, paint, plain, wrap
from paramedic.settings import read_settings

if TYPE_CHECKING:
    from paramedic.cli.main import Subparsers
    from paramedic.doctor.finding import Finding

__all__ = ["add"]

_WORDS = {"fine": ("ok", "green"), "wrong": ("WRONG", "red"), "open": ("-", "dim")}
_SYSTEM, _STATE = 13, 6


def add(subparsers: "Subparsers") -> None:
    """Register the command."""
    parser = subparsers.add_parser("doctor", help="each system outside: reached, allowed, and what to do if not")
    parser.add_argument(
        "--namespace", metavar="N", default="", help="ask about the permissions in this namespace, not in all"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Look at everything; 1 when something is wrong."""
    from paramedic.catalog.load import load
    from paramedic.clock import SystemClock
    from paramedic.cluster.names import checked_label
    from paramedic.doctor.examine import examine
    from paramedic.plugin import discover

    if args.namespace:
        checked_label(args.namespace, "the namespace", "--namespace")
    settings, plugins = read_settings(environment), discover()
    loaded = load(settings.rules, settings.playbooks, plugins)
    found = asyncio.run(examine(settings, loaded, plugins, SystemClock(), args.namespace))
    failed = sum(each.state == "wrong" for each in found)
    if args.json:
        print(json.dumps(_as_json(found), indent=2))
    else:
        colour = coloured(sys.stdout, os.environ)
        for each in found:
            print("\n".join(_lines(each, colour=colour)))
        print(f"{len(found)} looked at, {failed} wrong; paramedic {version('paramedic')}, Python {python_version()}")
    return 1 if failed else 0


def _lines(finding: "Finding", *, colour: bool) -> Iterator[str]:
    word, tone = _WORDS[finding.state]
    indent = " " * (_SYSTEM + _STATE)
    about = f"{plain(finding.about, 200)}: " if finding.about else ""
    texts = wrap(about + plain(finding.said), WIDTH - len(indent))
    head = f"{finding.system:<{_SYSTEM}}{paint(word, tone, colour)}{' ' * (_STATE - len(word))}"
    yield head + texts[0]
    yield from (indent + each for each in texts[1:])
    if finding.right and finding.state != "fine":
        yield from (indent + each for each in wrap(f"→ {plain(finding.right)}", WIDTH - len(indent)))


def _as_json(found: Sequence["Finding"]) -> dict[str, object]:
    return {
        "paramedic": version("paramedic"),
        "python": python_version(),
        "wrong": sum(each.state == "wrong" for each in found),
        "findings": [
            {"system": one.system, "about": one.about, "state": one.state, "said": one.said, "right": one.right}
            for one in found
        ],
    }
