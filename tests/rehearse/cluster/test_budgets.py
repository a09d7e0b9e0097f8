"""Disruption budgets and evictions; quotas and the pods that they refuse."""

from typing import Any

import pytest

from paramedic.cluster.port import Json
from paramedic.cluster.resources import DEPLOYMENTS, DISRUPTION_BUDGETS, PODS, QUOTAS, STATEFUL_SETS
from paramedic.errors import Changed, Missing, Permanent, Temporary
from tests.rehearse.cluster.played import NEVER, Played, condition, deployment, play, stateful_set


def budget(name: str = "api", **spec: Any) -> Json:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"selector": {"matchLabels": {"app": "api"}}, **spec},
    }


async def begin(played: Played, **spec: Any) -> Json:
    """Three pods and a budget over them; one of the pods."""
    played.cluster.apply(deployment())
    played.cluster.apply(budget(**spec))
    await played.after(10)
    return (await played.all(PODS))[0]


async def evict(played: Played, pod: Json, **options: Any) -> None:
    await played.kube.evict(played.place(PODS, pod["metadata"]["name"]), **({"uid": pod["metadata"]["uid"]} | options))


@pytest.mark.parametrize(
    ("spec", "desired", "allowed"),
    [
        ({"minAvailable": 2}, 2, 1),
        ({"minAvailable": "50%"}, 2, 1),
        ({"maxUnavailable": 1}, 2, 1),
        ({"maxUnavailable": "34%"}, 1, 2),
        ({"minAvailable": 3}, 3, 0),
        ({"maxUnavailable": 0}, 3, 0),
    ],
)
def test_what_a_budget_allows(spec: Json, desired: int, allowed: int) -> None:
    async def story(played: Played) -> None:
        await begin(played, **spec)
        status = await played.status(DISRUPTION_BUDGETS, "api")
        kept = ("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods", "observedGeneration")
        assert [status[key] for key in kept] == [3, desired, allowed, 3, 1]
        assert condition(status, "DisruptionAllowed")[0] == ("True" if allowed else "False")

    play(story)


def test_an_eviction_uses_the_budget_up_until_the_next_pod_is_ready() -> None:
    async def story(played: Played) -> None:
        first = await begin(played, minAvailable=2)
        second = (await played.all(PODS))[1]
        await evict(played, first, dry_run=True)
        await evict(played, first)
        with pytest.raises(Temporary, match="needs 2 healthy pods and has 3 currently"):
            await evict(played, second)
        await played.after(1)
        with pytest.raises(Temporary, match="needs 2 healthy pods and has 2 currently"):
            await evict(played, second)
        await played.after(10)
        await evict(played, second)
        await played.after(10)
        assert not {first["metadata"]["name"], second["metadata"]["name"]} & set(await played.names(PODS))

    play(story)


def test_exactly_this_pod_is_evicted() -> None:
    async def story(played: Played) -> None:
        first = await begin(played, minAvailable=1)
        with pytest.raises(Changed, match="does not match the UID in record"):
            await evict(played, first, uid="other")
        await evict(played, first, grace=0)
        with pytest.raises(Missing):
            await evict(played, first)

    play(story)


def test_pods_that_are_not_ready_go_without_counting() -> None:
    async def story(played: Played) -> None:
        first = await begin(played, minAvailable=2)
        played.cluster.strike("shop", "api", NEVER, 1)
        await played.after(1)
        assert (await played.status(DISRUPTION_BUDGETS, "api"))["disruptionsAllowed"] == 0
        await evict(played, first)

    play(story)


@pytest.mark.parametrize("policy", ["IfHealthyBudget", "AlwaysAllow"])
def test_unless_the_budget_is_broken_already(policy: str) -> None:
    async def story(played: Played) -> None:
        first = await begin(played, minAvailable=3, unhealthyPodEvictionPolicy=policy)
        played.cluster.strike("shop", "api", NEVER, 1)
        await played.after(1)
        if policy == "AlwaysAllow":
            await evict(played, first)
        else:
            with pytest.raises(Temporary, match="violate the pod's disruption budget"):
                await evict(played, first)

    play(story)


def test_two_budgets_over_one_pod() -> None:
    async def story(played: Played) -> None:
        first = await begin(played, minAvailable=1)
        played.cluster.apply(budget("other", minAvailable=1))
        with pytest.raises(Permanent, match="more than one PodDisruptionBudget"):
            await evict(played, first)

    play(story)


def test_a_budget_that_nobody_has_looked_at() -> None:
    async def story(played: Played) -> None:
        first = await begin(played, minAvailable=1)
        played.cluster.edit(DISRUPTION_BUDGETS, "shop", "api", {"spec": {"minAvailable": 2}})
        with pytest.raises(Temporary, match="still being processed"):
            await evict(played, first)

    play(story)


# -- quotas -----------------------------------------------------------------------------------------------------------


def quota(**hard: str) -> Json:
    metadata = {"name": "small", "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": hard}}


def test_a_quota_refuses_pods_and_says_so() -> None:
    async def story(played: Played) -> None:
        played.cluster.apply(quota(pods="2"))
        played.cluster.apply(deployment())
        await played.after(10)
        assert len(await played.all(PODS)) == 2
        assert await played.status(QUOTAS, "small") == {"hard": {"pods": "2"}, "used": {"pods": "2"}}
        found = await played.get(DEPLOYMENTS, "api")
        assert condition(found, "ReplicaFailure") == ("True", "FailedCreate")
        told = next(one for one in found["status"]["conditions"] if one["type"] == "ReplicaFailure")["message"]
        assert "exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2" in told
        played.cluster.edit(QUOTAS, "shop", "small", {"spec": {"hard": {"pods": "5"}}})
        await played.after(60)
        assert len(await played.all(PODS)) == 3
        assert condition(await played.get(DEPLOYMENTS, "api"), "ReplicaFailure") == ("", "")

    play(story)


def test_a_quota_counts_what_pods_ask_for() -> None:
    async def story(played: Played) -> None:
        played.cluster.apply(quota(**{"requests.cpu": "1", "limits.memory": "1Gi"}))
        body = deployment()
        body["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "400m"}}
        played.cluster.apply(body)
        await played.after(10)
        assert len(await played.all(PODS)) == 2
        assert (await played.status(QUOTAS, "small"))["used"]["requests.cpu"] == "800m"

    play(story)


def test_a_stateful_set_meets_the_quota_too_and_asks_ever_more_rarely() -> None:
    async def story(played: Played) -> None:
        played.cluster.apply(quota(pods="1"))
        played.cluster.apply(stateful_set(replicas=2))
        await played.after(3600)
        assert await played.names(PODS) == ["db-0"]
        assert (await played.status(STATEFUL_SETS, "db"))["replicas"] == 1
        refused = [one for one in await played.reasons("db") if one == "FailedCreate"]
        assert len(refused) == 1

    play(story)
