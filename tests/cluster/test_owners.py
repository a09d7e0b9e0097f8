"""Who owns what, out of the objects' own words."""

from typing import Any

import pytest

from paramedic.cluster.owners import Owner, controller_of, makers_of, matching, scaled_by, sends_to
from paramedic.cluster.resources import DAEMON_SETS, DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS
from tests.cluster.held import owned_by


def referring(**reference: Any) -> dict[str, Any]:
    return {"metadata": {"ownerReferences": [reference]}}


def test_the_controller_is_the_owner() -> None:
    found = {"metadata": owned_by("ReplicaSet", "api-7d9f6c", "u1")}
    found["metadata"]["ownerReferences"].insert(0, {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "u0"})

    assert controller_of(found) == Owner("ReplicaSet", "api-7d9f6c", REPLICA_SETS, "u1")


@pytest.mark.parametrize(
    "found",
    [
        {"metadata": {}},
        {"metadata": {"ownerReferences": None}},
        referring(apiVersion="apps/v1", kind="Deployment", name="api", uid="u"),
        referring(apiVersion="apps/v1", kind="Deployment", name="api", uid="u", controller=False),
        referring(apiVersion="apps/v1", kind="Deployment", name="api", uid="u", controller="true"),
    ],
)
def test_who_does_not_control_owns_nothing(found: dict[str, Any]) -> None:
    assert controller_of(found) is None


@pytest.mark.parametrize(
    ("api", "kind"),
    [("argoproj.io/v1alpha1", "Rollout"), ("batch/v1", "Job"), ("example.com/v1", "Deployment"), ("v1", "Deployment")],
)
def test_a_kind_of_somebody_else_is_none_of_ours(api: str, kind: str) -> None:
    """Not even under one of our words: the group counts."""
    owner = controller_of({"metadata": owned_by(kind, "api", "u", api)})

    assert owner is not None
    assert (owner.resource, str(owner)) == (None, f"{kind} api")


def test_a_later_version_of_our_group_is_ours() -> None:
    owner = controller_of({"metadata": owned_by("Deployment", "api", "u", "apps/v2")})

    assert owner is not None
    assert owner.resource is DEPLOYMENTS


@pytest.mark.parametrize(
    ("pod", "makers"),
    [
        ("api-7d9f6c-x2x7z", [(REPLICA_SETS, "api-7d9f6c"), (DAEMON_SETS, "api-7d9f6c")]),
        ("db-0", [(STATEFUL_SETS, "db")]),
        ("db-12", [(STATEFUL_SETS, "db")]),
        ("db-24567", [(REPLICA_SETS, "db"), (DAEMON_SETS, "db"), (STATEFUL_SETS, "db")]),
        ("db-00", []),
        ("api", []),
        ("api-7d9f6c-x2x1z", [(REPLICA_SETS, "api-7d9f6c"), (DAEMON_SETS, "api-7d9f6c")]),
        ("api-X2X7Z", []),
        ("api-x2x7zz", []),
        ("-0", []),
        ("api-x2x7", []),
    ],
)
def test_a_pods_name_says_who_may_have_made_it(pod: str, makers: list[Any]) -> None:
    assert list(makers_of(pod)) == makers


def test_what_an_autoscaler_scales() -> None:
    autoscaler = {"spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db"}}}

    assert scaled_by(autoscaler) == Owner("StatefulSet", "db", STATEFUL_SETS)
    assert scaled_by({"spec": {}}) == Owner("", "")


def workload(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"template": {"metadata": {"labels": labels}}}}


def test_a_selector_chooses_pods_that_have_all_of_it() -> None:
    bare: dict[str, Any] = {"metadata": {}}
    api, web = workload("api", app="api", tier="back"), workload("web", app="web")

    assert matching({"app": "api"}, [api, web, bare]) == [api]
    assert matching({"app": "api", "tier": "front"}, [api, web]) == []


def test_an_empty_selector_chooses_nothing() -> None:
    assert matching({}, [workload("api", app="api")]) == []


@pytest.mark.parametrize(
    ("spec", "selector"),
    [
        ({"selector": {"app": "api"}}, {"app": "api"}),
        ({"selector": None}, {}),
        ({}, {}),
        ({"type": "ExternalName", "selector": {"app": "api"}}, {}),
    ],
)
def test_where_a_service_sends_to(spec: dict[str, Any], selector: dict[str, str]) -> None:
    assert sends_to({"spec": spec}) == selector
