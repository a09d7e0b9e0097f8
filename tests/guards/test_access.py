"""Guard `access`: what the steps need is asked of the cluster, one permission at a time, before any of them begins."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from paramedic.cluster.port import Json, NoCluster
from paramedic.cluster.resources import Place
from paramedic.core.words import Answer
from paramedic.errors import Fault, Permanent, Temporary
from paramedic.guards.access import Access, AccessParams
from paramedic.plugin import Seen
from tests.actions.workloads import at, elsewhere
from tests.cluster.objects import deployment, stateful_set
from tests.contract.fake_kube import FakeKube
from tests.guards.asked import HOSTILE, asked

NEEDS = ("get deployments.apps", "patch deployments.apps", "patch statefulsets.apps", "list pods")


@dataclass
class Court(FakeKube):
    """A cluster that answers reviews: all but `refused` are allowed. `most` is how many were asked at once."""

    refused: frozenset[str] = frozenset()
    answer: Any = None
    reviews: list[Json] = field(default_factory=list)
    now: int = 0
    most: int = 0

    async def create(self, place: Place, body: Json, *, dry_run: bool = False, timeout: float = 10.0) -> Json:
        assert place.resource.kind == "SelfSubjectAccessReview"
        assert dry_run, "what is only asked must not drop what others have read"
        self._fail("review", place)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        self.reviews.append(body["spec"]["resourceAttributes"])
        about = self.reviews[-1]
        name = f"{about['verb']} {about['resource']}" + (f".{about['group']}" if about.get("group") else "")
        return self.answer if self.answer is not None else {"status": {"allowed": name not in self.refused}}


def scene(*needs: str, found: Json | None = None) -> Seen:
    return msgspec.structs.replace(at(found or deployment()), needs=lambda: needs)


async def test_all_that_is_granted_allows() -> None:
    court = Court()
    verdict = await asked(Access(), kube=court, scene=scene(*NEEDS))

    assert (verdict.answer, verdict.seen) == (Answer.ALLOW, {"asked": 3})
    assert verdict.reason == "all 3 permissions are granted in shop"
    assert {one["namespace"] for one in court.reviews} == {"shop"}


async def test_what_is_not_granted_denies_by_its_name() -> None:
    court = Court(refused=frozenset({"patch deployments.apps", "list pods"}))
    verdict = await asked(Access(), kube=court, scene=scene(*NEEDS))

    assert (verdict.answer, verdict.again) == (Answer.DENY, None)
    assert verdict.reason.startswith("we may not patch deployments.apps, list pods in shop; paramedic rbac")
    assert verdict.seen == {"asked": 3, "refused": ["patch deployments.apps", "list pods"]}


async def test_other_kinds_of_workloads_are_not_asked_about() -> None:
    """Who treats StatefulSets alone need not be allowed to change Deployments."""
    court = Court(refused=frozenset({"get deployments.apps", "patch deployments.apps"}))

    assert (await asked(Access(), kube=court, scene=scene(*NEEDS, found=stateful_set()))).answer is Answer.ALLOW
    assert [one["resource"] for one in court.reviews] == ["statefulsets", "pods"]


async def test_what_is_named_is_asked_instead() -> None:
    court = Court(refused=frozenset({"delete pods"}))
    verdict = await asked(Access(), kube=court, scene=scene(*NEEDS), may=["delete pods", "create pods/eviction"])

    assert verdict.answer is Answer.DENY
    assert court.reviews[1]["subresource"] == "eviction"


async def test_steps_that_need_nothing_are_asked_nothing() -> None:
    court = Court()
    verdict = await asked(Access(), kube=court, scene=scene())

    assert (verdict.answer, court.reviews) == (Answer.ALLOW, [])


async def test_many_are_asked_at_once_but_not_all() -> None:
    court = Court(refused=frozenset(f"get thing{chr(97 + n)}" for n in range(12)))
    verdict = await asked(Access(), kube=court, scene=scene(), may=[f"get thing{chr(97 + n)}" for n in range(20)])

    assert court.most == 8
    assert len(verdict.seen["refused"]) == 12
    assert ", and 7 more in shop" in verdict.reason


@pytest.mark.parametrize("answer", [{}, {"status": {}}, {"status": {"allowed": "yes"}}, {"status": None}])
async def test_an_answer_that_says_neither_yes_nor_no_allows_nothing(answer: Json) -> None:
    with pytest.raises(Permanent, match="cannot be told"):
        await asked(Access(), kube=Court(answer=answer), scene=scene(*NEEDS))


@pytest.mark.parametrize("error", [Temporary("not reached"), Permanent("not allowed")])
async def test_what_cannot_be_asked_allows_nothing(error: Exception) -> None:
    with pytest.raises(type(error)):
        await asked(Access(), kube=Court(fails={"review": error}), scene=scene(*NEEDS))


async def test_without_a_cluster_it_says_what_to_set() -> None:
    with pytest.raises(Permanent, match="no cluster is configured"):
        await asked(Access(), kube=NoCluster(), scene=scene(*NEEDS))


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_target_that_is_none_asks_nothing(name: str) -> None:
    court = Court()
    with pytest.raises(Fault):
        await asked(Access(), kube=court, scene=elsewhere(scene(*NEEDS), f"main/{name}/deployment/api"))
    assert court.reviews == []


@pytest.mark.parametrize("wrong", ["patch", "Patch deployments", "get pods; rm", 'get "pods"', "", "get pods/exec/x"])
def test_what_is_no_permission_is_a_fault_when_it_is_loaded(wrong: str) -> None:
    with pytest.raises(ValidationError, match="VERB RESOURCE"):
        AccessParams.model_validate({"may": [wrong]})
