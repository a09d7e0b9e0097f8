"""What happens to PostgreSQL while alerts pour in: killed, no room, the wire cut in a commit, slow, a slow disk.

Promise 1: what was answered 2xx is not lost, whatever the answer to a commit was. Promise 3: nothing is done under a
second key, nothing twice where nothing protects it. The same service goes on through all of it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from paramedic.clock import SystemClock
from paramedic.store.connect import connect
from paramedic.store.embedded.cluster import Tuning
from paramedic.store.embedded.supervisor import EmbeddedPostgres
from tests.crash.database import commits_cut, no_room, small_disk, sql_killed
from tests.crash.record import read_record
from tests.crash.rounds import Rounds, rounds_on
from tests.crash.sink import Sink, sink_on_a_port
from tests.crash.tally import Tally
from tests.crash.wire import Wire, wired
from tests.real.processes import Processes

ALERTS = 600
FLUSH = Tuning(settings={"commit_delay": "2000", "commit_siblings": "0"})
"""Each commit waits 2 ms before it is flushed: what a slow disk adds to it, emulated."""


@dataclass
class Scene:
    """A service under load, on a PostgreSQL that can be reached by a wire of its own."""

    server: EmbeddedPostgres
    rounds: Rounds
    wire: Wire
    sink: Sink

    async def ends(self, *, alike: bool = True) -> Tally:
        """It drains and is stopped; what became of the alerts. Their timelines are `alike`, whatever happened."""
        await self.rounds.drained()
        await self.rounds.stop()
        tally = self.rounds.judge(await read_record(self.server.dsn))
        print(tally.line())
        assert not tally.faults
        assert tally.accepted == len(self.rounds.sent)
        assert tally.alike or not alike, tally.tellings
        return tally

    async def count(self, sql: str) -> int:
        """One number out of the database, read behind the service's back."""
        connection = await connect(self.server.dsn)
        try:
            return int(await connection.fetchval(sql))
        finally:
            await connection.close()


@asynccontextmanager
async def scene(
    processes: Processes, folder: Path, data: Path | None = None, tuning: Tuning | None = None
) -> AsyncIterator[Scene]:
    """A service that is ready."""
    clock = SystemClock()
    async with (
        EmbeddedPostgres(data or processes.folder / "outside", clock, tuning=tuning or Tuning()) as server,
        wired(server.dsn, processes.folder / "wire") as (wire, dsn),
        sink_on_a_port() as sink,
        rounds_on(processes, folder, sink, PARAMEDIC_DATABASE_URL=dsn) as rounds,
    ):
        yield Scene(server, rounds, wire, sink)


@pytest.mark.timeout(300)
async def test_postgresql_is_killed_under_load(processes: Processes, tmp_path: Path) -> None:
    async with scene(processes, tmp_path) as it:
        for number in range(2):
            done = await it.rounds.round(number, ALERTS, sql_killed(it.server))
            print(done.line())
        await it.ends()
        assert it.server.starts == 3


@pytest.mark.timeout(300)
async def test_the_wire_is_cut_in_the_middle_of_commits(processes: Processes, tmp_path: Path) -> None:
    """Half of them had not left; the other half were done, and only their answers were lost.

    Two in a row at most: a write that is interrupted three times goes to a person, and in a rush all of a round's
    writes are under way at once.
    """
    async with scene(processes, tmp_path) as it:
        for number in range(4):
            fault = commits_cut(it.wire, ("before", "after") if number % 2 else ("after", "before"))
            done = await it.rounds.round(number, ALERTS // 2, fault)
            print(done.line())
        await it.ends()
        assert sorted(it.wire.cuts) == ["after"] * 4 + ["before"] * 4


@pytest.mark.timeout(300)
async def test_a_full_disk_refuses_and_loses_nothing(processes: Processes, tmp_path: Path) -> None:
    try:
        with small_disk(processes.folder / "disk", 160) as disk:
            async with scene(processes, tmp_path, disk / "data") as it:

                async def refused() -> bool:
                    return not await it.rounds.members[0].ready()

                done = await it.rounds.round(0, ALERTS, no_room(disk, refused))
                print(done.line())
                await it.ends()
    except OSError as error:
        pytest.skip(f"a disk of its own cannot be made here: {error}")


@pytest.mark.timeout(300)
async def test_a_disk_whose_flush_takes_two_milliseconds(processes: Processes, tmp_path: Path) -> None:
    async with scene(processes, tmp_path, tuning=FLUSH) as it:
        done = await it.rounds.round(0, 2 * ALERTS)
        print(f"with a flush of 2 ms: {done.line()}")
        await it.ends()


@pytest.mark.timeout(300)
async def test_targets_that_are_slow_or_fail(processes: Processes, tmp_path: Path) -> None:
    """Every id's first call goes wrong in its way: late, 503, or the connection reset with the work done."""
    async with scene(processes, tmp_path) as it:
        it.sink.moods = ("late", "unavailable", "reset", "")
        done = await it.rounds.round(0, ALERTS)
        print(done.line())
        tally = await it.ends(alike=False)
        assert tally.repeated > ALERTS // 4
        assert tally.unknown > ALERTS // 12
