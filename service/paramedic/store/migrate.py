"""Brings the database's tables up to this code: plain SQL files, forward only, each once, in one transaction.

The app calls `migrate` with an open connection before anything else uses the database. Replicas that start at once wait
for each other on an advisory lock. What was applied is in the table `migration`, with the checksum of each file.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

import asyncpg

from paramedic.errors import Fault, Permanent
from paramedic.store.connect import PASSING, Connection, translated

__all__ = ["Migration", "Outcome", "migrate", "read_migrations"]

LOCK = 0x706172616D6564  # "paramed"; any number that nobody else locks in the same database
LONGEST = 3600.0  # seconds for one file: a large table may have to be rewritten
FILE = re.compile(r"(?P<version>\d{4})_(?P<name>[a-z0-9_]+)\.sql")


@dataclass(frozen=True)
class Migration:
    """One file NNNN_name.sql."""

    version: int
    name: str
    text: str
    checksum: str

    @property
    def file(self) -> str:
        """The file's name, for messages."""
        return f"{self.version:04}_{self.name}.sql"


@dataclass(frozen=True)
class Outcome:
    """What `migrate` found and did: the versions it applied, and those that a newer replica had applied before."""

    applied: tuple[int, ...]
    ahead: tuple[int, ...]


def read_migrations(folder: Traversable | None = None) -> tuple[Migration, ...]:
    """The migrations of `folder` (default: those of this package), in order. Raises Fault for a wrong name or a gap."""
    folder = folder or files("paramedic.store") / "migrations"
    found = []
    for file in sorted(folder.iterdir(), key=lambda item: item.name):
        if not file.name.endswith(".sql"):
            continue
        named = FILE.fullmatch(file.name)
        if named is None:
            raise Fault(file.name, "this is no name for a migration", "write it as 0001_what_it_does.sql")
        content = file.read_bytes()
        checksum = hashlib.sha256(content).hexdigest()
        found.append(Migration(int(named["version"]), named["name"], content.decode(), checksum))
    for expected, migration in enumerate(found, start=1):
        if migration.version != expected:
            raise Fault(migration.file, f"number {expected:04} was expected here", "number migrations without a gap")
    return tuple(found)


async def migrate(connection: Connection, migrations: Sequence[Migration], *, wait: float = 60.0) -> Outcome:
    """Apply what is missing; other replicas are waited for up to `wait` seconds.

    Raises Temporary when a lock cannot be had in time, and Permanent when a file fails, was changed after it was
    applied, or does not fit what the database has. What was applied before that stays.
    """
    with translated("migrating the database"):
        await connection.execute("select set_config('lock_timeout', $1, false)", f"{wait:g}s")
        try:
            # The server gives up after `wait`; the longer limit on this side is for a server that says nothing.
            await connection.execute("select pg_advisory_lock($1)", LOCK, timeout=wait + 5)
            try:
                return await _catch_up(connection, migrations)
            finally:
                await _tidied(connection, f"select pg_advisory_unlock({LOCK})")
        finally:
            await _tidied(connection, "reset lock_timeout")


async def _tidied(connection: Connection, statement: str) -> None:
    """A pooled connection goes on to other uses; a closed one has given everything back already."""
    if not connection.is_closed():
        await connection.execute(statement)


async def _catch_up(connection: Connection, migrations: Sequence[Migration]) -> Outcome:
    await connection.execute(
        "create table if not exists migration ("
        " version int primary key, name text not null, checksum text not null,"
        " at timestamptz not null default clock_timestamp())"
    )
    rows = await connection.fetch("select version, name, checksum from migration order by version")
    applied = {row["version"]: (f"{row['version']:04}_{row['name']}.sql", row["checksum"]) for row in rows}
    _require_fit(migrations, applied)
    missing = [migration for migration in migrations if migration.version not in applied]
    for migration in missing:
        await _apply(connection, migration)
    known = {migration.version for migration in migrations}
    return Outcome(tuple(migration.version for migration in missing), tuple(v for v in applied if v not in known))


def _require_fit(migrations: Sequence[Migration], applied: Mapping[int, tuple[str, str]]) -> None:
    """The database must have a beginning of our files, or our files must be a beginning of what it has."""
    for migration in migrations:
        file, checksum = applied.get(migration.version, ("", ""))
        if file and checksum != migration.checksum:
            raise Permanent(
                f"{migration.file} is not what was applied to this database as {file}:"
                " restore the file as it was, and put the change into a new migration"
            )
        if not file and any(version > migration.version for version in applied):
            raise Permanent(
                f"{migration.file} was never applied, but the database has {max(applied):04} already:"
                " this is not a database of this code's history; point PARAMEDIC_DATABASE_URL at the right one"
            )


async def _apply(connection: Connection, migration: Migration) -> None:
    """One file and the row that says so, both or neither."""
    async with connection.transaction():
        try:
            await connection.execute(migration.text, timeout=LONGEST)
        except asyncpg.PostgresError as error:
            if isinstance(error, PASSING):
                raise
            line = migration.text.count("\n", 0, int(error.position or 1) - 1) + 1
            raise Permanent(f"{migration.file}:{line}: {error}; nothing of this file was kept") from error
        if not connection.is_in_transaction():
            raise Permanent(f"{migration.file} ends the transaction it runs in: take commit and rollback out of it")
        await connection.execute(
            "insert into migration (version, name, checksum) values ($1, $2, $3)",
            migration.version,
            migration.name,
            migration.checksum,
        )
