"""Who may write, over PostgreSQL: standing by, stepping in, being fenced. Promise 5 rests on this.

Time stands still unless a test moves it; the lease is 10 s long.
"""

import asyncio
from importlib.resources import files

import asyncpg
import pytest

from paramedic.store.port import Batch, Fenced
from paramedic.store.queries import load
from tests.store import rows
from tests.store.clock import HandClock, background, until
from tests.store.stores import LEASE, PostgresStores


async def standing_by(clock: HandClock) -> None:
    """Wait until the store of this clock has looked, found a living member, and sleeps until its next look."""
    await until(lambda: clock.sleepers > 0)


async def members(postgres: PostgresStores) -> dict[int, bool]:
    """Every member that ever entered, and whether it is fenced."""
    return {row["id"]: row["fenced"] for row in await postgres.run("select id, fenced from member order by id")}


async def test_a_member_owns_every_shard(postgres: PostgresStores) -> None:
    store = postgres.new()
    first = await store.join()
    owners = await postgres.run("select owner, epoch, count(*) from shard group by 1, 2")
    assert [tuple(row) for row in owners] == [(first, 1, 64)]

    second = await store.join()
    owners = await postgres.run("select owner, epoch, count(*) from shard group by 1, 2")
    assert [tuple(row) for row in owners] == [(second, 2, 64)]
    assert await members(postgres) == {first: True, second: False}


async def test_a_second_member_lives_beside_the_first(postgres: PostgresStores) -> None:
    """It owns nothing until it is given something; both commit."""
    first = await postgres.member()
    second, _ = postgres.apart()

    assert await second.join() == 2

    assert await postgres.owners() == dict.fromkeys(range(64), 1)
    await first.commit(rows.before())
    await second.commit(Batch(deliveries=[rows.delivery(99)]))
    assert (await second.recover(uses_since=rows.NOW)).shards == []
    await second.leave()


async def test_it_stands_by_while_a_member_lives_that_shares_with_nobody(postgres: PostgresStores) -> None:
    """An older version of the service, in the middle of an upgrade."""
    first = await postgres.member()
    await postgres.run("update member set sharing = false")
    second, clock = postgres.apart()
    async with background(second.join()) as joining:
        for _ in range(3):
            await standing_by(clock)
            clock.advance(LEASE)
            await asyncio.sleep(0)
        await standing_by(clock)

        assert not joining.done()
        assert len(await members(postgres)) == 1, "who waits has no row, and cannot commit"
        await first.commit(rows.before())
        await first.leave()
        clock.advance(LEASE)
        assert await asyncio.wait_for(asyncio.shield(joining), timeout=10) == 2
    await second.leave()


async def test_the_next_one_steps_in_at_once_when_the_process_dies(postgres: PostgresStores) -> None:
    """The kernel closes the dead one's connections; nobody waits for its lease."""
    await postgres.member(rows.before())
    await postgres.cut("member")
    await until(lambda: postgres.locked(0))

    second, clock = postgres.apart()
    await asyncio.wait_for(second.join(), timeout=10)

    assert clock.sleepers == 1, "its own heartbeat: it never waited"
    assert await members(postgres) == {1: True, 2: False}
    await second.commit(rows.full())
    await second.leave()


async def test_who_lives_takes_over_when_another_leaves(postgres: PostgresStores) -> None:
    first = await postgres.member(rows.before())
    second, _ = postgres.apart()
    await second.join()

    await first.leave()
    await second.take_over()

    assert await postgres.owners() == dict.fromkeys(range(64), 2)
    await second.commit(rows.full())
    await second.leave()


async def test_a_process_that_slept_through_its_lease_is_fenced(postgres: PostgresStores) -> None:
    """Its connections live, its lock is held, it believes that all is well: its next commit is refused."""
    asleep = await postgres.member(rows.before())
    await postgres.run("update member set until = clock_timestamp() - interval '1 ms'")
    second, _ = postgres.apart()
    await asyncio.wait_for(second.join(), timeout=10)
    earlier = await postgres.kept()

    with pytest.raises(Fenced, match="another one has taken over"):
        await asleep.commit(rows.full())

    assert await postgres.kept() == earlier
    await second.leave()


