"""`paramedic schema`: JSON Schema for editors, plug-ins included. Needs no running service."""

import argparse
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paramedic.cli.main import Subparsers

__all__ = ["add"]

KINDS = ("rule", "playbook", "rehearsal", "people")


def add(subparsers: "Subparsers") -> None:
    """Register the command."""
    parser = subparsers.add_parser("schema", help="JSON Schema of the files, for editors")
    parser.add_argument("kind", choices=KINDS, help="which file")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Print the schema."""
    print(json.dumps(_schema(args.kind), indent=2))
    return 0


def _schema(kind: str) -> Mapping[str, Any]:
    from paramedic.catalog import schema
    from paramedic.plugin import discover

    match kind:
        case "rule":
            return schema.rules_schema(discover())
        case "playbook":
            return schema.playbook_schema(discover())
        case "people":
            return schema.people_schema(discover())
        case _:
            from paramedic.rehearse.files import rehearsal_schema

            return rehearsal_schema()
