"""Guard `blast_radius`: how much of a pool may be down or in treatment, counted in pods, and disruption budgets."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from paramedic.cluster.port import Json
from paramedic.cluster.resources import DISRUPTION_BUDGETS, Place
from paramedic.core.words import Answer
from paramedic.errors import Fault, Missing, Permanent, Temporary
from paramedic.guards.blast_radius import BlastRadius, BlastRadiusParams
from paramedic.plugin import Seen
from tests.actions.workloads import at, elsewhere
from tests.cluster.objects import deployment, metadata, stateful_set, status
from tests.cluster.shelf import Shelf
from tests.contract.plugin_scene import Ledger
from tests.guards.asked import HOSTILE, asked


class Wide(Shelf):
    """A shelf that also lists over all namespaces."""

    async def list(self, place: Place, **options: Any) -> Sequence[Json]:
        if place.namespace:
            return await super().list(place, **options)
        return [one for at, one in self.objects.items() if at.resource == place.resource]


def cluster(*workloads: Json) -> Shelf:
    kube = Wide()
    for one in workloads:
        kube.hold(one)
    return kube


def up(found: Json, ready: int) -> Json:
    return status(found, availableReplicas=ready, readyReplicas=ready)


def scene(*held: str) -> Seen:
    return msgspec.structs.replace(at(deployment()), uses=Ledger(held=[f"target/{one}" for one in held]))


def budget(allowed: int, **labels: str) -> Json:
    return {
        "metadata": {"name": "keep", "namespace": "shop", "generation": 1},
        "spec": {"selector": {"matchLabels": labels or {"app": "api"}}},
        "status": {"observedGeneration": 1, "disruptionsAllowed": allowed, "currentHealthy": 2, "desiredHealthy": 2},
    }


async def test_a_pool_that_is_well_allows_with_its_numbers() -> None:
    kube = cluster(deployment(), deployment("web", replicas=7))
    verdict = await asked(BlastRadius(), kube=kube, scene=scene(), max_percent=10)

    assert verdict.answer is Answer.ALLOW
    assert verdict.reason == "0 of 10 pods are down or in treatment (0 %)"
    assert verdict.seen == {"wanted": 10, "missing": 0, "own": 0, "hurt": [], "in_treatment": []}


@pytest.mark.parametrize(("down", "answer"), [(0, Answer.ALLOW), (1, Answer.ALLOW), (2, Answer.DENY), (7, Answer.DENY)])
async def test_what_is_down_around_the_target_is_bounded(down: int, answer: Answer) -> None:
    kube = cluster(deployment(), up(deployment("web", replicas=7), 7 - down))
    verdict = await asked(BlastRadius(), kube=kube, scene=scene(), max_percent=10)

    assert (verdict.answer, verdict.again) == (answer, None)
    if answer is Answer.DENY:
        assert verdict.reason.endswith(", 10 % are the most, also of shop/deployment/web")


async def test_the_target_alone_never_counts_against_the_share() -> None:
    """One broken workload in a small namespace is what the playbook is for."""
    kube = cluster(up(deployment(), 0), deployment("web", replicas=1))
    assert (await asked(BlastRadius(), kube=kube, scene=scene(), max_percent=10)).answer is Answer.ALLOW

    kube = cluster(up(deployment(), 0), up(deployment("web", replicas=1), 0))
    assert (await asked(BlastRadius(), kube=kube, scene=scene(), max_percent=10)).answer is Answer.DENY


async def test_what_others_treat_counts_as_down_and_is_waited_for() -> None:
    kube = cluster(deployment(), deployment("web", replicas=7))
    held = scene("main/shop/deployment/web", "main/shop/deployment/elsewhere", "other/shop/deployment/web")
    verdict = await asked(BlastRadius(), kube=kube, scene=held, max_percent=50)

    assert (verdict.answer, verdict.again) == (Answer.DENY, 15.0)
    assert verdict.reason.startswith("7 of 10 pods are down or in treatment (70 %), 50 % are the most")
    assert verdict.seen["in_treatment"] == ["shop/deployment/web"]


@pytest.mark.parametrize(("number", "answer"), [(99, Answer.ALLOW), (100, Answer.UNKNOWN)])
async def test_more_treatments_than_can_be_counted_are_too_many(number: int, answer: Answer) -> None:
    held = scene(*(f"main/shop/deployment/other-{n}" for n in range(number)), *(f"main/bank/x/{n}" for n in range(9)))

    assert (await asked(BlastRadius(), kube=cluster(deployment()), scene=held, max_percent=50)).answer is answer


async def test_what_is_too_much_without_them_too_is_not_waited_for() -> None:
    kube = cluster(deployment(), up(deployment("web", replicas=7), 0), deployment("cart"))
    verdict = await asked(BlastRadius(), kube=kube, scene=scene("main/shop/deployment/cart"), max_percent=10)

    assert (verdict.answer, verdict.again) == (Answer.DENY, None)


@pytest.mark.parametrize(
    ("least", "answer"), [(8, Answer.ALLOW), (9, Answer.DENY), ("80%", Answer.ALLOW), ("81%", Answer.DENY)]
)
async def test_so_many_must_be_up_the_targets_own_counted(least: Any, answer: Answer) -> None:
    kube = cluster(up(deployment(), 1), deployment("web", replicas=7))
    verdict = await asked(BlastRadius(), kube=kube, scene=scene(), min_healthy=least)

    assert verdict.answer is answer
    if answer is Answer.DENY:
        assert "9 must be up and left alone" in verdict.reason


async def test_the_pool_is_the_target_its_namespace_or_its_cluster() -> None:
    there = metadata(up(deployment("pay", replicas=4), 0), namespace="bank")
    kube = cluster(deployment(), up(stateful_set("db"), 2), there)
    wanted = {}
    for across in ("workload", "namespace", "cluster"):
        verdict = await asked(BlastRadius(), kube=kube, scene=scene(), max_percent=20, across=across)
        wanted[across] = (verdict.seen["wanted"], verdict.answer)

    assert wanted == {"workload": (3, Answer.ALLOW), "namespace": (6, Answer.ALLOW), "cluster": (10, Answer.DENY)}


async def test_a_budget_that_lets_no_pod_go_denies_unless_told_otherwise() -> None:
    kube = cluster(deployment())
    kube.put(DISRUPTION_BUDGETS, budget(0))
    verdict = await asked(BlastRadius(), kube=kube, scene=scene())
    assert verdict.answer is Answer.DENY
    assert verdict.reason == "the disruption budget keep lets no pod go: 2 pods are healthy, 2 must be"

    assert (
        await asked(BlastRadius(), kube=kube, scene=scene(), max_percent=1, respect_pdb=False)
    ).answer is Answer.ALLOW
    kube.put(DISRUPTION_BUDGETS, budget(1))
    verdict = await asked(BlastRadius(), kube=kube, scene=scene())
    assert (verdict.answer, verdict.reason) == (
        Answer.ALLOW,
        "no disruption budget is against one pod less of deployment/api.shop",
    )


@pytest.mark.parametrize("name", HOSTILE)
async def test_names_from_a_cluster_cannot_fake_a_timeline(name: str) -> None:
    kube = cluster(deployment(), *(up(deployment(f"{n}{name}"), 0) for n in range(30)))
    verdict = await asked(BlastRadius(), kube=kube, scene=scene(), max_percent=1)

    assert verdict.answer is Answer.DENY
    assert len(verdict.seen["hurt"]) == 20
    assert all(len(one) <= 120 and one.isprintable() for one in verdict.seen["hurt"])


@pytest.mark.parametrize("error", [Temporary("429"), Permanent("list deployments.apps is not allowed")])
@pytest.mark.parametrize("what", ["get", "list poddisruptionbudgets", "list statefulsets"])
async def test_what_cannot_be_read_allows_nothing(what: str, error: Exception) -> None:
    kube = cluster(deployment())
    kube.fails[what] = error
    with pytest.raises(type(error)):
        await asked(BlastRadius(), kube=kube, scene=scene(), max_percent=10)


async def test_what_is_not_there_or_no_workload_allows_nothing() -> None:
    with pytest.raises(Missing):
        await asked(BlastRadius(), kube=cluster(), scene=scene())
    with pytest.raises(Fault, match="is a Pod"):
        await asked(BlastRadius(), kube=cluster(), scene=elsewhere(scene(), "main/shop/pod/api-1"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"respect_pdb": False},
        {"max_percent": 0},
        {"max_percent": 101},
        {"max_percent": "nan"},
        {"min_healthy": 0},
        {"min_healthy": "0%"},
        {"min_healthy": "101%"},
        {"min_healthy": "some"},
        {"min_healthy": "\u0665%"},
        {"min_healthy": 1.5},
        {"min_healthy": True},
        {"across": "zone"},
    ],
    ids=str,
)
def test_what_it_may_not_be_told(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BlastRadiusParams.model_validate(wrong)
