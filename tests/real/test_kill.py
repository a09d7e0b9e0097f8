"""Five rounds of kill -9, each in the middle of 1,500 alerts, on the embedded PostgreSQL that the service runs itself.

Promise 1: none is lost. Promise 3: none is executed under a second key, none twice where nothing deduplicates.
"""

from pathlib import Path

import pytest

from paramedic.clock import SystemClock
from paramedic.store.embedded.supervisor import EmbeddedPostgres
from tests.crash.record import read_record
from tests.crash.rounds import rounds_on
from tests.crash.sink import sink_on_a_port
from tests.real.processes import Processes

ROUNDS = 5
ALERTS = 1500


@pytest.mark.timeout(600)
async def test_five_rounds_of_kill_9_in_the_middle_of_1500_alerts(processes: Processes, tmp_path: Path) -> None:
    data = processes.folder / "data"
    async with sink_on_a_port() as sink:
        async with rounds_on(processes, tmp_path, sink, PARAMEDIC_DATA=str(data)) as service:
            for number in range(ROUNDS):
                await service.round(number, ALERTS)
            await service.drained()
            await service.stop()
        async with EmbeddedPostgres(data, SystemClock()) as server:
            tally = service.judge(await read_record(server.dsn))
    print(f"{ROUNDS} rounds of {ALERTS} alerts: {tally.line()}")
    assert not tally.faults
    assert tally.alike, tally.tellings
    assert tally.unknown + tally.repeated > 0, "no kill hit anything"
