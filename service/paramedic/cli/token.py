"""`paramedic token`: makes a token for a person, or takes all of theirs back.

A token is printed once; the service only ever knows its hash, and reads the file again whenever that changes.
"""

import argparse
import hashlib
import os
import re
import stat
import sys
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from paramedic.cli.main import Subparsers
from paramedic.errors import Fault

__all__ = ["add"]

_LONGEST = 3650 * 86400.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


def add(subparsers: Subparsers) -> None:
    """Register the command."""
    parser = subparsers.add_parser("token", help="make a token for a person, print it once")
    parser.add_argument("name", help="the person, as `people` in the rules has the name")
    parser.add_argument("--write", action="store_true", help="append its line to PARAMEDIC_TOKENS_FILE")
    parser.add_argument("--expires", metavar="DURATION", help="how long it counts: 90d; else until its line is removed")
    parser.add_argument("--revoke", action="store_true", help="remove the person's lines from PARAMEDIC_TOKENS_FILE")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Print the token, and its line for PARAMEDIC_TOKENS_FILE unless that is written; or revoke."""
    from paramedic.clock import new_secret

    if _NAME.fullmatch(args.name) is None:
        raise Fault("NAME", f"{args.name[:64]!a} is not a name", "letters, digits and . _ @ -, at most 64")
    if args.revoke:
        return _revoked(args, _file(environment))
    token = f"paramedic_{new_secret()}"
    line = f"{args.name} {hashlib.sha256(token.encode()).hexdigest()}{_until(args.expires)}"
    if args.write:
        path = _file(environment)
        _append(path, line)
        print(f"appended to {path}; the token of {args.name}, shown once:", file=sys.stderr)
        print(token)
        return 0
    print(f"the token of {args.name}, shown once, and its line for PARAMEDIC_TOKENS_FILE:", file=sys.stderr)
    print(token)
    print(line)
    return 0


def _file(environment: Mapping[str, str]) -> Path:
    from paramedic.settings import read_settings

    path = read_settings(environment).tokens_file
    if path is None:
        raise Fault("PARAMEDIC_TOKENS_FILE", "is not set", "set it to the file that the service reads")
    return path


def _until(expires: str | None) -> str:
    """The third word of the line: the moment from which on the token counts no more."""
    if expires is None:
        return ""
    from paramedic.clock import SystemClock
    from paramedic.durations import parse_duration

    seconds = parse_duration(expires)
    if not 0 < seconds <= _LONGEST:
        raise Fault("--expires", f"{expires[:40]!a} is not a time of at most ten years", "for example 90d")
    return f" {SystemClock().now() + timedelta(seconds=seconds):%Y-%m-%dT%H:%MZ}"


def _revoked(args: argparse.Namespace, path: Path) -> int:
    """Remove every line of the person; what else is in the file stays as it is."""
    if args.write or args.expires:
        raise Fault("token", "--revoke makes no token", "leave out --write and --expires")
    try:
        lines = path.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if line.split()[:1] != [args.name.encode()]]
        if len(kept) < len(lines):
            _replace(path, b"".join(kept))
    except OSError as error:
        right = "name a file that can be read and written"
        raise Fault("PARAMEDIC_TOKENS_FILE", f"cannot change {path}: {error.strerror}", right) from error
    gone = len(lines) - len(kept)
    print(f"{args.name} had {gone} token{'' if gone == 1 else 's'} in {path}" + (", and has none now" if gone else ""))
    return 0 if gone else 1


def _replace(path: Path, content: bytes) -> None:
    """Put `content` in the file's place in one go: whoever reads it at this moment sees the one or the other."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(handle, "wb") as file:
            file.write(content)
        before = path.stat()
        os.chmod(name, stat.S_IMODE(before.st_mode))
        os.chown(name, before.st_uid, before.st_gid)  # or the service could not read it any more
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


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
