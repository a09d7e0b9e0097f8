"""A rehearsal's world as clusters: each of them plays its past, so that what was released before has really been so.

The stage and the demo call `seeded`. What lies in the future is put into the cluster's own clockwork: a release, or
something that befalls the pods.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from paramedic.clock import Clock
from paramedic.cluster.port import Json
from paramedic.cluster.resources import DEPLOYMENTS
from paramedic.rehearse.cluster.cluster import SimulatedCluster
from paramedic.rehearse.cluster.site import Behaviour, Speeds
from paramedic.rehearse.cluster.spec import (
    AutoscalerWorld,
    BudgetWorld,
    DaemonSetWorld,
    DeploymentWorld,
    Located,
    Manner,
    NamespaceWorld,
    PodWorld,
    QuotaWorld,
    ServiceWorld,
    StatefulSetWorld,
    Workload,
)

__all__ = ["Objects", "seeded"]

_LONG_AGO: Final = -86_400.0
_USUAL: Final = -600.0
"""Moments (s) of a first release, and of an object that is simply there: by the present nothing of it is under way."""


@dataclass(frozen=True, slots=True)
class Objects:
    """All objects of all clusters at the beginning."""

    deployments: Sequence[DeploymentWorld] = ()
    stateful_sets: Sequence[StatefulSetWorld] = ()
    daemon_sets: Sequence[DaemonSetWorld] = ()
    pods: Sequence[PodWorld] = ()
    autoscalers: Sequence[AutoscalerWorld] = ()
    disruption_budgets: Sequence[BudgetWorld] = ()
    services: Sequence[ServiceWorld] = ()
    quotas: Sequence[QuotaWorld] = ()
    namespaces: Sequence[NamespaceWorld] = ()
    nodes: int = 3

    def all(self) -> Iterable[Located]:
        """Each of them."""
        yield from (*self.namespaces, *self.quotas, *self.services, *self.disruption_budgets)
        yield from (*self.deployments, *self.stateful_sets, *self.daemon_sets, *self.pods, *self.autoscalers)


@dataclass(slots=True)
class _History:
    """What happens in one cluster, and when."""

    happens: list[tuple[float, Callable[[SimulatedCluster], object]]] = field(default_factory=list)

    def at(self, moment: float, act: Callable[[SimulatedCluster], object]) -> None:
        """Let it happen at a moment."""
        self.happens.append((moment, act))


def seeded(objects: Objects, clock: Clock, *, speeds: Speeds | None = None) -> dict[str, SimulatedCluster]:
    """The clusters that the objects are in, by name; without any object there is no cluster."""
    histories: dict[str, _History] = {}
    for one in objects.all():
        history = histories.setdefault(one.cluster, _History())
        for moment, act in _happens(one):
            history.at(moment, act)
    return {name: _played(name, one, clock, objects.nodes, speeds) for name, one in histories.items()}


def _played(name: str, history: _History, clock: Clock, nodes: int, speeds: Speeds | None) -> SimulatedCluster:
    begins = min((moment for moment, _ in history.happens), default=0.0)
    cluster = SimulatedCluster(clock, name, nodes=nodes, speeds=speeds, begins=begins)
    for moment, act in sorted(history.happens, key=lambda one: one[0]):
        cluster.at(moment, partial(act, cluster))
    cluster.catch_up()
    return cluster


Happening = tuple[float, Callable[[SimulatedCluster], object]]


def _happens(one: Located) -> Iterable[Happening]:
    match one:
        case Workload():
            yield from _workload(one)
        case PodWorld():
            behaviour = _behaviour(one)
            yield one.at if one.at is not None else _USUAL, partial(_pod, one, behaviour)
        case AutoscalerWorld():
            yield _USUAL, partial(_autoscaler, one)
        case _:
            yield _LONG_AGO, partial(_apply, _simple(one))


def _apply(manifest: Json, cluster: SimulatedCluster) -> None:
    cluster.apply(manifest)


# -- workloads --------------------------------------------------------------------------------------------------------


def _workload(one: Workload) -> Iterable[Happening]:
    for position, at in enumerate(_moments(one)):
        yield at, partial(_release, one, position)
    for strike in one.strikes:
        yield strike.at, partial(_strike, one, _behaviour(strike), strike.pods)
    if isinstance(one, DeploymentWorld) and one.paused:
        yield _USUAL / 2, partial(_pause, one)


def _moments(one: Workload) -> list[float]:
    """When each release happens; where it is not said: the first a day before all others, others 10 minutes apart."""
    said = [release.at for release in one.releases]
    later = [_USUAL * (len(said) - n) if at is None else at for n, at in enumerate(said) if n]
    first = said[0] if said[0] is not None else min([0.0, *later]) + _LONG_AGO
    return [first, *later]


def _pause(one: Workload, cluster: SimulatedCluster) -> None:
    cluster.edit(DEPLOYMENTS, one.namespace, one.name, {"spec": {"paused": True}})


def _release(one: Workload, position: int, cluster: SimulatedCluster) -> None:
    revision = one.releases[position]
    cluster.behaves(revision.image, _behaviour(revision), one.namespace, one.name)
    cluster.apply(_manifest(one, position), manager=revision.by)


def _strike(one: Workload, behaviour: Behaviour, most: int | None, cluster: SimulatedCluster) -> None:
    cluster.strike(one.namespace, one.name, behaviour, most)


def _behaviour(one: Manner) -> Behaviour:
    return Behaviour(one.ready, one.crash, one.pending, one.logs)


def _manifest(one: Workload, position: int) -> Json:
    revision = one.releases[position]
    labels = {"app": one.name, **one.labels}
    container: dict[str, Any] = {"name": "app", "image": revision.image}
    if one.asks:
        container["resources"] = {"requests": dict(one.asks)}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec: dict[str, Any] = {"selector": {"matchLabels": {"app": one.name}}, "template": template}
    kind = {DeploymentWorld: "Deployment", StatefulSetWorld: "StatefulSet", DaemonSetWorld: "DaemonSet"}[type(one)]
    metadata = _metadata(one, labels)
    if one.owner:
        owner, _, name = one.owner.partition("/")
        metadata["ownerReferences"] = [_reference(owner, name)]
    # Only the first release says how many there are: a later one leaves what an autoscaler or a person made of it.
    if isinstance(one, DeploymentWorld | StatefulSetWorld) and position == 0:
        spec["replicas"] = one.replicas
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec | _strategy(one)}


def _strategy(one: Workload) -> dict[str, Any]:
    match one:
        case DeploymentWorld():
            limits = {"maxSurge": one.surge, "maxUnavailable": one.unavailable}
            rolling = {key: value for key, value in limits.items() if value is not None}
            strategy: dict[str, Any] = {"type": one.strategy}
            if rolling and one.strategy == "RollingUpdate":
                strategy["rollingUpdate"] = rolling
            return {
                "strategy": strategy,
                "progressDeadlineSeconds": int(one.deadline),
                "revisionHistoryLimit": one.history,
            }
        case StatefulSetWorld():
            strategy = {"type": one.strategy}
            if one.partition:
                strategy["rollingUpdate"] = {"partition": one.partition}
            return {"serviceName": one.name, "updateStrategy": strategy}
        case _:
            return {"updateStrategy": {"type": getattr(one, "strategy", "RollingUpdate")}}


def _metadata(one: Located, labels: dict[str, str]) -> Json:
    metadata: Json = {"name": one.name, "namespace": one.namespace}
    if labels:
        metadata["labels"] = labels
    if one.annotations:
        metadata["annotations"] = dict(one.annotations)
    return metadata


def _reference(kind: str, name: str, uid: str = "") -> Json:
    """A reference to a controller that the cluster need not hold itself."""
    known = {"ReplicaSet", "StatefulSet", "DaemonSet", "Deployment"}
    api = "apps/v1" if kind in known else "example.org/v1"
    return {
        "apiVersion": api,
        "kind": kind,
        "name": name,
        "uid": uid or f"of-{kind.lower()}-{name}",
        "controller": True,
    }


# -- everything else --------------------------------------------------------------------------------------------------


def _pod(one: PodWorld, behaviour: Behaviour, cluster: SimulatedCluster) -> None:
    metadata = _metadata(one, {"app": one.name, **one.labels})
    if one.owner:
        kind, _, name = one.owner.partition("/")
        metadata["ownerReferences"] = [_reference(kind, name, cluster.uid(kind, one.namespace, name))]
    spec = {"containers": [{"name": "app", "image": one.image}]}
    cluster.behaves("*", behaviour, one.namespace, pod=one.name)
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})


def _autoscaler(one: AutoscalerWorld, cluster: SimulatedCluster) -> None:
    kind, _, name = one.target.partition("/")
    target = {"apiVersion": "apps/v1", "kind": {"deployment": "Deployment"}.get(kind, "StatefulSet"), "name": name}
    spec = {"minReplicas": one.least, "maxReplicas": one.most, "scaleTargetRef": target}
    metadata = _metadata(one, one.labels)
    cluster.wants(one.namespace, one.name, one.wants)
    cluster.apply(
        {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": metadata, "spec": spec}
    )


def _simple(one: Located) -> Json:
    metadata = _metadata(one, one.labels)
    match one:
        case BudgetWorld():
            limits = {"minAvailable": one.available, "maxUnavailable": one.unavailable}
            spec: dict[str, Any] = {key: value for key, value in limits.items() if value is not None}
            spec["selector"] = {"matchLabels": dict(one.selects)}
            return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata, "spec": spec}
        case ServiceWorld():
            service = {"selector": dict(one.selects), "ports": [{"port": one.port}]}
            return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service}
        case QuotaWorld():
            return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": dict(one.most)}}
        case NamespaceWorld():
            named = {key: value for key, value in metadata.items() if key != "namespace"}
            return {"apiVersion": "v1", "kind": "Namespace", "metadata": named}
        case _:
            raise TypeError(f"{type(one).__name__} has no manifest")
