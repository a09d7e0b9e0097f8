"""Who sets how many pods a workload has, and what speaks against more of them, out of raw JSON. `scale` asks.

An autoscaler sets the replicas of its workload again and again: there the number to change is the autoscaler's own.
"""

from collections.abc import Iterable

from paramedic.cluster.ownership import last_writer
from paramedic.cluster.port import MANAGER, Json
from paramedic.core.text import one_line

__all__ = ["keda_of", "only_ours", "set_by", "unschedulable"]

_KEDA = "scaledobject.keda.sh/name"


def keda_of(hpa: Json) -> str:
    """The ScaledObject that keeps this autoscaler as it is; empty if KEDA has nothing to do with it."""
    metadata = hpa["metadata"]
    for reference in metadata.get("ownerReferences") or ():
        if reference.get("kind") == "ScaledObject":
            return one_line(str(reference.get("name", "")), 80) or "unnamed"
    return one_line(str((metadata.get("labels") or {}).get(_KEDA, "")), 80)


def unschedulable(pods: Iterable[Json], *, of: str = "its pods") -> str:
    """Why more pods would only wait: some cannot be placed on any node already. Empty if none is."""
    stuck = [reason for pod in pods if (reason := _not_placed(pod))]
    if not stuck:
        return ""
    count = f"{len(stuck)} of {of} cannot" if len(stuck) > 1 else f"one of {of} cannot"
    return f"{count} be placed on any node, and more would wait as well: {stuck[0]}"


def set_by(thing: Json, field: str) -> str:
    """Who set `spec.FIELD` last, besides us: `kubectl-edit at 2026-05-12T09:15:02Z`. Empty if unknown.

    What was set through the `scale` subresource is recorded without a time.
    """
    others = _setters(thing, field)
    if not others:
        return last_writer(thing)
    latest = max(others, key=lambda entry: str(entry.get("time", "")))
    when = f" at {latest['time']}" if latest.get("time") else ""
    return one_line(f"{latest.get('manager') or 'somebody'}{when}", 120)


def only_ours(thing: Json, field: str) -> bool:
    """Whether nobody besides us is recorded to have set `spec.FIELD`."""
    return not _setters(thing, field)


def _setters(thing: Json, field: str) -> list[Json]:
    return [
        entry
        for entry in thing["metadata"].get("managedFields") or ()
        if f"f:{field}" in ((entry.get("fieldsV1") or {}).get("f:spec") or {}) and entry.get("manager") != MANAGER
    ]


def _not_placed(pod: Json) -> str:
    if pod["metadata"].get("deletionTimestamp"):
        return ""
    for condition in (pod.get("status") or {}).get("conditions") or ():
        found = (condition.get("type"), condition.get("status"), condition.get("reason"))
        if found == ("PodScheduled", "False", "Unschedulable"):
            return one_line(f"{pod['metadata']['name']}: {condition.get('message') or 'no reason given'}", 200)
    return ""
