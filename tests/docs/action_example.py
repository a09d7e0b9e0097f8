"""The example of an action, carried out: planned, applied, observed and taken back on a simulated cluster.

`action_reference` prints what it came to, so that the page cannot show an example that does not work.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from paramedic.core.bundle import Endpoint
from paramedic.core.model import Change
from paramedic.plugin import Action, Applied, Resources, Seen, Tools
from paramedic.rehearse.cluster.cluster import SimulatedCluster
from paramedic.rehearse.cluster.faults import Request
from paramedic.rehearse.cluster.seeding import Objects, seeded
from paramedic.rehearse.cluster.spec import DeploymentWorld, Revision
from paramedic.rehearse.loop import VirtualClock, VirtualLoop, virtually
from tests.contract.plugin_scene import RUN, Wire, seen
from tests.contract.test_plugins import concrete

__all__ = ["KEY", "WORDS", "Played", "played", "resources"]

KEY = "INC-12/1/1/1"
SETTLED = 300.0
WORLD = Objects(
    deployments=[
        DeploymentWorld(
            name="api",
            namespace="shop",
            replicas=3,
            revisions=(
                Revision(image="api:41", at=-7 * 86400.0, logs="ready"),
                Revision(image="api:42", at=-600.0, logs="cannot reach the database"),
            ),
        )
    ]
)
WORDS = "a Deployment of three pods that went from `api:41` to `api:42` ten minutes ago"


@dataclass(frozen=True)
class Played:
    """What an example came to. `requests` are what the cluster was asked, `planned` how many of them for the plan."""

    change: Change
    applied: Applied
    observed: bool | None
    taken_back: Applied | None
    requests: Sequence[Request]
    planned: int
    cluster: SimulatedCluster


def played(action: Action) -> Played:
    """Carry the example out in virtual time."""

    async def story(loop: VirtualLoop) -> Played:
        clock = VirtualClock(loop)
        cluster = seeded(WORLD, clock)["main"]
        run = msgspec.structs.replace(RUN, started_at=clock.now())
        tools = Tools(http=Wire(), kube=cluster.port, wait=clock.sleep)
        params: Any = concrete(action)
        scene = _scene(params, run, clock)
        change = await action.plan(params, scene, tools)
        before = len(cluster.requests)
        applied = await action.apply(change.write, KEY, scene, tools)
        observed = await action.observe(change.write, KEY, scene, tools)
        await clock.sleep(SETTLED)
        taken_back = None
        if change.undo is not None:
            taken_back = await action.apply(change.undo, f"{KEY}/undo", _scene(params, run, clock), tools)
        return Played(change, applied, observed, taken_back, tuple(cluster.requests), before, cluster)

    return virtually(story)


def _scene(params: Any, run: Any, clock: VirtualClock) -> Seen:
    """The scene of the contract, at the present moment, with whatever endpoint the example names."""
    name = getattr(params, "endpoint", "hook")
    hook = Endpoint(name, "http://127.0.0.1:9000")
    return msgspec.structs.replace(seen(run=run), now=clock.now(), target=run.target, endpoints={name: hook})


def resources(action: Action) -> Resources:
    """What the example may refer to."""
    name = getattr(concrete(action), "endpoint", "hook")
    return Resources(endpoints={name: Endpoint(name, "http://127.0.0.1:9000")}, windows={})
