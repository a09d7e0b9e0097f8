"""More comes in than can be decided in time: it is journalled and answered at once, and decided afterwards, once.

Promise 1: what was answered 200 and not decided is safe, also from kill -9. Promise 3: it is acted on once. And the
mode ends. `tests/engine/test_turn.py` says in virtual time what each commit holds.

The situation is made, not waited for: another session has written an alert's episode and does not commit, so that the
service's commit about this alert waits for it.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from paramedic.store.connect import connect
from tests.engine.stage import delivery_of
from tests.real.databases import Database
from tests.real.held import Acting, HeldSink, alert, held_sink
from tests.real.processes import until
from tests.real.services import Service, Services
from tests.real.small_batches import BATCH

MANY = [f"many-{n}" for n in range(8 * BATCH)]
SERVE = (sys.executable, "-m", "tests.real.small_batches")
WAITS = "select count(*) from pg_stat_activity where application_name <> '' and wait_event_type = 'Lock'"
ANOTHER = "insert into episode (source, identity, alertname, live, body, version) values ($1, $2, '', false, '', 1)"
TODO = "select count(*) from delivery where not routed"
ROUTED = "select routed from delivery where position($1::bytea in body) > 0"
DECIDED_LATER = """
select count(distinct delivery.id)
from delivery join event on convert_from(event.body, 'UTF8')::json ->> 'delivery' = delivery.id::text
where event.at > delivery.at and position($1::bytea in delivery.body) > 0
"""


@pytest.fixture
async def held() -> AsyncIterator[HeldSink]:
    async with held_sink() as one:
        yield one


@dataclass(frozen=True)
class Scene:
    """A service, its database, and a delivery on the wire for each of `MANY`; the last one must not be decided yet."""

    service: Service
    url: str
    answers: "list[asyncio.Task[int]]"

    async def ask(self, sql: str, *values: object) -> Any:
        """One value out of the database."""
        connection = await connect(self.url)
        try:
            return await connection.fetchval(sql, *values)
        finally:
            await connection.close()

    async def commit_waits(self) -> None:
        """Wait until a commit of the service waits for the other session."""
        await until(lambda: self.ask(WAITS), "a commit that waits")


@asynccontextmanager
async def undecidable(url: str, identity: str) -> AsyncIterator[None]:
    """No commit about this alert comes to its end in here."""
    (one,) = delivery_of(alert(identity)).alerts
    connection = await connect(url)
    try:
        async with connection.transaction():
            await connection.execute(ANOTHER, one.source, one.identity)
            yield
            raise Undone
    except Undone:
        pass
    finally:
        await connection.close()


class Undone(Exception):
    """The other session changes its mind."""


async def on_the_wire(service: Service, text: bytes) -> "asyncio.Task[int]":
    """Write a delivery to the service; when this returns it is in the kernel's hands. How it will be answered."""
    address = urlsplit(service.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = f"POST /api/v1/alertmanager HTTP/1.1\r\nHost: paramedic\r\nContent-Length: {len(text)}\r\n\r\n"
    writer.write(head.encode() + text)
    await writer.drain()

    async def answered() -> int:
        try:
            return int((await reader.readline()).split()[1])
        finally:
            writer.close()

    return asyncio.create_task(answered())


@asynccontextmanager
async def overrun(serve: Services, held: HeldSink, url: str) -> AsyncIterator[Scene]:
    """A commit has stalled while `MANY` came in, and goes on. What is in here happens while the last is undecided."""
    service = serve.new(Acting(held.url), command=SERVE, PARAMEDIC_DATABASE_URL=url)
    await service.start()
    async with undecidable(url, MANY[-1]):
        async with undecidable(url, MANY[0]):
            scene = Scene(service, url, [await on_the_wire(service, alert(MANY[0]))])
            await scene.commit_waits()
            scene.answers.extend([await on_the_wire(service, alert(one)) for one in MANY[1:]])
            for _ in range(2):  # connections are taken in order: once these are answered, all of the others wait
                assert await service.ready()
        yield scene


async def test_what_cannot_be_decided_in_time_is_answered_and_decided_once_afterwards(
    serve: Services, held: HeldSink, outside: Database
) -> None:
    async with overrun(serve, held, outside.url) as scene:
        assert set(await asyncio.gather(*scene.answers)) == {200}
        await scene.commit_waits()
        assert await scene.ask(ROUTED, MANY[-1].encode()) is False
        assert MANY[-1] not in held.keys

    for one in MANY:
        await held.came(one)
    assert await scene.ask(TODO) == 0
    # All but the first, the batch behind it, and the one after that.
    assert await scene.ask(DECIDED_LATER, b"many-") >= len(MANY) - 2 * BATCH - 1

    after: list[str] = []

    async def at_once() -> bool:
        after.append(f"after-{len(after)}.")
        await scene.service.takes(alert(after[-1]))
        return bool(await scene.ask(DECIDED_LATER, after[-1].encode()) == 0)

    await until(at_once, "a delivery that is decided in the commit that keeps it")
    await held.came(after[-1])
    assert {one: len(keys) for one, keys in held.keys.items()} == dict.fromkeys([*MANY, *after], 1)


async def test_killed_before_it_is_decided_it_is_decided_once_by_the_next_process(
    serve: Services, held: HeldSink, outside: Database
) -> None:
    async with overrun(serve, held, outside.url) as scene:
        assert set(await asyncio.gather(*scene.answers)) == {200}
        await scene.commit_waits()
        assert await scene.ask(ROUTED, MANY[-1].encode()) is False
        scene.service.process.kill()
    assert MANY[-1] not in held.keys

    await scene.service.start()
    for one in MANY:
        await held.came(one)
    assert await scene.ask(TODO) == 0
    assert {one: len(set(keys)) for one, keys in held.keys.items()} == dict.fromkeys(MANY, 1)
