"""What the demo's shop measures follows from its pods: who serves how well, and what fires by it."""

from collections.abc import Awaitable, Callable

import pytest

from paramedic.cluster.resources import DEPLOYMENTS, Place
from paramedic.demo.gauges import Gauges
from paramedic.demo.shop import CLUSTER, NAMESPACE, Shop
from paramedic.rehearse.loop import VirtualClock, VirtualLoop, virtually


def in_the_shop(told: Callable[[Shop, Gauges, VirtualClock], Awaitable[None]]) -> None:
    async def whole(loop: VirtualLoop) -> None:
        clock = VirtualClock(loop)
        shop = Shop(clock)
        await told(shop, Gauges(shop), clock)

    virtually(whole)


async def fires(gauges: Gauges) -> list[str]:
    found = [dict(one.labels) for one in await gauges.symptoms()]
    return [f"{one['alertname']} {one.get('job') or one.get('queue') or one['container']}" for one in found]


def test_a_shop_that_is_well_reports_nothing() -> None:
    async def told(shop: Shop, gauges: Gauges, clock: VirtualClock) -> None:
        for _ in range(20):
            assert await fires(gauges) == []
            await clock.sleep(1.0)
        assert [await shop.stands(name) for name in ("api", "worker")] == [("api:41", 3), ("worker:5", 2)]

    in_the_shop(told)


def test_it_is_three_days_old() -> None:
    async def told(shop: Shop, gauges: Gauges, clock: VirtualClock) -> None:
        for name in ("api", "checkout", "worker", "payments", "search"):
            (_, *_), pods = await shop.stands(name), await shop.pods(name)
            made = {pod["metadata"]["creationTimestamp"][:10] for pod in pods}
            assert made == {"2026-01-02"}, name

    in_the_shop(told)


@pytest.mark.parametrize(("job", "image"), [("api", "api:42"), ("payments", "payments:18"), ("search", "search:8")])
def test_a_faulty_release_fires_while_it_serves_and_no_longer(job: str, image: str) -> None:
    async def told(shop: Shop, gauges: Gauges, clock: VirtualClock) -> None:
        good, _ = await shop.stands(job)
        shop.release(job, image)
        assert await fires(gauges) == [], "no pod of it is ready yet"
        await clock.sleep(3.0)
        assert await fires(gauges) == [f"HighErrorRate {job}"]
        shop.release(job, good)
        await clock.sleep(3.0)
        assert await fires(gauges) == []

    in_the_shop(told)


def test_crashed_pods_fire_one_by_one_until_they_are_replaced() -> None:
    async def told(shop: Shop, gauges: Gauges, clock: VirtualClock) -> None:
        shop.crash("checkout")
        await clock.sleep(1.0)
        assert await fires(gauges) == ["KubePodCrashLooping checkout"] * 2
        assert len({dict(one.labels)["pod"] for one in await gauges.symptoms()}) == 2
        shop.release("checkout", "checkout:18")
        await clock.sleep(3.0)
        assert await fires(gauges) == []

    in_the_shop(told)


def test_a_release_that_the_database_has_left_behind_never_starts() -> None:
    async def told(shop: Shop, gauges: Gauges, clock: VirtualClock) -> None:
        shop.release("search", "search:8")
        await clock.sleep(3.0)
        shop.migrate("search", "search:7")
        shop.release("search", "search:7")
        await clock.sleep(10.0)
        assert await fires(gauges) == ["HighErrorRate search"], "the faulty one still serves"

    in_the_shop(told)


def test_the_queue_grows_with_what_comes_and_shrinks_with_more_workers() -> None:
    async def told(shop: Shop, gauges: Gauges, clock: VirtualClock) -> None:
        async def depth() -> float:
            (sample,) = (await gauges.instant("queue_depth", "", max_age=60.0, timeout=1.0)).samples
            return sample.value

        assert await depth() == 0.0
        gauges.rush(1500.0)
        before = await depth()
        assert await fires(gauges) == ["QueueBacklog orders"]
        await clock.sleep(1.0)
        assert await depth() > before, "two workers are too few"
        more = {"spec": {"replicas": 4}}
        await shop.kube.patch(Place(CLUSTER, DEPLOYMENTS, NAMESPACE, "worker"), more, "merge")
        for _ in range(20):
            await clock.sleep(0.2)
            await depth()
        assert await fires(gauges) == []
        await clock.sleep(10.0)
        assert await depth() == 0.0

    in_the_shop(told)


def test_nothing_else_is_measured() -> None:
    async def told(shop: Shop, gauges: Gauges, clock: VirtualClock) -> None:
        assert (await gauges.instant("http_5xx", "", max_age=60.0, timeout=1.0)).samples == ()
        assert await gauges.over("queue_depth", "", seconds=60, step=15, max_age=60.0, timeout=1.0) == ()

    in_the_shop(told)
