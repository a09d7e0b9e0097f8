"""Only one member writes, and one that has lost its place writes nothing, ever. The same for both stores.

Promise 5: the fence is read again with every write, which here means: with every single commit.
"""

from dataclasses import fields

import pytest

from paramedic.errors import ParamedicError
from paramedic.store.port import Batch, Doubtful, Fenced
from tests.store import rows
from tests.store.stores import Stores

PARTS = [part.name for part in fields(Batch)]


async def test_member_numbers_only_grow(stores: Stores) -> None:
    first = stores.new()
    numbers = [await first.join(), await first.join()]
    second = await stores.succeed()
    numbers += [await second.join(), await second.join()]

    assert numbers == sorted(set(numbers))
    assert numbers[0] > 0


async def test_a_fenced_member_writes_nothing(stores: Stores) -> None:
    """Whatever the batch holds. The old member is refused even though it has not noticed anything yet."""
    old = await stores.member(rows.before())
    await stores.succeed()
    earlier = await stores.kept()

    with pytest.raises(Fenced):
        await old.commit(rows.full())

    assert await stores.kept() == earlier
    assert (await stores.new().switch()).version == 0


@pytest.mark.parametrize("part", PARTS)
async def test_no_part_of_a_commit_escapes_the_fence(stores: Stores, part: str) -> None:
    old = await stores.member(rows.before())
    new = await stores.succeed()
    await new.commit(Batch(holds_gone=["main/shop/api"]))  # or `holds` would fail for another reason
    earlier = await stores.kept()

    with pytest.raises(Fenced):
        await old.commit(Batch(**{part: getattr(rows.full(), part)}))

    assert await stores.kept() == earlier
    assert (await new.switch()).version == 0


async def test_an_empty_commit_is_fenced_too(stores: Stores) -> None:
    """The engine sends one to learn the switch: it must learn this as well."""
    old = await stores.member()
    await stores.succeed()

    with pytest.raises(Fenced):
        await old.commit(Batch())


async def test_fenced_stays_fenced(stores: Stores) -> None:
    old = await stores.member()
    await stores.succeed()
    for _ in range(2):
        with pytest.raises(Fenced):
            await old.commit(Batch())

    assert not await old.alive()


async def test_a_fenced_member_recovers_nothing(stores: Stores) -> None:
    """What it read would be another member's to act on."""
    old = await stores.member(rows.before())
    await stores.succeed()

    with pytest.raises((Fenced, Doubtful, ParamedicError)):
        await old.recover(uses_since=rows.NOW)


async def test_a_fenced_member_may_join_again(stores: Stores) -> None:
    old = await stores.member(rows.before())
    new = await stores.succeed()
    with pytest.raises(Fenced):
        await old.commit(Batch())
    await new.leave()

    await old.join()

    await old.commit(rows.full())
    with pytest.raises(Fenced):
        await new.commit(Batch())


async def test_who_has_left_writes_no_more(stores: Stores) -> None:
    store = await stores.member(rows.before())
    earlier = await stores.kept()

    await store.leave()

    with pytest.raises(Fenced):
        await store.commit(rows.full())
    assert not await store.alive()
    assert await stores.kept() == earlier


async def test_leaving_makes_way_for_the_next(stores: Stores) -> None:
    first = await stores.member(rows.before())
    await first.leave()
    await first.leave()

    second = await stores.member()

    assert await second.alive()
    await second.commit(rows.full())


async def test_leaving_without_having_joined_is_fine(stores: Stores) -> None:
    await stores.new().leave()


async def test_a_member_is_alive_until_it_is_over(stores: Stores) -> None:
    store = stores.new()
    assert not await store.alive()
    await store.join()
    assert await store.alive()
    await stores.succeed()
    with pytest.raises(Fenced):
        await store.commit(Batch())
    assert not await store.alive()
