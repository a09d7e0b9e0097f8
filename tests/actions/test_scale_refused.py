"""When `scale` says no: each of its refusals, provoked."""

from typing import Any

import pytest

from paramedic.cluster.port import Json
from paramedic.cluster.resources import DAEMON_SETS, PODS, QUOTAS
from paramedic.errors import Fault, Missing, Refused
from tests.actions.scaling import plan
from tests.contract.fake_kube import FakeKube, pod, with_revisions, workload


def stalled() -> Json:
    thing = workload()
    thing["status"]["conditions"][1] |= {"status": "False", "reason": "ProgressDeadlineExceeded"}
    return thing


def rolling() -> Json:
    thing = workload()
    thing["status"] |= {"updatedReplicas": 1}
    thing["status"]["conditions"][1]["reason"] = "ReplicaSetUpdated"
    return thing


def paused() -> Json:
    thing = workload()
    thing["spec"]["paused"] = True
    return thing


@pytest.mark.parametrize(
    ("thing", "why"),
    [
        (workload(deletionTimestamp="2026-05-12T09:00:00Z"), "it is being deleted since 2026-05-12T09:00:00Z"),
        (workload(annotations={"paramedic/mode": "off"}), "its annotation paramedic/mode says off"),
        (
            workload(annotations={"paramedic/mode": "offf"}),
            'its annotation paramedic/mode is "offf", none of off, shadow, approve, auto: that counts as off',
        ),
        (
            workload(annotations={"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/api"}),
            "it is kept by Argo CD (shop): what we change there would be taken back",
        ),
        (workload(annotations={"note": "x" * 262_000}), "metadata.annotations: they have 262004 bytes"),
        (paused(), "its rollouts are paused (spec.paused)"),
        (rolling(), "a rollout is under way: 1 of 3 pods updated, 3 available"),
        (stalled(), "its rollout made no progress for 600s: 3 of 3 pods updated, 3 available"),
        (workload(replicas=0), "somebody has scaled it to zero, which only somebody can take back"),
    ],
)
async def test_a_workload_that_must_not_be_touched_is_refused(thing: Json, why: str) -> None:
    kube = with_revisions(thing=thing)
    with pytest.raises(Refused) as error:
        await plan(kube, by=1)

    assert str(error.value).startswith(why)
    assert kube.written == []


async def test_a_daemon_set_is_refused() -> None:
    kube = FakeKube()
    kube.put(DAEMON_SETS, workload())
    with pytest.raises(Refused, match=r"^daemonset/api.shop is a DaemonSet: its nodes decide how many pods it has$"):
        await plan(kube, target="main/shop/daemonset/api", by=1)


@pytest.mark.parametrize(
    "target", ["hook/1", "main/shop/pod/api-1", "main/shop/deployment/../x", "main/*/deployment/a"]
)
async def test_what_is_no_workload_is_a_fault(target: str) -> None:
    with pytest.raises(Fault):
        await plan(FakeKube(), target=target, by=1)


async def test_what_is_not_there_is_missing() -> None:
    with pytest.raises(Missing):
        await plan(FakeKube(), by=1)


async def test_none_at_all_only_where_downtime_is_allowed() -> None:
    with pytest.raises(Refused, match=r"^none would be left; allow_downtime, or the annotation paramedic/allow-downt"):
        await plan(with_revisions(), to=0, down=True)
    thing = workload(annotations={"paramedic/allow-downtime": "false"})
    with pytest.raises(Refused):  # the target's own word is the last one
        await plan(with_revisions(thing=thing), to=0, down=True, allow_downtime=True)
    allowed = with_revisions(thing=workload(annotations={"paramedic/allow-downtime": "true"}))
    assert (await plan(allowed, to=0, down=True)).needed


def unplaced(name: str, message: str) -> Json:
    placed = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return pod(name, ready=False, phase="Pending", conditions=[placed])


async def test_pods_that_cannot_be_placed_speak_against_more_of_them() -> None:
    kube = with_revisions()
    for n in (1, 2):
        kube.put(PODS, unplaced(f"api-{n}", "0/3 nodes are available:\n 3 Insufficient cpu."))
    with pytest.raises(Refused) as error:
        await plan(kube, by=1)

    assert str(error.value) == (
        "2 of its pods cannot be placed on any node, and more would wait as well:"
        " api-1: 0/3 nodes are available: 3 Insufficient cpu."
    )
    assert (await plan(kube, to=1, down=True)).needed  # fewer need no room


async def test_pods_of_others_or_on_their_way_do_not() -> None:
    kube = with_revisions()
    leaving, other = unplaced("api-1", "x"), unplaced("web-1", "x")
    leaving["metadata"]["deletionTimestamp"] = "2026-05-12T09:00:00Z"
    other["metadata"]["labels"] = {"app": "web"}
    starting = pod("api-2", ready=False, phase="Pending")
    for one in (leaving, other, starting):
        kube.put(PODS, one)

    assert (await plan(kube, by=1)).needed


def quota(hard: dict[str, str], used: dict[str, str], **spec: Any) -> Json:
    return {"metadata": {"name": "compute", "namespace": "shop"}, "spec": spec, "status": {"hard": hard, "used": used}}


@pytest.mark.parametrize(
    ("hard", "used", "why"),
    [
        ({"pods": "5"}, {"pods": "4"}, "the quota compute has 1 of pods left, and 2 more pods would need 2"),
        ({"count/pods": "5"}, {"count/pods": "5"}, "the quota compute has 0 of count/pods left"),
        (
            {"requests.cpu": "1"},
            {"requests.cpu": "700m"},
            "the quota compute has 300m of requests.cpu left, and 2 more pods would need 500m",
        ),
        ({"cpu": "1"}, {"cpu": "2"}, "the quota compute has 0 of cpu left"),
        (
            {"memory": "2Gi"},
            {"memory": "1536Mi"},
            "the quota compute has 512Mi of memory left, and 2 more pods would need 1Gi",
        ),
        ({"limits.memory": "1Gi"}, {"limits.memory": "1G"}, "the quota compute has 73741824 of limits.memory left"),
        ({"pods": "many"}, {}, "'many' is not an amount"),
    ],
)
async def test_a_quota_without_room_speaks_against_more_pods(
    hard: dict[str, str], used: dict[str, str], why: str
) -> None:
    thing = workload()
    thing["spec"]["template"]["spec"]["containers"][0]["resources"] = {
        "requests": {"cpu": "250m"},
        "limits": {"memory": "512Mi"},
    }
    kube = with_revisions(thing=thing)
    kube.put(QUOTAS, quota(hard, used))
    with pytest.raises(Refused) as error:
        await plan(kube, by=2)

    assert str(error.value).startswith(why)


async def test_a_quota_with_room_or_of_other_pods_does_not() -> None:
    kube = with_revisions()
    kube.put(QUOTAS, quota({"pods": "6", "requests.cpu": "0", "secrets": "1"}, {"pods": "4", "secrets": "1"}))
    assert (await plan(kube, by=2)).needed
    kube.put(QUOTAS, quota({"pods": "0"}, {}, scopes=["BestEffort"]))
    assert (await plan(kube, by=2)).needed
