"""`paramedic token`: makes a token for a person. It is printed once; the service only ever knows its hash."""

import argparse
import hashlib
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from paramedic.cli.main import Subparsers
from paramedic.errors import Fault

__all__ = ["add"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


def add(subparsers: Subparsers) -> None:
    """Register the command."""
    parser = subparsers.add_parser("token", help="make a token for a person, print it once")
    parser.add_argument("name", help="the person, as `people` in the rules has the name")
    parser.add_argument("--write", action="store_true", help="append its line to PARAMEDIC_TOKENS_FILE")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Print the token, and its line for PARAMEDIC_TOKENS_FILE unless that is written."""
    from paramedic.clock import new_secret
    from paramedic.settings import read_settings

    if _NAME.fullmatch(args.name) is None:
        raise Fault("NAME", f"{args.name[:64]!a} is not a name", "letters, digits and . _ @ -, at most 64")
    token = f"paramedic_{new_secret()}"
    line = f"{args.name} {hashlib.sha256(token.encode()).hexdigest()}"
    if args.write:
        path = read_settings(environment).tokens_file
        if path is None:
            raise Fault("PARAMEDIC_TOKENS_FILE", "is not set", "set it to the file that the service reads")
        _append(path, line)
        print(f"appended to {path}; the token of {args.name}, shown once:", file=sys.stderr)
        print(token)
        return 0
    print(f"the token of {args.name}, shown once, and its line for PARAMEDIC_TOKENS_FILE:", file=sys.stderr)
    print(token)
    print(line)
    return 0


def _append(path: Path, line: str) -> None:
    """Add a line of its own, whatever the file ends with; a new file is for its owner only."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with open(handle, "rb+") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            torn = size > 0 and file.read(1) != b"\n"
            file.write((b"\n" if torn else b"") + line.encode() + b"\n")
    except OSError as error:
        raise Fault(
            "PARAMEDIC_TOKENS_FILE", f"cannot write {path}: {error.strerror}", "name a writable file"
        ) from error
