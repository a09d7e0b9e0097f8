"""What an earlier server left: its pid file, whose number may be anybody's by now, or itself."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from paramedic.clock import SystemClock
from paramedic.errors import Permanent
from paramedic.store.embedded import account, binaries, leftover
from paramedic.store.embedded.cluster import server_command
from paramedic.store.embedded.folder import DataFolder
from paramedic.store.embedded.postmaster import Postmaster
from paramedic.store.embedded.supervisor import EmbeddedPostgres
from tests.postgres import FAST
from tests.store.embedded.parts import linux, runs, until

# Starts the server and goes, without the tie that would take the server along.
DESERTER = """
import ctypes, os, signal, sys
from paramedic.store.embedded import launch
if os.fork() == 0:
    os.setsid()
    launch._die_with = lambda parent: None
    launch.main(sys.argv[1:])
"""


def write_pid_file(data: Path, pid: int, sockets: str = "") -> Path:
    file = data / "postgres" / "postmaster.pid"
    file.write_text(f"{pid}\n{data}/postgres\n1700000000\n5432\n{sockets}\n\n  5432001         0\nready   \n")
    return file


@asynccontextmanager
async def stranger() -> AsyncIterator[int]:
    """A process of ours that has nothing to do with PostgreSQL."""
    process = await asyncio.create_subprocess_exec("sleep", "60")
    try:
        yield process.pid
    finally:
        process.kill()
        await process.wait()


async def command(data: Path) -> list[str]:
    folder = DataFolder(data)
    user, programs = await account.choose(folder, binaries.find())
    return server_command(folder, user, programs, FAST, folder.make_socket_folder())


async def test_a_pid_that_belongs_to_another_process_by_now_is_no_obstacle(data: Path) -> None:
    """As after a container restart, where numbers begin anew."""
    async with stranger() as pid:
        write_pid_file(data, pid)
        async with EmbeddedPostgres(data, SystemClock(), tuning=FAST) as server:
            assert server.starts == 1
        assert runs(pid), "and it is left alone"


async def test_postgres_by_itself_would_not_start_then(data: Path) -> None:
    """So that the test above shows something."""
    async with stranger() as pid:
        write_pid_file(data, pid)
        alone = await Postmaster.start(await command(data))
        assert not await alone.ready()
        await alone.stop()
        assert any("lock file" in line and "already exists" in line for line in alone.log.lines)


@pytest.mark.parametrize("text", ["2147483646\n/elsewhere\n1\n5432\n/nowhere\n", "99"])
async def test_a_dead_servers_number_becomes_ours_and_the_rest_stays(room: Path, text: str) -> None:
    """A server ignores its parent's number; by the rest it finds what the dead one left in shared memory."""
    file = room / "postmaster.pid"
    file.write_text(text)
    await leftover.clear(room, SystemClock())
    assert file.read_text() == "\n".join([str(os.getpid()), *text.split("\n")[1:]]) + ("" if "\n" in text else "\n")


@linux
async def test_shared_memory_of_a_killed_server_does_not_pile_up(data: Path) -> None:
    async with EmbeddedPostgres(data, SystemClock(), tuning=FAST) as server:
        mapped = shared_memory(server.pid)
        assert mapped
        os.kill(server.pid, signal.SIGKILL)
        async with asyncio.timeout(15):
            await server.lost.wait()
            await server.ready.wait()
        assert not [name for name in mapped if Path(name).exists()]


def shared_memory(pid: int) -> set[str]:
    """The files of shared memory that the process maps."""
    words = {line.split()[-1] for line in Path(f"/proc/{pid}/maps").read_text().splitlines()}
    return {word for word in words if word.startswith("/dev/shm/PostgreSQL.")}


@pytest.mark.parametrize("text", ["", "abc\n", "-5\n"])
async def test_a_pid_file_that_says_nothing_useful_goes_away(room: Path, text: str) -> None:
    file = room / "postmaster.pid"
    file.write_text(text)
    await leftover.clear(room, SystemClock())
    assert not file.exists()


async def test_without_a_pid_file_there_is_nothing_to_clear(room: Path) -> None:
    await leftover.clear(room, SystemClock())


@linux
async def test_a_server_that_outlived_its_parent_is_stopped_in_order_and_ours_starts(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    words = await command(data)
    launcher = words.index(str(account.LAUNCHER))
    subprocess.run([sys.executable, "-c", DESERTER, *words[launcher + 1 :]], check=True)
    file = data / "postgres" / "postmaster.pid"
    await until(lambda: file.exists() and file.read_text().rstrip().endswith("ready"), "the left server is ready")
    left = int(file.read_text().splitlines()[0])
    assert runs(left)

    async with EmbeddedPostgres(data, SystemClock(), tuning=FAST) as server:
        assert not runs(left)
        assert server.pid != left
    assert f"process {left}) outlived" in caplog.text


async def test_one_that_answers_but_cannot_be_seen_is_named_and_left_alone(data: Path) -> None:
    """In another container with the same folder: its number means nothing here, its socket does."""
    sockets = data / "elsewhere"
    sockets.mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(sockets / ".s.PGSQL.5432"))
        listener.listen()
        file = write_pid_file(data, 2147483646, str(sockets))
        with pytest.raises(Permanent, match=r"another PostgreSQL .*2147483646.* serves .*stop the container"):
            await EmbeddedPostgres(data, SystemClock(), tuning=FAST).__aenter__()
        assert file.exists()


async def test_a_server_that_will_not_stop_is_a_clear_failure(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftover, "FAST", 0.05)
    monkeypatch.setattr(leftover, "IMMEDIATE", 0.05)
    monkeypatch.setattr(leftover, "_serves", lambda pid, cluster: True)
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append(number))
    write_pid_file(data, 12345)
    with pytest.raises(Permanent, match=r"\(process 12345\) serves .* and does not stop: end it"):
        await leftover.clear(data / "postgres", SystemClock())
    assert sent == [signal.SIGINT, signal.SIGQUIT]


async def test_a_server_of_somebody_else_is_a_clear_failure(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(leftover, "_serves", lambda pid, cluster: True)
    monkeypatch.setattr(os, "kill", refuse)
    write_pid_file(data, 12345)
    with pytest.raises(Permanent, match=r"belongs to another user: stop it"):
        await leftover.clear(data / "postgres", SystemClock())
