"""A rehearsal's world becomes clusters whose past has really happened."""

from typing import Any

import pytest

from paramedic.cluster.port import Json
from paramedic.cluster.resources import (
    CONTROLLER_REVISIONS,
    DAEMON_SETS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    HPAS,
    NAMESPACES,
    NODES,
    PODS,
    QUOTAS,
    REPLICA_SETS,
    SERVICES,
    STATEFUL_SETS,
    Place,
    Resource,
)
from paramedic.rehearse.cluster import SimulatedCluster, Speeds
from paramedic.rehearse.cluster.seeding import Objects, seeded
from paramedic.rehearse.loop import VirtualClock, VirtualLoop, virtually
from paramedic.rehearse.scenery import World

REVISION = "deployment.kubernetes.io/revision"


class Seeded:
    """The clusters of a world, and a short way to look at the first."""

    def __init__(self, loop: VirtualLoop, **world: Any) -> None:
        spec = World.model_validate(world)
        self.clock = VirtualClock(loop)
        keys = [key for key in Objects.__dataclass_fields__ if key != "nodes"]
        objects = Objects(**{key: getattr(spec, key) for key in keys}, nodes=spec.nodes)
        self.clusters = seeded(objects, self.clock, speeds=Speeds())

    @property
    def main(self) -> SimulatedCluster:
        return self.clusters["main"]

    async def get(self, resource: Resource, name: str, namespace: str = "default") -> Json:
        return await self.main.port.get(Place("main", resource, namespace, name))

    async def all(self, resource: Resource) -> list[Json]:
        return list(await self.main.port.list(Place("main", resource)))


def seed(story: Any, **world: Any) -> None:
    async def told(loop: VirtualLoop) -> None:
        await story(Seeded(loop, **world))

    virtually(told)


def test_without_objects_there_is_no_cluster() -> None:
    async def story(world: Seeded) -> None:
        assert world.clusters == {}

    seed(story)


def test_a_deployment_has_been_there_for_long() -> None:
    async def story(world: Seeded) -> None:
        found = await world.get(DEPLOYMENTS, "api")
        assert found["metadata"]["creationTimestamp"] == "2026-01-04T02:14:00Z"
        assert found["status"]["availableReplicas"] == 2
        assert (await world.get(PODS, (await world.all(PODS))[0]["metadata"]["name"]))["metadata"]["labels"][
            "app"
        ] == "api"
        assert world.clock.monotonic() < 0.1, "no time has passed"

    seed(story, deployments=[{"name": "api", "image": "api:1", "replicas": 2}])


def test_a_bad_release_ten_minutes_ago_is_stuck_by_now() -> None:
    async def story(world: Seeded) -> None:
        found = await world.get(DEPLOYMENTS, "api", "shop")
        assert found["metadata"]["annotations"][REVISION] == "2"
        assert found["status"]["unavailableReplicas"] == 1
        old, new = sorted(await world.all(REPLICA_SETS), key=lambda one: one["metadata"]["annotations"][REVISION])
        assert old["metadata"]["creationTimestamp"] == "2026-01-04T02:04:00Z"
        assert new["metadata"]["creationTimestamp"] == "2026-01-05T02:04:00Z"
        assert (old["spec"]["replicas"], new["spec"]["replicas"]) == (3, 1)

    revisions = [{"image": "api:41"}, {"image": "api:42", "at": "-10m", "ready": False}]
    seed(story, deployments=[{"name": "api", "namespace": "shop", "replicas": 3, "revisions": revisions}])


def test_releases_without_moments_come_one_after_the_other() -> None:
    async def story(world: Seeded) -> None:
        sets = sorted(await world.all(REPLICA_SETS), key=lambda one: one["metadata"]["annotations"][REVISION])
        assert [one["spec"]["template"]["spec"]["containers"][0]["image"] for one in sets] == ["a:1", "a:2", "a:3"]
        stamps = [one["metadata"]["creationTimestamp"] for one in sets]
        assert stamps[1:] == ["2026-01-05T01:54:00Z", "2026-01-05T02:04:00Z"]

    seed(story, deployments=[{"name": "a", "revisions": [{"image": "a:1"}, {"image": "a:2"}, {"image": "a:3"}]}])


