"""Pools of workloads counted in pods, and what disruption budgets say about a pod less."""

from typing import Any

import pytest

from paramedic.cluster.pools import chooses, counted, disrupted, share
from paramedic.cluster.port import Json
from tests.cluster.objects import daemon_set, deployment, metadata, stateful_set, status


def up(found: Json, ready: int) -> Json:
    return status(found, availableReplicas=ready, readyReplicas=ready, numberAvailable=ready)


def test_what_is_wanted_and_not_available_is_missing() -> None:
    pool = counted([up(deployment(), 1), up(stateful_set("db"), 2), daemon_set("log")], "shop/deployment/api", ())

    assert (pool.wanted, pool.missing, pool.own, pool.healthy) == (9, 3, 2, 6)
    assert pool.hurt == ("shop/statefulset/db",)
    assert round(pool.percent) == 33


def test_what_others_treat_counts_as_down_but_not_the_target() -> None:
    treated = {"shop/statefulset/db", "shop/deployment/api", "shop/deployment/gone"}
    pool = counted([deployment(), stateful_set("db")], "shop/deployment/api", treated)

    assert (pool.missing, pool.own, pool.treated) == (3, 0, ("shop/statefulset/db",))


def test_the_same_name_in_another_namespace_is_another_workload() -> None:
    other = metadata(deployment(), namespace="bank")
    pool = counted([deployment(), up(other, 0)], "shop/deployment/api", {"shop/deployment/api"})

    assert (pool.own, pool.hurt) == (0, ("bank/deployment/api",))


def test_more_pods_than_wanted_make_up_for_none() -> None:
    pool = counted([up(deployment(), 9), up(deployment("web"), 0)], "shop/deployment/api", ())

    assert (pool.wanted, pool.missing) == (6, 3)


def test_an_empty_pool_is_not_down() -> None:
    assert counted([], "shop/deployment/api", ()).percent == 0.0
    assert counted([deployment(replicas=0)], "shop/deployment/api", ()).percent == 0.0


@pytest.mark.parametrize(
    ("value", "of", "pods"), [(2, 10, 2), ("50%", 5, 3), ("100%", 7, 7), ("1%", 10, 1), ("70%", 0, 0)]
)
def test_a_share_is_rounded_up(value: Any, of: int, pods: int) -> None:
    assert share(value, of) == pods


def budget(allowed: int | None, selector: Json | None = None, *, observed: int = 1, generation: int = 1) -> Json:
    chosen = {"matchLabels": {"app": "api"}} if selector is None else selector
    told: Json = {"observedGeneration": observed, "currentHealthy": 2, "desiredHealthy": 2}
    return {
        "metadata": {"name": "keep", "generation": generation},
        "spec": {"selector": chosen},
        "status": told if allowed is None else told | {"disruptionsAllowed": allowed},
    }


def test_a_budget_that_lets_one_go_is_not_against_it() -> None:
    assert disrupted(deployment(), []) == ""
    assert disrupted(deployment(), [budget(1), budget(0, {"matchLabels": {"app": "web"}})]) == ""


@pytest.mark.parametrize("allowed", [0, None, -1])
def test_one_that_lets_none_go_says_why(allowed: int | None) -> None:
    reason = disrupted(deployment(), [budget(5), budget(allowed)])

    assert reason == "the disruption budget keep lets no pod go: 2 pods are healthy, 2 must be"


def test_one_whose_controller_has_not_looked_yet_tells_nothing() -> None:
    assert disrupted(deployment(), [budget(3, observed=1, generation=2)]).startswith("nothing tells yet")
    assert disrupted(deployment(), [{**budget(3), "status": {}}]).startswith("nothing tells yet")


def among(operator: str, *values: str, key: str = "app") -> Json:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("selector", "chosen"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"app": "api"}}, True),
        ({"matchLabels": {"app": "api", "tier": "back"}}, False),
        (among("In", "web", "api"), True),
        (among("In", "web"), False),
        (among("NotIn", "web"), True),
        (among("NotIn", "api"), False),
        (among("Exists"), True),
        (among("Exists", key="tier"), False),
        (among("DoesNotExist", key="tier"), True),
        (among("DoesNotExist"), False),
        ({"matchLabels": {"app": "api"}, **among("NotIn", "api")}, False),
        (among("Resembles", "web"), True),
    ],
)
def test_selectors_are_read_as_the_api_reads_them(selector: Json | None, chosen: bool) -> None:
    """An operator that nobody knows is taken to choose the pods: it may protect them."""
    assert chooses(selector, {"app": "api"}) is chosen
