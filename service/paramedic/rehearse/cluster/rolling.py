"""The arithmetic of a Deployment's rollout: how many pods may be more, how many fewer, whose turn it is. Pure.

Sources: pkg/controller/deployment/util/deployment_util.go (MaxSurge, NewRSNewReplicas, GetReplicaSetProportion),
pkg/controller/deployment/rolling.go (reconcileOldReplicaSets). `deployments` calls it.
"""

from collections.abc import Sequence
from math import ceil, floor
from typing import Final

from paramedic.cluster.port import Json

__all__ = [
    "DESIRED",
    "MOST",
    "annotated",
    "available_of",
    "max_surge",
    "max_unavailable",
    "new_replicas",
    "old_after_cleanup",
    "old_after_scaling",
    "proportions",
    "replicas_of",
]

DESIRED: Final = "deployment.kubernetes.io/desired-replicas"
MOST: Final = "deployment.kubernetes.io/max-replicas"


def annotated(found: Json, key: str) -> int:
    """A number in an annotation; 0 where there is none."""
    value = (found["metadata"].get("annotations") or {}).get(key, "")
    return int(value) if value.isdecimal() else 0


def replicas_of(sets: Sequence[Json]) -> int:
    """How many pods these ReplicaSets are to have."""
    return sum(one["spec"]["replicas"] for one in sets)


def available_of(sets: Sequence[Json]) -> int:
    """How many of their pods are available."""
    return sum((one.get("status") or {}).get("availableReplicas", 0) for one in sets)


def _part(value: int | str, whole: int, *, up: bool) -> int:
    if isinstance(value, int):
        return value
    part = int(value.removesuffix("%")) * whole / 100
    return ceil(part) if up else floor(part)


def max_surge(deployment: Json) -> int:
    """How many pods there may be beyond the desired ones."""
    rolling = deployment["spec"]["strategy"].get("rollingUpdate")
    return _part(rolling["maxSurge"], deployment["spec"]["replicas"], up=True) if rolling else 0


def max_unavailable(deployment: Json) -> int:
    """How many of the desired pods may be missing; at least one where none may be more."""
    replicas: int = deployment["spec"]["replicas"]
    rolling = deployment["spec"]["strategy"].get("rollingUpdate")
    if not rolling or not replicas:
        return 0
    fewer = _part(rolling["maxUnavailable"], replicas, up=False)
    return min(replicas, fewer or (0 if max_surge(deployment) else 1))


def new_replicas(deployment: Json, sets: Sequence[Json], current: int) -> int:
    """How many pods the new ReplicaSet may have now, of which it has `current`; `sets` are all."""
    desired = deployment["spec"]["replicas"]
    if deployment["spec"]["strategy"]["type"] == "Recreate":
        return int(desired)
    room = desired + max_surge(deployment) - replicas_of(sets)
    return current if room <= 0 else int(current + min(room, desired - current))


def _may_go(deployment: Json, new: Json, old: Sequence[Json]) -> int:
    least = deployment["spec"]["replicas"] - max_unavailable(deployment)
    unavailable = new["spec"]["replicas"] - available_of([new])
    return int(replicas_of([new, *old]) - least - unavailable)


def old_after_cleanup(deployment: Json, new: Json, old: Sequence[Json]) -> dict[str, int]:
    """New sizes of old ReplicaSets whose pods are not available anyway: they go first, by name."""
    most, gone = _may_go(deployment, new, old), 0
    sizes = {}
    for one in sorted(old, key=lambda each: each["metadata"]["creationTimestamp"]):
        broken = one["spec"]["replicas"] - available_of([one])
        if gone < most and broken > 0:
            fewer = min(most - gone, broken)
            sizes[one["metadata"]["name"]] = one["spec"]["replicas"] - fewer
            gone += fewer
    return sizes if most > 0 else {}


def old_after_scaling(deployment: Json, new: Json, old: Sequence[Json], before: Sequence[Json]) -> dict[str, int]:
    """New sizes of old ReplicaSets, so that enough pods stay available, by name; `before`: as they were at first."""
    if _may_go(deployment, new, before) <= 0:
        return {}
    least = deployment["spec"]["replicas"] - max_unavailable(deployment)
    spare = available_of([new, *old]) - least
    sizes = {}
    for one in sorted(old, key=lambda each: each["metadata"]["creationTimestamp"]):
        fewer = min(one["spec"]["replicas"], spare)
        if fewer > 0:
            sizes[one["metadata"]["name"]] = one["spec"]["replicas"] - fewer
            spare -= fewer
    return sizes


def proportions(deployment: Json, sets: Sequence[Json]) -> dict[str, int]:
    """New sizes of the active ReplicaSets of a Deployment that was scaled in the middle of a rollout, by name."""
    desired = deployment["spec"]["replicas"]
    allowed = desired + max_surge(deployment) if desired else 0
    adding = allowed - replicas_of(sets)
    if not adding or not sets:
        return {one["metadata"]["name"]: one["spec"]["replicas"] for one in sets}
    newer = sorted(sets, key=lambda one: one["metadata"]["creationTimestamp"], reverse=adding > 0)
    ordered = sorted(newer, key=lambda one: -one["spec"]["replicas"])
    sizes, added = {}, 0
    for one in ordered:
        share = _share(deployment, one, adding - added, adding)
        sizes[one["metadata"]["name"]] = one["spec"]["replicas"] + share
        added += share
    first = ordered[0]["metadata"]["name"]
    sizes[first] = max(0, sizes[first] + adding - added)
    return sizes


def _share(deployment: Json, one: Json, left: int, adding: int) -> int:
    own, desired = one["spec"]["replicas"], deployment["spec"]["replicas"]
    if not own or not left:
        return 0
    if not desired:
        fraction = -own
    else:
        before = annotated(one, MOST) or (deployment.get("status") or {}).get("replicas", 0) or desired
        fraction = floor(own * (desired + max_surge(deployment)) / before + 0.5) - own
    return int(min(fraction, left) if adding > 0 else max(fraction, left))
