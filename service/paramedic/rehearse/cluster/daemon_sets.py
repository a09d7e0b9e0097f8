"""Keeps a pod of a DaemonSet on every node, and replaces them when its template changes. The cluster calls it.

Sources: pkg/controller/daemon/{daemon_controller,update}.go. A node that takes no new pods keeps the one that it has.
"""

from typing import Any, Final

from paramedic.cluster.port import Json
from paramedic.cluster.resources import DAEMON_SETS, NODES, PODS
from paramedic.errors import Permanent
from paramedic.rehearse.cluster.histories import HASH, present_revision, template_at, trim
from paramedic.rehearse.cluster.pods import is_active, is_available, is_ready
from paramedic.rehearse.cluster.replica_sets import Patience, made_pod
from paramedic.rehearse.cluster.site import Site, labels_of, pod_name

__all__ = ["DaemonSets"]

_NAME: Final = "daemonset-controller"


class DaemonSets:
    """The controller of DaemonSets."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._patience = Patience(site, DAEMON_SETS)

    def reconcile(self, found: Json) -> None:
        """Bring pods and status to what the DaemonSet says."""
        revision = present_revision(self._site, found)
        digest = labels_of(revision)[HASH]
        by_node = self._by_node(found)
        for node, pods in by_node.items():
            if not pods and not self._patience.waits(found):
                self._make(found, node, revision, digest)
        if found["spec"]["updateStrategy"]["type"] == "RollingUpdate":
            self._update(found, by_node, digest)
        self._status(found, digest)
        trim(self._site, found, [revision["metadata"]["name"]])

    def _by_node(self, found: Json) -> dict[str, list[Json]]:
        """The pods of each node that is to have one; pods that are ending count, so that no second one comes."""
        wanted = found["spec"]["template"]["spec"].get("nodeSelector") or {}
        nodes = [
            one["metadata"]["name"]
            for one in self._site.storage.all(NODES)
            if all(labels_of(one).get(key) == value for key, value in wanted.items())
        ]
        placed: dict[str, list[Json]] = {name: [] for name in nodes}
        for pod in self._site.storage.owned(PODS, found):
            placed.setdefault(pod["spec"].get("nodeName", ""), []).append(pod)
        return {name: placed[name] for name in nodes}

    def _make(self, found: Json, node: str, revision: Json, digest: str) -> None:
        name = pod_name(found["metadata"]["name"], self._site.storage.number())
        template = template_at(revision)
        labels = {
            **((template.get("metadata") or {}).get("labels") or {}),
            HASH: digest,
            "pod-template-generation": str(found["metadata"]["generation"]),
        }
        try:
            made_pod(self._site, found, template, name, labels, nodeName=node)
        except Permanent as error:
            self._site.tell(found, "FailedCreate", f"Error creating: {error}", _NAME, warning=True)
            self._patience.failed(found, str(error))
            return
        self._patience.succeeded(found)
        self._site.tell(found, "SuccessfulCreate", f"Created pod: {name}", _NAME)

    def _update(self, found: Json, by_node: dict[str, list[Json]], digest: str) -> None:
        """Old pods go, those that are not available first, as long as few enough are missing."""
        rolling = found["spec"]["updateStrategy"].get("rollingUpdate") or {}
        most = _part(rolling.get("maxUnavailable", 1), len(by_node))
        least = float(found["spec"].get("minReadySeconds") or 0)
        old, missing = [], 0
        for pods in by_node.values():
            active = [one for one in pods if is_active(one)]
            available = any(is_available(self._site, one, least) for one in active)
            missing += not available
            old += [(available, one) for one in active if labels_of(one).get(HASH) != digest]
        for available, pod in sorted(old, key=lambda one: one[0]):
            if available and missing >= most:
                return
            missing += available
            metadata = pod["metadata"]
            self._site.server.delete(PODS, metadata["namespace"], metadata["name"], metadata["uid"], None)
            self._site.tell(found, "SuccessfulDelete", f"Deleted pod: {metadata['name']}", _NAME)

    def _status(self, found: Json, digest: str) -> None:
        least = float(found["spec"].get("minReadySeconds") or 0)
        by_node = self._by_node(found)
        first = [next((one for one in pods if is_active(one)), None) for pods in by_node.values()]
        pods = [one for one in first if one is not None]
        ready = [one for one in pods if is_ready(one)]
        available = [one for one in pods if is_available(self._site, one, least)]
        if len(available) < len(ready):
            self._site.again(DAEMON_SETS, found, least)
        status: dict[str, Any] = {
            "currentNumberScheduled": len(pods),
            "numberMisscheduled": 0,
            "desiredNumberScheduled": len(by_node),
            "numberReady": len(ready),
            "observedGeneration": found["metadata"]["generation"],
            "updatedNumberScheduled": sum(labels_of(one).get(HASH) == digest for one in pods),
            "numberAvailable": len(available),
            "numberUnavailable": len(by_node) - len(available),
        }
        kept = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")
        status = {key: value for key, value in status.items() if value or key in kept}
        self._site.server.set_status(DAEMON_SETS, found, status)


def _part(value: int | str, whole: int) -> int:
    if isinstance(value, int):
        return max(1, value)
    return max(1, -(-int(value.removesuffix("%")) * whole // 100))
