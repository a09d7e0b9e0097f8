"""The lease over PostgreSQL: how it is prolonged, and how a member learns that it is over before it writes again.

Promise 5: the fence is read again immediately before every write; `alive` is what the gate asks.
"""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from functools import partial

import asyncpg
import pytest

from paramedic.store.port import Batch, Doubtful, Fenced
from paramedic.store.postgres import PostgresStore
from tests.store import rows
from tests.store.clock import HandClock, background, until
from tests.store.stores import LEASE, PostgresStores

BEAT = LEASE / 4


async def lease(postgres: PostgresStores) -> datetime:
    """Until when the living member's lease runs."""
    (row,) = await postgres.run("select until from member where not fenced")
    moment = row["until"]
    assert isinstance(moment, datetime)
    return moment


async def longer(postgres: PostgresStores, than: datetime) -> bool:
    return await lease(postgres) > than


async def test_the_heartbeat_prolongs_the_lease(postgres: PostgresStores) -> None:
    store, clock = postgres.apart()
    await store.join()
    for _ in range(3):
        await until(lambda: clock.sleepers == 1)
        earlier = await lease(postgres)
        clock.advance(BEAT)
        await until(partial(longer, postgres, earlier))


async def test_without_need_the_database_is_not_asked(postgres: PostgresStores) -> None:
    """The gate stands in front of every write; a round trip each would be felt."""
    store, clock = postgres.apart()
    await store.join()
    earlier = await lease(postgres)

    clock.seconds += LEASE - BEAT
    assert await store.alive()

    assert await lease(postgres) == earlier


async def test_a_lease_about_to_end_is_prolonged_before_a_write(postgres: PostgresStores) -> None:
    store, clock = postgres.apart()
    await store.join()
    earlier = await lease(postgres)

    clock.seconds += LEASE - BEAT + 0.001  # the heartbeat was not woken
    assert await store.alive()

    assert await lease(postgres) > earlier


async def test_a_process_that_wakes_up_after_its_lease_asks_first(postgres: PostgresStores) -> None:
    """Suspended for an hour, nobody stepped in: it may go on. Somebody did: it may not, and it has not written."""
    store, clock = postgres.apart()
    await store.join()
    clock.seconds += 3600
    assert await store.alive()

    await postgres.succeed()
    clock.seconds += 3600
    assert not await store.alive()
    with pytest.raises(Fenced):
        await store.commit(Batch())


async def test_a_refused_heartbeat_ends_the_membership(
    postgres: PostgresStores, caplog: pytest.LogCaptureFixture
) -> None:
    store, clock = postgres.apart()
    await store.join()
    await postgres.run("update member set fenced = true")
    await until(lambda: clock.sleepers == 1)

    with caplog.at_level(logging.WARNING):
        clock.advance(BEAT)
        await until(lambda: "the heartbeat stops" in caplog.text)

    await postgres.run("update member set fenced = false")  # from here on only the store itself can refuse
    with pytest.raises(Fenced, match="has been fenced"):
        await store.commit(rows.before())
    assert not any((await postgres.kept()).values())


async def test_the_loss_of_the_locks_connection_ends_the_membership(postgres: PostgresStores) -> None:
    """Without the lock others may step in at any moment, whatever the lease says."""
    store, _ = postgres.apart()
    await store.join()
    await postgres.cut("member")
    await until(partial(is_over, store))

    with pytest.raises(Doubtful, match="lost the connection that holds its lock"):
        await store.commit(rows.before())

    assert not any((await postgres.kept()).values())


async def is_over(store: PostgresStore) -> bool:
    return not await store.alive()


async def test_a_heartbeat_that_gets_no_answer_ends_the_membership(
    postgres: PostgresStores, caplog: pytest.LogCaptureFixture
) -> None:
    store, clock = postgres.apart()
    await store.join()
    blocker = await asyncpg.connect(postgres.dsn)
    hold = blocker.transaction()
    await hold.start()
    await blocker.execute("lock table member")
    await until(lambda: clock.sleepers == 1)

    clock.advance(BEAT)
    await until(postgres.waiting)
    await postgres.cut("member")
    await until(lambda: "the heartbeat stops" in caplog.text)

    await hold.rollback()
    await blocker.close()
    with pytest.raises(Doubtful, match="renewing the lease"):
        await store.commit(rows.before())


async def test_leaving_in_the_middle_of_a_heartbeat(postgres: PostgresStores) -> None:
    store, clock = postgres.apart()
    await store.join()
    blocker = await asyncpg.connect(postgres.dsn)
    hold = blocker.transaction()
    await hold.start()
    await blocker.execute("select from member for update")
    await until(lambda: clock.sleepers == 1)
    clock.advance(BEAT)
    await until(postgres.waiting)

    async with background(store.leave()) as leaving:
        await hold.rollback()
        await asyncio.wait_for(leaving, timeout=10)

    await blocker.close()
    assert [row["fenced"] for row in await postgres.run("select fenced from member")] == [True]


async def test_now_is_the_databases_time(postgres: PostgresStores) -> None:
    """This machine believes in 2020; incidents and timers are stamped with the time that all members share."""
    store, clock = postgres.apart()
    (earlier,) = await postgres.run("select clock_timestamp() as now")
    await store.join()
    (later,) = await postgres.run("select clock_timestamp() as now")

    assert earlier["now"] <= clock.now() <= later["now"]

    clock.error = timedelta(hours=-1)  # somebody sets this machine's clock back
    await until(lambda: clock.sleepers == 1)
    clock.advance(BEAT)
    await until(lambda: clock.now() >= later["now"])
    (last,) = await postgres.run("select clock_timestamp() as now")
    assert clock.now() <= last["now"]


class SlowClock(HandClock):
    """Between two looks at this machine's clock ten seconds pass: the database answers slowly."""

    def __init__(self) -> None:
        super().__init__()
        self._looks = [timedelta(seconds=5), timedelta(seconds=-5)]
        self.adjusted: list[timedelta] = []

    def local(self) -> datetime:
        self._looks.reverse()
        return datetime.now(UTC) + self._looks[0]

    def adjust(self, offset: timedelta) -> None:
        self.adjusted.append(offset)


async def test_a_slow_answer_does_not_make_time_jump(postgres: PostgresStores) -> None:
    """It proves only that the clocks differ by less than five seconds, and so it moves nothing."""
    postgres.clock = clock = SlowClock()
    await postgres.member()

    assert clock.adjusted == []


async def test_a_commit_waits_for_its_answer_no_longer_than_it_was_told(postgres: PostgresStores) -> None:
    store = postgres.new(timeout=0.05)
    await store.join()
    blocker = await asyncpg.connect(postgres.dsn)
    hold = blocker.transaction()
    await hold.start()
    await blocker.execute("lock table incident")

    with pytest.raises(Doubtful, match="not answered within"):
        await store.commit(rows.before())

    await hold.rollback()
    await blocker.close()
    assert not await store.alive()
    await store.join()
    await store.recover(uses_since=rows.NOW)


async def test_a_commit_that_is_cancelled_ends_the_membership(postgres: PostgresStores) -> None:
    """Its answer never comes: whether it was written nobody knows."""
    store = await postgres.member()
    blocker = await asyncpg.connect(postgres.dsn)
    hold = blocker.transaction()
    await hold.start()
    await blocker.execute("lock table incident")
    committing = asyncio.ensure_future(store.commit(rows.before()))
    await until(postgres.waiting)

    committing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await committing

    await hold.rollback()
    await blocker.close()
    with pytest.raises(Doubtful, match="abandoned"):
        await store.commit(Batch())
