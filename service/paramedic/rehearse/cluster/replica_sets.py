"""Keeps as many pods as a ReplicaSet says, and makes pods for StatefulSets and DaemonSets too. The cluster calls it.

Sources: pkg/controller/replicaset/replica_set.go, pkg/controller/controller_utils.go (ActivePodsWithRanks).
"""

from typing import Any, Final

from paramedic.cluster.port import Json
from paramedic.cluster.resources import PODS, REPLICA_SETS, Resource
from paramedic.errors import Permanent
from paramedic.rehearse.cluster.pods import is_active, is_available, is_ready, ready_since
from paramedic.rehearse.cluster.site import Site, labels_of, pod_name
from paramedic.rehearse.cluster.storage import owner_reference

__all__ = ["CONTROLLER", "Patience", "ReplicaSets", "made_pod"]

CONTROLLER: Final = "kube-controller-manager"
_RETRY: Final = 10.0
_RETRY_MOST: Final = 300.0
"""Seconds until a pod that could not be created is tried again: each time twice as long."""


class Patience:
    """How long a controller waits after pods could not be created."""

    def __init__(self, site: Site, resource: Resource) -> None:
        self._site, self._resource = site, resource
        self._waits: dict[str, tuple[float, float, str]] = {}

    def waits(self, found: Json) -> str:
        """Why the next pod of this object must wait; empty if it need not."""
        _, until, why = self._waits.get(found["metadata"]["uid"], (0.0, 0.0, ""))
        return why if self._site.clockwork.time < until else ""

    def failed(self, found: Json, why: str) -> None:
        """A pod was refused: look again later."""
        before, _, _ = self._waits.get(found["metadata"]["uid"], (_RETRY / 2, 0.0, ""))
        wait = min(before * 2, _RETRY_MOST)
        self._waits[found["metadata"]["uid"]] = wait, self._site.clockwork.time + wait, why
        self._site.again(self._resource, found, wait)

    def succeeded(self, found: Json) -> None:
        """A pod was made."""
        self._waits.pop(found["metadata"]["uid"], None)


class ReplicaSets:
    """The controller of ReplicaSets."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._patience = Patience(site, REPLICA_SETS)

    def reconcile(self, found: Json) -> None:
        """Bring pods and status to what the ReplicaSet says."""
        pods = [one for one in self._site.storage.owned(PODS, found) if is_active(one)]
        failure = self._manage(found, pods) if "deletionTimestamp" not in found["metadata"] else ""
        self._status(found, pods, failure)

    def _manage(self, found: Json, pods: list[Json]) -> str:
        missing = found["spec"]["replicas"] - len(pods)
        if missing > 0 and (why := self._patience.waits(found)):
            return why
        for _ in range(missing):
            try:
                name = pod_name(found["metadata"]["name"], self._site.storage.number())
                made_pod(self._site, found, found["spec"]["template"], name, labels_of(found["spec"]["template"]))
            except Permanent as error:
                self._site.tell(
                    found, "FailedCreate", f"Error creating: {error}", "replicaset-controller", warning=True
                )
                self._patience.failed(found, str(error))
                return str(error)
            self._patience.succeeded(found)
            self._site.tell(found, "SuccessfulCreate", f"Created pod: {name}", "replicaset-controller")
        for pod in sorted(pods, key=_rank)[: max(0, -missing)]:
            metadata = pod["metadata"]
            self._site.server.delete(PODS, metadata["namespace"], metadata["name"], metadata["uid"], None)
            self._site.tell(found, "SuccessfulDelete", f"Deleted pod: {metadata['name']}", "replicaset-controller")
        return ""

    def _status(self, found: Json, pods: list[Json], failure: str) -> None:
        least = float(found["spec"].get("minReadySeconds") or 0)
        available = [one for one in pods if is_available(self._site, one, least)]
        ready = [one for one in pods if is_ready(one)]
        if len(ready) > len(available):
            self._site.again(REPLICA_SETS, found, least)
        status: dict[str, Any] = {
            "replicas": len(pods),
            "observedGeneration": found["metadata"]["generation"],
            "fullyLabeledReplicas": len(pods),
            "readyReplicas": len(ready),
            "availableReplicas": len(available),
        }
        status = {key: value for key, value in status.items() if value or key in ("replicas", "observedGeneration")}
        if failure:
            before = ((found.get("status") or {}).get("conditions") or [{}])[0]
            status["conditions"] = [
                {
                    "type": "ReplicaFailure",
                    "status": "True",
                    "reason": "FailedCreate",
                    "message": failure,
                    "lastTransitionTime": before.get("lastTransitionTime") or self._site.clockwork.stamp(),
                }
            ]
        self._site.server.set_status(REPLICA_SETS, found, status)


def _rank(pod: Json) -> tuple[bool, bool, bool, int, tuple[int, ...]]:
    """Which pod goes first: one without a node, one that waits, one that is not ready, then the younger one."""
    running = (pod.get("status") or {}).get("phase") == "Running"
    restarts = sum(one["restartCount"] for one in (pod.get("status") or {}).get("containerStatuses") or ())
    age = tuple(-ord(letter) for letter in ready_since(pod) + pod["metadata"]["uid"])
    return bool(pod["spec"].get("nodeName")), running, is_ready(pod), -restarts, age


def made_pod(site: Site, owner: Json, template: Json, name: str, labels: Any, **spec: Any) -> Json:
    """Create a pod of a template for its controller. Raises `Permanent` where a quota or the server says no."""
    metadata = {key: value for key, value in (template.get("metadata") or {}).items() if key in ("annotations",)}
    body = {
        "metadata": metadata
        | {
            "name": name,
            "generateName": name.rpartition("-")[0] + "-",
            "labels": dict(labels),
            "ownerReferences": [owner_reference(owner)],
        },
        "spec": {**template["spec"], **spec},
        "status": {"phase": "Pending", "qosClass": "Burstable" if _asks(template) else "BestEffort"},
    }
    return site.server.create(PODS, owner["metadata"]["namespace"], body, CONTROLLER, status=True)


def _asks(template: Json) -> bool:
    return any((one.get("resources") or {}) for one in template["spec"]["containers"])
