"""Several members on one store: who owns what, what they leave each other, and who claims. The same for both stores.

Promises 1, 2 and 4 rest on this while members come and go.
"""

from typing import Any

import pytest
from msgspec.structs import replace

from paramedic.errors import ParamedicError
from paramedic.store.port import Batch, ClaimRow, Doubtful, Fenced, OpeningRow, Place
from tests.store import rows
from tests.store.stores import Stores

ALL = range(64)


async def test_the_first_member_owns_every_shard(stores: Stores) -> None:
    await stores.member()

    assert await stores.owners() == dict.fromkeys(ALL, 1)


async def test_who_joins_beside_the_living_owns_nothing(stores: Stores) -> None:
    await stores.beside()
    second = await stores.beside()

    standing = await second.standing()
    assert standing.living == {1: list(ALL), 2: []}
    assert (standing.gone, standing.orphans, standing.waiting) == ([], [], 0)


async def test_a_shard_is_given_with_all_that_hangs_on_it(stores: Stores) -> None:
    """Promise 1: the new owner finds everything, the old one nothing."""
    first, second = await stores.beside(Batch(incidents=[rows.incident(1), rows.incident(2)])), await stores.beside()
    hangs = Batch(effects=[rows.effect(1, 1), rows.effect(2, 1)], timers=[rows.timer(1, 1), rows.timer(2, 1)])
    await first.commit(hangs)

    await first.commit(Batch(incidents=[rows.incident(1, 2)], given=[(1, 2)], tell=True))

    found = await second.recover(uses_since=rows.NOW)
    assert (found.shards, [row.version for row in found.incidents]) == ([1], [2])
    assert (list(found.effects), list(found.timers)) == ([rows.effect(1, 1)], [rows.timer(1, 1)])
    left = await first.recover(uses_since=rows.NOW)
    assert 1 not in left.shards
    assert [row.id for row in left.incidents] == [2]
    assert await stores.owners() == dict.fromkeys(ALL, 1) | {1: 2}


async def test_what_is_in_memory_already_is_not_read_again(stores: Stores) -> None:
    store = await stores.beside(Batch(incidents=[rows.incident(1), rows.incident(2)], effects=[rows.effect(2, 1)]))

    found = await store.recover(uses_since=rows.NOW, but=[2])

    assert found.shards == [shard for shard in ALL if shard != 2]
    assert ([row.id for row in found.incidents], list(found.effects)) == ([1], [])


async def test_only_what_is_ours_can_be_given(stores: Stores) -> None:
    await stores.beside()
    second = await stores.beside()

    with pytest.raises(Doubtful):
        await second.commit(Batch(given=[(1, 2)]))

    assert await stores.owners() == dict.fromkeys(ALL, 1)


async def test_who_leaves_leaves_orphans_and_somebody_takes_them(stores: Stores) -> None:
    first, second = await stores.beside(rows.before()), await stores.beside()
    await first.leave()
    assert list((await second.standing()).orphans) == list(ALL)

    await second.take_over()

    assert await stores.owners() == dict.fromkeys(ALL, 2)
    assert (await second.standing()).living == {2: list(ALL)}
    found = await second.recover(uses_since=rows.NOW)
    assert list(found.todo) == rows.before().deliveries


async def test_who_lives_is_not_taken_over(stores: Stores) -> None:
    first, second = await stores.beside(), await stores.beside()

    await second.take_over()

    assert await first.alive()
    await first.commit(rows.before())
    assert await stores.owners() == dict.fromkeys(ALL, 1)


async def test_what_a_living_member_has_journalled_is_its_own_to_route(stores: Stores) -> None:
    first, second = await stores.beside(), await stores.beside()
    own = replace(rows.delivery(1, routed=False), id=(1 << 36) + 1)
    await first.commit(Batch(deliveries=[own]))

    assert not (await second.recover(uses_since=rows.NOW)).todo
    await first.leave()
    await second.take_over()
    assert list((await second.recover(uses_since=rows.NOW)).todo) == [own]


async def test_a_fenced_member_takes_nothing(stores: Stores) -> None:
    first = await stores.member()
    await stores.succeed()

    await first.take_over()

    assert set((await stores.owners()).values()) == {2}


