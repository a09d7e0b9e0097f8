"""What only the store in memory has: failures to order, and a disk to read."""

from typing import Literal

import pytest

from paramedic.store.memory import MemoryDisk, MemoryStore
from paramedic.store.port import Batch, Doubtful
from tests.store import rows
from tests.store.clock import HandClock


@pytest.fixture
def disk() -> MemoryDisk:
    return MemoryDisk()


async def member(disk: MemoryDisk) -> MemoryStore:
    store = MemoryStore(disk, HandClock())
    await store.join()
    return store


@pytest.mark.parametrize(("when", "written"), [("before", False), ("after", True)])
async def test_an_ordered_failure_writes_nothing_or_everything(
    disk: MemoryDisk, when: Literal["before", "after"], written: bool
) -> None:
    """Promise 1 is tested with this: whoever gets the error cannot know which of the two it was."""
    store = await member(disk)
    await store.commit(rows.before())
    store.fail_next(when)

    with pytest.raises(Doubtful):
        await store.commit(rows.full())

    full = rows.full()
    assert (12 in disk.deliveries) is written
    assert (disk.incidents[1].version == 2) is written
    assert (disk.switch == full.switch) is written
    assert (("main/shop/db" in disk.holds), ((1, 2) not in disk.effects)) == (written, written)
    assert not await store.alive()


async def test_an_ordered_failure_comes_once(disk: MemoryDisk) -> None:
    store = await member(disk)
    store.fail_next("before")
    with pytest.raises(Doubtful):
        await store.commit(Batch())

    await store.join()

    await store.commit(rows.before())


async def test_a_wrong_batch_fails_for_its_own_reason(disk: MemoryDisk) -> None:
    """The message names what is wrong: it is the simulation's way to find mistakes of the engine."""
    store = await member(disk)
    await store.commit(rows.before())
    store.fail_next("after")

    with pytest.raises(Doubtful, match="incident 1 is not at version 4"):
        await store.commit(Batch(incidents=[rows.incident(1, 5)]))


async def test_an_effect_is_not_carried_out_and_taken_away_at_once(disk: MemoryDisk) -> None:
    store = await member(disk)
    await store.commit(rows.before())

    with pytest.raises(Doubtful, match="not there to be carried out"):
        await store.commit(Batch(intents=[(1, 1, rows.NOW)], effects_gone=[(1, 1)]))


async def test_the_disk_tells_what_happened_to_an_incident(disk: MemoryDisk) -> None:
    store = await member(disk)
    await store.commit(rows.before())
    await store.commit(rows.full())

    assert disk.timeline[1] == [rows.decided(1, 1), rows.decided(1, 3)]
    assert list(disk.events[1].values()) == [rows.event(1, 1), rows.event(1, 2)]
    assert disk.timeline[3] == [rows.decided(3, 1)]


async def test_the_disk_outlives_its_stores(disk: MemoryDisk) -> None:
    """A crash in a simulation is this: the store is forgotten, a new one is made on the same disk."""
    await (await member(disk)).commit(rows.before())

    found = await (await member(disk)).recover(uses_since=rows.NOW)

    assert [row.id for row in found.incidents] == [1]


async def test_time_is_the_rehearsals(disk: MemoryDisk) -> None:
    clock = HandClock()
    store = MemoryStore(disk, clock)
    await store.join()
    clock.advance(30 * 86400)

    assert (await store.commit(Batch())).now == clock.now()
    assert (await store.recover(uses_since=rows.NOW)).now == clock.now()


async def test_disks_share_nothing() -> None:
    one, other = MemoryDisk(), MemoryDisk()
    await (await member(one)).commit(rows.before())

    assert not other.incidents
    assert not other.holds
