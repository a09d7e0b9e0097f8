"""One simulated cluster: its server, its time, its controllers. The stage, the demo and the tests build it.

`SimulatedCluster(clock)` is a whole cluster in this process; `port` is how a process under test reaches it, `apply` and
`edit` are other people's hands. It needs no task: whatever is due happens when somebody asks it anything.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from paramedic.clock import Clock
from paramedic.cluster.port import Json, PatchKind
from paramedic.cluster.resources import (
    DAEMON_SETS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    HPAS,
    NODES,
    PODS,
    QUOTAS,
    REPLICA_SETS,
    STATEFUL_SETS,
    Resource,
)
from paramedic.errors import Permanent
from paramedic.rehearse.cluster.autoscalers import Autoscalers
from paramedic.rehearse.cluster.budgets import Budgets, Quotas
from paramedic.rehearse.cluster.clockwork import Clockwork
from paramedic.rehearse.cluster.daemon_sets import DaemonSets
from paramedic.rehearse.cluster.deployments import Deployments
from paramedic.rehearse.cluster.faults import KubeFault, KubeFaults, Request
from paramedic.rehearse.cluster.kubelet import Kubelet
from paramedic.rehearse.cluster.port import SimulatedKube
from paramedic.rehearse.cluster.reconciling import Reconciling
from paramedic.rehearse.cluster.replica_sets import ReplicaSets
from paramedic.rehearse.cluster.server import Server
from paramedic.rehearse.cluster.site import Behaviour, Habit, Site, Speeds
from paramedic.rehearse.cluster.stateful_sets import StatefulSets
from paramedic.rehearse.cluster.storage import NAMESPACES, Storage

__all__ = ["SimulatedCluster"]

_NAMESPACES: Final = ("default", "kube-system", "kube-public", "kube-node-lease")
_ROOM: Final[Mapping[str, str]] = {"cpu": "64", "memory": "256Gi", "pods": "500"}
_APPLIES: Final = "kubectl-client-side-apply"
_EDITS: Final = "kubectl-edit"


class SimulatedCluster:
    """A cluster of `nodes` nodes called `name`, empty but for its usual namespaces.

    `begins` is the moment that its past begins, in seconds before now (negative): what is put `at` a moment there has
    really happened by the present. `speeds` says how long things take.
    """

    def __init__(
        self, clock: Clock, name: str = "main", *, nodes: int = 1, speeds: Speeds | None = None, begins: float = 0.0
    ) -> None:
        self.name = name
        self._clock = clock
        self._clockwork = Clockwork(clock, begins)
        storage = Storage(self._clockwork.stamp)
        server = Server(storage, self._clockwork.stamp)
        self.site = Site(storage, self._clockwork, server, speeds or Speeds(), self._mark)
        self._kubelet = Kubelet(self.site)
        quotas = Quotas(self.site)
        self._reconciling = Reconciling(
            self.site,
            self._kubelet,
            {
                DEPLOYMENTS: Deployments(self.site).reconcile,
                REPLICA_SETS: ReplicaSets(self.site).reconcile,
                STATEFUL_SETS: StatefulSets(self.site).reconcile,
                DAEMON_SETS: DaemonSets(self.site).reconcile,
                HPAS: Autoscalers(self.site).reconcile,
                DISRUPTION_BUDGETS: Budgets(self.site).reconcile,
                QUOTAS: quotas.reconcile,
            },
        )
        server.admissions.append(quotas.admit)
        self.faults = KubeFaults()
        self.requests: list[Request] = []
        self.port = SimulatedKube({name: self}, clock)
        for one in _NAMESPACES:
            self._namespace(one)
        for number in range(nodes):
            self._node(f"node-{number + 1}")

    def _mark(self, resource: Resource, found: Json) -> None:
        self._reconciling.mark(resource, found)

    @property
    def present(self) -> float:
        """Seconds since the cluster began: 0 was when it was made."""
        return self._clockwork.present

    def catch_up(self) -> None:
        """Let everything happen that is due by now."""
        self._clockwork.catch_up()

    def at(self, moment: float, act: Callable[[], object]) -> None:
        """Let something happen at a moment, in seconds from the cluster's beginning; before it lies its past."""
        self._clockwork.at(moment, act)

    def next_due(self) -> float | None:
        """In how many seconds from now the next thing happens by itself; None: never."""
        due = self._clockwork.next_due()
        return None if due is None else max(0.0, due - self._clockwork.present)

    def listen(self, listener: Callable[[], None]) -> None:
        """Tell of every change, and of whatever is due sooner than what was due before."""
        self.site.storage.listeners.append(lambda *_: listener())
        self._clockwork.listeners.append(listener)

    # -- other people's hands -----------------------------------------------------------------------------------------

    def apply(self, manifest: Json, *, manager: str = _APPLIES) -> Json:
        """Create what the manifest says, or change what is there to it, as `kubectl apply`; its namespace is made."""
        self.catch_up()
        resource = self.resource(manifest)
        metadata = manifest["metadata"]
        namespace = metadata.get("namespace", "default") if resource.namespaced else ""
        if namespace:
            self._namespace(namespace)
        server = self.site.server
        if self.site.storage.get(resource, namespace, metadata["name"]) is None:
            return server.create(resource, namespace, manifest, manager)
        changes = {key: value for key, value in manifest.items() if key != "status"}
        return server.patch(resource, namespace, metadata["name"], changes, "strategic", manager)

    def edit(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        patch: Sequence[Json] | Json,
        how: PatchKind = "merge",
        *,
        manager: str = _EDITS,
    ) -> Json:
        """Somebody else changes an object. Raises as the port does."""
        self.catch_up()
        return self.site.server.patch(resource, namespace, name, patch, how, manager)

    def remove(self, resource: Resource, namespace: str, name: str) -> None:
        """Somebody else deletes an object. Raises `Missing`."""
        self.catch_up()
        self.site.server.delete(resource, namespace, name, "", None)

    def uid(self, kind: str, namespace: str, name: str) -> str:
        """The uid of an object; empty if there is none."""
        for one in self.site.storage.resources():
            found = self.site.storage.get(one, namespace, name) if one.kind == kind else None
            if found is not None:
                return str(found["metadata"]["uid"])
        return ""

    def resource(self, manifest: Json) -> Resource:
        """The kind that a manifest is of. Raises `Permanent` for one that the cluster does not know."""
        for one in self.site.storage.resources():
            if (one.api, one.kind) == (manifest.get("apiVersion"), manifest.get("kind")):
                return one
        raise Permanent(f"the cluster does not know {manifest.get('kind')} of {manifest.get('apiVersion')}")

    # -- how its pods and callers fare --------------------------------------------------------------------------------

    def behaves(
        self, image: str, behaviour: Behaviour, namespace: str = "", workload: str = "", *, pod: str = ""
    ) -> None:
        """Pods with this image (`*` for anything), of this workload or name, behave so. The newest word counts."""
        self.site.habits.insert(0, Habit(image, behaviour, namespace, workload, pod))

    def wants(self, namespace: str, autoscaler: str, series: Sequence[tuple[float, int]]) -> None:
        """What the metrics of an autoscaler ask for, as replicas since moments; none: what its target has already."""
        self.site.wants[namespace, autoscaler] = series

    def strike(self, namespace: str, workload: str, behaviour: Behaviour, most: int | None = None) -> int:
        """The pods that a workload has now behave so from now on; at most so many. Returns how many there were."""
        self.catch_up()
        pods = [one for one in self.site.storage.all(PODS, namespace) if self.site.workload_of(one) == workload]
        for pod in pods[:most]:
            self._kubelet.become(pod, behaviour)
        return len(pods[:most])

    def fail(self, fault: KubeFault) -> None:
        """Let requests go wrong."""
        self.faults.add(fault)

    def allow(self, permissions: Sequence[str] | None) -> None:
        """Callers may do only this, such as `patch deployments.apps`; None: everything."""
        self.faults.allowed = None if permissions is None else frozenset(permissions)

    # -- what it begins with ------------------------------------------------------------------------------------------

    def _namespace(self, name: str) -> None:
        if self.site.storage.get(NAMESPACES, "", name) is None:
            labels = {"kubernetes.io/metadata.name": name}
            self.site.storage.add(
                NAMESPACES, {"metadata": {"name": name, "labels": labels}, "status": {"phase": "Active"}}
            )

    def _node(self, name: str) -> None:
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "KubeletReady",
            "message": "kubelet is posting ready status",
        }
        times = {"lastHeartbeatTime": self._clockwork.stamp(), "lastTransitionTime": self._clockwork.stamp()}
        status = {"allocatable": dict(_ROOM), "capacity": dict(_ROOM), "conditions": [ready | times]}
        metadata = {"name": name, "labels": {"kubernetes.io/hostname": name}}
        self.site.storage.add(NODES, {"metadata": metadata, "spec": {}, "status": status})
