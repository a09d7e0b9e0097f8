"""One embedded PostgreSQL for a whole test session, shared by its workers; each test gets a database to itself.

A new database is some hundred files to copy and to delete. So a worker lends its databases to one test after another,
and empties them in between; one in which anything but rows was changed is thrown away.

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

import asyncpg

from paramedic.clock import SystemClock, new_secret
from paramedic.store.connect import Connection, Profile, connect
from paramedic.store.embedded.cluster import Tuning
from paramedic.store.embedded.supervisor import EmbeddedPostgres
from paramedic.store.migrate import migrate, read_migrations

ROOT = Path(__file__).parents[1]
MIGRATED = "migrated"  # the database that the tests' are copies of
BLANK = "template0"
MEMORY = Path("/dev/shm")
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


def in_memory(*, programs: bool = False) -> bool:
    """Whether files can be put into memory here, and there is room; also those that are to be started."""
    if not (MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM):
        return False
    return not (programs and os.statvfs(MEMORY).f_flag & os.ST_NOEXEC)


@contextmanager
def quick_folder() -> Iterator[Path]:
    """A temporary folder, in memory where there is room: a database is some hundred files, and disks differ."""
    with tempfile.TemporaryDirectory(prefix="paramedic-", dir=MEMORY if in_memory() else None) as folder:
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
    name = await _create(server, template)
    try:
        yield database_url(server, name)
    finally:
        await _drop(server, name)


async def _create(server: str, template: str) -> str:
    name = f"test_{new_secret(6)}"
    await _command(server, f"create database {name} template {template} strategy file_copy")
    return name


async def _drop(server: str, name: str) -> None:
    await _command(server, f"drop database {name} with (force)")


class Databases:
    """The migrated databases of one worker, for one test after another. All of it in one event loop."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._used: list[tuple[str, Connection]] = []
        self._shape = ""
        self._emptying = ""

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[str]:
        """The URL of a database like a new one, for the length of a block."""
        name, connection = await self._emptied() or await self._made()
        try:
            yield database_url(self._server, name)
        finally:
            self._used.append((name, connection))

    async def close(self) -> None:
        """End the connections; the databases go with the server."""
        for _, connection in self._used:
            await connection.close()

    async def _made(self) -> tuple[str, Connection]:
        name = await _create(self._server, MIGRATED)
        connection = await connect(database_url(self._server, name), LENDER)
        if not self._shape:
            self._shape = await connection.fetchval(SHAPE)
            self._emptying = await _how_to_empty(connection)
        return name, connection

    async def _emptied(self) -> tuple[str, Connection] | None:
        """One that was used, without its traces; None if there is none that can be used again."""
        while self._used:
            name, connection = self._used.pop()
            try:
                await connection.fetch(SEND_AWAY)
                if await connection.fetchval(SHAPE) == self._shape:
                    await connection.execute(self._emptying)
                    return name, connection
            except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
                pass  # a test has cut every connection of its database
            connection.terminate()
            await _drop(self._server, name)
        return None


LENDER = Profile("lender")

# Who else is connected to this database. A worker of autovacuum is nobody.
OTHERS = f"""
select application_name from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and application_name <> '{LENDER.name}'
  and backend_type = 'client backend'
"""

SEND_AWAY = """
select pg_terminate_backend(pid, 10000) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
"""

# Differs as soon as something was made, altered or dropped, counted by `analyze`, set for the database, or has grown:
# a table of many pages is planned differently, though it be empty.
SHAPE = """
select concat_ws(
  ' ',
  (select (count(*), max(xmin::text::bigint), sum(reltuples), sum(relpages)) from pg_class),
  (select count(*) from pg_class where oid >= 16384 and relkind in ('r', 'i', 't') and pg_relation_size(oid) > 262144),
  (select (count(*), max(xmin::text::bigint)) from pg_attribute),
  (select (count(*), max(xmin::text::bigint)) from pg_constraint),
  (select (count(*), max(xmin::text::bigint)) from pg_depend),
  (select (count(*), max(xmin::text::bigint)) from pg_namespace),
  (select (count(*), max(xmin::text::bigint)) from pg_proc),
  (select (count(*), max(xmin::text::bigint)) from pg_statistic),
  (select (count(*), max(xmin::text::bigint)) from pg_trigger),
  (select count(*) from pg_db_role_setting where setdatabase <> 0),
  (select (datallowconn, datconnlimit) from pg_database where datname = current_database())
)
"""


async def _how_to_empty(connection: Connection) -> str:
    """The statements that leave a database with the rows which the migrations put there, and with no other."""
    tables = await connection.fetch(
        "select oid::regclass::text from pg_class where oid >= 16384 and relkind = 'r' order by 1"
    )
    statements = []
    for (table,) in tables:
        rows = await connection.fetchval(f"select json_agg(t)::text from {table} t")
        if rows is None:
            statements.append(f"delete from {table}")
        else:  # what is as it was stays, so that nothing grows
            kept = f"json_populate_recordset(null::{table}, $rows${rows}$rows$)"
            statements.append(f"delete from {table} t where to_jsonb(t) not in (select to_jsonb(k) from {kept} k)")
            statements.append(f"insert into {table} select * from {kept} except select * from {table}")
    sequences = await connection.fetch("select sequencename as name, start_value as first from pg_sequences")
    statements += [f"select setval('{one['name']}', {one['first']}, false)" for one in sequences]
    return "; ".join(statements)


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
