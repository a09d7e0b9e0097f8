"""What the API server fills in where a manifest is silent. `writing` and the controllers pass every new object through.

So that a stored template differs from a written one only where it really differs, as on a real server.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, Final

from paramedic.cluster.port import Json
from paramedic.cluster.resources import (
    DAEMON_SETS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    HPAS,
    PODS,
    QUOTAS,
    REPLICA_SETS,
    SERVICES,
    STATEFUL_SETS,
)

__all__ = ["defaulted", "first_status"]

_POD: Final = {
    "dnsPolicy": "ClusterFirst",
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "securityContext": {},
    "terminationGracePeriodSeconds": 30,
}
_CONTAINER: Final = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_CPU: Final = [
    {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
]


_FIRST: Final[Mapping[str, Json]] = {
    DEPLOYMENTS.kind: {},
    REPLICA_SETS.kind: {"replicas": 0},
    STATEFUL_SETS.kind: {"replicas": 0, "availableReplicas": 0},
    DAEMON_SETS.kind: {
        "currentNumberScheduled": 0,
        "desiredNumberScheduled": 0,
        "numberMisscheduled": 0,
        "numberReady": 0,
    },
    PODS.kind: {"phase": "Pending", "qosClass": "BestEffort"},
    SERVICES.kind: {"loadBalancer": {}},
    QUOTAS.kind: {},
    HPAS.kind: {"currentMetrics": None, "desiredReplicas": 0},
    DISRUPTION_BUDGETS.kind: {
        "currentHealthy": 0,
        "desiredHealthy": 0,
        "disruptionsAllowed": 0,
        "expectedPods": 0,
    },
}


def first_status(kind: str) -> Json | None:
    """The status of an object that no controller has seen yet; None for a kind that has none."""
    return deepcopy(_FIRST.get(kind))


def defaulted(found: Json) -> Json:
    """The object with everything filled in that it does not say; it is changed."""
    fill = _FILLED.get(found.get("kind", ""))
    if fill is not None and isinstance(found.get("spec"), dict):
        fill(found["spec"])
    return found


def _fill(into: dict[str, Any], defaults: Mapping[str, Any]) -> None:
    for key, value in defaults.items():
        if into.get(key) is None:
            into[key] = deepcopy(value)


def _pod(spec: dict[str, Any]) -> None:
    _fill(spec, _POD)
    for container in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]:
        if isinstance(container, dict):
            _container(container)


def _container(container: dict[str, Any]) -> None:
    _fill(container, _CONTAINER)
    image = container.get("image")
    _, _, tag = str(image).rpartition("/")[2].partition(":")
    container.setdefault("imagePullPolicy", "Always" if image and tag in ("", "latest") else "IfNotPresent")
    for port in container.get("ports") or ():
        port.setdefault("protocol", "TCP")
    for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
        if isinstance(container.get(probe), dict):
            times = {"failureThreshold": 3, "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1}
            _fill(container[probe], times)


def _template(spec: dict[str, Any]) -> None:
    template = spec.get("template")
    if isinstance(template, dict):
        template.setdefault("metadata", {})
        if isinstance(template.get("spec"), dict):
            _pod(template["spec"])


def _deployment(spec: dict[str, Any]) -> None:
    _fill(spec, {"replicas": 1, "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10, "strategy": {}})
    spec["strategy"].setdefault("type", "RollingUpdate")
    if spec["strategy"]["type"] == "RollingUpdate":
        _fill(spec["strategy"], {"rollingUpdate": {}})
        _fill(spec["strategy"]["rollingUpdate"], {"maxSurge": "25%", "maxUnavailable": "25%"})
    _template(spec)


def _stateful_set(spec: dict[str, Any]) -> None:
    kept = {"whenDeleted": "Retain", "whenScaled": "Retain"}
    _fill(
        spec,
        {
            "replicas": 1,
            "revisionHistoryLimit": 10,
            "podManagementPolicy": "OrderedReady",
            "persistentVolumeClaimRetentionPolicy": kept,
            "updateStrategy": {},
        },
    )
    strategy = spec["updateStrategy"]
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _fill(strategy, {"rollingUpdate": {}})
        _fill(strategy["rollingUpdate"], {"partition": 0})
    _template(spec)


def _daemon_set(spec: dict[str, Any]) -> None:
    _fill(spec, {"revisionHistoryLimit": 10, "updateStrategy": {}})
    strategy = spec["updateStrategy"]
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _fill(strategy, {"rollingUpdate": {}})
        _fill(strategy["rollingUpdate"], {"maxSurge": 0, "maxUnavailable": 1})
    _template(spec)


def _autoscaler(spec: dict[str, Any]) -> None:
    _fill(spec, {"minReplicas": 1, "metrics": _CPU})


def _service(spec: dict[str, Any]) -> None:
    _fill(spec, {"type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster"})
    for port in spec.get("ports") or ():
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))


_FILLED: Final[Mapping[str, Callable[[dict[str, Any]], None]]] = {
    DEPLOYMENTS.kind: _deployment,
    STATEFUL_SETS.kind: _stateful_set,
    DAEMON_SETS.kind: _daemon_set,
    PODS.kind: _pod,
    HPAS.kind: _autoscaler,
    SERVICES.kind: _service,
}
