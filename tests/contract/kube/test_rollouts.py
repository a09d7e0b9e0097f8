"""The cluster contract: Deployments, their ReplicaSets and pods, and what a status says at each stage of a rollout."""

from typing import Any

import pytest

from paramedic.cluster.port import Json
from paramedic.cluster.resources import DEPLOYMENTS, PODS, REPLICA_SETS
from paramedic.errors import Changed
from tests.contract.kube.scene import RESTARTED, REVISION, Scene, condition, deployment, image_of, set_image

HASH = "pod-template-hash"
PATIENT = {"strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}


def restart(moment: str) -> Json:
    return {"spec": {"template": {"metadata": {"annotations": {RESTARTED: moment}}}}}


async def running(scene: Scene, **spec: Any) -> Json:
    await scene.make(DEPLOYMENTS, deployment(**spec))
    return await scene.complete(DEPLOYMENTS, "api")


async def rolled(scene: Scene, patch: Json) -> Json:
    await scene.strategic(DEPLOYMENTS, "api", patch)
    return await scene.complete(DEPLOYMENTS, "api")


async def test_a_deployment_owns_a_replica_set_that_owns_its_pods(scene: Scene) -> None:
    made = await running(scene)
    [replica_set] = await scene.all(REPLICA_SETS)
    pods = await scene.all(PODS)
    template_hash = replica_set["metadata"]["labels"][HASH]

    assert [_owner(replica_set)] == [("apps/v1", "Deployment", "api", made["metadata"]["uid"], True)]
    assert replica_set["metadata"]["name"] == f"api-{template_hash}"
    assert replica_set["spec"]["selector"]["matchLabels"] == {"app": "api", HASH: template_hash}
    assert replica_set["metadata"]["annotations"][REVISION] == made["metadata"]["annotations"][REVISION] == "1"
    assert len(pods) == 2
    for pod in pods:
        of_set = ("apps/v1", "ReplicaSet", replica_set["metadata"]["name"], replica_set["metadata"]["uid"], True)
        assert _owner(pod) == of_set
        assert pod["metadata"]["labels"] == {"app": "api", HASH: template_hash}
        assert pod["metadata"]["name"].startswith(f"api-{template_hash}-")
        assert (pod["status"]["phase"], condition(pod, "Ready")[0]) == ("Running", "True")
        assert pod["spec"]["nodeName"]
    assert {one["metadata"]["name"] for one in await scene.all(PODS, f"{HASH}={template_hash}")} == {
        one["metadata"]["name"] for one in pods
    }


def _owner(found: Json) -> tuple[object, ...]:
    [one] = found["metadata"]["ownerReferences"]
    return one["apiVersion"], one["kind"], one["name"], one["uid"], one["controller"]


async def test_a_complete_rollout_says_so(scene: Scene) -> None:
    done = await running(scene)
    done = await scene.becomes(
        DEPLOYMENTS, "api", lambda one: condition(one, "Progressing")[1] == "NewReplicaSetAvailable", "the reason"
    )

    status = done["status"]
    assert status["observedGeneration"] == done["metadata"]["generation"]
    assert [status[key] for key in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")] == [2] * 4
    assert "unavailableReplicas" not in status
    assert condition(done, "Available") == ("True", "MinimumReplicasAvailable")
    assert condition(done, "Progressing") == ("True", "NewReplicaSetAvailable")


async def test_a_new_template_is_a_new_revision_and_the_old_one_stays(scene: Scene) -> None:
    await running(scene)
    before = await scene.pods()
    done = await rolled(scene, set_image("api:2"))
    pods = await scene.pods()
    sets = await scene.sets()

    assert done["metadata"]["annotations"][REVISION] == "2"
    assert {number: (image_of(one), one["spec"]["replicas"]) for number, one in sets.items()} == {
        "1": ("api:1", 0),
        "2": ("api:2", 2),
    }
    assert {image_of(one) for one in pods.values()} == {"api:2"}
    assert not set(before) & set(pods)


async def test_a_restart_is_a_revision_too_and_repeated_it_is_none(scene: Scene) -> None:
    """The value comes from the run: who writes it again changes nothing."""
    await running(scene)
    done = await rolled(scene, restart("2026-01-05T02:14:00Z"))
    again = await scene.strategic(DEPLOYMENTS, "api", restart("2026-01-05T02:14:00Z"))

    assert done["metadata"]["annotations"][REVISION] == "2"
    assert again["metadata"]["generation"] == done["metadata"]["generation"]
    assert again["metadata"]["resourceVersion"] == done["metadata"]["resourceVersion"]
    assert {number: image_of(one) for number, one in (await scene.sets()).items()} == {"1": "api:1", "2": "api:1"}


async def test_going_back_takes_the_old_replica_set_under_a_new_number(scene: Scene) -> None:
    await running(scene)
    first = (await scene.sets())["1"]
    await rolled(scene, restart("2026-01-05T02:14:00Z"))
    await rolled(scene, set_image("api:2"))
    back = first["spec"]["template"]
    back = {**back, "metadata": {"labels": {"app": "api"}, "$patch": "replace"}}
    done = await rolled(scene, {"spec": {"template": back}})
    sets = await scene.sets()

    assert done["metadata"]["annotations"][REVISION] == "4"
    assert sorted(sets) == ["2", "3", "4"]
    assert sets["4"]["metadata"]["uid"] == first["metadata"]["uid"]
    assert sets["4"]["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] == "1"
    assert sets["4"]["spec"]["replicas"] == 2


async def test_pods_that_never_become_ready_stall_the_rollout_and_keep_the_old_ones(scene: Scene) -> None:
    await running(scene, progressDeadlineSeconds=600)
    before = await scene.pods()
    await scene.strategic(DEPLOYMENTS, "api", set_image("api:2-bad"))
    stalled = await scene.becomes(
        DEPLOYMENTS,
        "api",
        lambda one: one["status"].get("unavailableReplicas") == 1 and _updated(one) == 1,
        "the stall",
    )
    new = {name: one for name, one in (await scene.pods()).items() if name not in before}

    assert stalled["status"]["observedGeneration"] == stalled["metadata"]["generation"]
    assert (stalled["status"]["replicas"], stalled["status"]["availableReplicas"]) == (3, 2)
    assert condition(stalled, "Available")[0] == "True"
    assert condition(stalled, "Progressing") == ("True", "ReplicaSetUpdated")
    assert set(before) <= set(await scene.pods())
    [broken] = new
    pod = await scene.becomes(PODS, broken, lambda one: _waiting(one) == "CrashLoopBackOff", "the crashes")
    assert condition(pod, "Ready")[0] == "False"


def _updated(found: Json) -> int:
    return int(found["status"].get("updatedReplicas", 0))


def _waiting(pod: Json) -> str:
    states = pod["status"].get("containerStatuses") or [{"state": {}}]
    return str(states[0]["state"].get("waiting", {}).get("reason", ""))


async def test_going_back_from_a_stalled_rollout_heals_at_once(scene: Scene) -> None:
    await running(scene)
    before = await scene.pods()
    await scene.strategic(DEPLOYMENTS, "api", set_image("api:2-bad"))
    await scene.becomes(DEPLOYMENTS, "api", lambda one: _updated(one) == 1, "the stall")
    done = await rolled(scene, set_image("api:1"))

    assert done["metadata"]["annotations"][REVISION] == "3"
    await scene.count(PODS, 2)
    assert set(await scene.pods()) == set(before), "the pods that worked all the time"


async def test_a_rollout_past_its_deadline_says_so_and_nothing_undoes_it(scene: Scene) -> None:
    await running(scene, progressDeadlineSeconds=2)
    await scene.strategic(DEPLOYMENTS, "api", set_image("api:2-bad"))
    failed = await scene.becomes(
        DEPLOYMENTS, "api", lambda one: condition(one, "Progressing")[0] == "False", "the deadline"
    )

    assert condition(failed, "Progressing") == ("False", "ProgressDeadlineExceeded")
    assert image_of(failed) == "api:2-bad"
    done = await rolled(scene, set_image("api:1"))
    assert condition(done, "Progressing")[0] == "True"


async def test_while_it_is_paused_nothing_rolls(scene: Scene) -> None:
    await running(scene)
    await scene.merge(DEPLOYMENTS, "api", {"spec": {"paused": True}})
    await scene.strategic(DEPLOYMENTS, "api", set_image("api:2"))
    paused = await scene.becomes(
        DEPLOYMENTS, "api", lambda one: one["status"]["observedGeneration"] == one["metadata"]["generation"], "a look"
    )

    assert condition(paused, "Progressing") == ("Unknown", "DeploymentPaused")
    assert list(await scene.sets()) == ["1"]
    assert _updated(paused) == 0
    await scene.merge(DEPLOYMENTS, "api", {"spec": {"paused": None}})
    await scene.complete(DEPLOYMENTS, "api")
    assert sorted(await scene.sets()) == ["1", "2"]


async def test_a_rollout_takes_its_time_and_never_has_too_few(scene: Scene) -> None:
    await running(scene, **PATIENT)
    await scene.strategic(DEPLOYMENTS, "api", set_image("api:2-slow"))
    looks: list[Json] = []

    async def through() -> bool:
        looks.append(await scene.get(DEPLOYMENTS, "api"))
        status = looks[-1]["status"]
        counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
        return status["observedGeneration"] == looks[-1]["metadata"]["generation"] and counts == [2, 2, 2]

    await scene.until(through, "the rollout")
    assert min(one["status"].get("availableReplicas", 0) for one in looks) == 2
    assert max(one["status"]["replicas"] for one in looks) == 3
    assert {one["status"].get("updatedReplicas", 0) for one in looks} >= {1, 2}


async def test_recreating_ends_all_before_it_begins(scene: Scene) -> None:
    await running(scene, strategy={"type": "Recreate"})
    await scene.strategic(DEPLOYMENTS, "api", set_image("api:2-slow"))
    await scene.becomes(DEPLOYMENTS, "api", lambda one: one["status"].get("availableReplicas", 0) == 0, "nobody")
    done = await scene.complete(DEPLOYMENTS, "api")

    assert condition(done, "Available")[0] == "True"
    assert {image_of(one) for one in (await scene.pods()).values()} == {"api:2-slow"}


async def test_a_pod_that_is_deleted_is_replaced(scene: Scene) -> None:
    await running(scene)
    before = await scene.pods()
    name, pod = next(iter(before.items()))
    with pytest.raises(Changed):
        await scene.kube.delete(scene.at(PODS, name), uid="another")
    await scene.kube.delete(scene.at(PODS, name), uid=pod["metadata"]["uid"])

    await scene.gone(PODS, name)
    await scene.complete(DEPLOYMENTS, "api")
    after = await scene.count(PODS, 2)
    assert len({one["metadata"]["name"] for one in after} - set(before)) == 1


async def test_only_so_many_old_revisions_are_kept(scene: Scene) -> None:
    await running(scene, revisionHistoryLimit=1)
    for image in ("api:2", "api:3", "api:4"):
        await rolled(scene, set_image(image))

    await scene.count(REPLICA_SETS, 2)
    assert {number: image_of(one) for number, one in (await scene.sets()).items()} == {"3": "api:3", "4": "api:4"}


async def test_what_a_deleted_deployment_owned_goes_with_it(scene: Scene) -> None:
    await running(scene)
    await scene.remove(DEPLOYMENTS, "api")

    await scene.count(REPLICA_SETS, 0)
    await scene.count(PODS, 0)
