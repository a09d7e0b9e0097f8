"""Reads over PostgreSQL when something goes wrong: they change nothing, say so, and work again afterwards.

Promise 1: whoever waits for such a read is answered with a 503, never with a guess.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from paramedic.errors import Temporary
from paramedic.store.port import Batch
from paramedic.store.postgres import PostgresStore
from tests.store import rows
from tests.store.clock import HandClock, until
from tests.store.stores import PostgresStores


@asynccontextmanager
async def locked(postgres: PostgresStores, table: str) -> AsyncIterator[None]:
    """Nobody else reads the table for the length of the block."""
    connection = await asyncpg.connect(postgres.dsn)
    async with connection.transaction():
        await connection.execute(f"lock table {table}")
        yield
    await connection.close()


async def test_a_read_over_a_lost_connection_is_temporary(postgres: PostgresStores) -> None:
    store = postgres.new()
    async with locked(postgres, "switch"):
        reading = asyncio.ensure_future(store.switch())
        await until(postgres.waiting)
        await postgres.cut("engine")
        with pytest.raises(Temporary, match="reading the switch"):
            await reading

    assert (await store.switch()).version == 0


async def test_a_recovery_over_a_lost_connection_can_be_repeated(postgres: PostgresStores) -> None:
    store = await postgres.member(rows.before())
    async with locked(postgres, "incident"):
        recovering = asyncio.ensure_future(store.recover(uses_since=rows.NOW))
        await until(postgres.waiting)
        await postgres.cut("engine")
        with pytest.raises(Temporary, match="recovering"):
            await recovering

    found = await store.recover(uses_since=rows.NOW)
    assert [row.id for row in found.incidents] == [1]


async def reader(postgres: PostgresStores) -> set[int]:
    """The server's processes that serve the store's reads."""
    found = await postgres.run(
        "select pid from pg_stat_activity where datname = current_database() and application_name = 'paramedic engine'"
    )
    return {row["pid"] for row in found}


async def test_a_cancelled_read_does_not_disturb_the_next(postgres: PostgresStores) -> None:
    """It takes its connection along: over a silent network each further read would wait for its full time."""
    store = postgres.new()
    await store.switch()
    first = await reader(postgres)
    async with locked(postgres, "switch"):
        reading = asyncio.ensure_future(store.switch())
        await until(postgres.waiting)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    assert (await store.switch()).version == 0
    assert await reader(postgres) - first


async def test_reads_at_once_take_turns(postgres: PostgresStores) -> None:
    """The gate, the turn and the catalog ask when they like."""
    store = await postgres.member(Batch(episodes=[rows.episode("a")]))

    answers = await asyncio.gather(
        *(store.episodes([("main", "a")]) for _ in range(5)), *(store.switch() for _ in range(5))
    )

    assert [bool(answer) for answer in answers] == [True] * 10
    assert len(await reader(postgres)) == 2, "one for commits, one for reads"


async def test_reads_do_not_wait_for_the_commit_in_flight(postgres: PostgresStores) -> None:
    """The next batch is built while this one is written."""
    store = await postgres.member(rows.before())
    blocker = await asyncpg.connect(postgres.dsn)
    obstacle = blocker.transaction()
    await obstacle.start()
    await blocker.execute("insert into delivery values (2, now(), '', '', true)")
    committing = asyncio.ensure_future(store.commit(Batch(deliveries=[rows.delivery(2)])))
    await until(postgres.waiting)

    assert list(await store.episodes([("main", "a")])) == [("main", "a")]
    assert not committing.done()

    await obstacle.rollback()
    await asyncio.wait_for(committing, timeout=10)
    await blocker.close()


async def test_a_database_that_is_not_there_is_temporary(tmp_path: Path) -> None:
    store = PostgresStore(f"postgresql://paramedic@/nothing?host={tmp_path}", HandClock())

    with pytest.raises(Temporary):
        await store.join()
    with pytest.raises(Temporary):
        await store.switch()
    await store.leave()


async def test_leaving_a_database_that_has_gone(postgres: PostgresStores) -> None:
    """The process must be able to end."""
    store = await postgres.member()
    await store.switch()
    await postgres.cut("member")
    await postgres.cut("engine")
    await until(lambda: postgres.locked(0))

    await store.leave()

    assert not await store.alive()
