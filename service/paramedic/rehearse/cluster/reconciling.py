"""Who has to look at what when something in the cluster changed. The cluster builds one; nobody calls it by hand.

Every change of an object marks it, its owner and what counts it; a marked object is reconciled once, a moment later. So
the answer to a write shows the object before its controller has seen it, as on a real server.
"""

from collections.abc import Callable, Mapping
from typing import Final

from paramedic.cluster.port import Json
from paramedic.cluster.resources import (
    CONTROLLER_REVISIONS,
    DAEMON_SETS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    EVENTS,
    HPAS,
    NODES,
    PODS,
    QUOTAS,
    REPLICA_SETS,
    STATEFUL_SETS,
    Resource,
)
from paramedic.rehearse.cluster.kubelet import Kubelet
from paramedic.rehearse.cluster.pods import is_ready
from paramedic.rehearse.cluster.scheduler import Scheduler
from paramedic.rehearse.cluster.site import Site
from paramedic.rehearse.cluster.storage import NAMESPACES, controller_of

__all__ = ["Reconciling"]

_OWNERS: Final = {each.kind: each for each in (DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS, DAEMON_SETS)}
_OWNED: Final = (REPLICA_SETS, PODS, CONTROLLER_REVISIONS)

Controller = Callable[[Json], None]


class Reconciling:
    """Hears of every change in the storage, and brings the controllers to look at what it concerns."""

    def __init__(self, site: Site, kubelet: Kubelet, controllers: Mapping[Resource, Controller]) -> None:
        self._site, self._kubelet, self._controllers = site, kubelet, controllers
        self._scheduler = Scheduler(site)
        self._marked: set[tuple[Resource, str, str]] = set()
        site.storage.listeners.append(self._changed)

    def mark(self, resource: Resource, found: Json) -> None:
        """Let this object's controller look at it, once, in a moment."""
        key = resource, found["metadata"].get("namespace", ""), found["metadata"]["name"]
        if resource in self._controllers and key not in self._marked:
            self._marked.add(key)
            self._site.clockwork.after(self._pause(resource), lambda: self._look(*key))

    def _pause(self, resource: Resource) -> float:
        """An autoscaler looks at fixed intervals, everybody else at once."""
        if resource is not HPAS:
            return self._site.speeds.reacts
        every = self._site.speeds.scales
        return every - self._site.clockwork.time % every

    def _look(self, resource: Resource, namespace: str, name: str) -> None:
        self._marked.discard((resource, namespace, name))
        found = self._site.storage.get(resource, namespace, name)
        if found is not None:
            self._controllers[resource](found)

    def _changed(self, resource: Resource, before: Json | None, after: Json | None) -> None:
        found = after or before
        if found is None or resource is EVENTS:
            return
        if resource is PODS:
            self._pod(before, after)
        else:
            self.mark(resource, found)
            self._mark_owner(found)
        if resource is NODES:
            self._scheduler.retry()
            self._mark_all(DAEMON_SETS, "")
        elif resource in (DEPLOYMENTS, STATEFUL_SETS):
            self._mark_all(HPAS, found["metadata"]["namespace"])
        if after is None:
            self._collect(resource, found)

    def _pod(self, before: Json | None, after: Json | None) -> None:
        found = after or before
        if found is None:
            return
        if after is None:
            self._kubelet.gone(found)
            self._scheduler.retry()
        elif before is None and not after["spec"].get("nodeName"):
            self._scheduler.later(after)
        elif after["spec"].get("nodeName") and not (before or {"spec": {}})["spec"].get("nodeName"):
            self._kubelet.bound(after)
        if after is not None and _ending(after) and not _ending(before):
            self._kubelet.deleted(after)
        if _told(before) != _told(after):
            self._mark_owner(found, above=after is None)  # who recreates waits for the last pod to be gone
            for resource in (DISRUPTION_BUDGETS, QUOTAS):
                self._mark_all(resource, found["metadata"]["namespace"])

    def _mark_owner(self, found: Json, *, above: bool = False) -> None:
        """Mark the controller of an object; with `above`, the controller of that one too."""
        reference = controller_of(found)
        resource = _OWNERS.get(reference.get("kind", ""))
        if resource is not None:
            owner = self._site.storage.get(resource, found["metadata"]["namespace"], reference["name"])
            if owner is not None and owner["metadata"]["uid"] == reference["uid"]:
                self.mark(resource, owner)
                if above:
                    self._mark_owner(owner)

    def _mark_all(self, resource: Resource, namespace: str) -> None:
        for one in self._site.storage.all(resource, namespace):
            self.mark(resource, one)

    # -- what goes with its owner -------------------------------------------------------------------------------------

    def _collect(self, resource: Resource, gone: Json) -> None:
        """What an object owned, or what was in a namespace, goes with it, a moment later."""
        if resource is NAMESPACES:
            self._site.clockwork.after(self._site.speeds.reacts, lambda: self._empty(gone["metadata"]["name"]))
        elif resource.kind in _OWNERS:
            self._site.clockwork.after(self._site.speeds.reacts, lambda: self._orphans(gone))

    def _orphans(self, gone: Json) -> None:
        for resource in _OWNED:
            for one in self._site.storage.owned(resource, gone):
                metadata = one["metadata"]
                self._site.server.delete(resource, metadata["namespace"], metadata["name"], metadata["uid"], None)

    def _empty(self, namespace: str) -> None:
        for resource in self._site.storage.resources():
            for one in self._site.storage.all(resource, namespace) if resource.namespaced else ():
                self._site.storage.remove(resource, one)


def _ending(pod: Json | None) -> bool:
    return pod is not None and "deletionTimestamp" in pod["metadata"]


def _told(pod: Json | None) -> object:
    """What a pod's owner cares about."""
    if pod is None:
        return None
    told = pod["metadata"], pod["spec"].get("nodeName"), pod["status"].get("phase")
    return told[0].get("labels"), told[0].get("ownerReferences"), *told[1:], _ending(pod), is_ready(pod)
