"""Pods as the controllers look at them: whether one counts, is ready, is so for long enough; parts of its status."""

from typing import Any

from paramedic.cluster.port import Json
from paramedic.rehearse.cluster.site import Site, condition

__all__ = [
    "container_status",
    "is_active",
    "is_available",
    "is_ready",
    "pod_conditions",
    "ready_since",
    "with_condition",
]


def is_active(pod: Json) -> bool:
    """Whether a pod counts: it has not ended and is not being deleted."""
    return "deletionTimestamp" not in pod["metadata"] and _phase(pod) not in ("Succeeded", "Failed")


def _phase(pod: Json) -> str:
    return str((pod.get("status") or {}).get("phase", ""))


def is_ready(pod: Json) -> bool:
    """Whether a pod is ready."""
    ready = condition(pod, "Ready")
    return ready is not None and ready["status"] == "True"


def ready_since(pod: Json) -> str:
    """Since when a pod is ready, or is not."""
    return str((condition(pod, "Ready") or {}).get("lastTransitionTime", ""))


def is_available(site: Site, pod: Json, least: float) -> bool:
    """Whether a pod has been ready for at least so many seconds."""
    return is_ready(pod) and (not least or site.clockwork.since(ready_since(pod)) >= least)


def with_condition(pod: Json, name: str, holds: bool, now: str, reason: str = "", message: str = "") -> Json:
    """The pod's status with one condition set; its transition is now only if it was otherwise before."""
    status = dict(pod.get("status") or {})
    others = [one for one in status.get("conditions") or () if one["type"] != name]
    before = condition(pod, name)
    wanted = "True" if holds else "False"
    since = before["lastTransitionTime"] if before is not None and before["status"] == wanted else now
    one: dict[str, Any] = {"type": name, "status": wanted, "lastProbeTime": None, "lastTransitionTime": since}
    one |= {key: value for key, value in (("reason", reason), ("message", message)) if value}
    status["conditions"] = [*others, one]
    return status


def pod_conditions(pod: Json, ready: bool, now: str) -> Json:
    """The pod's status with the conditions of one that runs."""
    names = " ".join(one["name"] for one in pod["spec"]["containers"])
    why = () if ready else ("ContainersNotReady", f"containers with unready status: [{names}]")
    status = with_condition(pod, "Initialized", True, now)
    for name in ("Ready", "ContainersReady"):
        status = with_condition({**pod, "status": status}, name, ready, now, *why)
    # A pod that was made for its node (a DaemonSet's) was never looked at by the scheduler.
    return (
        status
        if condition(pod, "PodScheduled")
        else with_condition({**pod, "status": status}, "PodScheduled", True, now)
    )


def container_status(container: Json, ready: bool, restarts: int, state: Json, last: Json) -> Json:
    """One container's status."""
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": ready,
        "started": "running" in state,
        "restartCount": restarts,
        "state": state,
        "lastState": last,
    }
