"""Who waits for whom in PostgreSQL when two want one row: what the contract says in turns holds at the same time too.

Promises 1, 2 and 4. The model writes in no time, so on it nobody waits: there the one is first or the other, and
`test_contract_fence.py` and `test_contract_sharing.py` ask both stores for both. Here a commit or a claim is stopped in
the middle, by a second session that holds a row which it must write last.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import asyncpg
import msgspec
import pytest

from paramedic.errors import ParamedicError
from paramedic.store.connect import Connection
from paramedic.store.port import Batch, ClaimRow, Doubtful, Fenced
from tests.store import rows
from tests.store.clock import until
from tests.store.stores import PostgresStores

Result = TypeVar("Result")
STOPPING = rows.use("budget/stop")
STOP = msgspec.structs.astuple(STOPPING)


@asynccontextmanager
async def under_way(work: Coroutine[Any, Any, Result]) -> AsyncIterator["asyncio.Task[Result]"]:
    """A task for the length of a block, whatever it comes to."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@dataclass
class Stopped(Generic[Result]):
    """Something under way that waits for us."""

    task: "asyncio.Task[Result]"
    _obstacle: Connection
    _postgres: PostgresStores

    async def go_on(self) -> Result:
        """Let it, and have what it comes to."""
        await self._obstacle.execute("rollback")
        return await self.task

    async def end(self) -> None:
        """End its session in the server."""
        pid = self._obstacle.get_server_pid()
        await self._postgres.run(
            "select pg_terminate_backend(pid) from pg_stat_activity where $1 = any(pg_blocking_pids(pid))", pid
        )
        with pytest.raises(ParamedicError):
            await self.task


@asynccontextmanager
async def stopped(
    postgres: PostgresStores, work: Coroutine[Any, Any, Result], table: str = "use", row: Sequence[object] = STOP
) -> AsyncIterator[Stopped[Result]]:
    """Work that waits in the middle: before it has written this row."""
    obstacle = await asyncpg.connect(postgres.dsn)
    await obstacle.execute("begin")
    places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    await obstacle.execute(f"insert into {table} values ({places})", *row)
    try:
        async with under_way(work) as task:
            await until(postgres.waiting)
            yield Stopped(task, obstacle, postgres)
    finally:
        await obstacle.close()


def stopping(batch: Batch) -> Batch:
    """The batch with what stops it."""
    return replace(batch, uses=[STOPPING])


def claim(of: int, *names: str, seen: int = 0) -> Sequence[ClaimRow]:
    """Run 1 of incident `of` wants to hold these scopes, with what stops it."""
    return [ClaimRow(0, dict.fromkeys(names, seen), [rows.hold(name, of) for name in names], [STOPPING])]


async def test_a_takeover_waits_for_a_commit_and_finds_all_of_it(postgres: PostgresStores) -> None:
    """Promise 1: whoever recovers sees every commit that is still going to be answered with success."""
    first, second = await postgres.beside(), await postgres.beside()
    async with stopped(postgres, first.commit(stopping(rows.before()))) as committing:
        await postgres.gone(1)
        async with under_way(second.take_over()) as taking:
            await until(lambda: postgres.waiting(2))
            assert not taking.done()
            await committing.go_on()
            await taking

    found = await second.recover(uses_since=rows.NOW)
    assert list(found.todo) == rows.before().deliveries
    assert set((await postgres.owners()).values()) == {2}


async def test_what_was_given_while_a_takeover_waited_stays_given(postgres: PostgresStores) -> None:
    """A shard has one owner, and what hangs on it one member that acts on it."""
    first, second, third = await postgres.beside(), await postgres.beside(), await postgres.beside()
    giving = Batch(given=[(1, 3), (2, 2)])
    async with stopped(postgres, first.commit(stopping(giving))) as committing:
        await postgres.gone(1)
        async with under_way(second.take_over()) as taking:
            await until(lambda: postgres.waiting(2))
            await committing.go_on()
            await taking

    assert await postgres.owners() == dict.fromkeys(range(64), 2) | {1: 3}
    assert (await third.recover(uses_since=rows.NOW)).shards == [1]


async def test_a_takeover_waits_for_a_claim_and_nobody_claims_over_it(postgres: PostgresStores) -> None:
    """Promise 4: the hold of a member that is fenced a moment later is a hold."""
    first, second = await postgres.beside(), await postgres.beside()
    async with stopped(postgres, first.claim(claim(1, "target/a"))) as claiming:
        await postgres.gone(1)
        async with under_way(second.take_over()) as taking:
            await until(lambda: postgres.waiting(2))
            assert await claiming.go_on() == [0]
            await taking

    assert list((await second.recover(uses_since=rows.NOW)).holds) == [rows.hold("target/a", 1)]
    assert list(await second.claim(claim(2, "target/a"))) == []


@pytest.mark.parametrize("what", ["commit", "claim"])
async def test_what_has_waited_for_its_own_fencing_finds_itself_fenced(postgres: PostgresStores, what: str) -> None:
    """Promise 5: the fence is judged by what is, and not by what was when the statement began."""
    first, second = await postgres.beside(rows.before()), await postgres.beside()
    await postgres.gone(1)
    fencing = await asyncpg.connect(postgres.dsn)
    await fencing.execute("begin; update member set fenced = true where id = 1")
    work: Coroutine[Any, Any, object] = first.commit(rows.full())
    if what == "claim":
        work.close()
        work = first.claim(claim(1, "target/a"))
    earlier = await postgres.kept()
    async with under_way(work) as late:
        await until(postgres.waiting)
        await fencing.execute("commit")
        with pytest.raises(Fenced):
            await late
    await fencing.close()
    await second.take_over()

    assert await postgres.kept() == earlier
    assert (await second.switch()).version == 0


