"""Deployments roll out, stall, are put back, paused and scaled as the real controller has it."""

from typing import Any

import pytest

from paramedic.cluster.resources import DEPLOYMENTS, NODES, PODS, REPLICA_SETS
from paramedic.rehearse.cluster import Behaviour
from tests.rehearse.cluster.played import CRASHES, NEVER, Played, condition, deployment, play

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"


async def ready(played: Played, **spec: Any) -> None:
    """A Deployment whose first rollout is over."""
    played.cluster.apply(deployment(**spec))
    await played.after(10)


async def revisions(played: Played) -> dict[str, str]:
    """The revision of each ReplicaSet by its image."""
    sets = await played.all(REPLICA_SETS)
    return {
        one["spec"]["template"]["spec"]["containers"][0]["image"]: one["metadata"]["annotations"][REVISION]
        for one in sets
    }


def test_the_answer_to_a_write_is_older_than_the_controller() -> None:
    async def story(played: Played) -> None:
        made = played.cluster.apply(deployment())
        assert made["status"] == {}
        await ready(played)
        changed = played.image(DEPLOYMENTS, "api", "api:2")
        assert changed["metadata"]["generation"] == 2
        assert changed["status"]["observedGeneration"] == 1
        await played.after(0.1)
        assert (await played.status(DEPLOYMENTS, "api"))["observedGeneration"] == 2

    play(story)


def test_the_status_of_a_new_deployment_on_its_way() -> None:
    async def story(played: Played) -> None:
        played.cluster.apply(deployment())
        await played.after(0.5)
        status = await played.status(DEPLOYMENTS, "api")
        assert {key: value for key, value in status.items() if key != "conditions"} == {
            "observedGeneration": 1,
            "replicas": 3,
            "updatedReplicas": 3,
            "unavailableReplicas": 3,
        }
        assert condition(status, "Available") == ("False", "MinimumReplicasUnavailable")
        assert condition(status, "Progressing") == ("True", "ReplicaSetUpdated")
        await played.after(5)
        status = await played.status(DEPLOYMENTS, "api")
        assert "unavailableReplicas" not in status
        assert (status["readyReplicas"], status["availableReplicas"]) == (3, 3)
        assert condition(status, "Available") == ("True", "MinimumReplicasAvailable")
        assert condition(status, "Progressing") == ("True", "NewReplicaSetAvailable")

    play(story)


def test_a_rollout_never_has_too_many_nor_too_few() -> None:
    async def story(played: Played) -> None:
        await ready(played, replicas=4)
        played.image(DEPLOYMENTS, "api", "api:2")
        for _ in range(60):
            await played.after(0.25)
            pods = await played.all(PODS)
            alive = [one for one in pods if "deletionTimestamp" not in one["metadata"]]
            available = (await played.status(DEPLOYMENTS, "api"))["availableReplicas"]
            assert len(alive) <= 5
            assert available >= 3
        assert await played.images() == ["api:2"] * 4
        assert await played.sizes() == {"api:1": 0, "api:2": 4}

    play(story)


def test_replica_sets_and_pods_are_owned_and_hashed() -> None:
    async def story(played: Played) -> None:
        await ready(played)
        [owned] = await played.all(REPLICA_SETS)
        found = await played.get(DEPLOYMENTS, "api")
        [reference] = owned["metadata"]["ownerReferences"]
        assert (reference["kind"], reference["uid"], reference["controller"]) == (
            "Deployment",
            found["metadata"]["uid"],
            True,
        )
        digest = owned["metadata"]["labels"]["pod-template-hash"]
        assert owned["metadata"]["name"] == f"api-{digest}"
        assert owned["spec"]["selector"]["matchLabels"] == {"app": "api", "pod-template-hash": digest}
        pods = await played.all(PODS, labels=f"pod-template-hash={digest}")
        assert len(pods) == 3
        assert {one["metadata"]["ownerReferences"][0]["uid"] for one in pods} == {owned["metadata"]["uid"]}
        assert all(one["metadata"]["name"].startswith(f"api-{digest}-") for one in pods)
        assert found["metadata"]["annotations"][REVISION] == "1"

    play(story)


