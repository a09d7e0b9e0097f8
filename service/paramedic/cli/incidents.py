"""`paramedic incidents`: list them, show one with its timeline, act on one, export one with the proof of its record."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping

from paramedic.cli.main import Subparsers
from paramedic.cli.output import coloured, plain

__all__ = ["add"]

ACTS = {
    "ack": "acknowledge: the climb stops for as long as the policy says",
    "take": "take over: automation stands down",
    "snooze": "stop the climb for a while",
    "escalate": "page the next level now",
    "close": "close it",
    "link": "link another incident, in both timelines",
    "note": "write a note into the timeline",
}


def add(subparsers: Subparsers) -> None:
    """Register the command."""
    parser = subparsers.add_parser("incidents", help="list incidents, show one, act on one")
    parser.set_defaults(run=run_list, q="", phase=None, severity=None, since=None, open=None, limit=50, json=False)
    words = parser.add_subparsers(title="what", metavar="WHAT")
    listing = words.add_parser("list", help="open ones first, the most urgent first (also without a word)")
    for each in (parser, listing):
        _list_options(each)
    listing.set_defaults(run=run_list)
    _one(words, "show", "one incident, its timeline and evidence", run_show).add_argument(
        "--evidence", action="store_true", help="print evidence whole, not only how it begins"
    )
    _one(words, "export", "one incident as JSON, with the proof that its timeline is whole", run_export)
    opening = words.add_parser("open", help="open one by hand: what it is about, and labels that rules look at")
    opening.add_argument("title", metavar="TEXT", help="your words")
    opening.add_argument(
        "labels", metavar="NAME=VALUE", nargs="*", help="labels, such as alertname=ServiceDown job=api"
    )
    opening.set_defaults(run=run_open)
    for act, about in ACTS.items():
        each = words.add_parser(act, help=about)
        each.add_argument("id", help="INC-12 or 12")
        if act == "snooze":
            each.add_argument("for_", metavar="DURATION", help="30m, 2h")
        if act == "link":
            each.add_argument("to", help="the other one: INC-13 or 13")
        if act in ("close", "note"):
            each.add_argument("text", metavar="TEXT", nargs="+" if act == "note" else "*", help="your words")
        each.set_defaults(run=run_act, act=act)


def _list_options(parser: argparse.ArgumentParser) -> None:
    suppress = argparse.SUPPRESS  # else the defaults of `list` would undo what stands before it
    parser.add_argument("--phase", default=suppress, help="detected, assessing, responding, resolved or reviewed")
    parser.add_argument("--severity", default=suppress, help="P0, P1, P2 or P3")
    parser.add_argument("--since", default=suppress, help="opened since: 24h, or 2026-01-31T12:00:00Z")
    parser.add_argument("--q", default=suppress, metavar="WORDS", help="in titles, keys, rules and sources")
    parser.add_argument("--open", action="store_true", default=suppress, help="only open ones")
    parser.add_argument("--limit", type=int, default=suppress, help="how many at most (50)")
    parser.add_argument("--json", action="store_true", default=suppress, help="print JSON")


def _one(words: Subparsers, name: str, about: str, run: Callable[..., int]) -> argparse.ArgumentParser:
    parser = words.add_parser(name, help=about)
    parser.add_argument("id", help="INC-12 or 12")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)
    return parser


def run_list(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Print the list."""
    from paramedic.cli.client import client_of
    from paramedic.cli.story import listed
    from paramedic.clock import SystemClock

    wanted = {name: getattr(args, name) for name in ("phase", "severity", "since", "q", "limit")}
    found = client_of(environment).get("incidents", open="true" if args.open else None, **wanted)
    if args.json:
        print(json.dumps(found, indent=2))
        return 0
    for line in listed(found["incidents"], SystemClock().now(), colour=coloured(sys.stdout, environment)):
        print(line)
    if found["cursor"] is not None:
        print(f"More than {args.limit}: narrow it down with --q, --severity or --since, or raise --limit.")
    return 0


def run_show(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Print one incident; 1 when its record is not whole."""
    from paramedic.cli.client import client_of
    from paramedic.cli.story import told
    from paramedic.clock import SystemClock

    client = client_of(environment)
    incident = client.get("incidents", args.id)
    timeline = client.get("incidents", args.id, "timeline")
    while timeline["next"] is not None:
        more = client.get("incidents", args.id, "timeline", after=timeline["next"])
        timeline = {**more, "entries": timeline["entries"] + more["entries"]}
    if args.json:
        print(json.dumps({"incident": incident, "timeline": timeline}, indent=2))
        return 0 if timeline["chain"]["verified"] else 1
    colour = coloured(sys.stdout, environment)
    lines = 1000 if args.evidence else 5

    def evidence(digest: str) -> str:
        return client.text("evidence", digest)

    for line in told(incident, timeline, SystemClock().now(), evidence, evidence_lines=lines, colour=colour):
        print(line)
    return 0 if timeline["chain"]["verified"] else 1


def run_export(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Print one incident with its rows as they were hashed; 1 when its record is not whole."""
    from paramedic.cli.client import client_of

    export = client_of(environment).get("incidents", args.id, "export")
    print(json.dumps(export, indent=2))
    return 0 if export["chain"]["verified"] else 1


def run_open(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Open one, as an alert with these labels would; print which."""
    from paramedic.cli.client import client_of
    from paramedic.errors import Fault

    labels: dict[str, str] = {}
    for given in args.labels:
        name, equals, value = given.partition("=")
        if not name or not equals or name in labels:
            raise Fault("labels", f"{plain(given, 40)!a} is not NAME=VALUE, or names one twice", "for example job=api")
        labels[name] = value
    incident = client_of(environment).post("incidents", title=args.title, labels=labels)["incident"]
    print(plain(incident) if incident else "It is kept, and open in a moment: paramedic incidents")
    return 0


def run_act(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Act on one incident; print what it came to."""
    from paramedic.cli.client import client_of

    body: dict[str, object] = {}
    if args.act == "snooze":
        body["for"] = args.for_
    elif args.act == "link":
        body["to"] = args.to
    elif args.act in ("close", "note"):
        body["text"] = " ".join(args.text) or None
    print(plain(client_of(environment).post("incidents", args.id, args.act, **body)["done"]))
    return 0
