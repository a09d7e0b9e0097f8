"""One embedded PostgreSQL for a whole test session, shared by its workers; each test gets a database of its own.

Whoever needs it first starts a keeper, a process that holds the server. Every user holds a shared lock on a file for as
long as it needs the server; the keeper waits for that lock alone, so it ends with the last user, however that one ends.
`tests/conftest.py` makes fixtures of this.

    python -m tests.postgres FOLDER      becomes the keeper, in the background; back when the server is ready
"""

import asyncio
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from paramedic.clock import SystemClock, new_secret
from paramedic.store.connect import connect
from paramedic.store.embedded.cluster import Tuning
from paramedic.store.embedded.supervisor import EmbeddedPostgres
from paramedic.store.migrate import migrate, read_migrations

ROOT = Path(__file__).parents[1]
MIGRATED = "migrated"  # the database that the tests' are copies of
BLANK = "template0"
ROOM = 1 << 30  # bytes
START_TIME = 60.0  # seconds; one is usual

# A test's data may be lost with the machine. Without autovacuum no plan depends on when it came by.
FAST = Tuning(
    settings={
        "fsync": "off",
        "full_page_writes": "off",
        "synchronous_commit": "off",
        "autovacuum": "off",
        "max_connections": "200",
    },
    initdb=("--no-sync", "--wal-segsize=1"),
)


@contextmanager
def quick_folder() -> Iterator[Path]:
    """A temporary folder, in memory where there is room: a database is some hundred files, and disks differ."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM
    with tempfile.TemporaryDirectory(prefix="paramedic-", dir=memory if roomy else None) as folder:
        yield Path(folder)


@contextmanager
def shared_server(folder: Path) -> Iterator[str]:
    """The URL of the session's server, which stays for as long as anybody is in here; started by the first."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "users").open("w") as users, (folder / "starting").open("w") as starting:
        fcntl.flock(users, fcntl.LOCK_SH)
        fcntl.flock(starting, fcntl.LOCK_EX)
        url = folder / "url"
        if not url.exists():
            _start_keeper(folder)
        fcntl.flock(starting, fcntl.LOCK_UN)
        yield url.read_text()


def _start_keeper(folder: Path) -> None:
    log = folder / "keeper.log"
    command = [sys.executable, "-m", "tests.postgres", str(folder)]
    with log.open("w") as output:
        started = subprocess.run(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=START_TIME, check=False
        )
    if started.returncode != 0:
        raise RuntimeError(f"the tests' PostgreSQL did not start:\n{log.read_text()}")


@asynccontextmanager
async def fresh_database(server: str, template: str = MIGRATED) -> AsyncIterator[str]:
    """The URL of a new database, a copy of `template`; dropped afterwards, whoever is still connected."""
    name = f"test_{new_secret(6)}"
    await _command(server, f"create database {name} template {template} strategy file_copy")
    try:
        yield database_url(server, name)
    finally:
        await _command(server, f"drop database {name} with (force)")


def database_url(server: str, name: str) -> str:
    """The URL of another database of the same server."""
    return server.replace("/postgres?", f"/{name}?")


async def _command(server: str, statement: str) -> None:
    connection = await connect(server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def keep(folder: Path, ready: int) -> None:
    """Hold the server until nobody uses it; a byte to `ready` says that it can be used."""
    with quick_folder() as data:
        async with EmbeddedPostgres(data, SystemClock(), tuning=FAST) as server:
            await _command(server.dsn, f"create database {MIGRATED} template {BLANK}")
            connection = await connect(database_url(server.dsn, MIGRATED))
            await migrate(connection, read_migrations())
            await connection.close()
            (folder / "url").write_text(server.dsn)
            os.write(ready, b"1")
            with (folder / "users").open("w") as users:
                await asyncio.to_thread(fcntl.flock, users, fcntl.LOCK_EX)
                (folder / "url").unlink()


def main() -> int:
    """Leave the keeper in the background when it is ready; 1 when it ended before."""
    reads, writes = os.pipe()
    if os.fork() == 0:
        os.setsid()
        os.close(reads)
        asyncio.run(keep(Path(sys.argv[1]), writes))
        return 0
    os.close(writes)
    return 0 if os.read(reads, 1) else 1


if __name__ == "__main__":
    sys.exit(main())
