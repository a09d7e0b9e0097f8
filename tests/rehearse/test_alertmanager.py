"""The simulated Alertmanager: bodies that intake's own parser reads, repeated and tried again as the real one does."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from paramedic.core.model import Alert
from paramedic.errors import Temporary
from paramedic.intake.alertmanager import parse_body
from paramedic.ports import Standing
from paramedic.rehearse.agenda import Agenda
from paramedic.rehearse.alertmanager import SimulatedAlertmanager
from paramedic.rehearse.loop import START, VirtualClock, VirtualLoop, virtually
from paramedic.rehearse.scenery import SilenceWorld

Deliveries = list[tuple[float, str, tuple[Alert, ...]]]
DOWN = {"alertname": "Down", "job": "api"}
SLOW = {"alertname": "Slow", "job": "api"}


def told(
    story: Callable[[SimulatedAlertmanager, VirtualClock], Awaitable[None]],
    *,
    repeat: float = 0.0,
    refuse: int = 0,
    silences: Sequence[SilenceWorld] = (),
) -> Deliveries:
    """What is delivered while the story goes on; the first `refuse` deliveries are not accepted."""
    taken: Deliveries = []

    async def play(loop: VirtualLoop) -> None:
        clock, left = VirtualClock(loop), [refuse]

        async def deliver(source: str, body: bytes) -> None:
            if left[0]:
                left[0] -= 1
                raise Temporary("not now")
            parsed = parse_body(source, body)
            assert not parsed.rejected
            taken.append((loop.time(), source, parsed.alerts))

        async with asyncio.TaskGroup() as group:
            agenda = Agenda(group, clock)
            await story(SimulatedAlertmanager(clock, agenda, deliver, lambda _: repeat, silences), clock)
            await loop.rest()
            agenda.clear()

    virtually(play)
    return taken


def test_several_alerts_are_one_delivery() -> None:
    async def story(manager: SimulatedAlertmanager, clock: VirtualClock) -> None:
        manager.fire("main", [DOWN, SLOW], {"summary": "it is down"})

    ((at, source, alerts),) = told(story)
    assert (at, source) == (0.0, "main")
    assert [one.labels for one in alerts] == [DOWN, SLOW]
    assert all(one.firing and one.starts_at == START and one.annotations == {"summary": "it is down"} for one in alerts)


def test_what_fires_already_keeps_its_start_and_a_refire_begins_anew() -> None:
    async def story(manager: SimulatedAlertmanager, clock: VirtualClock) -> None:
        manager.fire("main", [DOWN], {}, START - timedelta(minutes=5))
        await clock.sleep(60)
        manager.fire("main", [DOWN], {})
        assert manager.resolve("Down") == 1
        manager.fire("main", [DOWN], {})

    alerts = [alert for _, _, (alert,) in told(story)]
    assert [one.firing for one in alerts] == [True, True, False, True]
    assert alerts[0].starts_at == alerts[1].starts_at == alerts[2].starts_at == START - timedelta(minutes=5)
    assert alerts[2].ends_at == START + timedelta(minutes=1)
    assert alerts[2].ends_at < alerts[3].starts_at


def test_an_alert_ends_after_it_began_even_at_the_same_moment() -> None:
    async def story(manager: SimulatedAlertmanager, clock: VirtualClock) -> None:
        manager.fire("main", [DOWN], {})
        manager.resolve("Down")

    *_, (_, _, (ended,)) = told(story)
    assert ended.ends_at is not None
    assert ended.ends_at > ended.starts_at


@pytest.mark.parametrize(
    ("which", "count"), [("Down", 1), ({"job": "api"}, 2), ({"job": "a*"}, 2), ({"alertname": "Other"}, 0), ("*", 2)]
)
def test_alerts_are_named_or_described(which: Any, count: int) -> None:
    async def story(manager: SimulatedAlertmanager, clock: VirtualClock) -> None:
        manager.fire("main", [DOWN, SLOW], {})
        assert manager.repeat(which) == count
        assert manager.resolve(which) == count
        assert manager.resolve(which) == 0

    told(story)


def test_each_source_has_its_own_delivery() -> None:
    async def story(manager: SimulatedAlertmanager, clock: VirtualClock) -> None:
        manager.fire("one", [DOWN], {})
        manager.fire("two", [DOWN], {})
        manager.resolve("Down")

    assert [(source, alerts[0].firing) for _, source, alerts in told(story)] == [
        ("one", True),
        ("two", True),
        ("one", False),
        ("two", False),
    ]


def test_what_still_fires_is_repeated_until_it_ends() -> None:
    async def story(manager: SimulatedAlertmanager, clock: VirtualClock) -> None:
        manager.fire("main", [DOWN, SLOW], {})
        await clock.sleep(3600 * 9)
        manager.resolve("Down")
        await clock.sleep(3600 * 9)

    seen = [
        (at / 3600, [one.labels["alertname"] for one in alerts if one.firing])
        for at, _, alerts in told(story, repeat=14400)
    ]
    assert seen == [
        (0, ["Down", "Slow"]),
        (4, ["Down", "Slow"]),
        (8, ["Down", "Slow"]),
        (9, []),
        (12, ["Slow"]),
        (16, ["Slow"]),
    ]


def test_what_is_not_accepted_is_tried_again_a_little_later_each_time() -> None:
    async def story(manager: SimulatedAlertmanager, clock: VirtualClock) -> None:
        manager.fire("main", [DOWN], {})
        await clock.sleep(600)

    ((at, _, _),) = told(story, refuse=7)
    assert at == 1 + 2 + 4 + 8 + 16 + 30 + 30


def silence(**given: Any) -> SilenceWorld:
    return SilenceWorld.model_validate(given)


def test_a_source_says_how_an_alert_stands() -> None:
    async def story(manager: SimulatedAlertmanager, clock: VirtualClock) -> None:
        assert manager.standing("main", DOWN) == Standing("absent")
        manager.fire("main", [DOWN, SLOW], {})
        assert manager.standing("main", DOWN) == Standing("active")
        assert manager.standing("other", DOWN) == Standing("absent")
        await clock.sleep(60)
        assert manager.standing("main", DOWN) == Standing("silenced", ("alice",))
        assert manager.standing("main", SLOW) == Standing("inhibited", ("Down",))
        await clock.sleep(60)
        assert manager.standing("main", DOWN) == Standing("active")
        manager.resolve("Down")
        assert manager.standing("main", DOWN) == Standing("absent")

    told(
        story,
        silences=[
            silence(alert=DOWN, **{"from": "1m", "to": "2m"}, by="alice"),
            silence(alert=SLOW["alertname"], **{"from": "1m"}, kind="inhibited", by="Down"),
        ],
    )


def test_what_is_silenced_is_delivered_when_that_is_over_and_it_still_fires() -> None:
    async def story(manager: SimulatedAlertmanager, clock: VirtualClock) -> None:
        manager.fire("main", [DOWN], {})
        manager.fire("main", [SLOW], {})
        await clock.sleep(600)

    taken = told(story, silences=[silence(alert="Down", to="5m"), silence(alert="Other", to="1m")])
    assert [(at, alert.labels["alertname"]) for at, _, (alert,) in taken] == [
        (0.0, SLOW["alertname"]),
        (300.0, DOWN["alertname"]),
    ]
    assert taken[1][2][0].starts_at == START


def test_what_is_silenced_is_not_repeated() -> None:
    async def story(manager: SimulatedAlertmanager, clock: VirtualClock) -> None:
        manager.fire("main", [DOWN], {})
        await clock.sleep(200)

    taken = told(story, repeat=60.0, silences=[silence(alert="Down", **{"from": "90s"})])
    assert [at for at, *_ in taken] == [0.0, 60.0]
