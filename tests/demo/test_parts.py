"""The demo's shop and its monitor, over HTTP as they are."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import aiohttp
import pytest
from aiohttp import web

from paramedic.clock import SystemClock
from paramedic.demo import shop as shops
from paramedic.demo.monitor import Monitor
from paramedic.demo.shop import Shop
from paramedic.errors import Temporary
from paramedic.intake.alertmanager import parse_body
from paramedic.rehearse.loop import START
from tests.store.clock import until


class Impatient:
    """A clock on which waiting takes no time."""

    def __init__(self) -> None:
        self.waited = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.waited)

    def monotonic(self) -> float:
        return self.waited

    async def sleep(self, seconds: float) -> None:
        self.waited += seconds


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(trust_env=False) as session:
        yield session


async def test_a_restarted_service_comes_up_once_for_each_key(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shops, "_RECOVERY", 0.01)
    healed: list[str] = []
    async with Shop(SystemClock(), healed.append, frozenset({"search"})) as shop:

        async def status(path: str, method: str = "POST", key: str = "one") -> int:
            async with http.request(method, shop.url + path, headers={"Idempotency-Key": key}) as answer:
                return answer.status

        assert await status("/health?service=api", "GET") == 503
        assert await status("/restart?service=api") == 200
        assert await status("/restart?service=api") == 200
        await until(lambda: bool(healed))
        assert await status("/health?service=api", "GET") == 200
        assert await status("/drain?service=api", key="two") == 200
        await until(lambda: healed == ["api", "api"])

        assert await status("/restart?service=search", key="three") == 200
    assert healed == ["api", "api"]


@asynccontextmanager
async def taking(*answers: int) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A service that answers in this way, the last one for good; what it was sent."""
    left, bodies = list(answers), list[bytes]()

    async def take(request: web.Request) -> web.Response:
        bodies.append(await request.read())
        return web.Response(status=left.pop(0) if len(left) > 1 else left[0])

    app = web.Application()
    app.add_routes([web.post("/api/v1/alertmanager", take)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", bodies
    finally:
        await runner.cleanup()


async def test_what_fires_is_sent_until_it_is_taken_and_resolved_with_the_same_start(
    http: aiohttp.ClientSession,
) -> None:
    clock = Impatient()
    async with taking(503, 503, 200) as (url, bodies):
        monitor = Monitor(url, http, clock)
        await monitor.fire("ServiceDown", "api", "critical", "api does not answer")
        assert clock.waited == 1.0
        await monitor.resolve("api")
        await monitor.resolve("api")
        await monitor.resolve("never-fired")
    assert len(bodies) == 4
    assert bodies[0] == bodies[1] == bodies[2]
    (fired,), (resolved,) = (parse_body("default", text).alerts for text in bodies[2:])
    assert fired.identity == resolved.identity
    assert (fired.firing, resolved.firing) == (True, False)
    assert fired.starts_at == resolved.starts_at
    assert resolved.ends_at is not None
    assert resolved.ends_at > resolved.starts_at
    assert fired.annotations == {"summary": "api does not answer"}


async def test_a_service_that_never_takes_it_is_given_up(http: aiohttp.ClientSession) -> None:
    async with taking(503) as (url, bodies):
        with pytest.raises(Temporary, match="did not take the alert"):
            await Monitor(url, http, Impatient()).fire("ServiceDown", "api", "critical", "")
    assert len(bodies) == 20
