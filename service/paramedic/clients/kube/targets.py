"""From a target as an alert names it to the workload behind it, so that one thing has one name wherever it is claimed.

The engine asks before a run on a cluster is judged. A pod, its ReplicaSet, its autoscaler and its Service are all the
Deployment; a pod that is gone is found by its name. What nobody of ours owns is refused with the reason.
"""

from typing import Final

from paramedic.cluster.names import Target, checked_name
from paramedic.cluster.owners import Owner, controller_of, makers_of, matching, scaled_by, sends_to
from paramedic.cluster.port import Json, Kube
from paramedic.cluster.resources import HPAS, PODS, REPLICA_SETS, SERVICES, WORKLOADS, Resource
from paramedic.errors import Missing, Refused

__all__ = ["PERMISSIONS", "resolve"]

PERMISSIONS: Final = (
    *(f"get {kind.permission}" for kind in (*WORKLOADS, REPLICA_SETS, PODS, SERVICES, HPAS)),
    *(f"list {kind.permission}" for kind in WORKLOADS),
)
"""What finding a target may have to read, as plug-ins declare permissions."""

_FRESH: Final = 1.0
"""Seconds that an answer may be old: fifty incidents on one workload read it once."""

_DEEPEST: Final = 4
"""Owners above a target at most: a pod has two, and what has more is going round in circles."""


async def resolve(kube: Kube, target: Target) -> Target:
    """The topmost workload of ours (Deployment, StatefulSet, DaemonSet) that `target` belongs to; it exists.

    Raises `Refused` where there is none or more than one, `Missing` for what does not exist, and what the port raises.
    """
    if kube.clusters and target.cluster not in kube.clusters:
        raise Refused(f"target: there is no cluster {target.cluster!a}; known: {', '.join(kube.clusters)}")
    match target.resource:
        case resource if resource is HPAS:
            owner = scaled_by(await _read(kube, target))
            return await _top(kube, target, _at(target, owner, "scales"), owner.uid)
        case resource if resource is SERVICES:
            return await _behind(kube, target, await _read(kube, target))
        case resource if resource is PODS:
            return await _of_pod(kube, target)
        case _:
            return await _top(kube, target, target)


async def _top(kube: Kube, target: Target, at: Target, uid: str = "") -> Target:
    """Climb from one of ours as long as its controller is one of ours too."""
    top: Target | None = None
    owner: Owner | None = None
    for _ in range(_DEEPEST):
        found = await _read(kube, at, uid)
        top = at if at.resource in WORKLOADS else top
        owner = controller_of(found)
        if owner is None or owner.resource is None:
            break
        at, uid = _at(at, owner, "is owned by"), owner.uid
    else:
        raise Refused(f"target: {target.short} has more than {_DEEPEST} owners above it")
    if top is None:
        by = f"is owned by {owner}, which is not a kind that can be treated" if owner else "is owned by nothing"
        raise Refused(f"target: {at.short} {by}")
    return top


async def _of_pod(kube: Kube, target: Target) -> Target:
    try:
        found = await _read(kube, target)
    except Missing:
        return await _of_gone_pod(kube, target)
    owner = controller_of(found)
    if owner is None:
        raise Refused(f"target: {target.short} is owned by nothing, so nothing would make it anew")
    return await _top(kube, target, _at(target, owner, "is owned by"), owner.uid)


async def _of_gone_pod(kube: Kube, target: Target) -> Target:
    """Whoever is known to make pods of such a name."""
    tops: dict[Target, None] = {}
    for resource, name in makers_of(target.name):
        try:
            tops[await _top(kube, target, _beside(target, resource, name))] = None
        except Missing:
            continue
    if not tops:
        raise Missing(f"target: there is no {target.short}, and nothing that makes pods of such a name")
    if len(tops) > 1:
        raise Refused(f"target: there is no {target.short} any more, and it may have been of {_listed(tops)}")
    return next(iter(tops))


async def _behind(kube: Kube, target: Target, service: Json) -> Target:
    """The one workload whose pods a Service sends to."""
    selector = sends_to(service)
    if not selector:
        raise Refused(f"target: {target.short} has no selector, so that it stands for no workload")
    found: dict[Target, None] = {}
    for resource in WORKLOADS:
        workloads = await kube.list(target.place.beside(resource), max_age=_FRESH)
        for one in matching(selector, workloads):
            found[await _top(kube, target, _beside(target, resource, str(one["metadata"]["name"])))] = None
    if len(found) != 1:
        stands = f"stands for {_listed(found)}: name one of them" if found else "chooses the pods of no workload"
        raise Refused(f"target: {target.short} {stands}")
    return next(iter(found))


async def _read(kube: Kube, at: Target, uid: str = "") -> Json:
    """The object; `Missing` where there is none, or another one (not `uid`) under its name."""
    try:
        found = await kube.get(at.place, max_age=_FRESH)
    except Missing as error:
        raise Missing(f"target: there is no {at.short} on {at.cluster}") from error
    if uid and found["metadata"]["uid"] != uid:
        raise Missing(f"target: there is another {at.short} by now than the one that was pointed at")
    return found


def _at(beside: Target, owner: Owner, how: str) -> Target:
    if owner.resource is None:
        kind = str(owner).strip() or "nothing"
        raise Refused(f"target: {beside.short} {how} {kind}, which is not a kind that can be treated")
    return _beside(beside, owner.resource, owner.name)


def _beside(target: Target, resource: Resource, name: str) -> Target:
    return Target(target.cluster, target.namespace, resource, checked_name(name))


def _listed(found: dict[Target, None]) -> str:
    return ", ".join(sorted(one.short for one in found))
