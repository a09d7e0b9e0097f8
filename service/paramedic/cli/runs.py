"""`paramedic runs`: what is being done now, what waits for an approval, and the answer to it."""

import argparse
import json
import sys
from collections.abc import Mapping

from paramedic.cli.main import Subparsers
from paramedic.cli.output import coloured, plain

__all__ = ["add"]


def add(subparsers: Subparsers) -> None:
    """Register the command."""
    parser = subparsers.add_parser("runs", help="active runs; approve, deny or cancel one")
    parser.set_defaults(run=run_list, waiting=False, json=False)
    words = parser.add_subparsers(title="what", metavar="WHAT")
    listing = words.add_parser("list", help="active runs of the most urgent incidents first (also without a word)")
    for each in (parser, listing):
        each.add_argument("--waiting", action="store_true", default=argparse.SUPPRESS, help="only for an approval")
        each.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")
    listing.set_defaults(run=run_list)
    show = words.add_parser("show", help="one run and what exactly it would write")
    show.add_argument("id", help="INC-12.1")
    show.add_argument("--json", action="store_true", help="print JSON")
    show.set_defaults(run=run_show)
    for act, about in (
        ("approve", "approve what it plans"),
        ("deny", "deny what it plans"),
        ("cancel", "stop it at the next safe point"),
    ):
        each = words.add_parser(act, help=about)
        each.add_argument("id", help="INC-12.1")
        if act == "deny":
            each.add_argument("text", metavar="TEXT", nargs="*", help="why")
        each.set_defaults(run=run_act, act=act)


def run_list(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Print the active runs."""
    from paramedic.cli.client import client_of
    from paramedic.cli.story import plan

    found = client_of(environment).get("runs", waiting="approval" if args.waiting else None)
    if args.json:
        print(json.dumps(found, indent=2))
        return 0
    if not found["runs"]:
        print("No run waits for an approval." if args.waiting else "No run is active.")
    colour = coloured(sys.stdout, environment)
    for run in found["runs"]:
        for line in plan(run, colour=colour, whole=False):
            print(line)
        if run["stage"] == "approval":
            print(f"   paramedic runs approve {run['id']}, or deny")
    if found["more"]:
        print("There are more; these belong to the most urgent incidents.")
    return 0


def run_show(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Print one run."""
    from paramedic.cli.client import client_of
    from paramedic.cli.story import plan

    run = client_of(environment).get("runs", args.id)
    if args.json:
        print(json.dumps(run, indent=2))
        return 0
    for line in plan(run, colour=coloured(sys.stdout, environment)):
        print(line)
    return 0


def run_act(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Decide about one run. An approval is for the plan that is printed: if it has changed by then, it is refused."""
    from paramedic.cli.client import client_of
    from paramedic.cli.story import plan

    client = client_of(environment)
    body: dict[str, object] = {}
    if args.act == "approve":
        run = client.get("runs", args.id)
        for line in plan(run, colour=coloured(sys.stdout, environment)):
            print(line)
        body["plan"] = run["plan"]["digest"] if run["plan"] is not None else None
    elif args.act == "deny":
        body["text"] = " ".join(args.text) or None
    print(plain(client.post("runs", args.id, args.act, **body)["done"]))
    return 0
