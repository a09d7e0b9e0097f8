"""Whatever the database refuses a commit with, the engine sees `Doubtful`, and nothing was written. Both stores.

A second session provokes deadlocks, serialization failures, timeouts and ended sessions; for the rest a trigger answers
with its SQLSTATE. The model is ordered to fail. Promise 1: memory may be ahead of the store, so the member is over and
reads again.

SKIP LOCKED is not among this, since no statement uses it: what waits belongs to the owner of its shard and not to
whoever comes first, so nobody ever has to step over a row that another one holds. The last test keeps it so.
"""

import asyncpg
import pytest

from paramedic.store.port import Batch, Doubtful
from tests.store import rows
from tests.store.stores import MemoryStores, Stores
from tests.store.test_plans import QUERIES
from tests.store.troubles import SETTINGS, TROUBLES, set_up, states, troubled


@pytest.mark.parametrize("name", TROUBLES)
async def test_a_commit_in_trouble_has_not_happened(stores: Stores, name: str) -> None:
    await set_up(stores, name)
    store = await stores.member(rows.before())
    earlier, owners = await stores.kept(), await stores.owners()

    async with troubled(stores, store, name):
        with pytest.raises(Doubtful) as doubt:
            await store.commit(rows.full())

    assert isinstance(stores, MemoryStores) or sqlstate(doubt.value) in states(name), doubt.value
    assert await stores.kept() == earlier
    assert await stores.owners() == owners
    assert (await stores.new().switch()).version == 0
    assert not await store.alive()
    with pytest.raises(Doubtful):
        await store.commit(Batch())

    await store.join()
    await store.commit(rows.full())
    assert (await stores.kept())["incidents"][0].version == 2


def sqlstate(error: Doubtful) -> str | None:
    """What PostgreSQL gave as the reason; that of a lost connection is 08003."""
    cause = error.__cause__
    return cause.sqlstate if isinstance(cause, asyncpg.PostgresError) else None


def test_every_setting_is_for_a_trouble() -> None:
    assert set(SETTINGS) <= set(TROUBLES)


def test_nobody_skips_what_is_locked() -> None:
    """If a query begins to, this suite must say what then waits for whom."""
    assert [name for name, query in QUERIES.items() if "skip locked" in query.text.lower()] == []
