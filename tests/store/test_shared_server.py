"""The tests' own PostgreSQL: a database each, one server for all, and nothing left when the last user is gone."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from paramedic.store.connect import connect
from tests.postgres import Databases, database_url, fresh_database, shared_server
from tests.store.embedded.parts import linux, runs, until


async def value(dsn: str, query: str) -> object:
    connection = await connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_a_database_is_migrated_and_nobody_elses(database: str, postgres_server: str) -> None:
    await value(database, "create table mine as select 1")
    async with fresh_database(postgres_server) as other:
        assert other != database
        assert await value(other, "select to_regclass('mine')") is None
        assert await value(other, "select to_regclass('incident')::text") == "incident"


async def test_a_blank_one_is_blank(blank_database: str) -> None:
    assert await value(blank_database, "select count(*) from pg_class where relnamespace = 'public'::regnamespace") == 0


@pytest.fixture
async def lent(postgres_server: str) -> AsyncIterator[Databases]:
    kept = Databases(postgres_server)
    yield kept
    await kept.close()


async def rows_of(dsn: str) -> dict[str, list[str]]:
    """All rows of all tables, but for when the migrations ran, and what the sequences give next."""
    connection = await connect(dsn)
    try:
        found = {}
        for (table,) in await connection.fetch("select oid::regclass::text from pg_class where relkind in ('r', 'S')"):
            if not table.startswith(("pg_", "information_schema.")):
                found[table] = sorted(str(dict(row)) for row in await connection.fetch(f"select * from {table}"))
        return found
    finally:
        await connection.close()


async def test_what_one_test_wrote_the_next_does_not_see(lent: Databases) -> None:
    async with lent.lend() as first:
        clean = await rows_of(first)
        await value(first, "insert into delivery values (1, now(), '', '', false)")
        await value(first, "insert into hold values ('main/shop/api', 1, 1, now())")
        await value(first, "update shard set owner = 7 where id < 9")
        await value(first, "delete from switch")
        await value(first, "select nextval('member_id')")
        await value(first, "select setval('incident_number', 100)")
        assert len([table for table, rows in (await rows_of(first)).items() if rows != clean[table]]) == 6
    async with lent.lend() as second:
        assert second == first
        assert await rows_of(second) == clean


async def test_two_at_once_are_two(lent: Databases) -> None:
    async with lent.lend() as first, lent.lend() as second:
        assert first != second


async def test_who_is_still_connected_is_sent_away(lent: Databases) -> None:
    async with lent.lend() as first:
        forgotten = await asyncpg.connect(first)
        await forgotten.execute("begin; lock table shard; select pg_advisory_lock(1)")
    async with lent.lend() as second:
        assert second == first
        assert await value(second, "select pg_try_advisory_lock(1)") is True
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
            await forgotten.fetchval("select 1")
    forgotten.terminate()


@pytest.mark.parametrize(
    "change",
    [
        "create table mine ()",
        "create schema mine",
        "create function mine() returns int language sql as 'select 1'",
        "create view mine as select * from hold",
        "create index mine on hold (run)",
        "drop index use_at",
        "drop table change",
        "alter table switch drop constraint switch_id_check",
        "alter table hold add column more text",
        "alter table hold alter column run drop not null",
        "alter table hold set (fillfactor = 50)",
        "alter table hold enable row level security",
        "insert into hold values ('a', 1, 1, now()); analyze hold",
        "alter database {database} set enable_seqscan = off",
        "insert into use select n::text, now(), 1, 1 from generate_series(1, 9999) n; delete from use",
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database}' and state = 'idle'",
    ],
)
async def test_one_that_is_not_as_it_was_is_not_lent_again(lent: Databases, change: str) -> None:
    async with lent.lend() as first:
        connection = await connect(first)
        await connection.execute(change.format(database=await connection.fetchval("select current_database()")))
        await connection.close()
    async with lent.lend() as second:
        assert second != first


async def test_it_goes_though_somebody_is_still_connected(postgres_server: str) -> None:
    async with fresh_database(postgres_server) as dsn:
        name = await value(dsn, "select current_database()")
        forgotten = await connect(dsn)
    names = "select string_agg(datname, ' ') from pg_database"
    assert str(name) not in str(await value(postgres_server, names))
    forgotten.terminate()


@linux
async def test_the_server_stays_for_the_last_user_and_no_longer(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    with shared_server(folder) as first:
        with shared_server(folder) as second:
            assert second == first
        data = Path(str(await value(first, "show data_directory")))
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
        assert await value(database_url(first, "migrated"), "select count(*) > 0 from migration") is True
    await until(lambda: not runs(pid) and not data.exists(), "the server ends with its last user, and its folder goes")
