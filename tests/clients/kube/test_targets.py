"""One canonical name for a pod, its ReplicaSet, its autoscaler and its Service; and a reason where there is none."""

from typing import Any

import pytest

from paramedic.clients.kube.targets import PERMISSIONS, resolve
from paramedic.cluster.names import parse_target
from paramedic.cluster.port import NoCluster
from paramedic.cluster.resources import Place
from paramedic.errors import Missing, ParamedicError, Permanent, Refused, Temporary
from tests.cluster.held import HeldCluster, owned_by

API, SET, POD = "main/shop/deployment/api", "main/shop/replicaset/api-7d9f6c", "main/shop/pod/api-7d9f6c-x2x7z"
DB, AGENT = "main/shop/statefulset/db", "main/shop/daemonset/agent"


def labelled(**labels: str) -> dict[str, Any]:
    return {"spec": {"template": {"metadata": {"labels": labels}}}}


def scales(kind: str, name: str, api: str = "apps/v1") -> dict[str, Any]:
    return {"spec": {"scaleTargetRef": {"apiVersion": api, "kind": kind, "name": name}}}


@pytest.fixture
def cluster() -> HeldCluster:
    """Api with a pod, an autoscaler and a Service; db; an agent on each node."""
    cluster = HeldCluster()
    cluster.put(API, labelled(app="api"))
    cluster.put(SET, {"metadata": owned_by("Deployment", "api", "uid-api")})
    cluster.put(POD, {"metadata": owned_by("ReplicaSet", "api-7d9f6c", "uid-api-7d9f6c")})
    cluster.put("main/shop/hpa/api", scales("Deployment", "api"))
    cluster.put("main/shop/service/api", {"spec": {"selector": {"app": "api"}}})
    cluster.put(DB, labelled(app="db"))
    cluster.put("main/shop/pod/db-0", {"metadata": owned_by("StatefulSet", "db", "uid-db")})
    cluster.put(AGENT, labelled(app="agent"))
    cluster.put("main/shop/pod/agent-24bcd", {"metadata": owned_by("DaemonSet", "agent", "uid-agent")})
    return cluster


async def name_of(cluster: HeldCluster, target: str) -> str:
    return str(await resolve(cluster, parse_target(target)))


async def refusal(cluster: HeldCluster, target: str, kind: type[ParamedicError] = Refused) -> str:
    with pytest.raises(kind) as caught:
        await resolve(cluster, parse_target(target))
    return str(caught.value)


@pytest.mark.parametrize(
    ("named", "target"),
    [
        (API, API),
        (SET, API),
        (POD, API),
        ("main/shop/hpa/api", API),
        ("main/shop/horizontalpodautoscaler/api", API),
        ("main/shop/service/api", API),
        (DB, DB),
        ("main/shop/pod/db-0", DB),
        (AGENT, AGENT),
        ("main/shop/pod/agent-24bcd", AGENT),
    ],
)
async def test_one_thing_has_one_name(cluster: HeldCluster, named: str, target: str) -> None:
    """Promise 4: whatever it is called, it is reserved under this."""
    assert await name_of(cluster, named) == target


@pytest.mark.parametrize(
    ("gone", "target"),
    [
        ("main/shop/pod/api-7d9f6c-zzzzz", API),
        ("main/shop/pod/db-17", DB),
        ("main/shop/pod/agent-zzzzz", AGENT),
    ],
)
async def test_a_pod_that_is_gone_is_found_by_its_name(cluster: HeldCluster, gone: str, target: str) -> None:
    assert await name_of(cluster, gone) == target


async def test_a_gone_pod_that_nobody_makes_is_missing(cluster: HeldCluster) -> None:
    text = await refusal(cluster, "main/shop/pod/api-5c5c5c-zzzzz", Missing)

    assert text == "target: there is no pod/api-5c5c5c-zzzzz.shop, and nothing that makes pods of such a name"


async def test_a_gone_pod_of_which_two_may_have_been_the_maker_is_refused(cluster: HeldCluster) -> None:
    cluster.put("main/shop/daemonset/api-7d9f6c")

    text = await refusal(cluster, "main/shop/pod/api-7d9f6c-zzzzz")

    assert "it may have been of daemonset/api-7d9f6c.shop, deployment/api.shop" in text


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("main/shop/deployment/web", "deployment/web.shop"),
        ("main/other/deployment/api", "deployment/api.other"),
        ("main/shop/service/web", "service/web.shop"),
        ("main/shop/hpa/web", "horizontalpodautoscaler/web.shop"),
        ("main/shop/replicaset/web-5c", "replicaset/web-5c.shop"),
    ],
)
async def test_what_does_not_exist_is_said(cluster: HeldCluster, target: str, name: str) -> None:
    assert await refusal(cluster, target, Missing) == f"target: there is no {name} on main"