async def test_forwarded_rows_come_to_the_shard_oldest_first(stores: Stores) -> None:
    store = await stores.beside(
        Batch(forwarded=[rows.forwarded(n, shard) for n, shard in ((5, 1), (3, 2), (4, 1), (9, 7))])
    )

    assert [row.id for row in await store.forwarded([1, 2], [], 10)] == [3, 4, 5]
    assert [row.id for row in await store.forwarded([1, 2], [4], 10)] == [3, 5]
    assert [row.id for row in await store.forwarded([1, 2], [], 2)] == [3, 4]
    assert await store.forwarded([7], [], 10) == [rows.forwarded(9, 7)]
    assert (await store.standing()).waiting == 4

    await store.commit(Batch(forwarded_gone=[3, 4]))
    assert [row.id for row in await store.forwarded([1, 2, 7], [], 10)] == [5, 9]


async def test_an_answer_is_given_out_once(stores: Stores) -> None:
    first, second = (replace(rows.answer(n), at=rows.NOW.replace(year=2100)) for n in (1, 2))
    store = await stores.beside(Batch(answers=[first, second]))

    assert await store.answers([1, 7]) == [first]
    assert await store.answers([1]) == []
    assert await store.answers([2]) == [second]


async def test_where_incidents_are(stores: Stores) -> None:
    store = await stores.beside(Batch(incidents=[rows.incident(1), rows.incident(70, open=False)]))

    assert dict(await store.places([1, 70, 5])) == {1: Place(1, open=True), 70: Place(6, open=False)}


async def test_news_come_to_the_others_at_once(stores: Stores) -> None:
    """The clock of the test stands still, so only being told can end the wait."""
    first, second = await stores.beside(), await stores.beside()

    await first.commit(Batch(tell=True))
    assert await second.news(1000.0)
    await second.commit(Batch(forwarded=[rows.forwarded(1)], tell=True))
    assert await first.news(1000.0)


# -- storms ----------------------------------------------------------------------------------------------------------


async def test_the_storms_that_last_are_found_by_their_keys(stores: Stores) -> None:
    lasting = rows.incident(1, key="main{storm}", phase="detected")
    over = rows.incident(2, key="other{storm}", phase="resolved")
    parked = rows.incident(4, key="fourth{storm}", phase="detected", state=b'{"parked":"a defect"}')
    closed = rows.incident(3, key="third{storm}", phase="detected", open=False)
    store = await stores.beside(Batch(incidents=[lasting, over, closed, parked]))

    found = await store.storms(["main{storm}", "other{storm}", "third{storm}", "fourth{storm}", "unknown{storm}"])

    assert dict(found) == {"main{storm}": 1}
    assert dict(await store.storms([])) == {}


async def test_what_began_since_a_moment_is_counted_by_source_rule_and_severity(stores: Stores) -> None:
    new: dict[str, Any] = {"opened_at": rows.at(10), "source": "main", "rule": "down", "severity": "P1"}
    store = await stores.beside(
        Batch(
            incidents=[
                *(rows.incident(n, **new) for n in range(1, 5)),
                rows.incident(5, **{**new, "rule": "slow", "severity": "P0"}),
                rows.incident(6, **{**new, "opened_at": rows.at(0)}),
                rows.incident(7, **{**new, "open": False}),
                rows.incident(8, **{**new, "key": "main{storm}"}),
                rows.incident(9, **{**new, "source": "other"}),
            ]
        )
    )

    found = await store.openings(rows.at(5), [1, 2, 3, 5, 6, 7, 8, 9])

    assert sorted(found, key=str) == sorted(
        [
            OpeningRow("main", "down", "P1", 3),
            OpeningRow("main", "slow", "P0", 1),
            OpeningRow("other", "down", "P1", 1),
        ],
        key=str,
    )
    assert list(await store.openings(rows.at(5), [60])) == []


# -- claims ------------------------------------------------------------------------------------------------------------


def claim(n: int, of: int, *names: str, seen: int = 0, limited: bool = False) -> ClaimRow:
    """What run 1 of incident `of` wants: to hold these scopes, or (`limited`) to use them."""
    holds = [] if limited else [rows.hold(name, of) for name in names]
    uses = [rows.use(name, of=of) for name in names] if limited else []
    return ClaimRow(n, dict.fromkeys(names, seen), holds, uses)


