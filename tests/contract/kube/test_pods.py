"""The cluster contract: evictions and budgets, pods that find no room, quotas, events."""

import pytest

from paramedic.cluster.port import Json
from paramedic.cluster.resources import DEPLOYMENTS, DISRUPTION_BUDGETS, EVENTS, PODS, QUOTAS, REPLICA_SETS
from paramedic.errors import Changed, Missing, Permanent, Temporary
from tests.contract.kube.scene import Scene, condition, deployment, set_image


def budget(name: str = "api", **spec: object) -> Json:
    return {"metadata": {"name": name}, "spec": {"selector": {"matchLabels": {"app": "api"}}, **spec}}


async def running(scene: Scene, image: str = "api:1") -> dict[str, Json]:
    await scene.make(DEPLOYMENTS, deployment(image=image))
    await scene.complete(DEPLOYMENTS, "api")
    return await scene.pods()


async def allowing(scene: Scene, number: int, name: str = "api", healthy: int = 2) -> Json:
    """The budget, once it knows its pods and allows so many to go."""

    def knows(one: Json) -> bool:
        status = one.get("status", {})
        return (status.get("disruptionsAllowed"), status.get("currentHealthy")) == (number, healthy)

    return await scene.becomes(DISRUPTION_BUDGETS, name, knows, f"a budget for {number}")


async def evict(scene: Scene, name: str, pod: Json, *, dry_run: bool = False) -> None:
    await scene.kube.evict(scene.at(PODS, name), uid=pod["metadata"]["uid"], dry_run=dry_run)


async def test_an_evicted_pod_goes_and_is_replaced(scene: Scene) -> None:
    before = await running(scene)
    name, pod = next(iter(before.items()))
    await evict(scene, name, pod)

    await scene.gone(PODS, name)
    await scene.complete(DEPLOYMENTS, "api")
    assert len(set(await scene.pods()) & set(before)) == 1


async def test_a_budget_that_allows_nobody_says_why(scene: Scene) -> None:
    pods = await running(scene)
    await scene.make(DISRUPTION_BUDGETS, budget(minAvailable=2))
    found = await allowing(scene, 0)
    name, pod = next(iter(pods.items()))

    for dry_run in (True, False):
        with pytest.raises(Temporary, match="budget api needs 2 healthy pods and has 2 currently") as caught:
            await evict(scene, name, pod, dry_run=dry_run)
        assert caught.value.delay > 0
    assert found["status"] == {**found["status"], "currentHealthy": 2, "desiredHealthy": 2, "expectedPods": 2}
    assert set(await scene.pods()) == set(pods)


async def test_a_budget_is_used_up_by_each_eviction(scene: Scene) -> None:
    pods = await running(scene, "api:1-slow")  # it takes a while to make up for one
    await scene.make(DISRUPTION_BUDGETS, budget(maxUnavailable=1))
    await allowing(scene, 1)
    (first, one), (second, other) = pods.items()
    await evict(scene, first, one)

    with pytest.raises(Temporary, match="budget"):
        await evict(scene, second, other)
    await scene.complete(DEPLOYMENTS, "api")
    await allowing(scene, 1)


async def test_of_two_budgets_none_is_asked(scene: Scene) -> None:
    pods = await running(scene)
    for name in ("api", "all"):
        await scene.make(DISRUPTION_BUDGETS, budget(name, maxUnavailable=1))
        await allowing(scene, 1, name)
    name, pod = next(iter(pods.items()))

    with pytest.raises(Permanent, match="more than one PodDisruptionBudget"):
        await evict(scene, name, pod)
    assert set(await scene.pods()) == set(pods)


async def test_exactly_this_pod_is_evicted(scene: Scene) -> None:
    pods = await running(scene)
    name, pod = next(iter(pods.items()))

    with pytest.raises(Changed):
        await scene.kube.evict(scene.at(PODS, name), uid="00000000-0000-4000-8000-000000000000")
    with pytest.raises(Missing):
        await scene.kube.evict(scene.at(PODS, "nobody"), uid=pod["metadata"]["uid"])
    await evict(scene, name, pod, dry_run=True)
    assert set(await scene.pods()) == set(pods)


