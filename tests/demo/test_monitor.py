"""The demo's Alertmanager: what fires is posted until it is taken, one group a name, and ends with the start it had."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import aiohttp
import pytest
from aiohttp import web

from paramedic.core.model import Alert
from paramedic.demo.monitor import Monitor, Symptom, webhook
from paramedic.errors import Temporary
from paramedic.intake.alertmanager import parse_body
from paramedic.rehearse.loop import START


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


class World:
    """What is wrong, said by the test; the bodies that were posted, and whether the next one is taken."""

    def __init__(self, *taken: bool) -> None:
        self.wrong: list[Symptom] = []
        self.bodies: list[bytes] = []
        self.taken = list(taken)
        self.clock = Impatient()
        self.monitor = Monitor(self._look, self._post, self.clock)

    async def _look(self) -> Sequence[Symptom]:
        return self.wrong

    async def _post(self, body: bytes) -> bool:
        self.bodies.append(body)
        return self.taken.pop(0) if self.taken else True

    def alerts(self, number: int) -> Sequence[Alert]:
        """The alerts of a body, as the service reads them."""
        parsed = parse_body("default", self.bodies[number])
        assert not parsed.rejected
        return parsed.alerts


def symptom(pod: str, name: str = "KubePodNotReady") -> Symptom:
    labels = {"alertname": name, "namespace": "shop", "pod": pod}
    return Symptom(tuple(sorted(labels.items())), f"{pod} is not ready")


async def test_what_begins_and_ends_is_posted_once_each_as_one_group() -> None:
    world = World()
    world.wrong = [symptom("checkout-a"), symptom("checkout-b"), symptom("api", "HighErrorRate")]
    await world.monitor.look()
    await world.monitor.look()
    assert len(world.bodies) == 2, "one body for each name, and nothing while nothing changes"
    fired = world.alerts(1)
    assert [alert.labels["pod"] for alert in fired] == ["checkout-a", "checkout-b"]
    assert all(alert.firing for alert in fired)
    assert fired[0].annotations == {"summary": "checkout-a is not ready"}

    world.clock.waited = 60.0
    world.wrong = [symptom("checkout-b"), symptom("api", "HighErrorRate")]
    await world.monitor.look()
    assert len(world.bodies) == 3
    ended, still = world.alerts(2)
    assert (ended.firing, still.firing) == (False, True)
    assert ended.identity == fired[0].identity
    assert (ended.starts_at, still.starts_at) == (START, START)
    assert ended.ends_at == START + timedelta(seconds=60)

    world.wrong = [symptom("api", "HighErrorRate")]
    await world.monitor.look()
    assert [alert.labels["pod"] for alert in world.alerts(3)] == ["checkout-b"], "what ended before is not sent again"


async def test_what_fires_again_has_a_new_start() -> None:
    world = World()
    for seconds, wrong in ((0.0, [symptom("a")]), (10.0, []), (20.0, [symptom("a")])):
        world.clock.waited, world.wrong = seconds, wrong
        await world.monitor.look()
    assert world.alerts(2)[0].starts_at == START + timedelta(seconds=20)


async def test_a_body_is_sent_until_it_is_taken() -> None:
    world = World(False, False)
    world.wrong = [symptom("a")]
    await world.monitor.look()
    assert len(world.bodies) == 3
    assert len(set(world.bodies)) == 1
    assert world.clock.waited == 1.0


async def test_a_service_that_never_takes_it_is_given_up() -> None:
    world = World(*[False] * 20)
    world.wrong = [symptom("a")]
    with pytest.raises(Temporary, match="did not take the alert"):
        await world.monitor.look()
    assert len(world.bodies) == 20


@asynccontextmanager
async def answering(status: int) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A service that answers in this way; what it was sent."""
    bodies = list[bytes]()

    async def take(request: web.Request) -> web.Response:
        bodies.append(await request.read())
        return web.Response(status=status)

    app = web.Application()
    app.add_routes([web.post("/api/v1/alertmanager", take)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", bodies
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(("status", "taken"), [(200, True), (503, False)])
async def test_over_http_only_200_means_taken(status: int, taken: bool) -> None:
    async with answering(status) as (url, bodies), aiohttp.ClientSession(trust_env=False) as session:
        assert await webhook(session, url)(b'{"version": "4"}') is taken
    assert bodies == [b'{"version": "4"}']
