"""Restart and rollback of every kind of workload against a real control plane, the actions called by themselves.

What its controllers do with StatefulSets, and write into a status, is theirs alone: nothing here is told by us.
"""

from collections.abc import AsyncIterator, Mapping
from itertools import count
from typing import Any

import msgspec
import pytest

from paramedic.actions.restart import Restart
from paramedic.actions.roll_back import RollBack
from paramedic.checks.rollout import Rollout
from paramedic.clock import SystemClock
from paramedic.cluster.port import Json
from paramedic.cluster.resources import DAEMON_SETS, DEPLOYMENTS, PODS, STATEFUL_SETS, Resource
from paramedic.core.model import Change, StepRecord, Verdict
from paramedic.core.words import Answer
from paramedic.plugin import Action, Seen, Tools
from tests.contract.kube.scene import Scene, daemon_set, deployment, image_of, set_image, stateful_set
from tests.contract.plugin_scene import RUN, Wire, seen
from tests.real.control_plane import ControlPlane, scene_of

NUMBERS = count(1)
RESTART, BACK = Restart(), RollBack()
MAKERS = {DEPLOYMENTS: deployment, STATEFUL_SETS: stateful_set, DAEMON_SETS: daemon_set}
EVERY_KIND = pytest.mark.parametrize("kind", list(MAKERS), ids=lambda kind: kind.word)


class Remedies:
    """A workload `api` of one kind in a namespace of its own, and the remedies' calls on it."""

    def __init__(self, scene: Scene, kind: Resource) -> None:
        self.scene, self.kind, self.steps = scene, kind, 0
        self.tools = Tools(http=Wire(), kube=scene.kube)

    @property
    def key(self) -> str:
        """The key of the newest step."""
        return f"INC-12/1/{self.steps}/1"

    async def make(self) -> None:
        await self.scene.make(self.kind, MAKERS[self.kind]("api", "api:41"))
        await self.passes()

    async def release(self, image: str) -> None:
        await self.scene.strategic(self.kind, "api", set_image(image))

    def seen(self, change: Change | None = None) -> Seen:
        records = (StepRecord(step=0, attempt=1, outcome="done"),) if change is not None else ()
        about: dict[str, Any] = {"change": change, "steps": records, "started_at": SystemClock().now()}
        target = f"main/{self.scene.namespace}/{self.kind.word}/api"
        return seen(run=msgspec.structs.replace(RUN, target=target, attempt=2, **about))

    async def does(self, action: Action) -> Change:
        params = {"allow_downtime": True} if action is RESTART else {}  # there is one node, so one pod of a DaemonSet
        change = await action.plan(action.Params.model_validate(params), self.seen(), self.tools)
        self.steps += 1
        await self.writes(action, change.write, self.key)
        return change

    async def writes(self, action: Action, write: Mapping[str, Any] | None, key: str) -> None:
        assert write is not None
        applied = await action.apply(write, key, self.seen(), self.tools)
        assert applied.halted == ""
        assert await action.observe(write, key, self.seen(), self.tools) is True

    async def asks(self, change: Change | None = None) -> Verdict:
        return await Rollout().ask(Rollout.Params(), self.seen(change), self.tools)

    async def passes(self, change: Change | None = None) -> None:
        async def passed() -> bool:
            verdict = await self.asks(change)
            assert not verdict.final, verdict.reason
            return verdict.answer is Answer.PASS

        await self.scene.until(passed, "the check to pass")

    async def hangs(self) -> None:
        """Wait until a pod of the bad image is there and not ready."""

        async def one() -> bool:
            return any(image_of(pod).endswith("-bad") for pod in (await self.scene.pods()).values())

        await self.scene.until(one, "a pod of the bad release")
        assert (await self.asks()).answer is Answer.FAIL

    async def images(self) -> set[str]:
        return {image_of(pod) for pod in await self.scene.all(PODS)}

    async def present(self) -> Json:
        return await self.scene.get(self.kind, "api")


@pytest.fixture
async def remedies(control_plane: ControlPlane, kind: Resource) -> AsyncIterator[Remedies]:
    """A namespace with a workload that is up."""
    async with control_plane.client() as client:
        found = Remedies(await scene_of(client, f"sets-{next(NUMBERS)}", control_plane), kind)
        await found.make()
        yield found


@EVERY_KIND
async def test_a_bad_release_is_rolled_back_and_the_pod_that_hangs_is_replaced(remedies: Remedies) -> None:
    await remedies.release("api:42-bad")
    await remedies.hangs()
    change = await remedies.does(BACK)
    await remedies.passes(change)

    assert change.summary.endswith("image api:42-bad → api:41")
    assert await remedies.images() == {"api:41"}


@EVERY_KIND
async def test_every_pod_is_made_anew_by_a_restart_and_the_rollback_after_it_goes_further(remedies: Remedies) -> None:
    await remedies.release("api:42")
    await remedies.passes()
    before = {pod["metadata"]["uid"] for pod in (await remedies.scene.pods()).values()}
    restart = await remedies.does(RESTART)
    await remedies.passes(restart)
    after = {pod["metadata"]["uid"] for pod in (await remedies.scene.pods()).values()}
    assert before.isdisjoint(after)

    back = await remedies.does(BACK)
    await remedies.passes(back)
    assert await remedies.images() == {"api:41"}


@EVERY_KIND
async def test_a_rollback_is_taken_back_to_the_very_template(remedies: Remedies) -> None:
    await remedies.release("api:42")
    await remedies.passes()
    template = (await remedies.present())["spec"]["template"]
    change = await remedies.does(BACK)
    await remedies.passes(change)
    await remedies.writes(BACK, change.undo, f"{remedies.key}/undo")
    await remedies.passes()

    assert (await remedies.present())["spec"]["template"] == template
