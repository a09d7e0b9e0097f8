"""One commit is all or nothing, and refuses what would break a promise. The same for both stores."""

from dataclasses import fields, replace

import pytest
from msgspec import structs

from paramedic.core.words import Mode
from paramedic.store.port import Batch, Doubtful, Store, Switch
from tests.store import rows
from tests.store.stores import Stores

PARTS = [part.name for part in fields(Batch)]


async def test_every_part_of_a_batch_is_kept(stores: Stores) -> None:
    store = await stores.member(rows.before())

    await store.commit(rows.full())

    full, kept = rows.full(), await stores.kept()
    assert kept["deliveries"] == [rows.delivery(1), *full.deliveries]
    assert kept["rejected"] == full.rejected
    assert kept["episodes"] == sorted(full.episodes, key=lambda one: one.identity)
    assert kept["incidents"] == [structs.replace(row, new=False) for row in full.incidents]
    assert kept["events"] == [rows.event(1, 1, done=True), *full.events]
    assert kept["timeline"] == [rows.decided(1, 1), *full.timeline]
    assert kept["effects"] == [rows.effect(1, 1, intended=True, until=rows.at(30)), *full.effects]
    assert kept["timers"] == full.timers
    assert kept["holds"] == full.holds
    assert kept["uses"] == full.uses
    assert kept["evidence"] == full.evidence
    assert kept["forwarded"] == full.forwarded
    assert kept["answers"] == full.answers
    assert await stores.owners() == dict.fromkeys(range(63), 1) | dict(full.given)


@pytest.mark.parametrize("part", PARTS)
async def test_a_batch_may_have_one_part_alone(stores: Stores, part: str) -> None:
    store = await stores.member(replace(rows.before(), holds=[]))
    earlier = await stores.kept()
    changed = {
        "intents": "effects",
        "routed": "deliveries",
        "holds_gone": "holds",
        "switch": "",
        "tell": "",
        "given": "",
    }.get(part, part)

    committed = await store.commit(Batch(**{part: getattr(rows.full(), part)}))

    now = await stores.kept()
    expected = {changed.removesuffix("_done").removesuffix("_gone")} - {"", "holds"} | ({"holds"} & {part})
    assert {name for name in now if now[name] != earlier[name]} == expected
    assert committed.switch.version == (part == "switch")


async def test_a_commit_answers_the_switch_and_the_time(stores: Stores) -> None:
    store = await stores.member()

    first = await store.commit(Batch())
    second = await store.commit(Batch())

    assert first.switch == Switch()
    assert first.now.tzinfo is not None
    assert first.now <= second.now


async def test_the_switch_is_set_by_a_commit_and_answered_by_it(stores: Stores) -> None:
    store = await stores.member()

    committed = await store.commit(Batch(switch=rows.switch(1, Mode.FREEZE)))

    assert committed.switch == rows.switch(1, Mode.FREEZE)
    assert await store.switch() == committed.switch
    assert (await store.commit(Batch())).switch == committed.switch
    assert (await store.commit(Batch(switch=rows.switch(2)))).switch == rows.switch(2)


REFUSED = {
    "a delivery twice": Batch(deliveries=[rows.delivery(1)]),
    "two deliveries of one id": Batch(deliveries=[rows.delivery(5), rows.delivery(5)]),
    "a number twice": Batch(incidents=[rows.incident(1, key="else")]),
    "two incidents of one number": Batch(incidents=[rows.incident(5), rows.incident(5, key="else")]),
    "an incident at the version it has": Batch(incidents=[rows.incident(1, new=False)]),
    "an incident ahead of its version": Batch(incidents=[rows.incident(1, 3)]),
    "a change of no incident": Batch(incidents=[rows.incident(9, 2)]),
    "one change right, one wrong": Batch(incidents=[rows.incident(1, 2), rows.incident(9, 2)]),
    "two changes of one incident": Batch(incidents=[rows.incident(1, 2), rows.incident(1, 2, title="else")]),
    "an event twice": Batch(events=[rows.event(1, 1)]),
    "a decision twice": Batch(timeline=[rows.decided(1, 1)]),
    "an effect twice": Batch(effects=[rows.effect(1, 1)]),
    "a timer twice": Batch(timers=[rows.timer(1, 1)]),
    "an intent for no effect": Batch(intents=[(1, 9, rows.NOW)]),
    "an intent for an effect of the same batch": Batch(effects=[rows.effect(1, 9)], intents=[(1, 9, rows.NOW)]),
    "an episode twice in a batch": Batch(episodes=[rows.episode("b"), rows.episode("b", count=2)]),
    "an episode at the version it has": Batch(episodes=[rows.episode("a")]),
    "an episode ahead of its version": Batch(episodes=[rows.episode("a", version=3)]),
    "a forwarded row twice": Batch(forwarded=[rows.forwarded(2)]),
    "an answer twice": Batch(answers=[rows.answer(1), rows.answer(1)]),
    "a shard that is another's to give": Batch(given=[(3, 7), (64, 7)]),
    "a stale switch": Batch(switch=rows.switch(0)),
    "a switch from the future": Batch(switch=rows.switch(2)),
}