async def test_a_pod_without_grace_is_gone_at_once(scene: Scene) -> None:
    pods = await running(scene)
    name, pod = next(iter(pods.items()))
    await scene.kube.delete(scene.at(PODS, name), uid=pod["metadata"]["uid"], grace=0)

    with pytest.raises(Missing):
        await scene.get(PODS, name)


async def test_a_pod_that_finds_no_room_says_so(scene: Scene) -> None:
    body = deployment(replicas=1)
    body["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1000"}}
    await scene.make(DEPLOYMENTS, body)
    [pod] = await scene.count(PODS, 1)
    pod = await scene.becomes(
        PODS, pod["metadata"]["name"], lambda one: condition(one, "PodScheduled")[0] == "False", "the scheduler's word"
    )

    assert pod["status"]["phase"] == "Pending"
    assert condition(pod, "PodScheduled") == ("False", "Unschedulable")
    assert "nodeName" not in pod["spec"]
    found = await scene.get(DEPLOYMENTS, "api")
    assert found["status"].get("availableReplicas", 0) == 0


async def test_a_quota_refuses_and_the_deployment_says_so(scene: Scene) -> None:
    await scene.make(QUOTAS, {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "2"}}})
    await scene.becomes(QUOTAS, "few", lambda one: one.get("status", {}).get("hard") == {"pods": "2"}, "the quota")
    await scene.make(DEPLOYMENTS, deployment(replicas=3))
    found = await scene.becomes(
        DEPLOYMENTS, "api", lambda one: condition(one, "ReplicaFailure")[0] == "True", "the refusal"
    )

    assert condition(found, "ReplicaFailure") == ("True", "FailedCreate")
    [replica_set] = await scene.all(REPLICA_SETS)
    [said] = [one for one in replica_set["status"]["conditions"] if one["type"] == "ReplicaFailure"]
    assert "exceeded quota: few" in said["message"]
    assert len(await scene.all(PODS)) == 2
    await scene.becomes(QUOTAS, "few", lambda one: one["status"].get("used") == {"pods": "2"}, "the use")
    pod = {"metadata": {"name": "one-more"}, "spec": {"containers": [{"name": "app", "image": "api:1"}]}}
    for dry_run in (True, False):
        with pytest.raises(Permanent, match="exceeded quota: few") as caught:
            await scene.kube.create(scene.at(PODS), pod, dry_run=dry_run)
        assert not isinstance(caught.value, Changed | Missing)


async def test_controllers_tell_what_they_did(scene: Scene) -> None:
    await running(scene)
    await scene.strategic(DEPLOYMENTS, "api", set_image("api:2"))
    await scene.complete(DEPLOYMENTS, "api")
    of_it = "involvedObject.kind=Deployment,involvedObject.name=api"

    async def told() -> list[Json]:
        return [one for one in await scene.all(EVENTS, fields=of_it) if one["reason"] == "ScalingReplicaSet"]

    first, *_ = await scene.until(told, "an event")
    found = await scene.get(DEPLOYMENTS, "api")
    assert first["involvedObject"]["uid"] == found["metadata"]["uid"]
    assert first["type"] == "Normal"
    assert "replica set api-" in first["message"]
    assert first["lastTimestamp"] or first["eventTime"]
    assert await scene.all(EVENTS, fields="involvedObject.name=nobody") == []


async def test_the_newest_bytes_of_a_log(scene: Scene) -> None:
    name = next(iter(await running(scene)))
    place = scene.at(PODS, name)
    whole = await scene.kube.logs(place)

    assert whole.endswith(b"\n")
    assert await scene.kube.logs(place, container="app", most=5) == whole[-5:]
    with pytest.raises(Missing):
        await scene.kube.logs(scene.at(PODS, "nobody"))
    with pytest.raises(Permanent, match="container nothing is not valid"):
        await scene.kube.logs(place, container="nothing")