def test_a_release_that_never_becomes_ready_stalls_and_keeps_the_old_pods() -> None:
    async def story(played: Played) -> None:
        played.cluster.behaves("api:2", NEVER)
        await ready(played, progressDeadlineSeconds=60)
        played.image(DEPLOYMENTS, "api", "api:2")
        await played.after(30)
        status = await played.status(DEPLOYMENTS, "api")
        assert (status["updatedReplicas"], status["availableReplicas"], status["unavailableReplicas"]) == (1, 3, 1)
        assert condition(status, "Progressing") == ("True", "ReplicaSetUpdated")
        await played.after(60)
        status = await played.status(DEPLOYMENTS, "api")
        assert condition(status, "Progressing") == ("False", "ProgressDeadlineExceeded")
        assert condition(status, "Available") == ("True", "MinimumReplicasAvailable")
        assert await played.sizes() == {"api:1": 3, "api:2": 1}

    play(story)


def test_going_back_uses_the_old_replica_set_under_a_new_number() -> None:
    async def story(played: Played) -> None:
        played.cluster.behaves("api:2", CRASHES)
        await ready(played)
        played.image(DEPLOYMENTS, "api", "api:2")
        await played.after(30)
        assert await revisions(played) == {"api:1": "1", "api:2": "2"}
        before = await played.names(REPLICA_SETS)
        played.image(DEPLOYMENTS, "api", "api:1")
        await played.after(10)
        assert await revisions(played) == {"api:1": "3", "api:2": "2"}
        assert await played.names(REPLICA_SETS) == before
        found = await played.get(DEPLOYMENTS, "api")
        assert found["metadata"]["annotations"][REVISION] == "3"
        sets = await played.all(REPLICA_SETS)
        [used_again] = [one for one in sets if one["metadata"]["annotations"].get(HISTORY)]
        assert used_again["metadata"]["annotations"][HISTORY] == "1"
        assert condition(found, "Progressing") == ("True", "NewReplicaSetAvailable")
        assert await played.images() == ["api:1"] * 3

    play(story)


def test_a_template_that_is_the_same_makes_no_revision() -> None:
    async def story(played: Played) -> None:
        await ready(played)
        found = await played.get(DEPLOYMENTS, "api")
        again = played.cluster.apply(deployment())
        assert again["metadata"]["resourceVersion"] == found["metadata"]["resourceVersion"]
        patch = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}
        for _ in range(2):
            played.cluster.edit(DEPLOYMENTS, "shop", "api", patch)
            await played.after(15)
        assert len(await played.all(REPLICA_SETS)) == 2
        assert (await played.get(DEPLOYMENTS, "api"))["metadata"]["generation"] == 2

    play(story)


def test_recreate_ends_every_old_pod_before_a_new_one_begins() -> None:
    async def story(played: Played) -> None:
        await ready(played, strategy={"type": "Recreate"})
        played.image(DEPLOYMENTS, "api", "api:2")
        for _ in range(40):
            await played.after(0.2)
            images = {one["spec"]["containers"][0]["image"] for one in await played.all(PODS)}
            assert len(images) <= 1
        assert await played.images() == ["api:2"] * 3
        assert condition(await played.get(DEPLOYMENTS, "api"), "Progressing") == ("True", "NewReplicaSetAvailable")

    play(story)


def test_a_paused_deployment_is_scaled_and_not_rolled_out() -> None:
    async def story(played: Played) -> None:
        await ready(played)
        played.cluster.edit(DEPLOYMENTS, "shop", "api", {"spec": {"paused": True}})
        await played.after(1)
        played.image(DEPLOYMENTS, "api", "api:2")
        played.cluster.edit(DEPLOYMENTS, "shop", "api", {"spec": {"replicas": 5}})
        await played.after(10)
        assert await played.images() == ["api:1"] * 5
        assert condition(await played.get(DEPLOYMENTS, "api"), "Progressing") == ("Unknown", "DeploymentPaused")
        played.cluster.edit(DEPLOYMENTS, "shop", "api", {"spec": {"paused": False}})
        await played.after(30)
        assert await played.images() == ["api:2"] * 5
        assert condition(await played.get(DEPLOYMENTS, "api"), "Progressing") == ("True", "NewReplicaSetAvailable")

    play(story)


@pytest.mark.parametrize("replicas", [0, 1, 7])
def test_scaling_keeps_the_release(replicas: int) -> None:
    async def story(played: Played) -> None:
        await ready(played)
        played.cluster.edit(DEPLOYMENTS, "shop", "api", {"spec": {"replicas": replicas}})
        await played.after(10)
        assert await played.images() == ["api:1"] * replicas
        assert len(await played.all(REPLICA_SETS)) == 1
        assert (await played.status(DEPLOYMENTS, "api")).get("availableReplicas", 0) == replicas

    play(story)


