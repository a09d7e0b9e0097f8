"""Two replicas, restarted one after the other in the middle of alerts, as a rolling update does it.

Promise 1: nothing that was answered 200 is lost. Promise 3: each is done once, under one key: a process that is told to
stop lets its calls come to their end.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.real.databases import Database
from tests.real.held import Acting, HeldSink, alert, held_sink
from tests.real.processes import until
from tests.real.services import Service, Services

ALERTS = 1200
SENDERS = 8


@pytest.fixture
async def held() -> AsyncIterator[HeldSink]:
    async with held_sink() as one:
        yield one


async def send(replicas: list[Service], waiting: "asyncio.Queue[str]") -> None:
    """What Alertmanager behind a load balancer does: send again, to whoever is next, until it is taken."""
    turn = 0
    while not waiting.empty():
        identity = waiting.get_nowait()
        text = alert(identity, "raw" if identity.endswith("0") else "hook")

        async def taken(text: bytes = text) -> bool:
            nonlocal turn
            turn += 1
            return await replicas[turn % len(replicas)].deliver(text) == 200

        await until(taken, f"{identity} to be taken")


async def restarted(one: Service) -> None:
    """As a rolling update: told to stop, ended, started again, ready."""
    assert await one.process.stop() == 0
    await one.start()


async def idle(service: Service) -> bool:
    """Whether no run is under way."""
    return not (await service.get("runs"))["runs"]


@pytest.mark.timeout(300)
async def test_a_rolling_restart_under_load_loses_nothing_and_does_nothing_twice(
    serve: Services, outside: Database, held: HeldSink
) -> None:
    held.takes = 0.2  # so that each stop finds some calls under way
    replicas = [await serve(Acting(held.url), PARAMEDIC_DATABASE_URL=outside.url) for _ in range(2)]
    waiting = asyncio.Queue[str]()
    ids = [f"alert-{n}" for n in range(ALERTS)]
    for one in ids:
        waiting.put_nowait(one)

    async with asyncio.TaskGroup() as work:
        for _ in range(SENDERS):
            work.create_task(send(replicas, waiting))
        for number, replica in enumerate(replicas, 1):
            await held.came(f"alert-{number * ALERTS // 6}")
            await restarted(replica)

    for one in ids:
        await held.came(one)
    await until(lambda: idle(replicas[0]), "the end of every run")
    assert {one for one in ids if len(set(held.keys[one])) != 1} == set()
    assert {one: keys for one, keys in held.keys.items() if len(keys) != 1} == {}
