"""The guards that read a cluster, against a real control plane, called by themselves.

What counts as theirs: what annotations on a namespace, reviews, budgets, quotas and dry runs are really like.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import msgspec
import pytest

from paramedic.actions.restart import Restart
from paramedic.clock import SystemClock
from paramedic.cluster.port import Json, Kube
from paramedic.cluster.resources import DEPLOYMENTS, DISRUPTION_BUDGETS, NAMESPACES, QUOTAS, STATEFUL_SETS, Place
from paramedic.core.model import Firing
from paramedic.core.words import Answer
from paramedic.plugin import Guard, Seen, Tools, discover
from tests.contract.kube.scene import Scene, deployment, stateful_set
from tests.contract.plugin_scene import RUN, Wire, seen
from tests.real.control_plane import ControlPlane, scene_of

NUMBERS = count(1)
GUARDS = discover().guards
NEEDS = Restart.permissions


@dataclass
class Shop:
    """A Deployment `api` in a namespace of its own, and guards that are asked about it."""

    scene: Scene

    def seen(self, **about: Any) -> Seen:
        now = SystemClock().now()
        target = f"main/{self.scene.namespace}/deployment/api"
        run = msgspec.structs.replace(RUN, target=target, started_at=now, **about)
        return msgspec.structs.replace(seen(Firing(open=1, total=1, since=now), run=run, now=now), needs=lambda: NEEDS)

    async def ask(
        self, name: str, kube: Kube | None = None, scene: Seen | None = None, **given: Any
    ) -> tuple[str, str]:
        guard: Guard = GUARDS[name]
        tools = Tools(http=Wire(), kube=kube or self.scene.kube)
        verdict = await guard.judge(guard.validated(given), scene or self.seen(), tools)
        return verdict.answer, verdict.reason


@pytest.fixture
async def shop(control_plane: ControlPlane) -> AsyncIterator[Shop]:
    """A namespace with a Deployment of two pods that are up."""
    async with control_plane.client() as client:
        scene = await scene_of(client, f"read-{next(NUMBERS)}", control_plane)
        await scene.make(DEPLOYMENTS, deployment("api", "api:41"))
        await scene.complete(DEPLOYMENTS, "api")
        yield Shop(scene)


async def test_a_namespace_that_opts_out(shop: Shop) -> None:
    assert (await shop.ask("opt_out"))[0] == Answer.ALLOW
    space = Place("main", NAMESPACES, "", shop.scene.namespace)
    await shop.scene.kube.patch(space, {"metadata": {"annotations": {"paramedic/mode": "off"}}}, "merge")
    answer, reason = await shop.ask("opt_out")

    assert answer == Answer.DENY
    assert reason == f"namespace {shop.scene.namespace}: its annotation paramedic/mode says off"


async def test_what_an_account_may_do(shop: Shop) -> None:
    granted = [one for one in NEEDS if "statefulsets" not in one and "daemonsets" not in one]
    async with shop.scene.limited(granted) as kube:
        assert (await shop.ask("access", kube))[0] == Answer.ALLOW
    async with shop.scene.limited([one for one in granted if one != "patch deployments.apps"]) as kube:
        answer, reason = await shop.ask("access", kube)

    assert answer == Answer.DENY
    assert reason.startswith(f"we may not patch deployments.apps in {shop.scene.namespace}")


async def test_a_disruption_budget_and_the_pods_around(shop: Shop) -> None:
    async def allows(number: int) -> None:
        await shop.scene.becomes(
            DISRUPTION_BUDGETS,
            "keep",
            lambda found: (
                (found.get("status") or {}).get("disruptionsAllowed") == number
                and found["status"]["observedGeneration"] == found["metadata"]["generation"]
            ),
            f"{number} may go",
        )

    labels = (await shop.scene.get(DEPLOYMENTS, "api"))["spec"]["selector"]["matchLabels"]
    spec: Json = {"selector": {"matchLabels": labels}, "minAvailable": 1}
    await shop.scene.make(DISRUPTION_BUDGETS, {"metadata": {"name": "keep"}, "spec": spec})
    await allows(1)
    assert (await shop.ask("blast_radius", max_percent=10))[0] == Answer.ALLOW

    await shop.scene.merge(DISRUPTION_BUDGETS, "keep", {"spec": {"minAvailable": 2}})
    await allows(0)
    answer, reason = await shop.ask("blast_radius", max_percent=10)
    assert (answer, reason) == (
        Answer.DENY,
        "the disruption budget keep lets no pod go: 2 pods are healthy, 2 must be",
    )

    await shop.scene.make(STATEFUL_SETS, stateful_set("db"))
    await shop.scene.complete(STATEFUL_SETS, "db")
    given: dict[str, Any] = {"max_percent": 10, "respect_pdb": False}
    answer, reason = await shop.ask("blast_radius", **given)
    assert (answer, reason) == (Answer.ALLOW, "0 of 4 pods are down or in treatment (0 %)")


async def test_what_it_depends_on(shop: Shop) -> None:
    await shop.scene.make(STATEFUL_SETS, stateful_set("db"))
    await shop.scene.complete(STATEFUL_SETS, "db")
    name = f"statefulset/db.{shop.scene.namespace}"
    assert (await shop.ask("dependency", workloads=[name]))[0] == Answer.ALLOW

    await shop.scene.merge(STATEFUL_SETS, "db", {"spec": {"replicas": 0}})
    answer, reason = await shop.ask("dependency", workloads=[name])
    assert (answer, reason) == (Answer.DENY, f"it depends on {name}, of which no pod is wanted")


async def test_what_a_quota_leaves(shop: Shop) -> None:
    await shop.scene.make(QUOTAS, {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "3"}}})
    await shop.scene.becomes(QUOTAS, "few", lambda found: found.get("status", {}).get("used"), "what the quota counts")

    assert (await shop.ask("capacity", pods=1))[0] == Answer.ALLOW
    answer, reason = await shop.ask("capacity", pods=2)
    assert (answer, reason) == (Answer.DENY, "the quota few has 1 of pods left, and 2 more pods would need 2")


async def test_the_planned_write_is_tried_and_nothing_comes_of_it(shop: Shop) -> None:
    restart = Restart()
    change = await restart.plan(restart.validated({}), shop.seen(), Tools(http=Wire(), kube=shop.scene.kube))
    planned = shop.seen(change=change)
    before = await shop.scene.get(DEPLOYMENTS, "api")
    answer, reason = await shop.ask("preflight", scene=planned)

    assert answer == Answer.ALLOW
    assert reason.startswith("the server would take the change of deployment api")
    assert (await shop.scene.get(DEPLOYMENTS, "api"))["metadata"]["resourceVersion"] == (
        before["metadata"]["resourceVersion"]
    )
    async with shop.scene.limited(["get deployments.apps"]) as kube:
        answer, reason = await shop.ask("preflight", kube, planned)
    assert answer == Answer.DENY
    assert reason.startswith("the server would not take it: patch deployments.apps in")

    await shop.scene.strategic(DEPLOYMENTS, "api", {"spec": {"replicas": 3}})
    answer, reason = await shop.ask("preflight", scene=planned)
    assert answer == Answer.ALLOW
    assert reason.startswith("it was changed since, and will be planned anew")


async def test_who_applies_the_template_comes_back_to_it(shop: Shop, control_plane: ControlPlane) -> None:
    assert (await shop.ask("owned", fields=["template", "replicas"]))[0] == Answer.ALLOW
    found = await shop.scene.get(DEPLOYMENTS, "api")
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "api", "namespace": shop.scene.namespace},
        "spec": {"replicas": found["spec"]["replicas"]},
    }
    control_plane.kubectl(
        "apply", "--server-side", "--force-conflicts", "--field-manager=git-sync", "-f", "-", manifest=manifest
    )
    answer, reason = await shop.ask("owned", fields=["template", "replicas"])

    assert (answer, reason) == (
        Answer.DENY,
        f"git-sync applies the replicas of deployment/api.{shop.scene.namespace}",
    )
    assert (await shop.ask("owned", fields=["template"]))[0] == Answer.ALLOW
