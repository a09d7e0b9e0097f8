"""Processes that end without warning, the server's and ours: each time the folder serves again, and nothing is lost."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from paramedic.clock import SystemClock
from paramedic.errors import Permanent, Temporary
from paramedic.store.connect import connect
from paramedic.store.embedded import supervisor
from paramedic.store.embedded.postmaster import Postmaster
from paramedic.store.embedded.supervisor import EmbeddedPostgres
from tests.postgres import FAST, ROOT
from tests.store.embedded.parts import HurriedClock, linux, runs, until

PARENT = """
import asyncio, sys
from pathlib import Path
from paramedic.clock import SystemClock
from paramedic.store.embedded.postmaster import Postmaster
from paramedic.store.embedded.supervisor import EmbeddedPostgres
from tests.postgres import FAST

async def main():
    async with EmbeddedPostgres(Path(sys.argv[1]), SystemClock(), tuning=FAST) as server:
        print(server.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


# A process may be killed here, though not the machine: what was committed is in the kernel's hands.
COMMITTING = replace(FAST, settings={**FAST.settings, "synchronous_commit": "on"})


async def rows(dsn: str) -> object:
    connection = await connect(dsn)
    try:
        return await connection.fetchval("select count(*) from kept")
    finally:
        await connection.close()


async def keep_rows(dsn: str) -> None:
    connection = await connect(dsn)
    await connection.execute("create table kept as select generate_series(1, 500)")
    await connection.close()


async def test_a_killed_server_is_noticed_and_started_again(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with EmbeddedPostgres(data, SystemClock(), tuning=COMMITTING) as server:
        await keep_rows(server.dsn)
        killed = server.pid
        os.kill(killed, signal.SIGKILL)
        async with asyncio.timeout(15):
            await server.lost.wait()
            await server.ready.wait()
        assert server.starts == 2
        assert server.pid != killed
        assert not server.lost.is_set()
        assert await rows(server.dsn) == 500
    assert "PostgreSQL ended: killed by signal 9" in caplog.text


async def test_a_crash_of_one_of_its_processes_is_told_too(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The whole server goes down with it, and whoever trusted in an unanswered commit has to look again."""
    async with EmbeddedPostgres(data, SystemClock(), tuning=COMMITTING) as server:
        await keep_rows(server.dsn)
        connection = await connect(server.dsn)
        os.kill(connection.get_server_pid(), signal.SIGKILL)
        async with asyncio.timeout(15):
            await server.lost.wait()
            await server.ready.wait()
        assert await rows(server.dsn) == 500
        connection.terminate()
    assert "was terminated by signal 9" in caplog.text


async def test_while_the_server_is_away_connecting_is_a_temporary_failure(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with EmbeddedPostgres(data, SystemClock(), tuning=FAST) as server:
        connection = await connect(server.dsn)
        held_back = asyncio.Event()

        revive = server._revive

        async def later(failures: int) -> tuple[Postmaster, int]:
            await held_back.wait()
            return await revive(failures)

        monkeypatch.setattr(server, "_revive", later)
        os.kill(server.pid, signal.SIGKILL)
        async with asyncio.timeout(15):
            await server.lost.wait()
        assert not server.ready.is_set()
        with pytest.raises(Temporary):
            await connect(server.dsn, timeout=2)
        connection.terminate()
        held_back.set()
        async with asyncio.timeout(15):
            await server.ready.wait()


async def test_a_full_or_broken_disk_while_running_is_named_by_the_servers_own_panic(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log's folder goes away, as it would seem to with a disk that fails; with its return the server returns."""
    clock = HurriedClock()
    wal = data / "postgres" / "pg_wal"
    async with EmbeddedPostgres(data, clock, tuning=COMMITTING) as server:
        await keep_rows(server.dsn)
        connection = await connect(server.dsn)
        wal.rename(data / "away")
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await connection.fetchval("select pg_switch_wal()")
        connection.terminate()
        async with asyncio.timeout(15):
            await server.lost.wait()
            (data / "away").rename(wal)
            await server.ready.wait()
        assert await rows(server.dsn) == 500
    assert "PostgreSQL ended: could not" in caplog.text


async def test_a_server_that_does_not_come_back_ends_the_service_with_one_reason(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "RESTARTS", 4)
    clock = HurriedClock()
    control = data / "postgres" / "global" / "pg_control"

    async def serve() -> None:
        async with EmbeddedPostgres(data, clock, tuning=FAST) as server:
            control.rename(data / "away")
            os.kill(server.pid, signal.SIGKILL)
            await asyncio.Event().wait()

    with pytest.raises(Permanent, match=r"did not come back in 4 attempts: PostgreSQL did not start: .*pg_control"):
        async with asyncio.timeout(20):
            await serve()
    pauses = [seconds for seconds in clock.slept if seconds > 0.2]
    assert len(pauses) == 3
    for pause, middle in zip(pauses, (0.5, 1, 2), strict=True):
        assert middle / 2 <= pause <= middle * 1.5

    (data / "away").rename(control)
    async with EmbeddedPostgres(data, SystemClock(), tuning=FAST) as server:
        assert server.starts == 1


async def test_one_that_comes_back_but_does_not_know_us_is_not_left_running(
    data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervisor, "RESTARTS", 2)

    async def serve() -> None:
        async with EmbeddedPostgres(data, HurriedClock(), tuning=COMMITTING) as server:
            connection = await connect(server.dsn)
            await connection.execute("alter role paramedic password 'another'")
            connection.terminate()
            os.kill(server.pid, signal.SIGKILL)
            await asyncio.Event().wait()

    with pytest.raises(Permanent, match=r"did not come back in 2 attempts: .*password authentication failed"):
        async with asyncio.timeout(20):
            await serve()
    assert "outlived" not in caplog.text
    assert not (data / "postgres" / "postmaster.pid").exists()


@linux
async def test_a_killed_parent_takes_its_server_along_and_the_next_one_starts(data: Path) -> None:
    with started_parent(data) as (parent, pid):
        parent.kill()
        await until(lambda: not runs(pid), "the server of a killed parent ends")
    async with EmbeddedPostgres(data, SystemClock(), tuning=FAST) as server:
        assert server.ready.is_set()


async def test_the_next_one_starts_even_when_it_comes_at_once(data: Path) -> None:
    """The server of the killed process may still be shutting down: it is waited for."""
    with started_parent(data) as (parent, _):
        parent.kill()
    async with EmbeddedPostgres(data, SystemClock(), tuning=FAST) as server:
        assert server.ready.is_set()


async def test_an_interrupted_parent_stops_its_server_in_order(data: Path) -> None:
    with started_parent(data) as (parent, pid):
        parent.send_signal(signal.SIGINT)
    assert not runs(pid)
    assert not (data / "postgres" / "postmaster.pid").exists()


@contextmanager
def started_parent(data: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A process with a server, and the server's number; its end is waited for, so the body has to bring that about."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(data)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout is not None
        yield parent, int(parent.stdout.readline())