@pytest.mark.parametrize("wrong", REFUSED.values(), ids=REFUSED.keys())
async def test_a_batch_with_one_wrong_row_writes_nothing(stores: Stores, wrong: Batch) -> None:
    store = await stores.member(rows.before())
    earlier = await stores.kept()
    wrong = replace(wrong, rejected=[rows.rejected(99)], uses=[rows.use("budget/shop")])

    with pytest.raises(Doubtful):
        await store.commit(wrong)

    assert await stores.kept() == earlier
    assert await stores.new().switch() == Switch()


async def test_after_a_doubtful_commit_the_member_is_over(stores: Stores) -> None:
    """Memory may be ahead of the store: nothing more is written before it was read again."""
    store = await stores.member(rows.before())
    with pytest.raises(Doubtful):
        await store.commit(Batch(deliveries=[rows.delivery(1)]))
    earlier = await stores.kept()

    with pytest.raises(Doubtful):
        await store.commit(Batch(deliveries=[rows.delivery(2)]))
    assert not await store.alive()
    assert await stores.kept() == earlier

    first = await store.join()
    assert await store.alive()
    await store.commit(Batch(deliveries=[rows.delivery(2)]))
    assert await store.join() > first


async def test_one_open_incident_to_a_key(stores: Stores) -> None:
    """Promise 2: whatever the engine believes, a second one is not opened."""
    store = await stores.member(Batch(incidents=[rows.incident(1, key="main/job=api")]))

    with pytest.raises(Doubtful):
        await store.commit(Batch(incidents=[rows.incident(2, key="main/job=api")]))

    assert [row.id for row in (await stores.kept())["incidents"]] == [1]


async def test_a_key_is_free_when_its_incident_is_closed(store: Store, stores: Stores) -> None:
    """Promise 2. Closing and opening may fall into one commit."""
    await store.commit(Batch(incidents=[rows.incident(1, key="a")]))
    await store.commit(Batch(incidents=[rows.incident(2, key="a"), rows.incident(1, 2, key="a", open=False)]))
    await store.commit(Batch(incidents=[rows.incident(2, 2, key="a", open=False)]))
    await store.commit(Batch(incidents=[rows.incident(3, key="a")]))
    await store.commit(Batch(incidents=[rows.incident(4, key="a", open=False)]))

    assert [(row.id, row.open) for row in (await stores.kept())["incidents"]] == [
        (1, False),
        (2, False),
        (3, True),
        (4, False),
    ]


async def test_a_closed_incident_can_be_opened_again(store: Store) -> None:
    await store.commit(Batch(incidents=[rows.incident(1)]))
    await store.commit(Batch(incidents=[rows.incident(1, 2, open=False)]))

    await store.commit(Batch(incidents=[rows.incident(1, 3)]))

    with pytest.raises(Doubtful):
        await store.commit(Batch(incidents=[rows.incident(2, key="main/id=1")]))


