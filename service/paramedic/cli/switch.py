"""`paramedic switch`: how much all of the service may do. Without a word, shows it and who set it."""

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any

from paramedic.cli.main import Subparsers
from paramedic.cli.output import coloured, paint, plain
from paramedic.core.words import Mode

__all__ = ["add"]

MEANING = {
    "freeze": "nothing is written at all",
    "off": "no remedy is started; what was changed for a time is still taken back",
    "shadow": "plans are told, nothing is changed",
    "approve": "every change waits for a person",
    "auto": "playbooks act as their own mode says",
}


def add(subparsers: Subparsers) -> None:
    """Register the command."""
    parser = subparsers.add_parser("switch", help="show or set how much all of the service may do")
    parser.add_argument("mode", nargs="?", choices=[str(mode) for mode in Mode], help="the new mode")
    parser.add_argument("--for", dest="for_", metavar="DURATION", help="until it goes back to auto by itself: 2h")
    parser.add_argument("--reason", metavar="TEXT", help="why, for whoever looks next")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Show or set the switch."""
    from paramedic.cli.client import client_of
    from paramedic.errors import Fault

    if args.mode is None and (args.for_ or args.reason):
        raise Fault("switch", "--for and --reason need a mode", "for example: paramedic switch off --for 2h")
    client = client_of(environment)
    if args.mode is None:
        switch = client.get("switch")
    else:
        switch = client.put("switch", **{"mode": args.mode, "for": args.for_, "reason": args.reason})
    if args.json:
        print(json.dumps(switch, indent=2))
    else:
        print(_said(switch, coloured(sys.stdout, environment)))
    return 0


def _said(switch: dict[str, Any], colour: bool) -> str:
    from paramedic.cli.story import moment

    mode = switch["in_force"]
    tone = {"freeze": "red", "off": "red", "auto": "green"}.get(mode, "yellow")
    said = f"{paint(mode, tone, colour)}: {MEANING[mode]}"
    if mode != switch["mode"]:
        said += f"; the switch says {switch['mode']}, but this process may do no more (PARAMEDIC_MODE)"
    if switch["at"] is not None:
        said += f"\nset by {plain(switch['who'])} at {moment(switch['at']):%Y-%m-%d %H:%M:%S} UTC"
        said += f", until {moment(switch['until']):%Y-%m-%d %H:%M:%S} UTC" if switch["until"] is not None else ""
        said += f": {plain(switch['reason'])}" if switch["reason"] else ""
    return said
