"""What `restart` and `roll_back` share in their tests: a scene on a cluster, and what both refuse in the same words."""

from collections.abc import Mapping
from typing import Any

import msgspec

from paramedic.cluster.port import Json
from paramedic.core.model import Change, Run
from paramedic.plugin import Action, Applied, Seen, Tools
from tests.cluster.objects import daemon_set, deployment, metadata, noted, owned_by, stateful_set
from tests.cluster.shelf import Shelf
from tests.contract.plugin_scene import RUN, Wire, seen

KEY = "INC-12/1/1/1"

NO_WORKLOAD = "the target is not a Deployment, StatefulSet or DaemonSet, or is not there"
DELETED = "it is being deleted"
OPTED_OUT = "it opted out: its annotation paramedic/mode says off, or nothing that we know"
OWNED = "it is kept by somebody else: Argo CD, Flux, an operator"
NO_ROOM = "its annotations leave no room for ours"
PAUSED = "its rollouts are paused"
ON_DELETE = "its update strategy is OnDelete, or its partition keeps every pod"

Cases = Mapping[str, list[tuple[Json, str]]]

ALL_KEPT = {"type": "RollingUpdate", "rollingUpdate": {"partition": 3}}
BOTH_REFUSE: Cases = {
    DELETED: [(metadata(deployment(), deletionTimestamp="2026-05-12T09:00:00Z"), "being deleted since 2026")],
    OPTED_OUT: [
        (noted(deployment(), {"paramedic/mode": "off"}), "its annotation paramedic/mode says off"),
        (noted(deployment(), {"paramedic/mode": "none"}), "that counts as off"),
    ],
    OWNED: [
        (metadata(deployment(), labels={"argocd.argoproj.io/instance": "shop"}), r"kept by Argo CD \(shop\)"),
        (metadata(deployment(), labels={"kustomize.toolkit.fluxcd.io/name": "apps"}), r"kept by Flux \(apps\)"),
        (metadata(stateful_set(), ownerReferences=owned_by("u", "Prometheus", "main")), "kept by Prometheus/main"),
    ],
    NO_ROOM: [(noted(deployment(), {"notes": "x" * 262_144}), r"^metadata\.annotations: they have \d+ bytes")],
    PAUSED: [(deployment(paused=True), "its rollouts are paused")],
    ON_DELETE: [
        (stateful_set(updateStrategy={"type": "OnDelete"}), "OnDelete"),
        (daemon_set(updateStrategy={"type": "OnDelete"}), "OnDelete"),
        (stateful_set(updateStrategy=ALL_KEPT), "its partition of 3 keeps every pod"),
    ],
}

NO_WORKLOADS = {
    "main/shop/pod/api-1": "^target: pod/api-1.shop is a Pod",
    "main/shop/service/api": "^target: service/api.shop is a Service",
    "main/shop/redis/api": '^target: there is no kind "redis"',
    "main/shop/deployment/other": "deployment other in shop does not exist",
    "main/shop/deployment/../../secrets": "^target: ",
    "main/sh\u043ep/deployment/api": r"^target: the namespace 'sh\\u043ep' is not a name",
    "http://10.0.0.1/": "^target: ",
}


def at(found: Json, **run: Any) -> Seen:
    """The scene of a run whose target is this object."""
    target = f"main/shop/{found['kind'].lower()}/{found['metadata']['name']}"
    return seen(run=replace_run(target=target, **run))


def replace_run(**changes: Any) -> Run:
    """The scene's run with changes."""
    return msgspec.structs.replace(RUN, **changes)


def tools_of(kube: Shelf) -> Tools:
    """The ports of a plug-in with this cluster behind them; its time passes at once."""
    return Tools(http=Wire(), kube=kube, wait=kube.wait)


async def plan(action: Action, kube: Shelf, scene: Seen, **params: Any) -> Change:
    """What the action would write."""
    return await action.plan(action.Params.model_validate(params), scene, tools_of(kube))


async def apply(action: Action, kube: Shelf, scene: Seen, write: Json | None, key: str = KEY) -> Applied:
    """Write it."""
    assert write is not None
    return await action.apply(write, key, scene, tools_of(kube))


def elsewhere(scene: Seen, target: str) -> Seen:
    """The same scene about another target."""
    return msgspec.structs.replace(scene, target=target)
