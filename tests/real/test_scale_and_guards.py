"""`scale`, `collect`, `recent_change` and `object` against a real control plane, called by themselves.

What counts as theirs: who owns which field and since when, what an autoscaler makes of its minimum, what quotas and
field selectors are like. Pods and their logs are made up by KWOK, so logs cannot be read, and `collect` says so.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count
from typing import Any

import msgspec
import pytest

from paramedic.actions.collect import Collect
from paramedic.actions.roll_back import RollBack
from paramedic.actions.scale import Scale
from paramedic.catalog.shapes import playbook_shape
from paramedic.catalog.templates import compile_tree
from paramedic.clock import SystemClock
from paramedic.cluster.history import moment_of
from paramedic.cluster.port import Json
from paramedic.cluster.resources import DEPLOYMENTS, HPAS, QUOTAS
from paramedic.core.model import Change, Firing
from paramedic.core.words import Answer
from paramedic.errors import Changed, Refused
from paramedic.guards.object import ObjectGuard
from paramedic.guards.recent_change import RecentChange
from paramedic.plugin import Seen, Tools
from tests.contract.kube.scene import Scene, deployment, set_image
from tests.contract.plugin_scene import RUN, Wire, seen
from tests.real.control_plane import ControlPlane, scene_of

NUMBERS = count(1)
SCALE, COLLECT = Scale(), Collect()
KEY = "INC-12/1/1/1"


class Shop:
    """A Deployment `api` in a namespace of its own, and the plug-ins' calls on it."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.tools = Tools(http=Wire(), kube=scene.kube)

    def seen(self, **about: Any) -> Seen:
        now = SystemClock().now()
        target = f"main/{self.scene.namespace}/deployment/api"
        run = msgspec.structs.replace(RUN, target=target, attempt=2, started_at=now, **about)
        return seen(Firing(open=1, total=1, since=now), run=run, now=now)

    async def plan(self, **params: Any) -> Change:
        return await SCALE.plan(SCALE.validated(params), self.seen(), self.tools)

    async def write(self, write: Json | None, key: str = KEY) -> str:
        assert write is not None
        applied = await SCALE.apply(write, key, self.seen(), self.tools)
        assert await SCALE.observe(write, key, self.seen(), self.tools) is True
        return applied.summary

    async def changed(self, **params: Any) -> tuple[Answer, str]:
        guard = RecentChange()
        verdict = await guard.judge(guard.validated(params), self.seen(), self.tools)
        return verdict.answer, verdict.reason

    async def replicas(self, number: int) -> None:
        await self.scene.becomes(
            DEPLOYMENTS, "api", lambda found: found["spec"]["replicas"] == number, f"{number} pods"
        )
        await self.scene.complete(DEPLOYMENTS, "api")


@pytest.fixture
async def shop(control_plane: ControlPlane) -> AsyncIterator[Shop]:
    """A namespace with a Deployment that is up."""
    async with control_plane.client() as client:
        scene = await scene_of(client, f"scaled-{next(NUMBERS)}", control_plane)
        await scene.make(DEPLOYMENTS, deployment("api", "api:41"))
        await scene.complete(DEPLOYMENTS, "api")
        yield Shop(scene)


async def test_more_pods_for_a_while(shop: Shop) -> None:
    change = await shop.plan(by=1, max=5, for_="5m")
    await shop.write(change.write)
    await shop.replicas(3)
    await shop.write(change.write)  # once more, as after a lost answer
    await shop.write(change.undo, f"{KEY}/expire")
    await shop.replicas(2)

    found = await shop.scene.get(DEPLOYMENTS, "api")
    assert found["metadata"]["generation"] == 3
    assert found["metadata"]["annotations"]["paramedic/run"] == f"{KEY}/expire"


async def test_the_number_of_somebody_else_stays_and_they_are_named(shop: Shop, control_plane: ControlPlane) -> None:
    change = await shop.plan(by=1, max=5, for_="5m")
    await shop.write(change.write)
    control_plane.kubectl("-n", shop.scene.namespace, "scale", "deployment/api", "--replicas=4")

    with pytest.raises(Changed, match=r"replicas of .* is 4 by now, and not the 3 that we set: kubectl$"):
        await shop.write(change.undo, f"{KEY}/expire")


