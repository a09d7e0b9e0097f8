"""Conditions on workloads, and what follows them: at the moment it is so, and neither earlier nor more often."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from paramedic.cluster.resources import DAEMON_SETS, DEPLOYMENTS
from paramedic.rehearse.agenda import Agenda
from paramedic.rehearse.cluster import Behaviour
from paramedic.rehearse.cluster.spec import Condition
from paramedic.rehearse.cluster.watching import Followers, holds
from tests.rehearse.cluster.played import CRASHES, NEVER, Played, deployment, play, workload


def condition(**written: Any) -> Condition:
    return Condition.model_validate({"target": "deployment/api.shop", **written})


def is_so(played: Played, **written: Any) -> bool:
    return holds({"main": played.cluster}, condition(**written))


def test_a_workload_that_is_well() -> None:
    async def story(played: Played) -> None:
        played.cluster.apply(deployment())
        assert is_so(played, **{"is": "unready"}), "its pods are not there yet"
        await played.after(10)
        assert not any(is_so(played, **{"is": one}) for one in ("unready", "crashing", "pending"))
        assert is_so(played, runs="api:*")
        assert not is_so(played, runs="api:2")
        assert is_so(played, fewer=4)
        assert not is_so(played, fewer=3)

    play(story)


@pytest.mark.parametrize(
    ("behaviour", "so"),
    [
        (NEVER, {"unready"}),
        (CRASHES, {"unready", "crashing"}),
        (Behaviour(pending=True), {"unready", "pending"}),
    ],
)
def test_a_workload_that_is_not(behaviour: Behaviour, so: set[str]) -> None:
    async def story(played: Played) -> None:
        played.cluster.behaves("api:1", behaviour)
        played.cluster.apply(deployment())
        await played.after(5)
        assert {one for one in ("unready", "crashing", "pending") if is_so(played, **{"is": one})} == so
        assert not is_so(played, runs="api:1"), "no pod of it is ready"

    play(story)


def test_a_workload_that_is_gone_or_scaled_to_nothing() -> None:
    async def story(played: Played) -> None:
        played.cluster.apply(deployment(replicas=0))
        await played.after(5)
        assert not is_so(played, **{"is": "unready"})
        played.cluster.remove(DEPLOYMENTS, "shop", "api")
        assert is_so(played, **{"is": "unready"})
        assert not is_so(played, **{"target": "elsewhere/shop/deployment/api", "is": "unready"})

    play(story)


def test_a_daemon_set_should_have_a_pod_on_each_node() -> None:
    async def story(played: Played) -> None:
        played.cluster.apply(workload(DAEMON_SETS, "agent", "agent:1"))
        await played.after(10)
        assert not is_so(played, **{"target": "daemonset/agent.shop", "is": "unready"})

    play(story)


Telling = Callable[[Played, list[tuple[float, str]]], Awaitable[None]]


def follow(story: Telling, written: dict[str, Any], *, delay: float = 0.0, stays: float = 0.0) -> None:
    """A story in which something follows a condition; what it did is written down."""

    async def told(played: Played) -> None:
        async with asyncio.TaskGroup() as group:
            agenda = Agenda(group, played.clock)
            followers = Followers({"main": played.cluster}, played.clock)
            seen: list[tuple[float, str]] = []

            def note(what: str) -> Callable[[], None]:
                return lambda: seen.append((round(played.clock.monotonic(), 1), what))

            followers.add(condition(**written), note("begins"), note("ends"), delay=delay, stays=stays)
            agenda.after(0.0, followers.watch)
            await story(played, seen)
            agenda.clear()

    play(told)


def test_what_follows_begins_and_ends_with_the_condition() -> None:
    async def story(played: Played, seen: list[tuple[float, str]]) -> None:
        played.cluster.apply(deployment())
        await played.after(60)
        played.cluster.strike("shop", "api", NEVER)
        await played.after(60)
        assert seen == [(0.0, "begins"), (2.1, "ends"), (60.0, "begins")]

    follow(story, {"is": "unready"})


def test_it_waits_and_stays_as_long_as_it_says() -> None:
    async def story(played: Played, seen: list[tuple[float, str]]) -> None:
        played.cluster.apply(deployment())
        await played.after(60)
        played.cluster.strike("shop", "api", NEVER)
        await played.after(20)
        played.cluster.strike("shop", "api", Behaviour())
        await played.after(40)
        assert seen == [], "it was over before 30 s had passed"
        played.cluster.strike("shop", "api", NEVER)
        await played.after(60)
        played.cluster.strike("shop", "api", Behaviour())
        await played.after(60)
        assert seen == [(150.0, "begins"), (191.0, "ends")]

    follow(story, {"is": "unready"}, delay=30.0, stays=10.0)


def test_what_is_over_only_for_a_moment_goes_on() -> None:
    async def story(played: Played, seen: list[tuple[float, str]]) -> None:
        played.cluster.apply(deployment(replicas=1))
        await played.after(30)
        for behaviour in (NEVER, Behaviour(), NEVER):
            played.cluster.strike("shop", "api", behaviour)
            await played.after(10)
        assert [what for _, what in seen] == ["begins", "ends", "begins"]

    follow(story, {"is": "unready"}, stays=20.0)


def test_it_hears_of_a_change_that_nobody_waited_for() -> None:
    async def story(played: Played, seen: list[tuple[float, str]]) -> None:
        played.cluster.apply(deployment())
        await played.after(3600)
        played.cluster.edit(DEPLOYMENTS, "shop", "api", {"spec": {"replicas": 1}})
        await played.after(5)
        assert seen[-1] == (3600.0, "begins")

    follow(story, {"fewer": 3})