def test_scaling_in_the_middle_of_a_rollout_is_shared_out() -> None:
    async def story(played: Played) -> None:
        played.cluster.behaves("api:2", NEVER)
        await ready(played, replicas=10)
        played.image(DEPLOYMENTS, "api", "api:2")
        await played.after(10)
        assert await played.sizes() == {"api:1": 8, "api:2": 5}
        played.cluster.edit(DEPLOYMENTS, "shop", "api", {"spec": {"replicas": 20}})
        await played.after(10)
        sizes = await played.sizes()
        assert sum(sizes.values()) == 25
        assert sizes["api:1"] > sizes["api:2"] > 5

    play(story)


def test_the_history_is_kept_up_to_its_limit() -> None:
    async def story(played: Played) -> None:
        await ready(played, revisionHistoryLimit=2)
        for number in range(2, 7):
            played.image(DEPLOYMENTS, "api", f"api:{number}")
            await played.after(20)
        assert await revisions(played) == {"api:4": "4", "api:5": "5", "api:6": "6"}

    play(story)


def test_the_least_ready_time_delays_availability() -> None:
    async def story(played: Played) -> None:
        played.cluster.apply(deployment(minReadySeconds=20))
        await played.after(10)
        status = await played.status(DEPLOYMENTS, "api")
        assert (status["readyReplicas"], status.get("availableReplicas", 0)) == (3, 0)
        await played.after(20)
        assert (await played.status(DEPLOYMENTS, "api"))["availableReplicas"] == 3

    play(story)


def test_pods_without_a_place_hold_up_the_rollout() -> None:
    async def story(played: Played) -> None:
        played.cluster.behaves("api:2", Behaviour(pending=True))
        await ready(played)
        played.image(DEPLOYMENTS, "api", "api:2")
        await played.after(30)
        [pending] = await played.all(PODS, fields="status.phase=Pending")
        assert condition(pending, "PodScheduled") == ("False", "Unschedulable")
        assert (await played.status(DEPLOYMENTS, "api"))["updatedReplicas"] == 1
        assert "FailedScheduling" in await played.reasons(pending["metadata"]["name"])

    play(story)


def test_a_pod_that_is_deleted_is_replaced() -> None:
    async def story(played: Played) -> None:
        await ready(played)
        first = (await played.all(PODS))[0]
        await played.kube.delete(played.place(PODS, first["metadata"]["name"]), uid=first["metadata"]["uid"])
        assert "deletionTimestamp" in (await played.get(PODS, first["metadata"]["name"]))["metadata"]
        assert len(await played.images()) == 3, "the next one is there already"
        await played.after(10)
        assert first["metadata"]["name"] not in await played.names(PODS)
        assert (await played.status(DEPLOYMENTS, "api"))["availableReplicas"] == 3

    play(story)


def test_pods_that_are_not_ready_go_first() -> None:
    async def story(played: Played) -> None:
        await ready(played, replicas=4)
        assert played.cluster.strike("shop", "api", NEVER, 2) == 2
        await played.after(1)
        broken = [one["metadata"]["name"] for one in await played.all(PODS) if condition(one, "Ready")[0] == "False"]
        played.cluster.edit(DEPLOYMENTS, "shop", "api", {"spec": {"replicas": 6}})
        await played.after(10)
        played.cluster.edit(DEPLOYMENTS, "shop", "api", {"spec": {"replicas": 4}})
        await played.after(10)
        assert not set(broken) & set(await played.names(PODS))
        assert (await played.status(DEPLOYMENTS, "api"))["availableReplicas"] == 4

    play(story)


def test_pods_spread_over_the_nodes() -> None:
    async def story(played: Played) -> None:
        await ready(played)
        pods = await played.all(PODS)
        assert sorted(one["spec"]["nodeName"] for one in pods) == await played.names(NODES)

    play(story, nodes=3)


def test_two_runs_are_the_same() -> None:
    told: list[Any] = []

    async def story(played: Played) -> None:
        await ready(played)
        played.image(DEPLOYMENTS, "api", "api:2")
        await played.after(30)
        told.append([await played.all(each) for each in (DEPLOYMENTS, REPLICA_SETS, PODS)])

    play(story)
    play(story)
    assert told[0] == told[1]
