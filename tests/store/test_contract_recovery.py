"""What a new member finds. Promise 1: nothing that was accepted is lost with the process. The same for both stores."""

import pytest
from msgspec.structs import replace

from paramedic.core.words import Mode
from paramedic.store.port import Batch, Doubtful, Recovered, Switch
from tests.store import rows
from tests.store.stores import Stores


async def recovered(stores: Stores, *batches: Batch) -> Recovered:
    """What the next member recovers after these commits."""
    await stores.member(*batches)
    successor = await stores.succeed()
    return await successor.recover(uses_since=rows.NOW)


async def test_everything_open_is_recovered(stores: Stores) -> None:
    found = await recovered(stores, rows.before(), rows.full())

    full = rows.full()
    assert sorted(found.incidents, key=lambda row: row.id) == [replace(row, new=False) for row in full.incidents]
    assert list(found.effects) == [rows.effect(1, 1, intended=True, until=rows.at(30)), *full.effects]
    assert sorted(found.timers, key=lambda row: row.n) == full.timers
    assert list(found.inbox) == [rows.event(3, 1, done=False)]
    assert list(found.todo) == [rows.delivery(12, routed=False)]
    assert sorted(found.holds, key=lambda row: row.scope) == full.holds
    assert sorted(found.uses, key=lambda row: row.at) == full.uses
    assert found.switch == full.switch


async def test_an_empty_store_recovers_to_nothing(stores: Stores) -> None:
    found = await recovered(stores)

    lists = (found.incidents, found.effects, found.timers, found.inbox, found.todo, found.holds, found.uses)
    assert not any(lists)
    assert found.switch == Switch()
    assert found.now.tzinfo is not None


async def test_closed_incidents_are_left_alone(stores: Stores) -> None:
    found = await recovered(
        stores,
        Batch(incidents=[rows.incident(1), rows.incident(2), rows.incident(3, open=False)]),
        Batch(incidents=[rows.incident(1, 2, open=False)]),
    )

    assert [row.id for row in found.incidents] == [2]


async def test_an_incident_is_recovered_at_its_last_version(stores: Stores) -> None:
    last = rows.incident(1, 3, phase="responding", severity="P0", title="Worse", rule="else", head=b"\x00\xff")

    found = await recovered(
        stores, Batch(incidents=[rows.incident(1)]), Batch(incidents=[rows.incident(1, 2)]), Batch(incidents=[last])
    )

    assert list(found.incidents) == [last]


async def test_incidents_of_every_shard_are_ours(stores: Stores) -> None:
    """More of them than one round trip brings."""
    many = [rows.incident(n) for n in range(1, 1201)]

    found = await recovered(
        stores, Batch(incidents=many, effects=[rows.effect(n, 1) for n in range(64)], timers=[rows.timer(64, 1)])
    )

    assert sorted(row.id for row in found.incidents) == list(range(1, 1201))
    assert {row.shard for row in found.incidents} == set(range(64))
    assert [row.shard for row in found.effects] == list(range(64))
    assert len(found.timers) == 1


async def test_waiting_deliveries_come_in_the_order_in_which_they_came(stores: Stores) -> None:
    found = await recovered(
        stores,
        Batch(deliveries=[rows.delivery(n, routed=n % 2 == 0) for n in (9, 3, 4, 7)]),
        Batch(deliveries=[rows.delivery(5, routed=False)], routed=[7]),
    )

    assert [row.id for row in found.todo] == [3, 5, 9]


async def test_effects_and_events_come_in_the_order_of_their_numbers(stores: Stores) -> None:
    """Effects of one channel keep the order in which they were asked for."""
    found = await recovered(
        stores,
        Batch(
            incidents=[rows.incident(1), rows.incident(2)],
            effects=[rows.effect(2, 1), rows.effect(1, 10), rows.effect(1, 2)],
            events=[rows.event(2, 1, done=False), rows.event(1, -3, done=False), rows.event(1, 4, done=False)],
        ),
        Batch(effects=[rows.effect(1, 3)], events=[rows.event(1, -5, done=False), rows.event(1, 5)]),
    )

    assert [(row.incident, row.n) for row in found.effects] == [(1, 2), (1, 3), (1, 10), (2, 1)]
    assert [(row.incident, row.seq) for row in found.inbox] == [(1, -5), (1, -3), (1, 4), (2, 1)]


async def test_uses_are_read_from_a_moment_on(stores: Stores) -> None:
    found = await recovered(
        stores, Batch(uses=[rows.use("u", rows.at(-0.001)), rows.use("u"), rows.use("v", rows.at(5))])
    )

    assert sorted(row.at for row in found.uses) == [rows.NOW, rows.at(5)]


async def test_the_switch_survives(stores: Stores) -> None:
    found = await recovered(stores, Batch(switch=rows.switch(1, Mode.FREEZE)))

    assert found.switch == rows.switch(1, Mode.FREEZE)


async def test_recovery_is_for_members(stores: Stores) -> None:
    with pytest.raises(Doubtful, match="join first"):
        await stores.new().recover(uses_since=rows.NOW)