@pytest.mark.parametrize("order", [1, -1])
async def test_a_key_changes_hands_whatever_the_order_of_the_rows(stores: Stores, order: int) -> None:
    store = await stores.member(
        Batch(incidents=[rows.incident(1, key="a", open=False), rows.incident(2, key="a")]),
    )
    changes = [rows.incident(1, 2, key="a"), rows.incident(2, 2, key="a", open=False)]

    await store.commit(Batch(incidents=changes[::order]))

    assert [row.open for row in (await stores.kept())["incidents"]] == [True, False]


async def test_nobody_takes_what_another_run_holds(stores: Stores) -> None:
    """Promise 4: two runs never act on one target at once."""
    store = await stores.member(Batch(holds=[rows.hold("main/shop/api", 1)], effects=[rows.effect(2, 1)]))

    with pytest.raises(Doubtful):
        await store.commit(Batch(holds=[rows.hold("main/shop/api", 2)], intents=[(2, 1, rows.NOW)]))

    kept = await stores.kept()
    assert kept["holds"] == [rows.hold("main/shop/api", 1)]
    assert kept["effects"] == [rows.effect(2, 1)], "the intent falls with the hold it needs"


async def test_a_hold_changes_hands_within_one_commit(stores: Stores) -> None:
    """Promise 4: only once it was let go."""
    store = await stores.member(Batch(holds=[rows.hold("a", 1), rows.hold("b", 1)]))

    await store.commit(Batch(holds_gone=["a"], holds=[rows.hold("a", 2)]))

    assert (await stores.kept())["holds"] == [rows.hold("a", 2), rows.hold("b", 1)]


async def test_an_intent_is_for_good(stores: Stores) -> None:
    """Promise 3: what may have left says so, until it is gone."""
    store = await stores.member(Batch(effects=[rows.effect(1, 1), rows.effect(1, 2)]))

    await store.commit(Batch(intents=[(1, 2, rows.at(30))]))
    assert (await stores.kept())["effects"] == [
        rows.effect(1, 1),
        rows.effect(1, 2, intended=True, until=rows.at(30)),
    ]

    await store.commit(Batch(effects_gone=[(1, 2)]))
    assert (await stores.kept())["effects"] == [rows.effect(1, 1)]


async def test_what_may_come_twice_may(stores: Stores) -> None:
    """Uses and evidence are facts: the first stays. An episode is the newest state: the last stays."""
    store = await stores.member(
        Batch(uses=[rows.use("u")], evidence=[rows.evidence("d", b"first")], episodes=[rows.episode("a")])
    )

    await store.commit(
        Batch(
            uses=[rows.use("u"), rows.use("u", of=2)],
            evidence=[rows.evidence("d", b"second")],
            episodes=[rows.episode("a", count=7, incident=2, version=2)],
        )
    )

    kept = await stores.kept()
    assert kept["uses"] == [rows.use("u"), rows.use("u", of=2)]
    assert kept["evidence"] == [rows.evidence("d", b"first")]
    assert kept["episodes"] == [rows.episode("a", count=7, incident=2, version=2)]


async def test_taking_away_what_is_not_there_is_fine(stores: Stores) -> None:
    store = await stores.member()

    await store.commit(
        Batch(routed=[7], events_done=[(7, 1)], effects_gone=[(7, 1)], timers_gone=[(7, 1)], holds_gone=["x"])
    )

    assert not any((await stores.kept()).values())


async def test_each_part_sees_the_rows_of_before(stores: Stores) -> None:
    """What a batch adds it does not change or take away in the same breath."""
    store = await stores.member()
    added = Batch(
        deliveries=[rows.delivery(1, routed=False)],
        events=[rows.event(1, 1, done=False)],
        effects=[rows.effect(1, 1)],
        timers=[rows.timer(1, 1)],
        holds=[rows.hold("a")],
    )

    await store.commit(
        replace(added, routed=[1], events_done=[(1, 1)], effects_gone=[(1, 1)], timers_gone=[(1, 1)], holds_gone=["a"])
    )

    kept = await stores.kept()
    assert {part: kept[part] for part in ("deliveries", "events", "effects", "timers", "holds")} == {
        part: getattr(added, part) for part in ("deliveries", "events", "effects", "timers", "holds")
    }


async def test_before_joining_nothing_can_be_committed(stores: Stores) -> None:
    with pytest.raises(Doubtful, match="join first"):
        await stores.new().commit(Batch())
