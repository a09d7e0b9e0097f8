"""Brings up, updates and scales StatefulSets, one pod after the other. The cluster calls it for what changed.

Source: pkg/controller/statefulset/stateful_set_control.go (updateStatefulSet). Its trap is kept (kubernetes #67250):
under OrderedReady it waits for a pod that is not ready before it touches the next, also after the template was put
back. Such a pod is not replaced until somebody deletes it.
"""

from collections.abc import Sequence
from typing import Any, Final

from paramedic.cluster.port import Json
from paramedic.cluster.resources import PODS, STATEFUL_SETS
from paramedic.errors import Changed, Permanent
from paramedic.rehearse.cluster.histories import HASH, present_revision, revisions_of, template_at, trim
from paramedic.rehearse.cluster.pods import is_active, is_available, is_ready
from paramedic.rehearse.cluster.replica_sets import Patience, made_pod
from paramedic.rehearse.cluster.site import Site, labels_of

__all__ = ["StatefulSets"]

_NAME: Final = "statefulset-controller"


class StatefulSets:
    """The controller of StatefulSets."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._patience = Patience(site, STATEFUL_SETS)

    def reconcile(self, found: Json) -> None:
        """One step: at most one pod is made, replaced or deleted, unless the pods are managed in parallel."""
        update = present_revision(self._site, found)
        name = (found.get("status") or {}).get("currentRevision") or update["metadata"]["name"]
        current = next((one for one in revisions_of(self._site, found) if one["metadata"]["name"] == name), update)
        self._advance(found, current, update)
        self._status(found, current, update)

    def _pods(self, found: Json) -> dict[int, Json]:
        return {ordinal: pod for pod in self._site.storage.owned(PODS, found) if (ordinal := _ordinal(pod)) is not None}

    def _advance(self, found: Json, current: Json, update: Json) -> None:
        pods, wanted = self._pods(found), found["spec"]["replicas"]
        ordered = found["spec"]["podManagementPolicy"] == "OrderedReady"
        for ordinal in range(wanted):
            pod = pods.get(ordinal)
            if pod is None:
                if not self._make(found, ordinal, self._revision_for(found, ordinal, current, update)) or ordered:
                    return
            elif ordered and not self._settled(found, pod):
                return
        for ordinal in sorted((each for each in pods if each >= wanted), reverse=True):
            pod = pods[ordinal]
            if is_active(pod):
                self._delete(found, pod)
            if ordered:
                return
        if found["spec"]["updateStrategy"]["type"] == "RollingUpdate":
            self._update(found, update, pods)

    def _settled(self, found: Json, pod: Json) -> bool:
        least = float(found["spec"].get("minReadySeconds") or 0)
        if is_active(pod) and is_ready(pod) and not is_available(self._site, pod, least):
            self._site.again(STATEFUL_SETS, found, least)
        return is_active(pod) and is_available(self._site, pod, least)

    @staticmethod
    def _revision_for(found: Json, ordinal: int, current: Json, update: Json) -> Json:
        strategy = found["spec"]["updateStrategy"]
        partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
        return current if strategy["type"] == "RollingUpdate" and ordinal < partition else update

    def _update(self, found: Json, update: Json, pods: dict[int, Json]) -> None:
        """From the highest ordinal down to the partition: the first pod of an old revision goes, and is waited for."""
        partition = (found["spec"]["updateStrategy"].get("rollingUpdate") or {}).get("partition", 0)
        for ordinal in sorted(pods, reverse=True):
            pod = pods[ordinal]
            if ordinal < partition:
                return
            if labels_of(pod).get(HASH) != update["metadata"]["name"] and is_active(pod):
                self._delete(found, pod)
                return
            if not self._settled(found, pod):
                return

    def _make(self, found: Json, ordinal: int, revision: Json) -> bool:
        if self._patience.waits(found):
            return False
        name = f"{found['metadata']['name']}-{ordinal}"
        template = template_at(revision)
        labels = {
            **((template.get("metadata") or {}).get("labels") or {}),
            "apps.kubernetes.io/pod-index": str(ordinal),
            HASH: revision["metadata"]["name"],
            "statefulset.kubernetes.io/pod-name": name,
        }
        spec: dict[str, Any] = {"hostname": name, "subdomain": found["spec"].get("serviceName", "")}
        try:
            made_pod(self._site, found, template, name, labels, **spec)
        except Changed:
            return False  # a pod of that name that is not ours, or the old one that is still ending
        except Permanent as error:
            said = f"create Pod {name} in StatefulSet {found['metadata']['name']} failed error: {error}"
            self._site.tell(found, "FailedCreate", said, _NAME, warning=True)
            self._patience.failed(found, said)
            return False
        self._patience.succeeded(found)
        said = f"create Pod {name} in StatefulSet {found['metadata']['name']} successful"
        self._site.tell(found, "SuccessfulCreate", said, _NAME)
        return True

    def _delete(self, found: Json, pod: Json) -> None:
        metadata = pod["metadata"]
        self._site.server.delete(PODS, metadata["namespace"], metadata["name"], metadata["uid"], None)
        said = f"delete Pod {metadata['name']} in StatefulSet {found['metadata']['name']} successful"
        self._site.tell(found, "SuccessfulDelete", said, _NAME)

    def _status(self, found: Json, current: Json, update: Json) -> None:
        pods = list(self._pods(found).values())
        old, new = current["metadata"]["name"], update["metadata"]["name"]
        least = float(found["spec"].get("minReadySeconds") or 0)
        ready = [one for one in pods if is_ready(one)]
        updated = _of(pods, new)
        rolling = found["spec"]["updateStrategy"]["type"] == "RollingUpdate"
        if rolling and len(updated) == len(ready) == len(pods) == found["spec"]["replicas"]:
            old = new
        status: dict[str, Any] = {
            "observedGeneration": found["metadata"]["generation"],
            "replicas": len(pods),
            "readyReplicas": len(ready),
            "availableReplicas": sum(is_available(self._site, one, least) for one in pods),
            "currentReplicas": len(_of(pods, old)),
            "updatedReplicas": len(updated),
            "currentRevision": old,
            "updateRevision": new,
            "collisionCount": 0,
        }
        kept = ("replicas", "availableReplicas", "collisionCount")
        status = {key: value for key, value in status.items() if value or key in kept}
        after = self._site.server.set_status(STATEFUL_SETS, found, status)
        trim(self._site, after, [old, new, *(labels_of(one).get(HASH, "") for one in pods)])


def _ordinal(pod: Json) -> int | None:
    number = pod["metadata"]["name"].rpartition("-")[2]
    return int(number) if number.isdecimal() else None


def _of(pods: Sequence[Json], revision: str) -> list[Json]:
    return [one for one in pods if is_active(one) and labels_of(one).get(HASH) == revision]
