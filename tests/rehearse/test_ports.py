"""The ports to metrics and reported changes, as one process of a rehearsal has them."""

from datetime import timedelta
from typing import Any

import pytest

from paramedic.errors import Temporary
from paramedic.ports import Standing
from paramedic.rehearse.loop import START, VirtualClock, VirtualLoop, virtually
from paramedic.rehearse.ports import SimulatedAlerts, SimulatedChanges, SimulatedMetrics
from paramedic.rehearse.scenery import World
from paramedic.rehearse.world import SimulatedWorld


def metrics(loop: VirtualLoop, **series: Any) -> tuple[SimulatedMetrics, SimulatedWorld, VirtualClock]:
    clock = VirtualClock(loop)
    world = SimulatedWorld(World.model_validate({"metrics": series}), clock, lambda one: None)
    return SimulatedMetrics(lambda name, ago: world.value(name, clock.monotonic() - ago), clock), world, clock


def test_a_metric_is_one_series_taken_now() -> None:
    async def story(loop: VirtualLoop) -> None:
        port, _, clock = metrics(loop, load=[["-5m", 3], ["1m", None]])
        found = await port.instant("load", "whatever", max_age=60, timeout=5)
        assert (found.at, found.warnings) == (START, ())
        assert [(one.labels, one.value) for one in found.samples] == [({}, 3)]
        assert (await port.instant("other", "whatever", max_age=60, timeout=5)).samples == ()
        await clock.sleep(60)
        assert (await port.instant("load", "whatever", max_age=60, timeout=5)).samples == ()

    virtually(story)


def test_a_metric_over_time_leaves_no_moment_out() -> None:
    async def story(loop: VirtualLoop) -> None:
        port, _, clock = metrics(loop, load=[["0s", 1], ["1m", 2]])
        await clock.sleep(90)
        found = await port.over("load", "whatever", seconds=120, step=30, max_age=60, timeout=5)
        assert [one.at for one in found] == [START + timedelta(seconds=s) for s in (-30, 0, 30, 60, 90)]
        assert [[sample.value for sample in one.samples] for one in found] == [[], [1], [1], [2], [2]]

    virtually(story)


def test_a_metric_that_follows_has_a_past() -> None:
    async def story(loop: VirtualLoop) -> None:
        port, world, clock = metrics(loop)
        world.note("errors", 0.0)
        await clock.sleep(60)
        world.note("errors", 3.0)
        await clock.sleep(30)
        found = await port.over("errors", "whatever", seconds=60, step=30, max_age=60, timeout=5)
        assert [one.samples[0].value for one in found] == [0.0, 3.0, 3.0]
        assert world.value("errors", -600) == 0.0

    virtually(story)


def test_a_dead_process_reads_nothing() -> None:
    async def story(loop: VirtualLoop) -> None:
        port, _, clock = metrics(loop, load=[["0s", 1]])
        changes = SimulatedChanges((), clock, START)
        alerts = SimulatedAlerts(lambda source, labels: Standing("active"), lambda source: True)
        port.dead = changes.dead = alerts.dead = True
        with pytest.raises(Temporary):
            await port.instant("load", "whatever", max_age=60, timeout=5)
        with pytest.raises(Temporary):
            await port.over("load", "whatever", seconds=60, step=30, max_age=60, timeout=5)
        with pytest.raises(Temporary):
            await changes.since("t", "s", START)
        with pytest.raises(Temporary):
            await alerts.standing("main", {}, timeout=5)

    virtually(story)


def test_a_source_without_an_address_is_not_asked() -> None:
    async def story(loop: VirtualLoop) -> None:
        port = SimulatedAlerts(lambda source, labels: Standing("silenced"), lambda source: source == "main")
        assert await port.standing("main", {}, timeout=5) == Standing("silenced")
        assert await port.standing("other", {}, timeout=5) == Standing("unasked")

    virtually(story)


def test_changes_that_were_reported_by_then() -> None:
    async def story(loop: VirtualLoop) -> None:
        clock = VirtualClock(loop)
        written = [
            {"at": "-2h", "target": "deployment/api.shop", "version": "40"},
            {"at": "-10m", "target": "deployment/api.shop", "version": "41"},
            {"at": "-5m", "service": "api", "version": "42", "url": "https://ci.example.org/42"},
            {"at": "-1m", "target": "deployment/web.shop", "version": "7"},
            {"at": "5m", "target": "main/shop/deployment/api", "version": "43"},
        ]
        spec = World.model_validate({"changes": written})
        port = SimulatedChanges(spec.changes, clock, START)

        async def versions(service: str = "", ago: float = 3600) -> list[str]:
            found = await port.since("main/shop/deployment/api", service, START - timedelta(seconds=ago))
            return [one.version for one in found]

        assert await versions() == ["41"]
        assert await versions("api") == ["42", "41"]
        assert await versions(ago=10_000) == ["41", "40"]
        await clock.sleep(300)
        assert await versions() == ["43", "41"]

    virtually(story)