async def test_of_two_claims_at_once_the_second_waits_and_looks_again(postgres: PostgresStores) -> None:
    """Promise 4: two runs never act on one target at once, however close together they ask."""
    first, second = await postgres.beside(), await postgres.beside()
    async with (
        stopped(postgres, first.claim(claim(1, "target/a"))) as claiming,
        under_way(second.claim(claim(2, "target/a"))) as other,
    ):
        await until(lambda: postgres.waiting(2))
        assert await claiming.go_on() == [0]
        assert await other == []

    assert (await postgres.kept())["holds"] == [rows.hold("target/a", 1)]


async def test_when_the_first_claim_comes_to_nothing_the_second_has_it(postgres: PostgresStores) -> None:
    first, second = await postgres.beside(), await postgres.beside()
    async with stopped(postgres, first.claim(claim(1, "target/a"))) as claiming:
        (wanted,) = claim(2, "target/a")
        async with under_way(second.claim([replace(wanted, uses=[])])) as other:
            await until(lambda: postgres.waiting(2))
            await claiming.end()
            assert await other == [0]

    assert (await postgres.kept())["holds"] == [rows.hold("target/a", 2)]


async def test_who_want_the_same_scopes_never_wait_in_a_circle(postgres: PostgresStores) -> None:
    """Both take them in the order of their names, whatever the order in which they say them."""
    first, second = await postgres.beside(), await postgres.beside()
    work = first.claim(claim(1, "a", "m", "z"))  # has `a`, and stops before `m`
    async with (
        stopped(postgres, work, "scope", ("m", 1)) as claiming,
        under_way(second.claim(claim(2, "z", "a"))) as other,
    ):
        await until(lambda: postgres.waiting(2))
        assert await claiming.go_on() == [0]
        assert await other == []


async def test_of_two_members_that_were_told_of_one_alert_one_is_doubtful(postgres: PostgresStores) -> None:
    """Promise 2: one episode opens once. The second waits for the first, and is undone whole."""
    first, second = await postgres.beside(), await postgres.beside()
    mine, yours = rows.episode("a", incident=1), rows.episode("a", incident=2)
    async with (
        stopped(postgres, first.commit(stopping(Batch(episodes=[mine])))) as committing,
        under_way(second.commit(Batch(episodes=[yours], rejected=[rows.rejected(7)]))) as other,
    ):
        await until(lambda: postgres.waiting(2))
        await committing.go_on()
        with pytest.raises(Doubtful):
            await other

    kept = await postgres.kept()
    assert (kept["episodes"], kept["rejected"]) == ([mine], [])


async def test_of_two_that_open_an_incident_under_one_key_one_is_doubtful(postgres: PostgresStores) -> None:
    """Promise 2."""
    first, second = await postgres.beside(), await postgres.beside()
    stop = rows.incident(9, key="stop")
    opened = Batch(incidents=[rows.incident(1, key="main/job=api"), msgspec.structs.replace(stop, id=3)])
    async with (
        stopped(postgres, first.commit(opened), "incident", msgspec.structs.astuple(stop)[:-1]) as committing,
        under_way(second.commit(Batch(incidents=[rows.incident(2, key="main/job=api")]))) as other,
    ):
        await until(lambda: postgres.waiting(2))
        await committing.go_on()
        with pytest.raises(Doubtful):
            await other

    assert [row.id for row in (await postgres.kept())["incidents"]] == [1, 3]


async def test_who_gives_up_a_commit_under_way_finds_all_of_it_or_nothing(postgres: PostgresStores) -> None:
    """Promise 1: the server may go on with it for a while; joining again waits for its end."""
    store = await postgres.beside()
    async with stopped(postgres, store.commit(stopping(rows.before()))) as committing:
        committing.task.cancel()
        async with under_way(store.join()) as joining:
            with pytest.raises(asyncio.CancelledError):
                await committing.go_on()
            await joining

    found = await store.recover(uses_since=rows.NOW)
    kept = await postgres.kept()
    assert list(found.todo) == kept["deliveries"] in ([], rows.before().deliveries)
    assert bool(found.todo) == bool(found.incidents) == bool(found.effects)


async def test_a_claim_in_trouble_has_not_happened_and_ends_no_membership(postgres: PostgresStores) -> None:
    store = await postgres.beside()
    await postgres.run(
        "create function trouble() returns trigger language plpgsql as"
        " $$ begin raise exception 'trouble' using errcode = '40P01'; end $$"
    )
    await postgres.run("create trigger trouble before insert on hold for each row execute function trouble()")
    earlier = await postgres.kept()

    with pytest.raises(ParamedicError, match="claiming: trouble"):
        await store.claim(claim(1, "target/a"))

    assert await postgres.kept() == earlier
    await postgres.run("drop trigger trouble on hold")
    assert list(await store.claim(claim(1, "target/a"))) == [0]
    await store.commit(Batch())