async def test_an_unknown_cluster_is_refused_without_being_asked(cluster: HeldCluster) -> None:
    assert await refusal(cluster, "other/shop/deployment/api") == "target: there is no cluster 'other'; known: main"
    assert cluster.called == []
    with pytest.raises(Permanent, match="no cluster is configured"):
        await resolve(NoCluster(), parse_target(API))


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        (
            owned_by("Job", "nightly", "u", "batch/v1"),
            "is owned by Job nightly, which is not a kind that can be treated",
        ),
        (owned_by("Node", "n1", "u", "v1"), "is owned by Node n1, which is not a kind that can be treated"),
        ({}, "is owned by nothing, so nothing would make it anew"),
    ],
)
async def test_a_pod_of_nobody_or_of_somebody_else_is_refused(
    cluster: HeldCluster, metadata: dict[str, Any], reason: str
) -> None:
    cluster.put("main/shop/pod/x", {"metadata": metadata})

    assert await refusal(cluster, "main/shop/pod/x") == f"target: pod/x.shop {reason}"


async def test_what_a_rollout_owns_is_refused(cluster: HeldCluster) -> None:
    """The Deployment is not the one to be patched there, and there may be none."""
    cluster.put(SET, {"metadata": owned_by("Rollout", "api", "u", "argoproj.io/v1alpha1")})

    text = await refusal(cluster, POD)

    assert text == (
        "target: replicaset/api-7d9f6c.shop is owned by Rollout api, which is not a kind that can be treated"
    )


async def test_a_set_of_nobody_is_refused(cluster: HeldCluster) -> None:
    cluster.put(SET)

    assert await refusal(cluster, SET) == "target: replicaset/api-7d9f6c.shop is owned by nothing"


async def test_a_workload_that_an_operator_owns_is_still_the_workload(cluster: HeldCluster) -> None:
    """Whether it may be written is for a guard to say."""
    cluster.put(DB, {"metadata": owned_by("Cluster", "db", "u", "postgresql.cnpg.io/v1")})

    assert await name_of(cluster, "main/shop/pod/db-0") == DB


async def test_another_object_under_the_owners_name_is_not_the_owner(cluster: HeldCluster) -> None:
    cluster.put(API, {"metadata": {"uid": "a-new-one"}})

    text = await refusal(cluster, POD, Missing)

    assert text == "target: there is another deployment/api.shop by now than the one that was pointed at"


async def test_owners_that_go_round_in_circles_end(cluster: HeldCluster) -> None:
    cluster.put(API, {"metadata": owned_by("StatefulSet", "db", "uid-db")})
    cluster.put(DB, {"metadata": owned_by("Deployment", "api", "uid-api")})

    assert "more than 4 owners" in await refusal(cluster, POD)
    assert len(cluster.called) <= 6


async def test_an_autoscaler_of_something_else_is_refused(cluster: HeldCluster) -> None:
    cluster.put("main/shop/hpa/api", scales("Rollout", "api", "argoproj.io/v1alpha1"))

    assert "horizontalpodautoscaler/api.shop scales Rollout api, which is not" in await refusal(
        cluster, "main/shop/hpa/api"
    )


@pytest.mark.parametrize("spec", [{}, {"selector": {}}, {"type": "ExternalName", "selector": {"app": "api"}}])
async def test_a_service_without_a_selector_stands_for_nothing(cluster: HeldCluster, spec: dict[str, Any]) -> None:
    """An empty selector never means everything."""
    cluster.put("main/shop/service/api", {"spec": spec})

    text = await refusal(cluster, "main/shop/service/api")

    assert text == "target: service/api.shop has no selector, so that it stands for no workload"


async def test_a_service_of_no_workload_is_refused(cluster: HeldCluster) -> None:
    cluster.put("main/shop/service/api", {"spec": {"selector": {"app": "gone"}}})

    assert "chooses the pods of no workload" in await refusal(cluster, "main/shop/service/api")


async def test_a_service_of_several_workloads_is_refused_and_names_them(cluster: HeldCluster) -> None:
    cluster.put("main/shop/deployment/api-canary", labelled(app="api", track="canary"))
    cluster.put("main/other/deployment/api", labelled(app="api"))

    text = await refusal(cluster, "main/shop/service/api")

    assert text == (
        "target: service/api.shop stands for deployment/api-canary.shop, deployment/api.shop: name one of them"
    )


async def test_a_cluster_that_does_not_answer_may_later(cluster: HeldCluster) -> None:
    async def away(_call: str, _place: Place) -> None:
        raise Temporary("not reached")

    cluster.before = away

    assert await refusal(cluster, POD, Temporary) == "not reached"


async def test_reads_may_be_a_second_old(cluster: HeldCluster) -> None:
    """Many incidents on one workload read it once."""
    for target in (POD, "main/shop/service/api", "main/shop/pod/db-17"):
        await name_of(cluster, target)

    assert set(cluster.ages) == {1.0}


async def test_it_reads_what_it_says_that_it_may_read_and_nothing_else(cluster: HeldCluster) -> None:
    """One fewer is missed by some target, and one more is never asked for."""
    for target in (SET, POD, "main/shop/hpa/api", "main/shop/service/api", "main/shop/pod/db-17", AGENT):
        await name_of(cluster, target)

    assert {f"{call} {place.resource.permission}" for call, place in cluster.called} == set(PERMISSIONS)
