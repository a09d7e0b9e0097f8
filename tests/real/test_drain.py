"""SIGTERM, as a container's runtime sends it: not ready at once, 503 to the webhook, an end within the grace.

Promise 1: nothing that was taken is lost, and what is not taken is refused with 503. Promise 3: what ends within the
grace is known; what is cut off is taken for interrupted by the next process.
"""

import os
import signal
from collections.abc import AsyncIterator

import aiohttp
import pytest

from paramedic.clock import SystemClock
from tests.real.databases import Database
from tests.real.held import Acting, HeldSink, alert, held_sink
from tests.real.processes import until
from tests.real.services import Service, Services

GRACE = 4
SLACK = 10.0
"""Seconds beyond the grace for the last commit, leaving and the interpreter, on a busy machine."""


@pytest.fixture
async def held() -> AsyncIterator[HeldSink]:
    async with held_sink() as one:
        yield one


@pytest.mark.parametrize("where", ["embedded", "outside"])
async def test_it_drains_within_its_grace_and_hands_the_rest_over(
    serve: Services, held: HeldSink, http: aiohttp.ClientSession, outside: Database, where: str
) -> None:
    settings = {"PARAMEDIC_DATABASE_URL": outside.url} if where == "outside" else {}
    service = await serve(Acting(held.url, timeout="8s"), PARAMEDIC_GRACE=f"{GRACE}s", **settings)
    held.hold("slow", "stuck-hook", "stuck-raw")
    for identity, endpoint in (("slow", "raw"), ("stuck-hook", "hook"), ("stuck-raw", "raw")):
        await service.takes(alert(identity, endpoint))
        await held.came(identity)

    clock = SystemClock()
    began = clock.monotonic()
    os.kill(service.process.pid, signal.SIGTERM)
    await until(lambda: refused(service.url, http), "its readiness to end")
    still = service.process.code
    assert still is None
    async with http.post(f"{service.url}/api/v1/alertmanager", data=alert("late")) as answer:
        assert answer.status == 503
        assert "Retry-After" in answer.headers
    async with http.get(f"{service.url}/healthz") as answer:
        assert answer.status == 200
    held.let_go("slow")

    async def ended() -> bool:
        return service.process.code is not None

    await until(ended, "its end")
    took = clock.monotonic() - began
    assert service.process.code == 0, service.process.last_words()
    assert GRACE - 0.5 < took < GRACE + SLACK
    print(f"SIGTERM to the end with a grace of {GRACE} s and stuck calls ({where}): {took:.1f} s")

    held.let_go("stuck-hook", "stuck-raw")
    await service.start()
    await service.takes(alert("late"))
    await held.came("late")
    await held.came("stuck-hook", 2)
    unknown = await until(lambda: with_outcome(service, "unknown"), "the one that nobody knows")
    assert len(held.keys["stuck-raw"]) == len(held.keys["slow"]) == 1
    assert len(set(held.keys["stuck-hook"])) == 1
    await service.told(unknown[0], "nobody can say whether the treatment took effect")
    assert len(await with_outcome(service, "done")) >= 2
    assert await service.process.stop() == 0


async def refused(url: str, http: aiohttp.ClientSession) -> bool:
    """Whether it says that it is not ready, and says so itself."""
    async with http.get(f"{url}/readyz") as answer:
        return answer.status == 503


async def with_outcome(service: Service, outcome: str) -> list[str]:
    """The incidents whose last run ended so."""
    found = [await service.detail(one["id"]) for one in await service.incidents()]
    return [one["id"] for one in found if one["past"] and one["past"][-1]["outcome"] == outcome]
