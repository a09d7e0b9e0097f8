"""What a server before ours left behind in the database's folder: a pid file, or itself, still running.

`supervisor` calls `clear` when it holds the folder's lock and before it starts a server. A server that lost its parent
is stopped and not adopted: it is nobody's child, so that its end would go unseen, its stderr leads nowhere, and its
settings are those of whatever release started it.
"""

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from paramedic.clock import Clock
from paramedic.errors import Permanent
from paramedic.store.embedded.folder import PORT

__all__ = ["clear"]

LOG = logging.getLogger(__name__)
FAST = 30.0  # seconds for a shutdown that writes a checkpoint
IMMEDIATE = 10.0  # seconds for one that leaves the repair to the next start
STEP = 0.02  # seconds between two looks at a process that is not our child


@dataclass(frozen=True)
class PidFile:
    """The lines of postmaster.pid that matter here."""

    pid: int
    sockets: str


async def clear(cluster: Path, clock: Clock) -> None:
    """Leave nothing in the way of a new server. Raises Permanent when one serves that cannot be stopped from here."""
    file = cluster / "postmaster.pid"
    left = _read(file)
    if left is None:
        return
    if left.pid == 0:
        file.unlink()
    elif _serves(left.pid, cluster):
        LOG.warning("PostgreSQL (process %d) outlived the process that started it; stopping it", left.pid)
        await _stop(left.pid, cluster, clock)
    elif _answers(left.sockets):
        raise Permanent(
            f"another PostgreSQL (its process number is {left.pid}, where it runs) serves {cluster}:"
            " stop the container or machine that shares this folder first"
        )
    else:
        _disarm(file)


def _read(file: Path) -> PidFile | None:
    try:
        lines = file.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except FileNotFoundError:
        return None
    # A server that was killed while it wrote the file leaves it short.
    lines += [""] * 5
    return PidFile(int(lines[0]) if lines[0].isdecimal() else 0, lines[4])


def _disarm(file: Path) -> None:
    """Put our own number where that of a dead server stands, which may be anybody's by now.

    A server refuses to start while that process exists, unless it is its own parent. The rest of the file is of use to
    it: by that it finds the dead one's shared memory, cleans it up, and sees whether somebody still works on the data.
    """
    lines = file.read_text(encoding="utf-8", errors="surrogateescape").splitlines(keepends=True)
    text = "".join([f"{os.getpid()}\n", *lines[1:]])
    file.write_text(text, encoding="utf-8", errors="surrogateescape")


def _serves(pid: int, cluster: Path) -> bool:
    """Whether the process is a server of this folder. That the number exists says nothing: numbers are used again."""
    if sys.platform != "linux":
        told = subprocess.run(
            ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, timeout=5, check=False
        ).stdout
        return f"postgres -D {cluster} " in told
    process = Path("/proc") / str(pid)
    try:
        words = process.joinpath("cmdline").read_text(errors="surrogateescape").split("\0")
        if Path(words[0]).name != "postgres":
            return False
        # A server works in its database's folder. Where it lets nobody look, its command line has to do.
        with suppress(PermissionError):
            return process.joinpath("cwd").samefile(cluster)
        return str(cluster) in words
    except OSError:
        return False  # it is gone, or a zombie


def _answers(sockets: str) -> bool:
    """Whether a server listens in that folder; one in another container has a number that means nothing here."""
    if not sockets:
        return False
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(1.0)
        try:
            caller.connect(f"{sockets}/.s.PGSQL.{PORT}")
        except OSError:
            return False
        return True


async def _stop(pid: int, cluster: Path, clock: Clock) -> None:
    for number, patience in ((signal.SIGINT, FAST), (signal.SIGQUIT, IMMEDIATE)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        except PermissionError as error:
            raise Permanent(
                f"PostgreSQL (process {pid}) serves {cluster} and belongs to another user: stop it, then start again"
            ) from error
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while _serves(pid, cluster):
                    await clock.sleep(STEP)
                return
    raise Permanent(f"PostgreSQL (process {pid}) serves {cluster} and does not stop: end it, then start again")
