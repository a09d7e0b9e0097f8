"""What the engine reads between its commits. The same for both stores."""

import pytest

from paramedic.store.port import Batch, Store, Switch
from tests.store import rows
from tests.store.stores import Stores


async def test_episodes_are_found_by_source_and_identity(store: Store) -> None:
    ours, theirs = rows.episode("a"), rows.episode("a", source="other", count=5)
    await store.commit(Batch(episodes=[ours, theirs, rows.episode("b"), rows.episode("c")]))

    found = await store.episodes([("main", "a"), ("other", "a"), ("main", "c"), ("other", "c"), ("main", "z")])

    assert found == {("main", "a"): ours, ("other", "a"): theirs, ("main", "c"): rows.episode("c")}
    assert await store.episodes([]) == {}
    assert await store.episodes({("main", "z")}) == {}


async def test_an_episode_comes_back_as_it_was(store: Store) -> None:
    """Every field, with the microseconds, whatever stands in the labels."""
    whole = rows.episode(
        "a",
        open=False,
        ended_at=rows.at(1.000001),
        closed_by="reconciled",
        doubted_at=rows.at(2),
        incident=None,
        count=3,
    )
    await store.commit(Batch(episodes=[whole]))

    assert await store.episodes([("main", "a")]) == {("main", "a"): whole}


async def test_the_episodes_of_an_incident_are_the_open_and_the_doubted(store: Store) -> None:
    opened = rows.episode("open")
    doubted = rows.episode("doubted", open=False, doubted_at=rows.NOW)
    closed, other = rows.episode("closed", open=False), rows.episode("other", incident=2)
    await store.commit(Batch(episodes=[opened, doubted, closed, other, rows.episode("none", incident=None)]))

    assert {one.identity for one in await store.episodes_of(1)} == {"open", "doubted"}
    assert list(await store.episodes_of(2)) == [other]
    assert not await store.episodes_of(3)

    await store.commit(Batch(episodes=[rows.episode("open", open=False, version=2)]))
    assert list(await store.episodes_of(1)) == [doubted]


async def test_open_episodes_are_found_by_alertname(store: Store) -> None:
    await store.commit(
        Batch(
            episodes=[
                rows.episode("a", alertname="Down"),
                rows.episode("b", alertname="Slow"),
                rows.episode("c", alertname="Full"),
                rows.episode("d", alertname="Down", open=False),
                rows.episode("e", alertname="Down", open=False, doubted_at=rows.NOW),
            ]
        )
    )

    async def named(*names: str) -> list[str]:
        return sorted(one.identity for one in await store.open_episodes(names))

    assert await named("Down") == ["a"]
    assert await named("Down", "Slow", "Down") == ["a", "b"]
    assert await named("Else") == []
    assert await named() == []
    assert sorted(one.identity for one in await store.open_episodes(None)) == ["a", "b", "c"]


async def test_blocks_of_incident_numbers_are_never_given_twice(stores: Stores) -> None:
    first, second = await stores.member(), stores.new()

    blocks = [*await first.incident_numbers(1), *await first.incident_numbers(3), *await second.incident_numbers(2)]

    numbers = [number for block in blocks for number in block]
    assert [len(block) for block in blocks] == [100] * 6
    assert len(set(numbers)) == 600
    assert min(numbers) == 1
    assert not await first.incident_numbers(0)


async def test_the_switch_is_auto_until_somebody_sets_it(stores: Stores) -> None:
    assert await stores.new().switch() == Switch()


async def test_the_switch_is_read_as_it_was_set(store: Store) -> None:
    await store.commit(Batch(switch=rows.switch(1)))

    assert await store.switch() == rows.switch(1)


async def test_there_is_no_bundle_at_first(store: Store) -> None:
    assert await store.bundle(None) is None
    assert await store.bundle("h1") is None


async def test_a_bundle_is_adopted_from_where_the_pointer_stands(store: Store) -> None:
    assert await store.adopt(rows.bundle("h1"), None)
    assert await store.bundle(None) == rows.bundle("h1")
    assert await store.adopt(rows.bundle("h2"), "h1")
    assert await store.bundle(None) == rows.bundle("h2")
    assert await store.bundle("h1") == rows.bundle("h1"), "incidents that began with it still need it"


@pytest.mark.parametrize("expected", [None, "h0", "h2"])
async def test_the_pointer_is_not_moved_from_elsewhere(store: Store, expected: str | None) -> None:
    """Promise 10: of two replicas with different bundles one learns that it must look again."""
    await store.adopt(rows.bundle("h1"), None)

    assert not await store.adopt(rows.bundle("h2"), expected)

    assert await store.bundle(None) == rows.bundle("h1")
    assert await store.bundle("h2") == rows.bundle("h2"), "kept all the same"


async def test_nothing_is_adopted_over_a_pointer_that_is_not_there(store: Store) -> None:
    assert not await store.adopt(rows.bundle("h1"), "h0")
    assert await store.bundle(None) is None


async def test_an_old_bundle_can_be_adopted_again(store: Store) -> None:
    await store.adopt(rows.bundle("h1"), None)
    await store.adopt(rows.bundle("h2"), "h1")

    assert await store.adopt(rows.bundle("h1", b"{} again"), "h2")

    assert await store.bundle(None) == rows.bundle("h1"), "the same hash is the same bundle"


async def test_bundles_need_no_membership(stores: Stores) -> None:
    """The app adopts its bundle while another process still serves."""
    await stores.member()
    bystander = stores.new()

    assert await bystander.adopt(rows.bundle("h1"), None)
    assert await bystander.bundle(None) == rows.bundle("h1")
