"""A simulated cluster with one workload, and a test's hands on it: releases, remedies, checks, other people."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import msgspec

from paramedic.checks.rollout import Rollout
from paramedic.cluster.port import Json
from paramedic.cluster.resources import PODS, Place, named_kind
from paramedic.cluster.revisions import images
from paramedic.core.model import Change, StepRecord, Verdict
from paramedic.plugin import Action, Applied, Seen, Tools
from paramedic.rehearse.cluster import Behaviour, SimulatedCluster
from paramedic.rehearse.loop import VirtualClock, VirtualLoop, virtually
from tests.contract.plugin_scene import RUN, Wire, seen

LABELS = {"app": "api"}


@dataclass
class Story:
    """One workload `api` in `shop`, of some kind, in virtual time."""

    cluster: SimulatedCluster
    clock: VirtualClock
    kind: str
    spec: dict[str, Any]

    @property
    def tools(self) -> Tools:
        return Tools(http=Wire(), kube=self.cluster.port, wait=self.clock.sleep)

    @property
    def place(self) -> Place:
        return Place("main", named_kind(self.kind.lower()), "shop", "api")

    async def release(self, image: str, *, ready: bool | float = True, settle: float = 60.0, **spec: Any) -> None:
        """Apply the workload with this image, and give it time."""
        self.cluster.behaves(image, Behaviour(ready=ready))
        self.spec |= spec
        manifest = {
            "apiVersion": "apps/v1",
            "kind": self.kind,
            "metadata": {"name": "api", "namespace": "shop"},
            "spec": {
                "selector": {"matchLabels": LABELS},
                "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "api", "image": image}]}},
                **self.spec,
            },
        }
        self.cluster.apply(manifest)
        await self.clock.sleep(settle)

    async def hang(self) -> None:
        """From now on no pod that there is answers its probe."""
        self.cluster.catch_up()
        self.cluster.strike("shop", "api", Behaviour(ready=False))
        await self.clock.sleep(30.0)

    async def present(self) -> Json:
        return await self.cluster.port.get(self.place)

    async def image(self) -> str:
        return images((await self.present())["spec"]["template"])

    async def pods(self) -> dict[str, str]:
        """The images of the pods there are."""
        found = await self.cluster.port.list(self.place.beside(PODS))
        return {one["metadata"]["name"]: images(one) for one in found}

    def scene(self, attempt: int = 1, **run: Any) -> Seen:
        target = f"main/shop/{self.kind.lower()}/api"
        now = self.clock.now()
        return seen(now=now, run=msgspec.structs.replace(RUN, target=target, attempt=attempt, **run))

    async def plan(self, action: Action, attempt: int = 1, **params: Any) -> Change:
        scene = self.scene(attempt, started_at=self.clock.now())
        return await action.plan(action.Params.model_validate(params), scene, self.tools)

    async def write(self, action: Action, write: Json | None, key: str) -> Applied:
        assert write is not None
        return await action.apply(write, key, self.scene(), self.tools)

    async def check(self, change: Change | None = None) -> Verdict:
        """One look of `rollout`, after this change."""
        records = (StepRecord(step=0, attempt=1, outcome="done"),) if change is not None else ()
        return await Rollout().ask(Rollout.Params(), self.scene(change=change, steps=records), self.tools)


def told(kind: str, story: Callable[[Story], Coroutine[Any, Any, None]], **spec: Any) -> None:
    """Play a story with a workload of this kind, in no time."""

    async def play(loop: VirtualLoop) -> None:
        clock = VirtualClock(loop)
        cluster = SimulatedCluster(clock, nodes=3)
        replicas = {} if kind == "DaemonSet" else {"replicas": 3}
        await story(Story(cluster, clock, kind, replicas | spec))

    virtually(play)
