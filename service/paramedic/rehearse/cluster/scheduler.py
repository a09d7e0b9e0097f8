"""Finds pods a node: the one with the fewest pods that has room. Who finds none waits until something changes.

The cluster tells it of new pods and of changes; a pod that is bound to a node is the kubelet's.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from paramedic.cluster.port import Json
from paramedic.cluster.resources import NODES, PODS
from paramedic.rehearse.cluster.pods import with_condition
from paramedic.rehearse.cluster.quantities import amount, asked_by
from paramedic.rehearse.cluster.site import Site, condition

__all__ = ["Scheduler", "takes_pods"]

_NAME: Final = "default-scheduler"


class Scheduler:
    """Binds pods to nodes."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._waiting: dict[str, Json] = {}

    def later(self, pod: Json) -> None:
        """Look for a node for this pod, soon."""
        self._site.later(PODS, pod, self._site.speeds.schedules, self._schedule)

    def retry(self) -> None:
        """Something changed: pods that wait for room are tried again."""
        waiting, self._waiting = self._waiting, {}
        for pod in waiting.values():
            self.later(pod)

    def _schedule(self, pod: Json) -> None:
        if pod["spec"].get("nodeName"):
            return
        site, now = self._site, self._site.clockwork.stamp()
        node, why = self._node_for(pod)
        if node is None:
            self._waiting[pod["metadata"]["uid"]] = pod
            status = with_condition(pod, "PodScheduled", False, now, "Unschedulable", why)
            site.server.set_status(PODS, pod, status)
            site.tell(pod, "FailedScheduling", why, _NAME, warning=True)
            return
        bound = site.storage.draft(pod)
        bound["spec"]["nodeName"] = node["metadata"]["name"]
        bound["status"] = with_condition(pod, "PodScheduled", True, now)
        name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        site.storage.save(PODS, bound)
        site.tell(pod, "Scheduled", f"Successfully assigned {name} to {node['metadata']['name']}", _NAME)

    def _node_for(self, pod: Json) -> tuple[Json | None, str]:
        nodes = self._site.storage.all(NODES)
        if self._site.behaviour_of(pod).pending:
            return None, _why(len(nodes), {"Insufficient cpu": len(nodes)})
        placed: dict[str, list[Json]] = {node["metadata"]["name"]: [] for node in nodes}
        for other in self._site.storage.all(PODS):
            placed.setdefault(other["spec"].get("nodeName", ""), []).append(other)
        reasons: dict[str, int] = {}
        fitting = []
        for node in nodes:
            reason = _unfit(node, pod, placed[node["metadata"]["name"]])
            if reason:
                reasons[reason] = reasons.get(reason, 0) + 1
            else:
                fitting.append(node)
        best = min(fitting, key=lambda one: len(placed[one["metadata"]["name"]]), default=None)
        return best, _why(len(nodes), reasons)


def takes_pods(node: Json) -> bool:
    """Whether a node is ready and takes new pods."""
    ready = condition(node, "Ready")
    return (ready is None or ready["status"] == "True") and not node["spec"].get("unschedulable")


def _unfit(node: Json, pod: Json, placed: Sequence[Json]) -> str:
    if node["spec"].get("unschedulable"):
        return "node(s) were unschedulable"
    if not takes_pods(node):
        return "node(s) had untolerated taint {node.kubernetes.io/not-ready: }"
    wanted = pod["spec"].get("nodeSelector") or {}
    labels = node["metadata"].get("labels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return "node(s) didn't match Pod's node affinity/selector"
    room = (node.get("status") or {}).get("allocatable") or {}
    for name, asked in asked_by(pod).items():
        if name in room:
            used = sum((asked_by(other).get(name, Decimal(0)) for other in placed), Decimal(0))
            if used + asked > amount(room[name]):
                return "Too many pods" if name == "pods" else f"Insufficient {name}"
    return ""


def _why(count: int, reasons: dict[str, int]) -> str:
    if not count:
        return "no nodes available to schedule pods"
    told = ", ".join(f"{number} {reason}" for reason, number in sorted(reasons.items()))
    return f"0/{count} nodes are available: {told}."
