"""The engine over a real PostgreSQL in real time: the few things that the store in memory cannot show.

Promises 1 and 3, with a fence and a lost connection as they really are.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from paramedic.clock import SystemClock
from paramedic.engine.engine import Engine
from paramedic.engine.inputs import Act
from paramedic.engine.shell import Options
from paramedic.errors import Temporary
from paramedic.intake.alertmanager import parse_body
from paramedic.plugin import Tools
from paramedic.rehearse.loop import START
from paramedic.store.port import BundleRow
from paramedic.store.postgres import PostgresStore
from tests.engine.stage import Noted, Port, World, delivery_of
from tests.engine.texts import body, bundle_of, catalog, element, plugins
from tests.store.clock import background, until


class Real:
    """A database, a world, and one engine after the other."""

    def __init__(self, dsn: str) -> None:
        self.dsn, self.clock = dsn, SystemClock()
        self.world = World(self.clock)
        self.bundle = bundle_of(catalog())

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Engine]:
        """An engine that serves."""
        store = PostgresStore(self.dsn, self.clock)
        tools = Tools(http=Port(self.world))
        engine = Engine(
            store,
            plugins(),
            tools,
            tools,
            self.clock,
            Options(jitter=lambda seconds: seconds / 10),
            Noted(),
            parse=lambda source, text: parse_body(source, text).alerts,
            load=lambda _: self.bundle,
        )
        kept = await store.bundle(None)
        await store.adopt(BundleRow(self.bundle.hash, START, b"{}"), kept.hash if kept else None)
        await engine.adopt(self.bundle)
        async with background(engine.run()):
            await until(lambda: engine.live)
            yield engine

    async def run(self, sql: str) -> list[asyncpg.Record]:
        """Behind the engine's back."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return await connection.fetch(sql)
        finally:
            await connection.close()

    async def outcomes(self) -> list[str]:
        """How the runs ended, by incident."""
        rows = await self.run(
            "select convert_from(state, 'UTF8')::json #>> '{past,0,outcome}' from incident order by id"
        )
        return [row[0] for row in rows]


@pytest.fixture
def real(database: str) -> Real:
    return Real(database)


async def send(engine: Engine, *jobs: str) -> None:
    """Deliver until it is taken."""

    async def taken() -> bool:
        try:
            return bool(await engine.deliver(delivery_of(body(*(element(job) for job in jobs)))))
        except Temporary:
            return False

    await until(taken)


async def done(real: Real, count: int) -> None:
    """Wait until so many incidents were treated."""

    async def enough() -> bool:
        return await real.outcomes() == ["done"] * count

    await until(enough)


async def test_an_alert_is_treated_paged_and_closed_by_a_person(real: Real) -> None:
    async with real.serving() as engine:
        await send(engine, "api")
        await done(real, 1)
        await until(lambda: len(real.world.pages()) == 1)
        (row,) = await real.run("select id from incident")
        assert "close by alice" in await engine.act(row["id"], Act("alice", "close"))
        await until(lambda: len(real.world.pages("resolve")) == 1)
    assert [call.key for call in real.world.to("hook")] == [f"INC-{row['id']}/1/1/1"]
    assert not await real.run("select * from effect where lane <> 'page'")
    assert not await real.run("select * from episode where live")


async def test_the_next_member_goes_on(real: Real) -> None:
    async with real.serving() as engine:
        await send(engine, "one")
        await done(real, 1)
    async with real.serving() as engine:
        await send(engine, "one", "two")
        await done(real, 2)
    assert len({call.key for call in real.world.to("hook")}) == len(real.world.to("hook")) == 2


@pytest.mark.parametrize(
    "harm",
    [
        "update member set fenced = true",
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where pid <> pg_backend_pid() and datname = current_database()",
    ],
    ids=["fenced", "connections lost"],
)
async def test_harmed_behind_its_back_it_joins_again_and_nothing_is_done_twice(real: Real, harm: str) -> None:
    async with real.serving() as engine:
        await send(engine, "one")
        await done(real, 1)
        await real.run(harm)
        await send(engine, "one", "two")
        await done(real, 2)
        members = await real.run("select fenced from member order by id")
        assert [row["fenced"] for row in members] == [True, False]
    assert len({call.key for call in real.world.to("hook")}) == len(real.world.to("hook")) == 2
