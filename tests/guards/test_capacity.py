"""Guard `capacity`: no more pods where the quotas leave none, or where pods wait for a node already."""

from typing import Any

import pytest

from paramedic.cluster.port import Json
from paramedic.cluster.resources import PODS, QUOTAS
from paramedic.core.words import Answer
from paramedic.errors import Fault, Missing, Permanent, Refused, Temporary
from paramedic.guards.capacity import Capacity, CapacityParams
from tests.actions.workloads import at, elsewhere
from tests.cluster.objects import deployment
from tests.cluster.shelf import Shelf
from tests.guards.asked import HOSTILE, asked


def quota(hard: str, used: str, name: str = "few", **spec: Any) -> Json:
    status = {"hard": {"pods": hard}, "used": {"pods": used}}
    return {"metadata": {"name": name, "namespace": "shop"}, "spec": {"hard": {"pods": hard}, **spec}, "status": status}


def waiting(name: str, message: str = "0/3 nodes are available", reason: str = "Unschedulable") -> Json:
    condition = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
    return {
        "metadata": {"name": name, "namespace": "shop", "uid": name},
        "status": {"phase": "Pending", "conditions": [condition]},
    }


def cluster(*quotas: Json, pods: tuple[Json, ...] = ()) -> Shelf:
    kube = Shelf()
    kube.hold(deployment())
    for one in quotas:
        kube.put(QUOTAS, one)
    for pod in pods:
        kube.put(PODS, pod)
    return kube


async def test_without_a_quota_and_nothing_waiting_there_is_room() -> None:
    verdict = await asked(Capacity(), kube=cluster(), scene=at(deployment()), pods=3)

    assert (verdict.answer, verdict.reason) == (Answer.ALLOW, "there is room for 3 more pods of deployment/api.shop")
    assert verdict.seen == {"pods": 3, "quotas": 0, "pending": 0}


@pytest.mark.parametrize(
    ("hard", "used", "pods", "answer"),
    [("5", "3", 2, Answer.ALLOW), ("5", "3", 3, Answer.DENY), ("5", "5", 1, Answer.DENY), ("5", "9", 1, Answer.DENY)],
)
async def test_a_quota_has_room_for_so_many_and_no_more(hard: str, used: str, pods: int, answer: Answer) -> None:
    verdict = await asked(Capacity(), kube=cluster(quota(hard, used)), scene=at(deployment()), pods=pods)

    assert verdict.answer is answer
    assert answer is Answer.ALLOW or verdict.reason.startswith("the quota few has")


async def test_a_quota_of_some_pods_only_is_not_this_ones() -> None:
    kube = cluster(quota("1", "1", scopes=["BestEffort"]))

    assert (await asked(Capacity(), kube=kube, scene=at(deployment()))).answer is Answer.ALLOW


async def test_where_pods_wait_for_a_node_more_would_wait_too() -> None:
    kube = cluster(pods=(waiting("web-1"), waiting("web-2")))
    verdict = await asked(Capacity(), kube=kube, scene=at(deployment()))

    assert (verdict.answer, verdict.seen["pending"]) == (Answer.DENY, 2)
    assert verdict.reason.startswith("2 of the pods of shop cannot be placed on any node")
    assert (await asked(Capacity(), kube=kube, scene=at(deployment()), pending=False)).answer is Answer.ALLOW


async def test_a_pod_that_only_starts_slowly_is_no_want_of_room() -> None:
    kube = cluster(pods=(waiting("web-1", reason="SchedulingGated"),))

    assert (await asked(Capacity(), kube=kube, scene=at(deployment()))).answer is Answer.ALLOW


@pytest.mark.parametrize("amount", ["many", "-1", "1e400", "\u202e7", "9" * 400])
async def test_an_amount_that_nobody_can_read_allows_nothing(amount: str) -> None:
    with pytest.raises(Refused, match="is not an amount"):
        await asked(Capacity(), kube=cluster(quota(amount, "1")), scene=at(deployment()))


@pytest.mark.parametrize("message", HOSTILE)
async def test_what_a_scheduler_says_cannot_fake_a_timeline(message: str) -> None:
    kube = cluster(pods=(waiting("web-1", message),))

    assert (await asked(Capacity(), kube=kube, scene=at(deployment()))).answer is Answer.DENY


@pytest.mark.parametrize("error", [Temporary("429"), Permanent("list resourcequotas is not allowed")])
@pytest.mark.parametrize("what", ["get", "list resourcequotas", "list pods"])
async def test_what_cannot_be_read_allows_nothing(what: str, error: Exception) -> None:
    kube = cluster()
    kube.fails[what] = error
    with pytest.raises(type(error)):
        await asked(Capacity(), kube=kube, scene=at(deployment()))


async def test_what_is_not_there_or_no_workload_allows_nothing() -> None:
    with pytest.raises(Missing):
        await asked(Capacity(), kube=Shelf(), scene=at(deployment()))
    with pytest.raises(Fault, match="is a Service"):
        await asked(Capacity(), kube=cluster(), scene=elsewhere(at(deployment()), "main/shop/service/api"))


@pytest.mark.parametrize("pods", [0, -1, 10_001, "some"])
def test_how_many_pods_is_a_number_above_none(pods: Any) -> None:
    with pytest.raises(ValueError, match="pods"):
        CapacityParams.model_validate({"pods": pods})
