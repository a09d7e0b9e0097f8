"""The embedded PostgreSQL as its users see it: made, started, used, stopped, started again.

Promise 1 rests on it: what was answered 2xx is on its disk.
"""

import os
import shutil
import stat
from pathlib import Path

import asyncpg
import pytest

from paramedic.clock import SystemClock
from paramedic.errors import Permanent
from paramedic.store.connect import connect
from paramedic.store.embedded.supervisor import EmbeddedPostgres
from tests.postgres import FAST
from tests.store.embedded.parts import linux, pretended


async def value(dsn: str, query: str) -> object:
    connection = await connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_the_first_start_makes_a_durable_private_database(room: Path) -> None:
    """With the settings of production: nothing of `FAST` here."""
    async with EmbeddedPostgres(room / "data", SystemClock()) as server:
        shown = {
            name: await value(server.dsn, f"show {name}")
            for name in ("fsync", "full_page_writes", "synchronous_commit", "autovacuum", "data_checksums")
        }
        assert set(shown.values()) == {"on"}, shown
        assert await value(server.dsn, "show listen_addresses") == ""
        assert await value(server.dsn, "show server_encoding") == "UTF8"
        assert (
            await value(server.dsn, "select datlocale from pg_database where datname = current_database()") == "C.UTF-8"
        )
        assert await value(server.dsn, "show server_version") == server.version
        assert server.version.startswith("18.")
        assert 0 < server.ready_seconds < 15
        assert (server.ready.is_set(), server.lost.is_set(), server.starts) == (True, False, 1)


async def test_nobody_comes_in_without_the_password(data: Path) -> None:
    async with EmbeddedPostgres(data, SystemClock(), tuning=FAST) as server:
        password = (data / "postgres" / "paramedic.password").read_text()
        assert password in server.dsn
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(server.dsn.replace(password, "guess"))
        rules = await value(server.dsn, "select string_agg(distinct auth_method, ' ') from pg_hba_file_rules")
        assert rules == "scram-sha-256"


async def test_folders_and_password_are_for_the_owner_alone(data: Path) -> None:
    async with EmbeddedPostgres(data, SystemClock(), tuning=FAST):
        modes = {name: stat.S_IMODE((data / name).stat().st_mode) for name in ("", "run", "postgres")}
        assert modes == {"": 0o700, "run": 0o700, "postgres": 0o700}
        assert stat.S_IMODE((data / "postgres" / "paramedic.password").stat().st_mode) == 0o600
        assert stat.S_IMODE((data / "lock").stat().st_mode) == 0o600


async def test_what_was_written_is_there_after_a_restart(data: Path) -> None:
    async with EmbeddedPostgres(data, SystemClock(), tuning=FAST) as server:
        await value(server.dsn, "create table kept as select 42 as answer")
        first = server.dsn
    async with EmbeddedPostgres(data, SystemClock(), tuning=FAST) as server:
        assert await value(server.dsn, "select answer from kept") == 42
        assert server.dsn == first


async def test_stopping_leaves_no_process_no_socket_and_no_lock(data: Path) -> None:
    async with EmbeddedPostgres(data, SystemClock(), tuning=FAST) as server:
        pid = server.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert sorted(path.name for path in data.iterdir()) == ["lock", "postgres"]
    assert not (data / "postgres" / "postmaster.pid").exists()
    assert not server.ready.is_set()


async def test_the_server_is_out_of_reach_of_the_terminals_ctrl_c(data: Path) -> None:
    async with EmbeddedPostgres(data, SystemClock(), tuning=FAST) as server:
        assert os.getsid(server.pid) != os.getsid(0)
        assert os.getpgid(server.pid) != os.getpgid(0)


@linux
async def test_the_server_knows_nothing_of_our_environment(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAMEDIC_WEBHOOK_TOKEN", "hush")
    monkeypatch.setenv("PGPORT", "1")
    async with EmbeddedPostgres(data, SystemClock(), tuning=FAST) as server:
        environment = Path(f"/proc/{server.pid}/environ").read_text()
        assert "hush" not in environment
        assert "PGPORT" not in environment


async def test_an_error_in_the_body_comes_out_as_it_is(data: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        async with EmbeddedPostgres(data, SystemClock(), tuning=FAST):
            raise ZeroDivisionError


async def test_a_path_too_long_for_a_socket_gets_one_elsewhere(room: Path, made: Path) -> None:
    data = room / ("long" * 20) / ("longer" * 10)
    shutil.copytree(made, data)
    async with EmbeddedPostgres(data, SystemClock(), tuning=FAST) as server:
        noted = Path((data / "socket").read_text())
        assert await value(server.dsn, "show unix_socket_directories") == f'"{noted}"'
        assert stat.S_IMODE(noted.stat().st_mode) == 0o700
    assert not noted.exists()
    assert not (data / "socket").exists()


async def test_a_second_one_on_the_same_folder_is_told_who_has_it(data: Path) -> None:
    async with EmbeddedPostgres(data, SystemClock(), tuning=FAST) as server:
        second = EmbeddedPostgres(data, SystemClock(), tuning=FAST)
        with pytest.raises(Permanent, match=rf"in use by process {os.getpid()} on .*PARAMEDIC_DATA"):
            await second.__aenter__()
        assert await value(server.dsn, "select 1") == 1


async def test_a_failed_start_gives_everything_back(room: Path) -> None:
    """The lock too: the next attempt is not refused for the sake of the first."""
    broken = pretended(room, initdb="echo 'initdb: error: something is odd' >&2; exit 1")
    for _ in range(2):
        with pytest.raises(Permanent, match=r"the database could not be made: something is odd"):
            await EmbeddedPostgres(room / "data", SystemClock(), programs=broken).__aenter__()
    assert sorted(path.name for path in (room / "data").iterdir()) == ["lock"]
