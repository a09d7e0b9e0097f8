"""Three thousand overdue timers on a real PostgreSQL: the levels climb once, and what comes in meanwhile is taken.

Promise 6, and promise 1: a delivery is answered 200 or 503, and soon. `tests/engine/test_overdue.py` says in virtual
time what each timer does. The figures are printed.
"""

from collections import Counter

import pytest

from paramedic.engine.engine import Engine
from paramedic.errors import Temporary
from paramedic.store.connect import connect
from paramedic.store.migrate import migrate, read_migrations
from tests.engine.stage import delivery_of
from tests.engine.test_overdue import CLIMBING
from tests.engine.test_postgres import Real
from tests.engine.texts import body, bundle_of, element
from tests.real.databases import Database
from tests.real.processes import until

INCIDENTS = 1500  # each with two timers that are due: the climb, and the answer that was expected
TOGETHER = 50
NEW = 100
BOUND = 10.0  # seconds; a delivery takes milliseconds where the machine is not busy
AWAY = "update timer set due = due - interval '1 hour' where name in ('climb', 'respond')"
LATE = """
select count(*) from timeline
where convert_from(body, 'UTF8') ~ 'the timer ."(climb|respond)." fired [0-9]+s late'
"""


async def taken(engine: Engine, *jobs: str) -> int:
    """Deliver until it is taken; how often it was refused."""
    refused = 0
    text = delivery_of(body(*(element(job) for job in jobs)))

    async def once() -> bool:
        nonlocal refused
        try:
            return bool(await engine.deliver(text))
        except Temporary:
            refused += 1
            return False

    await until(once, "a delivery to be taken")
    return refused


@pytest.mark.timeout(300)
async def test_three_thousand_overdue_timers_do_not_keep_deliveries_waiting(outside: Database) -> None:
    connection = await connect(outside.url)
    await migrate(connection, read_migrations())
    await connection.close()
    real = Real(outside.url)
    real.bundle = bundle_of(CLIMBING)

    async def paged(level: int, count: int) -> None:
        async def all_of_them() -> bool:
            return len([call for call in real.world.pages() if call.body["level"] == level]) >= count

        await until(all_of_them, f"{count} pages of level {level}", deadline=200.0)

    async with real.serving() as engine:
        for first in range(0, INCIDENTS, TOGETHER):
            await taken(engine, *(f"job-{n}" for n in range(first, first + TOGETHER)))
        await paged(1, INCIDENTS)

    await real.run(AWAY)
    async with real.serving() as engine:
        began = real.clock.monotonic()
        waits, refused = [], 0
        for number in range(NEW):
            sent = real.clock.monotonic()
            refused += await taken(engine, f"new-{number}")
            waits.append(real.clock.monotonic() - sent)
        answered = real.clock.monotonic() - began
        await paged(2, INCIDENTS)
        climbed = real.clock.monotonic() - began
        await paged(1, INCIDENTS + NEW)
        assert Counter(call.body["level"] for call in real.world.pages()) == {1: INCIDENTS + NEW, 2: INCIDENTS}
        waits.sort()
        said = (
            f"{2 * INCIDENTS} overdue timers: {NEW} deliveries answered in {answered:.2f} s, the middle one after"
            f" {1000 * waits[NEW // 2]:.0f} ms, the slowest after {1000 * waits[-1]:.0f} ms, {refused} refused;"
            f" every level paged after {climbed:.1f} s"
        )
        print(said)
        assert waits[-1] < BOUND, said
    [(told,)] = await real.run(LATE)
    assert told == 2 * INCIDENTS
    keys = [call.body["dedup_key"] for call in real.world.pages()]
    assert len(keys) == len(set(keys))
