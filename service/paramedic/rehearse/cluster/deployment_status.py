"""The status of a Deployment: its counts, and the conditions Available, Progressing and ReplicaFailure.

Sources: pkg/controller/deployment/{sync,progress}.go, util/deployment_util.go. `deployments` calls it after each step.
"""

from collections.abc import Sequence
from typing import Any, Final

from paramedic.cluster.port import Json
from paramedic.cluster.resources import DEPLOYMENTS
from paramedic.rehearse.cluster.rolling import available_of, max_unavailable, replicas_of
from paramedic.rehearse.cluster.site import Site, condition

__all__ = ["DeploymentStatus"]

_AVAILABLE: Final = "NewReplicaSetAvailable"
_TIMED_OUT: Final = "ProgressDeadlineExceeded"
_PAUSED: Final = "DeploymentPaused"


class DeploymentStatus:
    """Computes and stores the status of Deployments."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def note_pause(self, found: Json, *, paused: bool) -> Json:
        """Say in Progressing that the Deployment was paused or resumed, unless its deadline has passed already."""
        progressing = condition(found, "Progressing")
        reason = progressing["reason"] if progressing else ""
        if found["spec"].get("progressDeadlineSeconds") is None or reason == _TIMED_OUT:
            return found
        if paused and reason != _PAUSED:
            return self._progressing(found, "Unknown", _PAUSED, "Deployment is paused")
        if not paused and reason == _PAUSED:
            return self._progressing(found, "Unknown", "DeploymentResumed", "Deployment is resumed")
        return found

    def note_new(self, found: Json, reason: str, message: str) -> Json:
        """Say in Progressing that a rollout begins, where nothing is said of one."""
        before = condition(found, "Progressing")
        if found["spec"].get("progressDeadlineSeconds") is None:
            return found
        if before is not None and reason != "NewReplicaSetCreated":
            return found
        return self._progressing(found, "True", reason, message)

    def _progressing(self, found: Json, status: str, reason: str, message: str) -> Json:
        now = self._site.clockwork.stamp()
        conditions = _with(
            found, _condition("Progressing", status, reason, message, now, condition(found, "Progressing"))
        )
        return self._site.server.set_status(
            DEPLOYMENTS, found, {**(found.get("status") or {}), "conditions": conditions}
        )

    @staticmethod
    def is_complete(found: Json) -> bool:
        """Whether its stored status says that the rollout is over."""
        return _complete(found, found.get("status") or {})

    def store(self, found: Json, new: Json | None, sets: Sequence[Json], *, progress: bool) -> None:
        """Store the status as it is now. `progress`: judge the rollout's progress against its deadline too."""
        now = self._site.clockwork.stamp()
        status = _counts(found, new, sets)
        least = found["spec"]["replicas"] - max_unavailable(found)
        enough = status.get("availableReplicas", 0) >= least
        available = (
            ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
            if enough
            else ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
        )
        conditions = [_condition("Available", *available, now, condition(found, "Available"))]
        progressing = condition(found, "Progressing")
        if found["spec"].get("progressDeadlineSeconds") is None:
            progressing = None
        elif progress:
            progressing = self._progress(found, status, new, progressing)
        conditions += [progressing] if progressing else []
        conditions += _failure(sets, new, condition(found, "ReplicaFailure"), now)
        status["conditions"] = _ordered(found, conditions)
        after = self._site.server.set_status(DEPLOYMENTS, found, status)
        if progress and progressing is not None:
            self._watch_deadline(after, progressing)

    def _progress(self, found: Json, status: Json, new: Json | None, before: Json | None) -> Json | None:
        now, before_status = self._site.clockwork.stamp(), found.get("status") or {}
        name = f'ReplicaSet "{new["metadata"]["name"]}"' if new else f'Deployment "{found["metadata"]["name"]}"'
        settled = before is not None and before["reason"] == _AVAILABLE
        if settled and status.get("replicas", 0) == status.get("updatedReplicas", 0):
            return before
        if _complete(found, status):
            return _condition("Progressing", "True", _AVAILABLE, f"{name} has successfully progressed.", now, before)
        if _moved_on(found, before_status, status):
            moved = _condition("Progressing", "True", "ReplicaSetUpdated", f"{name} is progressing.", now, before)
            return {**moved, "lastUpdateTime": now}
        if before is not None and self._timed_out(found, before):
            return _condition("Progressing", "False", _TIMED_OUT, f"{name} has timed out progressing.", now, before)
        return before

    def _timed_out(self, found: Json, progressing: Json) -> bool:
        if progressing["reason"] in (_AVAILABLE, _TIMED_OUT):
            return bool(progressing["reason"] == _TIMED_OUT)
        waited = self._site.clockwork.since(progressing["lastUpdateTime"])
        return waited > float(found["spec"]["progressDeadlineSeconds"])

    def _watch_deadline(self, found: Json, progressing: Json) -> None:
        """Look again when the deadline has passed."""
        if progressing["reason"] in (_AVAILABLE, _TIMED_OUT, _PAUSED):
            return
        waited = self._site.clockwork.since(progressing["lastUpdateTime"])
        self._site.again(DEPLOYMENTS, found, float(found["spec"]["progressDeadlineSeconds"]) - waited + 1.0)


