"""Who owns what on a cluster, out of the objects' own words: owner references, selectors, names of pods. Pure.

`clients.kube.targets` reads the objects and asks here what they say, until it has the workload behind a target.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from paramedic.cluster.port import Json
from paramedic.cluster.resources import DAEMON_SETS, DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS, Resource

__all__ = ["Owner", "controller_of", "makers_of", "matching", "scaled_by", "sends_to"]

_OURS: Final = {(each.group, each.kind): each for each in (DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS, REPLICA_SETS)}

_GENERATED: Final = re.compile(r"(.+)-[a-z0-9]{5}", re.ASCII)
"""The API server ends the names that it makes up in five characters; whoever is named before them must exist."""

_ORDINAL: Final = re.compile(r"(.+)-(0|[1-9][0-9]{0,8})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Owner:
    """Who an object belongs to or points at. `resource` is None for a kind that is not among ours."""

    kind: str
    name: str
    resource: Resource | None = None
    uid: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def controller_of(found: Json) -> Owner | None:
    """The controller among an object's owner references: the one that makes and deletes it. None: nobody does."""
    for reference in _mapping(found, "metadata").get("ownerReferences") or ():
        if reference.get("controller") is True:
            return _owner(reference)
    return None


def scaled_by(autoscaler: Json) -> Owner:
    """What a HorizontalPodAutoscaler scales."""
    return _owner(_mapping(autoscaler, "spec").get("scaleTargetRef") or {})


def _owner(reference: Mapping[str, Any]) -> Owner:
    kind, group = str(reference.get("kind") or ""), str(reference.get("apiVersion") or "").rpartition("/")[0]
    name, uid = str(reference.get("name") or ""), str(reference.get("uid") or "")
    return Owner(kind, name, _OURS.get((group, kind)), uid)


def makers_of(pod: str) -> tuple[tuple[Resource, str], ...]:
    """Who may have made a pod of this name: a ReplicaSet or a DaemonSet, a StatefulSet by its ordinal."""
    found: list[tuple[Resource, str]] = []
    if (generated := _GENERATED.fullmatch(pod)) is not None:
        found += [(REPLICA_SETS, generated[1]), (DAEMON_SETS, generated[1])]
    if (ordinal := _ORDINAL.fullmatch(pod)) is not None:
        found.append((STATEFUL_SETS, ordinal[1]))
    return tuple(found)


def sends_to(service: Json) -> dict[str, str]:
    """Which pods a Service sends to; empty where it chooses none by itself."""
    spec = _mapping(service, "spec")
    return {} if spec.get("type") == "ExternalName" else dict(_mapping(spec, "selector"))


def matching(selector: Mapping[str, str], workloads: Iterable[Json]) -> list[Json]:
    """The workloads whose pods a selector chooses. An empty selector chooses none: it never stands for everything."""
    wanted = selector.items()
    return [one for one in workloads if wanted and wanted <= _pod_labels(one).items()]


def _pod_labels(workload: Json) -> Mapping[str, Any]:
    return _mapping(_mapping(_mapping(workload, "spec"), "template"), "metadata", "labels")


def _mapping(found: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    for name in path:
        found = found.get(name) or {}
    return found
