"""The kinds of Kubernetes objects that we read or write: how the API calls them. Used wherever a path is made."""

from dataclasses import dataclass
from typing import Final

from paramedic.errors import Fault

__all__ = [
    "CONFIG_MAPS",
    "CONTROLLER_REVISIONS",
    "DAEMON_SETS",
    "DEPLOYMENTS",
    "DISRUPTION_BUDGETS",
    "EVENTS",
    "HPAS",
    "NAMESPACES",
    "NODES",
    "PODS",
    "QUOTAS",
    "REPLICA_SETS",
    "SERVICES",
    "STATEFUL_SETS",
    "WORKLOADS",
    "Place",
    "Resource",
    "named_kind",
]


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of object: its API group and version as one (`apps/v1`, `v1`), its plural name, its kind."""

    api: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """The API group; empty for the core one."""
        return self.api.rpartition("/")[0]

    @property
    def permission(self) -> str:
        """As permissions name it: `deployments.apps`, `pods`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def word(self) -> str:
        """As targets name it: `deployment`."""
        return self.kind.lower()


DEPLOYMENTS: Final = Resource("apps/v1", "deployments", "Deployment")
REPLICA_SETS: Final = Resource("apps/v1", "replicasets", "ReplicaSet")
STATEFUL_SETS: Final = Resource("apps/v1", "statefulsets", "StatefulSet")
DAEMON_SETS: Final = Resource("apps/v1", "daemonsets", "DaemonSet")
CONTROLLER_REVISIONS: Final = Resource("apps/v1", "controllerrevisions", "ControllerRevision")
PODS: Final = Resource("v1", "pods", "Pod")
SERVICES: Final = Resource("v1", "services", "Service")
EVENTS: Final = Resource("v1", "events", "Event")
CONFIG_MAPS: Final = Resource("v1", "configmaps", "ConfigMap")
QUOTAS: Final = Resource("v1", "resourcequotas", "ResourceQuota")
NAMESPACES: Final = Resource("v1", "namespaces", "Namespace", namespaced=False)
NODES: Final = Resource("v1", "nodes", "Node", namespaced=False)
HPAS: Final = Resource("autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
DISRUPTION_BUDGETS: Final = Resource("policy/v1", "poddisruptionbudgets", "PodDisruptionBudget")

WORKLOADS: Final = (DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS)
"""What a remedy may act on."""

_NAMED: Final = {
    **{each.word: each for each in (*WORKLOADS, REPLICA_SETS, PODS, SERVICES, HPAS)},
    "hpa": HPAS,
}


def named_kind(word: str) -> Resource:
    """The kind behind a target's word, such as `deployment` or `hpa`. Raises `Fault` for one that is not among ours."""
    if word not in _NAMED:
        raise Fault("target", f'there is no kind "{word[:40]}"', f"one of {', '.join(_NAMED)}")
    return _NAMED[word]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object is, or where a list of objects is (no `name`; no `namespace`: in all of them)."""

    cluster: str
    resource: Resource
    namespace: str = ""
    name: str = ""

    def beside(self, resource: Resource, name: str = "") -> "Place":
        """The place of another object of the same cluster and namespace."""
        return Place(self.cluster, resource, self.namespace, name)

    def __str__(self) -> str:
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.resource.word} {self.name}{where}" if self.name else f"{self.resource.plural}{where}"
