"""The tests' own PostgreSQL: a database each, one server for all, and nothing left when the last user is gone."""

from pathlib import Path

from paramedic.store.connect import connect
from tests.postgres import database_url, fresh_database, shared_server
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
