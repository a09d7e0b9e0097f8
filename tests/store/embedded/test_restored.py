"""Backups, dumps and replicas of a real PostgreSQL, made and put back as people do it: which of them is known again."""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import asyncpg
import msgspec
import pytest

from paramedic.clock import SystemClock
from paramedic.core.positions import Position, against
from paramedic.store.connect import connect
from paramedic.store.embedded.cluster import Tuning
from paramedic.store.embedded.supervisor import EmbeddedPostgres
from paramedic.store.migrate import migrate, read_migrations
from paramedic.store.postgres.positions import PositionTable
from paramedic.store.queries import load
from tests.postgres import FAST

QUERIES = load(files("paramedic.store") / "queries")
ARCHIVE = replace(FAST, settings={**FAST.settings, "restore_command": "false"})
"""Recovery to the end of the log that is there; then it is promoted, as a replica is."""


@asynccontextmanager
async def running(data: Path, tuning: Tuning = FAST) -> AsyncIterator[tuple[PositionTable, str]]:
    """The database of this folder, with all tables: its positions and its URL."""
    async with EmbeddedPostgres(data, SystemClock(), tuning=tuning) as server:
        connection = await connect(server.dsn)
        await migrate(connection, read_migrations())
        await connection.close()
        table = PositionTable(server.dsn, QUERIES)
        yield table, server.dsn
        await table.close()


async def served(data: Path, marks: int = 3, *, busily: bool = False) -> Position:
    """A process that serves for a while on this folder, and what it remembers of it."""
    async with running(data) as (table, dsn):
        if busily:
            await write_much(dsn)
        positions = [await table.mark("us", n) for n in range(1, marks + 1)]
    return positions[-1]


async def write_much(dsn: str) -> None:
    """A megabyte or two of log."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("set synchronous_commit = on")  # what is not on the disk does not count
    await connection.execute("create table if not exists filler (n int, text text)")
    await connection.execute("insert into filler select n, repeat('x', 500) from generate_series(1, 2000) n")
    await connection.close()


def copied(data: Path, to: Path) -> Path:
    """What `cp -a` makes of a folder while nothing runs on it."""
    subprocess.run(["cp", "-a", data, to], check=True)
    return to


async def found(data: Path, remembered: Position, tuning: Tuning = FAST) -> str:
    """What speaks against the database of this folder."""
    async with running(data, tuning) as (table, _):
        return against(remembered, await table.find(remembered.who))


async def test_restarts_and_crashes_of_the_server_change_nothing(data: Path) -> None:
    async with EmbeddedPostgres(data, SystemClock(), tuning=FAST) as server:
        connection = await connect(server.dsn)
        await migrate(connection, read_migrations())
        table = PositionTable(server.dsn, QUERIES)
        before = await table.find("us")
        remembered = await table.mark("us", 1)
        await table.close()
        assert (before.mark, before.frozen) == (0, None)
        assert int(before.system) > 2**32
        assert remembered.wal >= before.wal > 0
        connection.terminate()
    assert await found(data, remembered) == ""


async def test_a_backup_of_the_files_is_behind_and_stays_an_older_copy_when_it_goes_on(data: Path, room: Path) -> None:
    """Once others have written to it for a while, how long its log is says nothing any more."""
    await served(data)
    backup = copied(data, room / "backup")
    remembered = await served(data, marks=10, busily=True)
    async with running(backup) as (table, dsn):
        assert "and was at" in against(remembered, await table.find("us"))
        await write_much(dsn)
        await write_much(dsn)
        now = await table.find("us")
        assert now.wal > remembered.wal
        assert "an older copy" in against(remembered, now)


async def test_a_dump_loaded_into_a_new_cluster_is_another_system_and_was_never_frozen(data: Path, room: Path) -> None:
    remembered = await served(data)
    async with running(data) as (table, dsn):
        await table.froze("them")
        now = await table.find("us")
        assert now.frozen is not None
        assert now.frozen > remembered.at
        connection = await asyncpg.connect(dsn)
        dump = await connection.fetch("select * from reached")
        await connection.close()
    async with running(room / "new") as (table, dsn):
        connection = await asyncpg.connect(dsn)
        await connection.copy_records_to_table("reached", records=[tuple(row) for row in dump])
        await connection.close()
        now = await table.find("us")
        assert (now.mark, now.frozen) == (remembered.mark, None)
        assert "another database system" in against(remembered, now)


async def test_a_replica_that_is_promoted_is_the_same_if_it_has_all(data: Path, room: Path) -> None:
    """A real promotion, onto a timeline of its own: of a copy that has all, and of one that lacks the end."""
    await served(data)
    lacking = copied(data, room / "lacking")
    remembered = await served(data, marks=40)
    whole = copied(data, room / "whole")
    for folder in (whole, lacking):
        (folder / "postgres" / "recovery.signal").touch()
    assert await found(whole, remembered, ARCHIVE) == ""
    assert await found(lacking, remembered, ARCHIVE) != ""
    assert [name.name[:8] for name in sorted((whole / "postgres" / "pg_wal").glob("*.history"))] == ["00000002"]


@pytest.mark.parametrize(
    ("hidden", "known"), [("pg_control_system", "wal"), ("pg_current_wal_flush_lsn", "system"), ("both", "")]
)
async def test_who_may_not_ask_goes_by_what_is_left(data: Path, hidden: str, known: str) -> None:
    """Some who rent databases out do not let everything be asked."""
    functions = ("pg_control_system", "pg_current_wal_flush_lsn") if hidden == "both" else (hidden,)
    async with running(data) as (_, dsn):
        connection = await asyncpg.connect(dsn)
        await connection.execute("create role narrow login password 'x'")
        await connection.execute("grant all on reached to narrow")
        for function in functions:
            await connection.execute(f"revoke execute on function {function}() from public")
        await connection.close()
        password = (data / "postgres" / "paramedic.password").read_text()
        table = PositionTable(dsn.replace("paramedic:" + password, "narrow:x"), QUERIES)
        remembered = await table.mark("us", 4)
        now = await table.find("us")
        await table.close()
        for position in (remembered, now):
            assert (bool(position.system), bool(position.wal)) == (known == "system", known == "wal")
        assert against(remembered, now) == ""
        assert "an older copy" in against(msgspec.structs.replace(remembered, mark=5), now)
