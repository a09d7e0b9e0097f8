"""Connections: the session each gets, and every failure as one of our kinds, in one line without the password."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from paramedic.errors import Fault, Permanent, Temporary
from paramedic.store import connect as module
from paramedic.store.connect import (
    ENGINE,
    PLAIN,
    Connection,
    Profile,
    connect,
    open_pool,
    require_supported,
    translated,
)
from tests.postgres import OTHERS


@asynccontextmanager
async def opened(dsn: str, profile: Profile = PLAIN) -> AsyncIterator[Connection]:
    connection = await connect(dsn, profile)
    try:
        yield connection
    finally:
        await connection.close(timeout=5)


class TestProfiles:
    async def test_the_engines_plans_are_fixed_and_go_by_key(self, database: str) -> None:
        async with opened(database, ENGINE) as connection:
            shown = {name: await connection.fetchval(f"show {name}") for name in ENGINE.settings}
        assert shown == ENGINE.settings
        assert shown["plan_cache_mode"] == "force_generic_plan"
        assert {shown[f"enable_{way}"] for way in ("seqscan", "hashjoin", "mergejoin")} == {"off"}

    async def test_others_plan_as_usual(self, database: str) -> None:
        async with opened(database) as connection:
            assert await connection.fetchval("show enable_seqscan") == "on"
            assert await connection.fetchval("show plan_cache_mode") == "auto"

    async def test_each_is_known_by_its_name(self, database: str) -> None:
        async with opened(database, ENGINE) as engine, opened(database, Profile("paramedic views")) as views:
            assert [row[0] for row in await engine.fetch(OTHERS)] == ["paramedic views"]
            assert [row[0] for row in await views.fetch(OTHERS)] == ["paramedic engine"]
            assert await views.fetchval("show application_name") == "paramedic views"

    async def test_a_statement_that_takes_too_long_is_ended(self, database: str) -> None:
        async with opened(database, Profile("hasty", statement_timeout=0.05)) as connection:
            with pytest.raises(Temporary, match="asking: TimeoutError"), translated("asking"):
                await connection.execute("select pg_sleep(20)")
            assert await connection.fetchval("select 1") == 1

    async def test_long_statements_are_prepared_once(self, database: str) -> None:
        """The engine's commit is longer than what the driver keeps by itself."""
        statement = f"select 1 /* {'x' * 20000} */"
        async with opened(database, ENGINE) as connection:
            for _ in range(3):
                await connection.fetch(statement)
            assert (
                await connection.fetchval(
                    "select count(*) from pg_prepared_statements where statement like 'select 1 /%'"
                )
                == 1
            )


class TestPool:
    async def test_it_holds_as_many_as_it_is_told(self, database: str) -> None:
        async with await open_pool(database, Profile("many"), size=2) as pool:
            async with pool.acquire() as one, pool.acquire() as two:
                pids = {await one.fetchval("select pg_backend_pid()"), await two.fetchval("select pg_backend_pid()")}
                assert len(pids) == 2
                with pytest.raises(TimeoutError):
                    await pool.acquire(timeout=0.05)
            assert await pool.fetchval("show application_name") == "many"

    async def test_its_first_failure_comes_while_it_is_opened(self) -> None:
        with pytest.raises(Temporary):
            await open_pool("postgresql://u:hush@127.0.0.1:1/d", size=2)


