"""What goes wrong between a process and a cluster, and what each of it leaves behind."""

from typing import Any

import pytest

from paramedic.cluster.permissions import ACCESS_REVIEWS, parse_permission, review
from paramedic.cluster.port import Json
from paramedic.cluster.resources import CONFIG_MAPS, DEPLOYMENTS, PODS, Place
from paramedic.errors import Missing, Permanent, Temporary, UnknownOutcome
from paramedic.rehearse.cluster import KubeFault, SimulatedCluster, SimulatedKube
from tests.rehearse.cluster.played import QUICK, Played, deployment, play

SCALE: Json = {"spec": {"replicas": 5}}


async def begin(played: Played) -> Place:
    played.cluster.apply(deployment())
    await played.after(10)
    return played.place(DEPLOYMENTS, "api")


async def replicas(played: Played) -> int:
    found: int = played.cluster.site.server.get(DEPLOYMENTS, "shop", "api")["spec"]["replicas"]
    return found


@pytest.mark.parametrize(
    ("fails", "reading", "writing", "done", "took"),
    [
        ("forbidden", Permanent, Permanent, False, 0.005),
        ("busy", Temporary, Temporary, False, 0.005),
        ("refused", Temporary, Temporary, False, 0.005),
        ("error", Temporary, UnknownOutcome, False, 0.005),
        ("timeout", Temporary, UnknownOutcome, False, 3.005),
        ("lost", Temporary, UnknownOutcome, True, 3.005),
    ],
)
def test_how_a_request_can_fail(fails: Any, reading: type, writing: type, done: bool, took: float) -> None:
    async def story(played: Played) -> None:
        place = await begin(played)
        played.cluster.fail(KubeFault(fails, times=2))
        with pytest.raises(reading) as raised:
            await played.kube.get(place, timeout=3.0)
        assert type(raised.value) is reading
        began = played.clock.monotonic()
        with pytest.raises(writing) as raised:
            await played.kube.patch(place, SCALE, "merge", timeout=3.0)
        assert type(raised.value) is writing
        assert played.clock.monotonic() - began == pytest.approx(took)
        assert (await replicas(played) == 5) is done
        assert (await played.kube.get(place))["metadata"]["name"] == "api", "twice was enough"

    play(story)


def test_a_fault_is_about_some_requests_at_some_times() -> None:
    async def story(played: Played) -> None:
        place = await begin(played)
        played.cluster.fail(KubeFault("error", on="patch deployments.apps*", start=60.0, end=120.0))
        await played.kube.patch(place, {"spec": {"replicas": 4}}, "merge")
        await played.after(60)
        await played.kube.get(place)
        await played.kube.patch(place, SCALE, "merge", dry_run=True)
        with pytest.raises(UnknownOutcome, match=r"patch deployments\.apps api in shop"):
            await played.kube.patch(place, SCALE, "merge")
        with pytest.raises(UnknownOutcome, match=r"patch deployments\.apps/scale"):
            await played.kube.patch(place, SCALE, "merge", subresource="scale")
        await played.after(60)
        await played.kube.patch(place, SCALE, "merge")

    play(story)


def test_a_dry_run_can_fail_too_and_is_never_of_unknown_outcome() -> None:
    async def story(played: Played) -> None:
        place = await begin(played)
        played.cluster.fail(KubeFault("error", on="patch *", dry_runs=True))
        with pytest.raises(Temporary):
            await played.kube.patch(place, SCALE, "merge", dry_run=True)

    play(story)


def test_a_busy_server_says_when_to_come_again() -> None:
    async def story(played: Played) -> None:
        place = await begin(played)
        played.cluster.fail(KubeFault("busy", delay=7.0))
        with pytest.raises(Temporary) as raised:
            await played.kube.get(place)
        assert raised.value.delay == 7.0

    play(story)