def test_a_release_in_the_future_comes_when_it_is_time_and_leaves_the_replicas() -> None:
    async def story(world: Seeded) -> None:
        world.main.edit(DEPLOYMENTS, "default", "a", {"spec": {"replicas": 4}})
        await world.clock.sleep(299)
        assert (await world.get(DEPLOYMENTS, "a"))["metadata"]["generation"] == 2
        await world.clock.sleep(60)
        found = await world.get(DEPLOYMENTS, "a")
        assert found["metadata"]["annotations"][REVISION] == "2"
        assert (found["spec"]["replicas"], found["status"]["updatedReplicas"]) == (4, 4)
        assert "argocd" in [one["manager"] for one in found["metadata"]["managedFields"]]

    revisions = [{"image": "a:1"}, {"image": "a:2", "at": "5m", "by": "argocd"}]
    seed(story, deployments=[{"name": "a", "replicas": 2, "revisions": revisions}])


def test_what_befalls_the_pods() -> None:
    async def story(world: Seeded) -> None:
        assert (await world.get(DEPLOYMENTS, "a"))["status"]["readyReplicas"] == 3
        await world.clock.sleep(61)
        assert (await world.get(DEPLOYMENTS, "a"))["status"]["readyReplicas"] == 2
        await world.clock.sleep(60)
        assert "readyReplicas" not in (await world.get(DEPLOYMENTS, "a"))["status"]
        states = [one["status"]["containerStatuses"][0]["state"] for one in await world.all(PODS)]
        assert all("waiting" in one for one in states)

    strikes = [{"at": "1m", "ready": False, "pods": 1}, {"at": "2m", "crash": True}]
    seed(story, deployments=[{"name": "a", "replicas": 3, "image": "a:1", "strikes": strikes}])


def test_what_else_a_deployment_may_say() -> None:
    async def story(world: Seeded) -> None:
        found = await world.get(DEPLOYMENTS, "a")
        spec, metadata = found["spec"], found["metadata"]
        assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": "50%"}}
        assert (spec["progressDeadlineSeconds"], spec["revisionHistoryLimit"], spec["paused"]) == (60, 3, True)
        assert metadata["labels"] == {"app": "a", "tier": "web"}
        assert metadata["annotations"]["paramedic/mode"] == "off"
        [owner] = metadata["ownerReferences"]
        assert (owner["kind"], owner["name"], owner["controller"]) == ("Rollout", "a", True)
        container = spec["template"]["spec"]["containers"][0]
        assert container["resources"] == {"requests": {"cpu": "100m"}}
        assert "DeploymentPaused" in [one["reason"] for one in found["status"]["conditions"]]

    said = {
        "name": "a",
        "image": "a:1",
        "surge": 0,
        "unavailable": "50%",
        "deadline": "1m",
        "history": 3,
        "paused": True,
        "labels": {"tier": "web"},
        "annotations": {"paramedic/mode": "off"},
        "owner": "Rollout/a",
        "asks": {"cpu": "100m"},
    }
    seed(story, deployments=[said])


def test_the_other_workloads() -> None:
    async def story(world: Seeded) -> None:
        db = await world.get(STATEFUL_SETS, "db")
        assert db["status"]["updateRevision"] != db["status"]["currentRevision"]
        assert (db["status"]["readyReplicas"], db["status"]["updatedReplicas"]) == (2, 1)
        agent = await world.get(DAEMON_SETS, "agent")
        assert agent["status"]["desiredNumberScheduled"] == len(await world.all(NODES)) == 2
        assert agent["spec"]["updateStrategy"]["type"] == "OnDelete"
        assert len(await world.all(CONTROLLER_REVISIONS)) == 3
        logs = await world.main.port.logs(Place("main", PODS, "default", "db-2"), previous=True)
        assert logs == b"no space left\n"

    bad = {"image": "db:2", "crash": True, "logs": "no space left\n"}
    seed(
        story,
        nodes=2,
        stateful_sets=[{"name": "db", "replicas": 3, "revisions": [{"image": "db:1"}, bad]}],
        daemon_sets=[{"name": "agent", "image": "agent:1", "strategy": "OnDelete"}],
    )


