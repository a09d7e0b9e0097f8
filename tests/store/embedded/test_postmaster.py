"""One run of the server, played by shell scripts: when it counts as ready, how it ends, how it is made to end."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from paramedic.store.embedded import postmaster as module
from paramedic.store.embedded.postmaster import Postmaster
from tests.store.embedded.parts import until

READY = "echo 'LOG:  database system is ready to accept connections' >&2"
IDLE = "while :; do sleep 0.01; done"


async def started(script: str) -> Postmaster:
    return await Postmaster.start(["/bin/sh", "-c", script])


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FAST", "IMMEDIATE", "LAST_WORDS"):
        monkeypatch.setattr(module, name, 0.2)


async def test_it_is_ready_when_it_says_so() -> None:
    server = await started(f"echo 'LOG:  starting' >&2; {READY}; {IDLE}")
    assert await server.ready()
    await server.stop()


async def test_one_that_ends_before_is_not_ready_and_has_said_why() -> None:
    server = await started("echo 'FATAL:  no' >&2; exit 1")
    assert not await server.ready()
    assert await server.ended() == 1
    assert list(server.log.lines) == ["FATAL:  no"]


async def test_something_like_the_ready_line_is_not_it() -> None:
    server = await started("echo 'LOG:  x database system is ready to accept connections' >&2")
    assert not await server.ready()


async def test_the_first_signal_asks_for_a_fast_shutdown() -> None:
    server = await started(f"trap 'echo asked >&2; exit 0' INT; {READY}; {IDLE}")
    assert await server.ready()
    await server.stop()
    assert await server.ended() == 0
    assert server.log.lines[-1] == "asked"


@pytest.mark.usefixtures("hasty")
async def test_one_that_is_too_slow_is_told_to_stop_at_once() -> None:
    server = await started(f"trap '' INT; trap 'exit 7' QUIT; {READY}; {IDLE}")
    assert await server.ready()
    await server.stop()
    assert await server.ended() == 7


@pytest.mark.usefixtures("hasty")
async def test_one_that_does_not_listen_is_killed() -> None:
    server = await started(f"trap '' INT QUIT TERM; {READY}; {IDLE}")
    assert await server.ready()
    await server.stop()
    assert await server.ended() == -signal.SIGKILL


async def test_stopping_again_does_nothing() -> None:
    server = await started(f"trap 'exit 0' INT; {READY}; {IDLE}")
    await server.ready()
    await server.stop()
    await server.stop()


@pytest.mark.usefixtures("hasty")
async def test_a_child_that_holds_the_log_open_does_not_hide_the_end(tmp_path: Path) -> None:
    server = await started(f"sleep 60 & echo $! > {tmp_path}/child; exit 3")
    async with asyncio.timeout(5):
        assert await server.ended() == 3
    os.kill(int((tmp_path / "child").read_text()), signal.SIGKILL)


async def test_a_line_longer_than_anybody_reads_is_dropped_and_the_next_is_read() -> None:
    server = await started(f"head -c 3000000 /dev/zero | tr '\\0' x >&2; echo >&2; {READY}; {IDLE}")
    async with asyncio.timeout(10):
        assert await server.ready()
    await server.stop()


async def test_a_log_without_end_does_not_stop_the_server() -> None:
    """Nobody asks for it, and it is read all the same: a full pipe would stop the server."""
    server = await started(f'{READY}; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo "LOG:  $i" >&2; done; {IDLE}')
    assert await server.ready()
    await until(lambda: server.log.lines[-1] == "LOG:  20000", "the last line is read")
    await server.stop()