class TestOpening:
    """What may be wrong with a URL or behind it."""

    @pytest.mark.parametrize(
        "dsn",
        [
            "mysql://u:hush@host/d",
            "nonsense",
            "",
            "postgresql://u:hush@host:port/d",
            "postgresql://u:hush@host/d?sslmode=odd",
        ],
    )
    async def test_a_wrong_url_is_a_fault(self, dsn: str) -> None:
        with pytest.raises(Fault, match=r"^database URL: .*postgresql://user:password@host:5432/database") as fault:
            await connect(dsn)
        assert "hush" not in str(fault.value)

    async def test_nobody_there_is_temporary(self) -> None:
        with pytest.raises(Temporary, match=r"^PostgreSQL at 127.0.0.1 cannot be used: .*failed") as failure:
            await connect("postgresql://u:hush@127.0.0.1:1/d")
        assert "hush" not in str(failure.value)

    async def test_no_socket_is_temporary(self, tmp_path: Path) -> None:
        with pytest.raises(Temporary, match=r"PostgreSQL at .* cannot be used"):
            await connect(f"postgresql://u:hush@/d?host={tmp_path}")

    async def test_one_that_accepts_and_says_nothing_is_temporary(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            with pytest.raises(Temporary, match=r"^PostgreSQL at 127.0.0.1 does not answer within 0.1 s$"):
                await connect(f"postgresql://u:hush@127.0.0.1:{port}/d?sslmode=disable", timeout=0.1)

    async def test_a_wrong_password_is_permanent(self, database: str) -> None:
        right = urlsplit(database).password or ""
        with pytest.raises(Permanent, match=r"cannot be used: password authentication failed") as failure:
            await connect(database.replace(right, "hush"))
        assert "hush" not in str(failure.value)

    async def test_a_database_that_does_not_exist_is_permanent(self, postgres_server: str) -> None:
        with pytest.raises(Permanent, match=r'database "nowhere" does not exist'):
            await connect(postgres_server.replace("/postgres?", "/nowhere?"))

    @pytest.mark.parametrize("major", [9, 13, 14])
    def test_an_old_server_is_permanent(self, major: int) -> None:
        with pytest.raises(Permanent) as failure:
            require_supported(major, "PostgreSQL at db")
        assert str(failure.value) == (
            f"PostgreSQL at db is of version {major}; PostgreSQL 15 or newer is needed:"
            " upgrade it, or leave PARAMEDIC_DATABASE_URL unset to use the embedded one"
        )

    @pytest.mark.parametrize("major", [15, 18, 21])
    def test_a_newer_one_is_fine(self, major: int) -> None:
        require_supported(major, "PostgreSQL")

    async def test_the_version_is_asked_for(self, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "OLDEST", 99)
        with pytest.raises(Permanent, match=r"is of version 18; PostgreSQL 99 or newer is needed"):
            await connect(database)
        with pytest.raises(Permanent, match=r"or newer is needed"):
            await open_pool(database, size=1)
        monkeypatch.undo()
        async with opened(database) as connection:
            async with asyncio.timeout(10):
                while await connection.fetch(OTHERS):  # a refused connection is not left open
                    await asyncio.sleep(0.01)


class TestTranslated:
    async def test_a_connection_lost_in_the_middle_is_temporary(self, database: str) -> None:
        async with opened(database) as other, opened(database) as connection:

            async def ask() -> None:
                with translated("asking"):
                    await connection.execute("select pg_sleep(20)")

            told = asyncio.ensure_future(ask())
            pid = connection.get_server_pid()
            busy = "select count(*) from pg_stat_activity where pid = $1 and state = 'active'"
            async with asyncio.timeout(10):
                while not await other.fetchval(busy, pid):
                    await asyncio.sleep(0.01)
            await other.fetchval("select pg_terminate_backend($1)", pid)
            with pytest.raises(Temporary, match=r"^asking: (terminating connection|connection was closed)"):
                await told
            with pytest.raises(Temporary, match=r"^asking: connection is closed"), translated("asking"):
                await connection.fetchval("select 1")

    async def test_what_the_database_refuses_is_permanent(self, database: str) -> None:
        async with opened(database) as connection:
            said = r'^counting: relation "nothing" does not exist$'
            with pytest.raises(Permanent, match=said) as failure, translated("counting"):
                await connection.fetchval("select count(*) from nothing")
            assert isinstance(failure.value.__cause__, asyncpg.UndefinedTableError)

    async def test_an_argument_of_the_wrong_kind_is_permanent(self, database: str) -> None:
        async with opened(database) as connection:
            with pytest.raises(Permanent, match="asking: invalid input for query argument"), translated("asking"):
                await connection.fetchval("select $1::int", "one")

    @pytest.mark.parametrize(
        ("error", "kind"),
        [
            (asyncpg.DiskFullError("no space"), Temporary),
            (asyncpg.TooManyConnectionsError("too many"), Temporary),
            (asyncpg.CannotConnectNowError("starting up"), Temporary),
            (asyncpg.DeadlockDetectedError("deadlock"), Temporary),
            (asyncpg.SerializationError("again"), Temporary),
            (asyncpg.LockNotAvailableError("held"), Temporary),
            (asyncpg.InternalClientError("odd bytes"), Temporary),
            (ConnectionResetError("reset"), Temporary),
            (socket.gaierror(-2, "Name or service not known"), Temporary),
            (TimeoutError(), Temporary),
            (ssl.SSLCertVerificationError("expired"), Permanent),
            (asyncpg.UniqueViolationError("twice"), Permanent),
            (asyncpg.InsufficientPrivilegeError("denied"), Permanent),
            (asyncpg.ReadOnlySQLTransactionError("standby"), Permanent),
        ],
    )
    def test_each_error_has_its_kind_and_keeps_its_cause(self, error: Exception, kind: type[Exception]) -> None:
        with pytest.raises(kind) as failure, translated("trying"):
            raise error
        assert failure.value.__cause__ is error
        assert str(failure.value) == f"trying: {error}" if str(error) else "trying: TimeoutError"

    def test_details_of_several_lines_become_one(self) -> None:
        with pytest.raises(Permanent, match=r"^trying: a b c$"), translated("trying"):
            raise asyncpg.PostgresError("a\n  b\r\nc")

    def test_what_is_not_the_databases_passes(self) -> None:
        with pytest.raises(ZeroDivisionError), translated("trying"):
            raise ZeroDivisionError
        with pytest.raises(asyncio.CancelledError), translated("trying"):
            raise asyncio.CancelledError