def _counts(found: Json, new: Json | None, sets: Sequence[Json]) -> dict[str, Any]:
    def total(key: str, of: Sequence[Json]) -> int:
        return sum((one.get("status") or {}).get(key, 0) for one in of)

    counts = {
        "observedGeneration": found["metadata"]["generation"],
        "replicas": total("replicas", sets),
        "updatedReplicas": total("replicas", [new] if new else []),
        "readyReplicas": total("readyReplicas", sets),
        "availableReplicas": available_of(sets),
        "unavailableReplicas": max(0, replicas_of(sets) - available_of(sets)),
    }
    return {key: value for key, value in counts.items() if value}


def _complete(found: Json, status: Json) -> bool:
    wanted = found["spec"]["replicas"]
    counts = [status.get(key, 0) for key in ("updatedReplicas", "replicas", "availableReplicas")]
    return (
        all(one == wanted for one in counts) and status.get("observedGeneration", 0) >= found["metadata"]["generation"]
    )


def _moved_on(found: Json, before: Json, now: Json) -> bool:
    def old(status: Json) -> int:
        return int(status.get("replicas", 0) - status.get("updatedReplicas", 0))

    more = any(
        now.get(key, 0) > before.get(key, 0) for key in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )
    return more or old(now) < old(before)


def _condition(name: str, status: str, reason: str, message: str, now: str, before: Json | None) -> Json:
    same = before is not None and (before["status"], before["reason"]) == (status, reason)
    if before is not None and same:
        return {**before, "message": message}
    since = before["lastTransitionTime"] if before is not None and before["status"] == status else now
    return {
        "type": name,
        "status": status,
        "lastUpdateTime": now,
        "lastTransitionTime": since,
        "reason": reason,
        "message": message,
    }


def _failure(sets: Sequence[Json], new: Json | None, before: Json | None, now: str) -> list[Json]:
    for one in [*([new] if new else []), *sets]:
        failed = condition(one, "ReplicaFailure")
        if failed is not None:
            return [_condition("ReplicaFailure", "True", failed["reason"], failed["message"], now, before)]
    return []


def _with(found: Json, one: Json) -> list[Json]:
    others = (found.get("status") or {}).get("conditions") or []
    return _ordered(found, [*(each for each in others if each["type"] != one["type"]), one])


def _ordered(found: Json, conditions: Sequence[Json]) -> list[Json]:
    """In the order in which they stood, new ones behind."""
    names = [one["type"] for one in (found.get("status") or {}).get("conditions") or ()]
    return sorted(conditions, key=lambda one: names.index(one["type"]) if one["type"] in names else len(names))