async def test_through_its_autoscaler_and_back(shop: Shop) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}
    spec = {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 3}
    await shop.scene.make(HPAS, {"metadata": {"name": "api"}, "spec": spec})
    with pytest.raises(Refused, match="maxReplicas of its autoscaler is 3, without raise_max"):
        await shop.plan(to=4, max=5)
    change = await shop.plan(to=4, max=5, raise_max=True, for_="5m")
    await shop.write(change.write)
    await shop.replicas(4)
    said = await shop.write(change.undo, f"{KEY}/expire")

    found = (await shop.scene.get(HPAS, "api"))["spec"]
    assert (found["minReplicas"], found["maxReplicas"]) == (2, 3)
    assert said.endswith("is back at minReplicas 2, maxReplicas 3")


async def test_a_quota_without_room_is_seen(shop: Shop) -> None:
    await shop.scene.make(QUOTAS, {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "3"}}})
    await shop.scene.becomes(QUOTAS, "few", lambda found: found.get("status", {}).get("used"), "what the quota counts")

    assert (await shop.plan(by=1, max=5)).needed
    with pytest.raises(Refused, match="the quota few has 1 of pods left, and 2 more pods would need 2"):
        await shop.plan(by=2, max=5)


async def test_a_release_and_going_back_are_changes_with_their_moments(shop: Shop) -> None:
    made = moment_of((await shop.scene.get(DEPLOYMENTS, "api"))["metadata"]["creationTimestamp"])
    assert made is not None

    async def another_second() -> bool:  # in which the next ReplicaSet is made: the API counts in seconds
        return SystemClock().now() > made + timedelta(seconds=1.5)

    await shop.scene.until(another_second, "the next second")
    await shop.scene.strategic(DEPLOYMENTS, "api", set_image("api:42"))
    await shop.scene.complete(DEPLOYMENTS, "api")
    answer, reason = await shop.changed(within="1h")
    assert answer is Answer.ALLOW
    assert reason.endswith("ago: api:41 → api:42")
    assert (await shop.changed(within="1h", absent=True))[0] is Answer.DENY

    back = RollBack()
    change = await back.plan(back.validated({}), shop.seen(), shop.tools)
    await back.apply(change.write, "INC-12/1/2/1", shop.seen(), shop.tools)
    await shop.scene.complete(DEPLOYMENTS, "api")
    answer, reason = await shop.changed(within="1h")
    assert answer is Answer.ALLOW
    assert reason.endswith("ago: api:42 → api:41 (an older one)")


async def test_what_is_there_is_kept(shop: Shop) -> None:
    """There are no containers: the logs are a file that stands in for all of them."""
    await shop.scene.strategic(DEPLOYMENTS, "api", set_image("api:42"))
    await shop.scene.complete(DEPLOYMENTS, "api")
    change = await COLLECT.plan(COLLECT.validated({}), shop.seen(), shop.tools)
    applied = await COLLECT.apply(change.write, KEY, shop.seen(), shop.tools)
    kept = {exhibit.name: exhibit.body.decode() for exhibit in applied.exhibits}

    assert list(kept) == ["pods", "events", "rollout_history", "logs"]
    assert "Normal ScalingReplicaSet deployment/api Scaled up replica set" in kept["events"]
    assert "    spec.containers[app].image: api:41 → api:42" in kept["rollout_history"]
    assert sum(line.startswith("api-") for line in kept["pods"].splitlines()) >= 2
    assert kept["logs"].rstrip().endswith("line 400")


@pytest.mark.parametrize(
    ("text", "answer"), [("object.spec.replicas >= 2", "allow"), ("has(object.spec.paused)", "deny")]
)
async def test_a_condition_is_decided_on_the_live_object(shop: Shop, text: str, answer: str) -> None:
    guard = ObjectGuard()
    template = compile_tree({"condition": text}, playbook_shape({}), guard.escapes)
    verdict = await guard.judge(guard.validated(template.render({})), shop.seen(), shop.tools)

    assert verdict.answer == answer