def test_what_is_not_allowed_is_refused_by_the_name_of_the_permission() -> None:
    async def story(played: Played) -> None:
        place = await begin(played)
        pod = (await played.all(PODS))[0]["metadata"]
        one = played.place(PODS, pod["name"])
        played.cluster.allow(["get deployments.apps"])
        await played.kube.get(place)
        asked: list[tuple[Any, str]] = [
            (played.kube.get(place, subresource="scale"), "get deployments.apps/scale"),
            (played.kube.list(place), "list deployments.apps"),
            (played.kube.patch(place, SCALE, "merge", dry_run=True), "patch deployments.apps"),
            (played.kube.patch(place, SCALE, "merge", subresource="scale"), "patch deployments.apps/scale"),
            (played.kube.create(played.place(CONFIG_MAPS), {}), "create configmaps"),
            (played.kube.delete(one, uid=pod["uid"]), "delete pods"),
            (played.kube.evict(one, uid=pod["uid"]), "create pods/eviction"),
            (played.kube.logs(one), "get pods/log"),
        ]
        for call, permission in asked:
            with pytest.raises(Permanent, match=f"{permission} in shop is not allowed for system:serviceaccount"):
                await call
        with pytest.raises(Permanent, match=r"list deployments\.apps in all namespaces"):
            await played.kube.list(Place("main", DEPLOYMENTS))
        played.cluster.allow(None)
        await played.kube.list(place)

    play(story)


def test_a_dead_process_reaches_nothing() -> None:
    async def story(played: Played) -> None:
        place = await begin(played)
        mine = SimulatedKube({"main": played.cluster}, played.clock)
        mine.dead = True
        with pytest.raises(Temporary, match="the process is gone"):
            await mine.patch(place, SCALE, "merge")
        assert await replicas(played) == 3
        await played.kube.get(place)

    play(story)


def test_a_caller_may_always_ask_what_it_may_do() -> None:
    async def story(played: Played) -> None:
        place = await begin(played)
        permissions = [parse_permission(one) for one in ("patch deployments.apps", "get pods/log", "delete pods")]
        reviews = Place("main", ACCESS_REVIEWS)

        async def answers() -> list[bool]:
            asked = [await played.kube.create(reviews, review(one, "shop"), dry_run=True) for one in permissions]
            return [one["status"]["allowed"] for one in asked]

        assert await answers() == [True, True, True], "unless something else is said, all is allowed"
        played.cluster.allow(["get pods/log", "patch deployments.apps"])
        assert await answers() == [True, True, False]
        with pytest.raises(Permanent, match=r"get deployments\.apps in shop is not allowed"):
            await played.kube.get(place)
        with pytest.raises(Permanent, match="there is no cluster 'third'"):
            await played.kube.create(Place("third", ACCESS_REVIEWS), review(permissions[0], "shop"))

    play(story)


def test_clusters_are_reached_by_their_names() -> None:
    async def story(played: Played) -> None:
        place = await begin(played)
        other = SimulatedCluster(played.clock, "other", speeds=QUICK)
        kube = SimulatedKube({"main": played.cluster, "other": other}, played.clock)
        assert kube.clusters == ("main", "other")
        await kube.get(place)
        with pytest.raises(Missing):
            await kube.get(Place("other", DEPLOYMENTS, "shop", "api"))
        with pytest.raises(Permanent, match="there is no cluster 'third'; there are: main, other"):
            await kube.get(Place("third", DEPLOYMENTS, "shop", "api"))
        assert [str(one) for one in other.requests] == ["get deployments.apps api in shop"]

    play(story)


def test_what_arrived_is_written_down() -> None:
    async def story(played: Played) -> None:
        place = await begin(played)
        played.cluster.fail(KubeFault("timeout", on="patch *", times=1))
        with pytest.raises(UnknownOutcome):
            await played.kube.patch(place, SCALE, "merge")
        await played.kube.patch(place, SCALE, "merge", dry_run=True)
        await played.kube.patch(place, SCALE, "merge")
        writes = [(one.permission, one.dry_run) for one in played.cluster.requests if one.writes]
        assert writes == [("patch deployments.apps", True), ("patch deployments.apps", False)]

    play(story)