async def test_a_claim_is_taken_and_seen_by_all(stores: Stores) -> None:
    first, second = await stores.beside(), await stores.beside()

    assert list(await first.claim([claim(0, 1, "target/a"), claim(1, 1, "budget/b", limited=True)])) == [0, 1]

    scopes = {scope.name: scope for scope in await second.scopes(["target/a", "budget/b", "c"], rows.NOW)}
    assert (scopes["target/a"].version, list(scopes["target/a"].holds)) == (1, [rows.hold("target/a")])
    assert (scopes["budget/b"].version, list(scopes["budget/b"].uses)) == (1, [rows.use("budget/b")])
    assert (scopes["c"].version, list(scopes["c"].holds), list(scopes["c"].uses)) == (0, [], [])
    kept = await stores.kept()
    assert (kept["holds"], kept["uses"]) == ([rows.hold("target/a")], [rows.use("budget/b")])


async def test_two_who_have_seen_the_same_do_not_both_claim(stores: Stores) -> None:
    """Promise 4: the second one has to look again, whatever it wants of the scope."""
    first, second = await stores.beside(), await stores.beside()
    assert list(await first.claim([claim(0, 1, "target/a")])) == [0]

    assert list(await second.claim([claim(0, 2, "target/a")])) == []
    assert list(await second.claim([claim(0, 2, "target/a", limited=True)])) == []

    assert (await stores.kept())["holds"] == [rows.hold("target/a")]
    assert (await stores.kept())["uses"] == []


async def test_a_claim_is_taken_whole_or_not_at_all(stores: Stores) -> None:
    store = await stores.beside()
    await store.claim([claim(0, 1, "b", limited=True)])

    taken = await store.claim([claim(0, 2, "a", "b", limited=True), claim(1, 3, "c", limited=True)])

    assert list(taken) == [1]
    assert {use.scope for use in (await stores.kept())["uses"]} == {"b", "c"}


async def test_a_claim_on_what_a_commit_holds_is_refused_with_all_that_was_claimed(stores: Stores) -> None:
    """Promise 4: a member that believes to be alone holds by its commits, which move no version."""
    first, second = await stores.beside(Batch(holds=[rows.hold("target/a", 1)])), await stores.beside()

    with pytest.raises(ParamedicError):
        await second.claim([claim(0, 2, "b", limited=True), claim(1, 2, "target/a")])

    assert (await stores.kept())["holds"] == [rows.hold("target/a", 1)]
    assert (await stores.kept())["uses"] == []
    assert [scope.version for scope in await first.scopes(["b", "target/a"], rows.NOW)] == [0, 0]
    assert list(await second.claim([claim(0, 2, "b", limited=True)])) == [0], "it goes on with what it may have"


async def test_several_claims_of_one_look_may_share_a_scope(stores: Stores) -> None:
    """Whoever claims has counted them one after the other."""
    store = await stores.beside()

    assert list(await store.claim([claim(n, n + 1, "b", limited=True) for n in range(3)])) == [0, 1, 2]

    (scope,) = await store.scopes(["b"], rows.NOW)
    assert (scope.version, len(scope.uses)) == (1, 3)


async def test_a_fenced_member_claims_nothing(stores: Stores) -> None:
    old = await stores.member()
    await stores.succeed()

    with pytest.raises(Fenced):
        await old.claim([claim(0, 1, "a")])

    assert (await stores.kept())["holds"] == []


async def test_old_uses_are_left_out(stores: Stores) -> None:
    store = await stores.beside(Batch(uses=[rows.use("b", rows.at(-9)), rows.use("b", rows.at(1), of=2)]))

    (scope,) = await store.scopes(["b"], rows.NOW)

    assert list(scope.uses) == [rows.use("b", rows.at(1), of=2)]


async def test_the_oldest_uses_are_forgotten_so_many_at_a_time(stores: Stores) -> None:
    uses = [rows.use("b", rows.at(n), of=n) for n in range(1, 6)]
    store = await stores.beside(Batch(uses=[*uses[2:], *uses[:2]]))

    assert await store.forget_uses(rows.at(1), 9) == 0
    assert await store.forget_uses(rows.at(4), 2) == 2
    assert (await stores.kept())["uses"] == uses[2:]
    assert await store.forget_uses(rows.at(4), 2) == 1
    assert (await stores.kept())["uses"] == uses[3:], "one of that very moment is kept"
    assert await store.forget_uses(rows.at(4), 2) == 0
