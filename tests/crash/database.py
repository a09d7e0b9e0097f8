"""What can happen to a PostgreSQL under load: killed, out of room, its wire cut in the middle of a commit, slow."""

import os
import signal
import subprocess
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from paramedic.store.embedded.supervisor import EmbeddedPostgres
from tests.crash.rounds import Rounds
from tests.crash.wire import Wire
from tests.real.processes import until

__all__ = ["commits_cut", "no_room", "small_disk", "sql_killed"]

Trouble = Callable[[Rounds], Coroutine[Any, Any, None]]


def sql_killed(server: EmbeddedPostgres) -> Trouble:
    """SIGKILL for PostgreSQL's first process; its supervisor starts it again."""

    async def postgresql_killed(rounds: Rounds) -> None:
        starts = server.starts
        os.kill(server.pid, signal.SIGKILL)
        rounds.began()

        async def up() -> bool:
            return server.starts > starts

        await until(up, "PostgreSQL to be started again")

    return postgresql_killed


def commits_cut(wire: Wire, cuts: Sequence[Literal["before", "after"]]) -> Trouble:
    """One commit after the other is cut: before it has left, or when it is done and its answer on the way."""

    async def commits_cut_off(rounds: Rounds) -> None:
        rounds.began()
        done = len(wire.cuts)
        for number, cut in enumerate(cuts, start=1):
            wire.cut = cut

            async def was_cut(number: int = number) -> bool:
                return len(wire.cuts) >= done + number

            await until(was_cut, f"a commit to be cut {cut}")

    return commits_cut_off


def no_room(disk: Path, full: Callable[[], Coroutine[Any, Any, bool]]) -> Trouble:
    """Something else fills the disk to the last byte, until that is noticed; then it is gone again."""

    async def disk_full(rounds: Rounds) -> None:
        ballast = disk / "ballast"
        try:
            _fill(ballast)
            await until(full, "the full disk to be noticed")
        finally:
            ballast.unlink()
            rounds.began()

    return disk_full


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A disk of its own of this size. Raises `OSError` where none can be made: that takes root."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder)]
    try:
        made = subprocess.run(command, capture_output=True, text=True, timeout=30.0, check=False)
    except FileNotFoundError as error:
        raise OSError("there is no mount") from error
    if made.returncode:
        raise OSError(made.stderr.strip())
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], timeout=30.0, check=True)
