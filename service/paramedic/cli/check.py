"""`paramedic check`: rules, playbooks and people, every fault with its place. Needs no running service."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from paramedic.cli.output import plain
from paramedic.errors import Fault
from paramedic.settings import read_settings

if TYPE_CHECKING:
    from paramedic.catalog.load import Loaded
    from paramedic.cli.main import Subparsers

__all__ = ["add"]


def add(subparsers: "Subparsers") -> None:
    """Register the command."""
    parser = subparsers.add_parser("check", help="rules, playbooks, people: every fault with its place")
    parser.add_argument("folders", nargs="*", type=Path, metavar="DIR", help="folders or files, taken together")
    parser.add_argument("--effective", action="store_true", help="print everything merged, in the order that counts")
    parser.add_argument("--sarif", type=Path, metavar="FILE", help="write the faults as SARIF 2.1.0")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Check; 1 when there is a fault."""
    from paramedic.catalog.load import load, load_folders
    from paramedic.plugin import discover

    settings = read_settings(environment)
    plugins = discover()
    # Without DIR it is what a service would load, under the same names and so with the same hash.
    loaded = load_folders(args.folders, plugins) if args.folders else load(settings.rules, settings.playbooks, plugins)
    if args.sarif is not None:
        _write_sarif(args.sarif, loaded)
    if args.json:
        print(json.dumps(_as_json(loaded), indent=2))
    elif args.effective and loaded.bundle is not None:
        from paramedic.catalog.effective import effective

        print(effective(loaded, plugins), end="")
    else:
        _print(loaded)
    return 1 if loaded.faults else 0


def _print(loaded: "Loaded") -> None:
    from paramedic.catalog.report import summary

    for fault in loaded.faults:
        print(plain(str(fault)))
    print(summary(loaded))


def _as_json(loaded: "Loaded") -> dict[str, object]:
    return {
        "bundle": loaded.bundle.hash if loaded.bundle is not None else None,
        "files": sorted(loaded.files),
        "faults": [
            {"file": each.file, "line": each.line, "column": each.column, "what": each.what, "right": each.right}
            for each in loaded.faults
        ],
    }


def _write_sarif(file: Path, loaded: "Loaded") -> None:
    from importlib.metadata import version

    from paramedic.catalog.report import sarif

    try:
        file.write_text(json.dumps(sarif(loaded.faults, version("paramedic")), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise Fault(str(file), f"cannot be written: {error.strerror}", "name a file that can be") from error
