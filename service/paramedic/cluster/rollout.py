"""How far a workload's rollout is, out of its raw JSON alone. Checks verify with it, actions refuse with it.

The rules are kubectl's (`rollout status`), with what they miss: a StatefulSet's readiness counts its old pods too, so
its revisions are compared here; and a finished Deployment stays "progressed" in its conditions when its pods die later.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from paramedic.cluster.port import MANAGER, Json

__all__ = ["Progress", "condition", "progress", "rolling", "strategy_of", "wanted_of"]

_FINISHED = "NewReplicaSetAvailable"
_STALLED = "ProgressDeadlineExceeded"
_UNSEEN = "its controller has not seen the last change yet"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a rollout stands. `ready` counts pods that are available, `updated` those of the newest template."""

    state: Literal["complete", "progressing", "failed"]
    reason: str
    ready: int
    wanted: int
    updated: int


def progress(workload: Json) -> Progress:
    """Where the rollout of a Deployment, StatefulSet or DaemonSet stands.

    `complete` means that all pods wanted are of the newest template and available. `failed` is final: the Deployment's
    own deadline for progress has passed. The other two kinds have no such deadline, and never fail by themselves.
    """
    ready, wanted, updated = _counts(workload)
    if _unseen(workload):
        return Progress("progressing", _UNSEEN, ready, wanted, updated)
    if stalled := _stalled(workload):
        return Progress("failed", stalled, ready, wanted, updated)
    reason = _unfinished(workload, ready, wanted, updated)
    if reason:
        return Progress("progressing", reason, ready, wanted, updated)
    return Progress(
        "complete", f"{ready} of {wanted} pods available, all of the newest template", ready, wanted, updated
    )


def rolling(workload: Json) -> str:
    """Why a new rollout would meet one that is under way or has stalled; empty where the workload is at rest.

    Pods that died after their rollout had finished do not count: they are what a remedy is for.
    """
    if _unseen(workload):
        return _UNSEEN
    if stalled := _stalled(workload):
        return stalled
    ready, wanted, updated = _counts(workload)
    if workload["kind"] != "Deployment":
        return _replacing(workload, wanted, updated)
    _, reason = condition(workload, "Progressing")
    if reason == _FINISHED and _status(workload, "replicas") <= updated:
        return ""
    if reason or _status(workload, "replicas") > updated or updated < wanted:
        return f"a rollout is under way: {updated} of {wanted} pods updated, {ready} available"
    return ""


def wanted_of(workload: Json) -> int:
    """How many pods are wanted: the replicas, or for a DaemonSet one for each node that it counts."""
    if workload["kind"] == "DaemonSet":
        return _status(workload, "desiredNumberScheduled")
    replicas = workload["spec"].get("replicas", 1)  # the API fills in 1
    return int(replicas)


def strategy_of(workload: Json) -> tuple[str, Mapping[str, Any]]:
    """The update strategy's type (RollingUpdate, Recreate, OnDelete) and its rolling parameters."""
    field = "strategy" if workload["kind"] == "Deployment" else "updateStrategy"
    strategy = workload["spec"].get(field) or {}
    return strategy.get("type", "RollingUpdate"), strategy.get("rollingUpdate") or {}


def condition(workload: Json, kind: str) -> tuple[str, str]:
    """A condition's status and reason; both empty where there is none of this type."""
    for one in (workload.get("status") or {}).get("conditions") or ():
        if one.get("type") == kind:
            return one.get("status", ""), one.get("reason", "")
    return "", ""


def _counts(workload: Json) -> tuple[int, int, int]:
    """Pods available, wanted, and of the newest template."""
    wanted = wanted_of(workload)
    if workload["kind"] == "DaemonSet":
        return _status(workload, "numberAvailable"), wanted, _status(workload, "updatedNumberScheduled")
    ready = _status(workload, "availableReplicas")
    if workload["kind"] == "StatefulSet":
        # Servers before 1.22 do not know the field; readiness is the most that they tell.
        known = "availableReplicas" in (workload.get("status") or {})
        ready = ready if known else _status(workload, "readyReplicas")
    return ready, wanted, _status(workload, "updatedReplicas")


def _unseen(workload: Json) -> bool:
    generation = workload["metadata"].get("generation", 0)
    observed = _status(workload, "observedGeneration")
    return bool(observed < generation or (workload["kind"] == "StatefulSet" and observed == 0))


def _stalled(workload: Json) -> str:
    if workload["kind"] != "Deployment" or condition(workload, "Progressing")[1] != _STALLED or _outdated(workload):
        return ""
    ready, wanted, updated = _counts(workload)
    deadline = workload["spec"].get("progressDeadlineSeconds", 600)
    missing = _status(workload, "unavailableReplicas")
    counts = f"{updated} of {wanted} pods updated, {ready} available" + (f", {missing} not" if missing else "")
    return f"its rollout made no progress for {deadline}s: {counts}"


def _outdated(workload: Json) -> bool:
    """Whether the stall is of a rollout before our last write: its controller keeps saying so until something moves."""
    conditions = (workload.get("status") or {}).get("conditions") or ()
    stalled_at = max(str(one.get("lastUpdateTime", "")) for one in conditions if one.get("type") == "Progressing")
    ours = (entry for entry in workload["metadata"].get("managedFields") or () if entry.get("manager") == MANAGER)
    written_at = max((str(entry.get("time", "")) for entry in ours), default="")
    return bool(stalled_at) and stalled_at <= written_at


def _unfinished(workload: Json, ready: int, wanted: int, updated: int) -> str:
    """Why the rollout is not complete; empty if it is."""
    if workload["kind"] == "Deployment":
        if updated < wanted:
            held = ", and it is paused" if workload["spec"].get("paused") else ""
            return f"{updated} of {wanted} pods updated{held}{_no_pods(workload)}"
        if (old := _status(workload, "replicas") - updated) > 0:
            return f"{old} old pod{'' if old == 1 else 's'} still to end"
    elif reason := _replacing(workload, wanted, updated):
        return reason
    if ready < max(wanted, updated):
        return f"{ready} of {max(wanted, updated)} pods available"
    status, why = condition(workload, "Available")
    return f"not available: {why or 'no reason given'}" if status == "False" else ""


def _replacing(workload: Json, wanted: int, updated: int) -> str:
    """Why pods of a StatefulSet or DaemonSet are still to be replaced; empty if none is."""
    kind, rolling_update = strategy_of(workload)
    by_hand = "; OnDelete replaces a pod only when somebody deletes it" if kind == "OnDelete" else ""
    partition = int(rolling_update.get("partition") or 0)
    due = max(0, wanted - partition)
    if updated < due:
        kept = f" ({partition} are kept by the partition)" if partition else ""
        return f"{updated} of {due} pods updated{kept}{by_hand}"
    status = workload.get("status") or {}
    # With all pods counted as updated, the controller still waits for the last of them until it says so here.
    if not partition and status.get("updateRevision", "") != status.get("currentRevision", ""):
        return f"revision {status.get('updateRevision')} is not yet the one in use{by_hand}"
    return ""


def _no_pods(workload: Json) -> str:
    status, why = condition(workload, "ReplicaFailure")
    return f"; pods cannot be made: {why or 'no reason given'}" if status == "True" else ""


def _status(workload: Json, field: str) -> int:
    """A count of the status; what is absent is nothing (the API leaves out zeros)."""
    return int((workload.get("status") or {}).get(field) or 0)
