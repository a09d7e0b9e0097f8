"""What the API server does not accept: names, sizes, workloads that cannot be. `writing` asks before it stores.

Only what remedies could get wrong is looked at, and it is answered as the real server answers: `Permanent`, naming the
field. An object of a kind that is not known here is checked for its metadata alone.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from paramedic.cluster.port import Json
from paramedic.cluster.resources import (
    DAEMON_SETS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    HPAS,
    PODS,
    REPLICA_SETS,
    STATEFUL_SETS,
    Resource,
)
from paramedic.errors import Permanent
from paramedic.rehearse.cluster.selectors import matches

__all__ = ["check"]

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", re.ASCII)
_PART: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?", re.ASCII)
_ANNOTATIONS: Final = 256 * 1024

Faults = Iterator[tuple[str, str]]
"""Fields, and what is wrong with each."""


def check(resource: Resource, found: Json, before: Json | None) -> None:
    """Raise `Permanent` if the server would not take this object, or not this change of `before`."""
    faults = [f"{field}: {what}" for field, what in _faults(resource, found, before)]
    if faults:
        name = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
        told = faults[0] if len(faults) == 1 else f"[{', '.join(faults)}]"
        raise Permanent(f'{name} "{found["metadata"].get("name", "")}" is invalid: {told}')


def _faults(resource: Resource, found: Json, before: Json | None) -> Faults:
    yield from _metadata(found["metadata"])
    of_kind = _KINDS.get(resource.kind)
    if of_kind is None:
        return
    spec = found.get("spec")
    if not isinstance(spec, dict):
        yield "spec", "Required value"
        return
    yield from of_kind(spec, before["spec"] if before else None)


def _metadata(metadata: Json) -> Faults:
    name = metadata.get("name", "")
    if not isinstance(name, str) or len(name) > 253 or _NAME.fullmatch(name) is None:
        yield "metadata.name", f"Invalid value: {str(name)[:100]!a}: a lowercase RFC 1123 subdomain"
    annotations, labels = metadata.get("annotations") or {}, metadata.get("labels") or {}
    for field, values in (("metadata.annotations", annotations), ("metadata.labels", labels)):
        for key, value in values.items():
            if not isinstance(value, str):
                yield f"{field}.{key}", "Invalid value: it must be text"
            if not _qualified(key):
                yield field, f"Invalid value: {key[:100]!a}: a qualified name"
    if sum(len(key.encode()) + len(str(value).encode()) for key, value in annotations.items()) > _ANNOTATIONS:
        yield "metadata.annotations", f"Too long: may not be more than {_ANNOTATIONS} bytes"
    for value in labels.values():
        if isinstance(value, str) and value and (len(value) > 63 or _PART.fullmatch(value) is None):
            yield "metadata.labels", f"Invalid value: {value[:100]!a}: a valid label"


def _qualified(key: str) -> bool:
    prefix, slash, name = key.rpartition("/")
    fine = _PART.fullmatch(name) is not None and len(name) <= 63
    return fine and (not slash or (_NAME.fullmatch(prefix.lower()) is not None and len(prefix) <= 253))


def _count(spec: Json, field: str, least: int = 0) -> Faults:
    value = spec.get(field)
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool):
        yield f"spec.{field}", f"Invalid value: {str(value)[:40]!a}: it must be a whole number"
    elif value < least:
        yield f"spec.{field}", f"Invalid value: {value}: must be greater than or equal to {least}"


def _workload(spec: Json, before: Json | None) -> Faults:
    yield from _count(spec, "replicas")
    selector, template = spec.get("selector"), spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    if not selector:
        yield "spec.selector", "Required value"
    if not matches(selector, labels):
        yield "spec.template.metadata.labels", f"Invalid value: {labels}: `selector` does not match template `labels`"
    if before is not None and before["selector"] != selector:
        yield "spec.selector", "Invalid value: field is immutable"
    for field, what in _pod(template.get("spec") or {}, None):
        yield f"spec.template.{field}", what


def _deployment(spec: Json, before: Json | None) -> Faults:
    yield from _workload(spec, before)
    strategy = spec.get("strategy") or {}
    if strategy.get("type") not in ("RollingUpdate", "Recreate"):
        yield "spec.strategy.type", f"Unsupported value: {strategy.get('type')}"
    elif strategy["type"] == "Recreate" and strategy.get("rollingUpdate") is not None:
        yield "spec.strategy.rollingUpdate", "Forbidden: may not be specified when strategy `type` is 'Recreate'"
    elif _nothing_may_move(strategy.get("rollingUpdate") or {}):
        yield "spec.strategy.rollingUpdate.maxUnavailable", "Invalid value: may not be 0 when `maxSurge` is 0"


def _nothing_may_move(rolling: Json) -> bool:
    return all(rolling.get(key) in (0, "0%") for key in ("maxSurge", "maxUnavailable"))


def _stateful_set(spec: Json, before: Json | None) -> Faults:
    yield from _workload(spec, before)
    fixed = ("serviceName", "podManagementPolicy", "volumeClaimTemplates")
    if before is not None and any(before.get(key) != spec.get(key) for key in fixed):
        yield "spec", "Forbidden: updates to statefulset spec for fields other than these are forbidden"


def _pod(spec: Json, before: Json | None) -> Faults:
    containers = spec.get("containers")
    if not containers:
        yield "spec.containers", "Required value"
        return
    for position, one in enumerate(containers):
        for key in ("name", "image"):
            if not isinstance(one, Mapping) or not one.get(key):
                yield f"spec.containers[{position}].{key}", "Required value"
    if before is not None and _without_images(before) != _without_images(spec):
        yield "spec", "Forbidden: pod updates may not change fields other than its images"


def _without_images(spec: Json) -> Json:
    return {**spec, "containers": [{**one, "image": ""} for one in spec["containers"]]}


def _autoscaler(spec: Json, before: Json | None) -> Faults:
    yield from _count(spec, "minReplicas", 1)
    yield from _count(spec, "maxReplicas", 1)
    least, most = spec.get("minReplicas"), spec.get("maxReplicas")
    if most is None:
        yield "spec.maxReplicas", "Required value"
    elif isinstance(least, int) and isinstance(most, int) and most < least:
        yield "spec.maxReplicas", f"Invalid value: {most}: must be greater than or equal to `minReplicas`"
    target: Any = spec.get("scaleTargetRef")
    if not isinstance(target, Mapping) or not target.get("kind") or not target.get("name"):
        yield "spec.scaleTargetRef", "Required value"


def _budget(spec: Json, before: Json | None) -> Faults:
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        yield "spec", "Invalid value: minAvailable and maxUnavailable cannot be both set"


_KINDS: Final[Mapping[str, Callable[[Json, Json | None], Faults]]] = {
    DEPLOYMENTS.kind: _deployment,
    REPLICA_SETS.kind: _workload,
    STATEFUL_SETS.kind: _stateful_set,
    DAEMON_SETS.kind: _workload,
    PODS.kind: _pod,
    HPAS.kind: _autoscaler,
    DISRUPTION_BUDGETS.kind: _budget,
}