@pytest.mark.parametrize(
    ("written", "desired", "current"),
    [({"min": 2, "max": 10}, 3, 3), ({"min": 5, "max": 10}, 5, 5), ({"min": 1, "max": 9, "wants": [["-1h", 4]]}, 4, 4)],
)
def test_an_autoscaler(written: Json, desired: int, current: int) -> None:
    async def story(world: Seeded) -> None:
        found = await world.get(HPAS, "a")
        assert found["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"}
        assert found["status"]["desiredReplicas"] == desired
        assert (await world.get(DEPLOYMENTS, "a"))["status"]["availableReplicas"] == current

    scaler = {"name": "a", "target": "deployment/a", **written}
    seed(story, deployments=[{"name": "a", "image": "a:1", "replicas": 3}], autoscalers=[scaler])


def test_budgets_services_quotas_and_pods() -> None:
    async def story(world: Seeded) -> None:
        budget = await world.get(DISRUPTION_BUDGETS, "a")
        assert (budget["status"]["disruptionsAllowed"], budget["spec"]["minAvailable"]) == (1, 2)
        service = await world.get(SERVICES, "a")
        assert (service["spec"]["selector"], service["spec"]["ports"][0]["port"]) == ({"app": "a"}, 8080)
        assert (await world.get(QUOTAS, "q"))["status"]["used"] == {"pods": "5"}
        lone = await world.get(PODS, "lone")
        assert lone["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "CrashLoopBackOff"
        owned = await world.get(PODS, "owned")
        [reference] = owned["metadata"]["ownerReferences"]
        assert reference["uid"] == (await world.get(DEPLOYMENTS, "a"))["metadata"]["uid"]

    seed(
        story,
        deployments=[{"name": "a", "image": "a:1", "replicas": 3}],
        disruption_budgets=[{"name": "a", "selects": {"app": "a"}, "available": 2}],
        services=[{"name": "a", "selects": {"app": "a"}, "port": 8080}],
        quotas=[{"name": "q", "most": {"pods": 10}}],
        pods=[{"name": "lone", "crash": True}, {"name": "owned", "owner": "Deployment/a"}],
    )


def test_a_namespace_carries_what_is_said_of_it_and_others_are_there_all_the_same() -> None:
    async def story(world: Seeded) -> None:
        shop = await world.main.port.get(Place("main", NAMESPACES, "", "shop"))
        assert shop["metadata"]["annotations"] == {"paramedic/mode": "off"}
        assert shop["metadata"]["labels"]["team"] == "web"
        bank = await world.main.port.get(Place("main", NAMESPACES, "", "bank"))
        assert "annotations" not in bank["metadata"]

    spaces = [{"name": "shop", "labels": {"team": "web"}, "annotations": {"paramedic/mode": "off"}}]
    workloads = [{"name": "a", "image": "a:1", "namespace": one} for one in ("shop", "bank")]
    seed(story, deployments=workloads, namespaces=spaces)


def test_clusters_are_apart() -> None:
    async def story(world: Seeded) -> None:
        assert set(world.clusters) == {"main", "other"}
        assert len(await world.all(DEPLOYMENTS)) == 1
        [there] = await world.clusters["other"].port.list(Place("other", DEPLOYMENTS))
        assert there["spec"]["template"]["spec"]["containers"][0]["image"] == "b:1"

    seed(story, deployments=[{"name": "a", "image": "a:1"}, {"name": "a", "image": "b:1", "cluster": "other"}])
