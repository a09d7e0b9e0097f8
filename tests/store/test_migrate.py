"""Migrations: each once, in order, whole or not at all, whoever else starts at the same moment."""

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from paramedic.errors import Fault, Permanent, Temporary
from paramedic.store.connect import Connection, connect
from paramedic.store.migrate import LOCK, Migration, Outcome, migrate, read_migrations

FIRST = {"0001_first.sql": "create table first (n int);", "0002_second.sql": "create table second (n int);"}


@pytest.fixture
async def connection(blank_database: str) -> AsyncIterator[Connection]:
    connection = await connect(blank_database)
    yield connection
    await connection.close(timeout=5)


def written(folder: Path, files: dict[str, str]) -> tuple[Migration, ...]:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return read_migrations(folder)


async def tables(connection: Connection) -> set[str]:
    rows = await connection.fetch(
        "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
    )
    return {row["relname"] for row in rows}


async def advisory_locks(connection: Connection) -> object:
    """How many are held in this database; the server's others are other tests' affair."""
    return await connection.fetchval(
        "select count(*) from pg_locks join pg_database on pg_database.oid = pg_locks.database"
        " where locktype = 'advisory' and datname = current_database()"
    )


class TestFiles:
    def test_they_are_read_in_order_with_their_checksums(self, tmp_path: Path) -> None:
        found = written(tmp_path, {**FIRST, "README.md": "not SQL"})
        assert [(file.version, file.name, file.file) for file in found] == [
            (1, "first", "0001_first.sql"),
            (2, "second", "0002_second.sql"),
        ]
        assert found[0].checksum == "5e8ada1ec985ddb335cfb843ddef979ed632f4dc64cc8f59befdf22c95d56c87"

    @pytest.mark.parametrize("name", ["1_first.sql", "0001-first.sql", "0001_First.sql", "first.sql", "0001_.sql"])
    def test_a_name_that_says_no_number_is_a_fault(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(
            Fault, match=rf"^{name}: this is no name for a migration; write it as 0001_what_it_does.sql"
        ):
            written(tmp_path, {name: "select 1"})

    @pytest.mark.parametrize("names", [["0002_b.sql"], ["0001_a.sql", "0003_c.sql"], ["0001_a.sql", "0001_b.sql"]])
    def test_a_gap_or_a_number_given_twice_is_a_fault(self, tmp_path: Path, names: list[str]) -> None:
        """Two branches that each add one meet here, and not in somebody's database."""
        with pytest.raises(Fault, match=rf"^{names[-1]}: number 000[12] was expected here"):
            written(tmp_path, dict.fromkeys(names, "select 1"))

    def test_those_of_the_package_are_found(self) -> None:
        found = read_migrations()
        assert found[0].version == 1
        assert "create table" in found[0].text


class TestApplying:
    async def test_what_is_missing_is_applied_once(self, connection: Connection, tmp_path: Path) -> None:
        assert await migrate(connection, written(tmp_path, FIRST)) == Outcome((1, 2), ())
        assert await tables(connection) == {"migration", "first", "second"}
        assert await migrate(connection, read_migrations(tmp_path)) == Outcome((), ())

        more = written(tmp_path, {"0003_third.sql": "create table third (n int); insert into third values (3);"})
        assert await migrate(connection, more) == Outcome((3,), ())
        assert await connection.fetchval("select n from third") == 3

    async def test_what_was_applied_is_written_down(self, connection: Connection, tmp_path: Path) -> None:
        migrations = written(tmp_path, FIRST)
        await migrate(connection, migrations)
        rows = await connection.fetch(
            "select version, name, checksum, at <= now() as past from migration order by version"
        )
        assert [tuple(row) for row in rows] == [(file.version, file.name, file.checksum, True) for file in migrations]

    async def test_with_no_files_there_is_nothing_to_do(self, connection: Connection) -> None:
        assert await migrate(connection, ()) == Outcome((), ())

    async def test_the_packages_own_make_a_database(self, connection: Connection) -> None:
        outcome = await migrate(connection, read_migrations())
        assert outcome.applied == tuple(file.version for file in read_migrations())
        assert {"incident", "timeline", "migration"} <= await tables(connection)

    async def test_the_connection_is_as_it_was(self, connection: Connection, tmp_path: Path) -> None:
        before = await connection.fetchval("show lock_timeout")
        await migrate(connection, written(tmp_path, FIRST), wait=7)
        assert await connection.fetchval("show lock_timeout") == before
        assert await advisory_locks(connection) == 0


class TestFailing:
    async def test_one_that_fails_leaves_nothing_and_those_before_it_stay(
        self, connection: Connection, tmp_path: Path
    ) -> None:
        files = {
            **FIRST,
            "0003_bad.sql": "create table third (n int);\n\nselect nonsense;\n",
            "0004_last.sql": "select 1",
        }
        with pytest.raises(Permanent) as failure:
            await migrate(connection, written(tmp_path, files))
        assert str(failure.value) == ('0003_bad.sql:3: column "nonsense" does not exist; nothing of this file was kept')
        assert isinstance(failure.value.__cause__, asyncpg.UndefinedColumnError)
        assert await tables(connection) == {"migration", "first", "second"}
        assert await connection.fetchval("select max(version) from migration") == 2
        assert await advisory_locks(connection) == 0

        (tmp_path / "0003_bad.sql").write_text("create table third (n int)")
        assert await migrate(connection, read_migrations(tmp_path)) == Outcome((3, 4), ())

    async def test_one_that_ends_its_own_transaction_is_refused(self, connection: Connection, tmp_path: Path) -> None:
        files = {"0001_a.sql": "create table first (n int); commit; create table second (n int);"}
        with pytest.raises(Permanent, match=r"^0001_a.sql ends the transaction it runs in: take commit"):
            await migrate(connection, written(tmp_path, files))
        assert await connection.fetchval("select count(*) from migration") == 0

    async def test_a_file_changed_after_it_was_applied_is_refused(self, connection: Connection, tmp_path: Path) -> None:
        await migrate(connection, written(tmp_path, FIRST))
        changed = written(tmp_path, {"0001_first.sql": "create table first (n bigint);", "0003_new.sql": "select 1"})
        with pytest.raises(Permanent) as failure:
            await migrate(connection, changed)
        assert str(failure.value) == (
            "0001_first.sql is not what was applied to this database as 0001_first.sql:"
            " restore the file as it was, and put the change into a new migration"
        )
        assert await connection.fetchval("select max(version) from migration") == 2

    async def test_a_database_of_another_history_is_refused(self, connection: Connection, tmp_path: Path) -> None:
        await migrate(connection, written(tmp_path, FIRST))
        await connection.execute("delete from migration where version = 1")
        with pytest.raises(Permanent, match=r"^0001_first.sql was never applied, but the database has 0002 already"):
            await migrate(connection, read_migrations(tmp_path))

    async def test_a_table_somebody_holds_is_a_temporary_failure(
        self, connection: Connection, blank_database: str, tmp_path: Path
    ) -> None:
        await migrate(connection, written(tmp_path, FIRST))
        other = await connect(blank_database)
        async with other.transaction():
            await other.execute("lock table first")
            files = written(tmp_path, {"0003_alter.sql": "alter table first add m int"})
            with pytest.raises(Temporary, match="canceling statement due to lock timeout"):
                await migrate(connection, files, wait=0.1)
        await other.close()
        assert (await migrate(connection, files)).applied == (3,)


class TestReplicas:
    """Several processes on one database, of one release or of two."""

    async def test_an_older_one_runs_on_when_a_newer_has_migrated(self, connection: Connection, tmp_path: Path) -> None:
        old = written(tmp_path, FIRST)
        await migrate(connection, written(tmp_path, {"0003_new.sql": "select 1", "0004_newer.sql": "select 1"}))
        assert await migrate(connection, old) == Outcome((), (3, 4))

    async def test_an_older_one_of_another_history_does_not(self, connection: Connection, tmp_path: Path) -> None:
        await migrate(connection, written(tmp_path / "new", {**FIRST, "0003_new.sql": "select 1"}))
        old = written(tmp_path / "old", {**FIRST, "0002_second.sql": "select 'changed'"})
        with pytest.raises(Permanent, match=r"^0002_second.sql is not what was applied"):
            await migrate(connection, old)

    async def test_eight_that_start_at_once_apply_each_once(self, blank_database: str, tmp_path: Path) -> None:
        """Each with an event loop and a thread of its own. A file that ran twice would fail: its table is there."""
        names = [f"{number:04}_table.sql" for number in range(1, 6)]
        migrations = written(
            tmp_path, {name: f"create table t{name[:4]} (n int); select pg_sleep(0.01);" for name in names}
        )
        together = threading.Barrier(8)

        async def replica() -> tuple[int, ...]:
            connection = await connect(blank_database)
            try:
                await asyncio.to_thread(together.wait, 20)
                return (await migrate(connection, migrations)).applied
            finally:
                await connection.close(timeout=5)

        with ThreadPoolExecutor(8) as threads:
            loop = asyncio.get_running_loop()
            applied = await asyncio.gather(*(loop.run_in_executor(threads, asyncio.run, replica()) for _ in range(8)))
        assert sorted(number for each in applied for number in each) == [1, 2, 3, 4, 5]

    async def test_one_that_waits_in_vain_says_so(
        self, connection: Connection, blank_database: str, tmp_path: Path
    ) -> None:
        other = await connect(blank_database)
        await other.execute("select pg_advisory_lock($1)", LOCK)
        with pytest.raises(Temporary, match=r"^migrating the database: canceling statement due to lock timeout"):
            await migrate(connection, written(tmp_path, FIRST), wait=0.1)
        assert await tables(connection) == set()
        await other.close()
        assert (await migrate(connection, read_migrations(tmp_path))).applied == (1, 2)

    async def test_one_that_dies_in_the_middle_holds_nobody_up(
        self, connection: Connection, blank_database: str, tmp_path: Path
    ) -> None:
        """The lock goes with the connection, and half a file with its transaction."""
        other = await connect(blank_database)
        slow = {"0001_slow.sql": "create table first (n int); select pg_sleep(20)"}
        dying = asyncio.ensure_future(migrate(other, written(tmp_path / "slow", slow)))
        sleeping = "select count(*) from pg_stat_activity where pid = $1 and wait_event = 'PgSleep'"
        async with asyncio.timeout(10):
            while not await connection.fetchval(sleeping, other.get_server_pid()):
                await asyncio.sleep(0.01)
        await connection.fetchval("select pg_terminate_backend($1)", other.get_server_pid())
        with pytest.raises(Temporary):
            await dying
        assert (await migrate(connection, written(tmp_path / "quick", FIRST))).applied == (1, 2)
