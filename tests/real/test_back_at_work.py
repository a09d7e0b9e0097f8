"""After kill -9: how soon the service takes deliveries again, and how soon it acts again. The aim is five seconds.

The figures are printed. What is demanded is generous, because the machine may be busy, and still less than it takes to
wait for the predecessor's lease.
"""

import os
import signal
from collections.abc import AsyncIterator

import pytest

from paramedic.clock import SystemClock
from tests.real.databases import Database
from tests.real.held import Acting, HeldSink, alert, held_sink
from tests.real.processes import until
from tests.real.services import Services

LEASE = 10.0


@pytest.fixture
async def held() -> AsyncIterator[HeldSink]:
    async with held_sink() as one:
        yield one


@pytest.mark.parametrize("where", ["embedded", "outside"])
async def test_it_is_back_at_work_within_seconds(
    serve: Services, held: HeldSink, outside: Database, where: str
) -> None:
    """Its predecessor's connection is gone, so that nobody waits for the predecessor's lease (ten seconds)."""
    settings = {"PARAMEDIC_DATABASE_URL": outside.url} if where == "outside" else {}
    service = await serve(Acting(held.url), **settings)
    clock = SystemClock()
    held.hold("under-way")
    await service.takes(alert("under-way"))
    await held.came("under-way")
    figures = []
    for number in range(3):
        os.kill(service.process.pid, signal.SIGKILL)
        killed = clock.monotonic()

        async def dead() -> bool:
            return service.process.code is not None

        await until(dead, "its end")
        await service.start()
        ready = clock.monotonic() - killed
        await service.takes(alert(f"next-{number}"))
        await held.came(f"next-{number}")
        figures.append((ready, held.at[f"next-{number}"] - killed))
    said = "; ".join(f"ready {ready:.1f} s, first action {acted:.1f} s" for ready, acted in figures)
    print(f"after kill -9 ({where}): {said}")
    assert min(acted for _, acted in figures) < LEASE - 1.0, said