async def test_a_running_lease_keeps_others_out_even_without_its_clock(postgres: PostgresStores) -> None:
    """The database's clock judges, not that of whoever looks."""
    await postgres.member()
    second, clock = postgres.apart()
    clock.advance(10 * 86400)
    await second.join()

    await second.take_over()

    assert (await second.standing()).gone == []
    assert await postgres.owners() == dict.fromkeys(range(64), 1)
    await second.leave()


async def test_of_two_that_take_over_one_does(postgres: PostgresStores) -> None:
    first = await postgres.member()
    (left, _), (right, _) = postgres.apart(), postgres.apart()
    await left.join()
    await right.join()
    await first.leave()

    await asyncio.gather(left.take_over(), right.take_over())

    owners = set((await postgres.owners()).values())
    assert owners in ({2}, {3})
    assert await members(postgres) == {1: True, 2: False, 3: False}
    await left.leave()
    await right.leave()


async def test_who_gives_up_waiting_leaves_nothing_behind(postgres: PostgresStores) -> None:
    await postgres.member()
    await postgres.run("update member set sharing = false")
    second, clock = postgres.apart()
    async with background(second.join()):
        await standing_by(clock)

    await until(lambda: postgres.locked(1))


async def test_joining_again_waits_for_nobody(postgres: PostgresStores) -> None:
    """A process does not wait for its own lease, even while the server still sees its old connection."""
    store, clock = postgres.apart()
    await store.join()
    blocker = await asyncpg.connect(postgres.dsn)
    obstacle = blocker.transaction()
    await obstacle.start()
    await blocker.execute("select from member for update")
    await until(lambda: clock.sleepers == 1)
    clock.advance(LEASE / 4)
    await until(lambda: postgres.waiting(1))  # the heartbeat, on the connection that holds the lock

    async with background(store.join()) as joining:
        await until(lambda: postgres.waiting(2))  # the takeover: it has not stopped at the lock
        await obstacle.rollback()
        assert await asyncio.wait_for(joining, timeout=10) == 2
    await blocker.close()
    await store.commit(rows.before())


async def test_a_takeover_waits_for_the_commit_in_flight(postgres: PostgresStores) -> None:
    """Promise 1: whoever recovers sees every commit that is still going to be answered with success."""
    first = await postgres.member()
    blocker = await asyncpg.connect(postgres.dsn)
    obstacle = blocker.transaction()
    await obstacle.start()
    await blocker.execute("insert into delivery values (1, now(), '', '', true)")  # the commit waits for its fate
    second, _ = postgres.apart()
    async with background(first.commit(rows.before())) as committing:
        await until(lambda: postgres.waiting(1))
        await postgres.run("update member set until = '-infinity'")
        async with background(second.join()) as joining:
            await until(lambda: postgres.waiting(2))
            assert not joining.done()

            await obstacle.rollback()
            await asyncio.wait_for(committing, timeout=10)
            await asyncio.wait_for(joining, timeout=10)
    await blocker.close()

    found = await second.recover(uses_since=rows.NOW)
    assert list(found.todo) == rows.before().deliveries


@pytest.mark.parametrize("fencing", ["takeover", "by hand"])
async def test_a_commit_that_began_before_the_fence_does_not_slip_under_it(
    postgres: PostgresStores, fencing: str
) -> None:
    """A statement sees the tables as they were when it began. The fence must judge by what is."""
    await postgres.member()
    gatekeeper, late = await asyncpg.connect(postgres.dsn), await asyncpg.connect(postgres.dsn)
    await gatekeeper.execute("select pg_advisory_lock(5)")
    fence = load(files("paramedic.store") / "queries")["commit_fence"].text
    statement = late.fetchval(
        "with began as materialized (select pg_advisory_lock(5)),"
        f" fence as materialized ({fence}) select count(*) from fence where (select count(*) from began) = 1",
        1,
    )
    async with background(statement) as committing:
        await until(lambda: postgres.waiting(1))
        second, _ = postgres.apart()
        if fencing == "takeover":
            await postgres.run("update member set until = '-infinity'")
            await second.join()
        else:
            await postgres.run("update member set fenced = true where id = 1")
        await gatekeeper.execute("select pg_advisory_unlock(5)")

        assert await asyncio.wait_for(committing, timeout=10) == 0
    await second.leave()
    await gatekeeper.close()
    await late.close()
