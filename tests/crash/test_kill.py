"""kill -9 in the middle of alerts, by the real command and a real PostgreSQL. ROUNDS=N for more of it.

Promises 1 and 3; `tests/real/test_kill.py` does it five times with 1,500 alerts, `tests.crash.proof` as often as asked.
"""

import os
from pathlib import Path

import pytest

from tests.crash.record import read_record
from tests.crash.rounds import rounds_on
from tests.crash.sink import sink_on_a_port
from tests.real.processes import Processes

ROUNDS = int(os.environ.get("ROUNDS", "1"))


@pytest.mark.timeout(60 + 30 * ROUNDS)
async def test_killed_in_the_middle_nothing_is_lost_and_nothing_is_done_under_a_second_key(
    database: str, tmp_path: Path
) -> None:
    processes = Processes(tmp_path)
    try:
        async with sink_on_a_port() as sink:
            async with rounds_on(processes, tmp_path, sink, PARAMEDIC_DATABASE_URL=database) as service:
                for number in range(ROUNDS):
                    await service.round(number, 200)
                await service.drained()
                await service.stop()
            tally = service.judge(await read_record(database))
    finally:
        await processes.end()
    assert not tally.faults
    assert tally.alike, tally.tellings
    assert tally.accepted == 200 * ROUNDS
    # Killed with slots full, so that what must be known about a crash was really at stake.
    assert tally.unknown + tally.repeated > 0
