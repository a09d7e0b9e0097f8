"""What a simulated cluster holds: raw objects by kind, namespace and name. The server and the controllers write here.

Objects are never changed in place: who changes one drafts a copy and saves it, which gives it a new resourceVersion
and, if its spec differs, a new generation, as on a real server. Whoever listens is told of every change at once.
"""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from paramedic.cluster.port import Json
from paramedic.cluster.resources import (
    CONFIG_MAPS,
    CONTROLLER_REVISIONS,
    DAEMON_SETS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    EVENTS,
    HPAS,
    NAMESPACES,
    NODES,
    PODS,
    QUOTAS,
    REPLICA_SETS,
    SERVICES,
    STATEFUL_SETS,
    Resource,
)
from paramedic.errors import Permanent

__all__ = ["NAMESPACES", "Storage", "controller_of", "copied", "owner_reference"]

_KNOWN: Final = (
    *(NAMESPACES, NODES, PODS, SERVICES, EVENTS, CONFIG_MAPS, QUOTAS, DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS),
    *(DAEMON_SETS, CONTROLLER_REVISIONS, HPAS, DISRUPTION_BUDGETS),
)
_COUNTED: Final = frozenset(
    each.kind for each in (DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS, DAEMON_SETS, DISRUPTION_BUDGETS)
)
"""Kinds whose spec has a generation. A HorizontalPodAutoscaler, a Service, a ConfigMap has none."""

_REVISION: Final = "deployment.kubernetes.io/revision"

Listener = Callable[[Resource, Json | None, Json | None], None]
"""Told of the kind, the object before, and the object after."""


class Storage:
    """All objects. `stamp` gives the moment of the cluster as the API writes it."""

    def __init__(self, stamp: Callable[[], str]) -> None:
        self._stamp = stamp
        self._kinds: dict[Resource, dict[tuple[str, str], Json]] = {each: {} for each in _KNOWN}
        self._version = 0
        self._made = 0
        self.listeners: list[Listener] = []

    def learn(self, resource: Resource) -> None:
        """Know one more kind, as if its CustomResourceDefinition had been created."""
        self._kinds.setdefault(resource, {})

    def _kind(self, resource: Resource) -> dict[tuple[str, str], Json]:
        if resource not in self._kinds:
            raise Permanent(f"the cluster does not know {resource.plural} of {resource.api}")
        return self._kinds[resource]

    def get(self, resource: Resource, namespace: str, name: str) -> Json | None:
        """The object, which must not be changed; None where there is none."""
        return self._kind(resource).get((namespace if resource.namespaced else "", name))

    def all(self, resource: Resource, namespace: str = "") -> list[Json]:
        """All objects of a kind, of one namespace if it is given, in the order of their names."""
        kind = self._kind(resource)
        return [kind[key] for key in sorted(kind) if not namespace or key[0] == namespace]

    def owned(self, resource: Resource, owner: Json) -> list[Json]:
        """The objects of a kind that `owner` controls, in the order of their names."""
        namespace, uid = owner["metadata"]["namespace"], owner["metadata"]["uid"]
        return [one for one in self.all(resource, namespace) if controller_of(one).get("uid") == uid]

    def resources(self) -> Iterable[Resource]:
        """The kinds there are."""
        return tuple(self._kinds)

    def number(self) -> int:
        """A number that was not given before; names of pods and uids are made of it."""
        self._made += 1
        return self._made

    def revision(self) -> str:
        """The newest resourceVersion."""
        return str(self._version)

    def prepared(self, resource: Resource, body: Json) -> Json:
        """A new object as it would be stored: with what the server itself fills in."""
        made = copied(body)
        made["apiVersion"], made["kind"] = resource.api, resource.kind
        made["metadata"] = {**made["metadata"], "creationTimestamp": self._stamp()}
        if resource.kind in _COUNTED or resource is PODS:
            made["metadata"]["generation"] = 1
        return made

    def add(self, resource: Resource, body: Json) -> Json:
        """Store a new object; what was stored."""
        made = self.prepared(resource, body)
        number = self.number()
        made["metadata"]["uid"] = f"{number:08x}-0000-4000-8000-{number:012x}"
        return self._put(resource, None, made)

    def draft(self, found: Json) -> Json:
        """A copy that may be changed and saved."""
        return copied(found)

    def raised(self, resource: Resource, before: Json, after: Json) -> Json:
        """`after` with its generation raised if its spec differs; a Deployment's also if an annotation does."""
        if resource.kind in _COUNTED and _counted(resource, before) != _counted(resource, after):
            after["metadata"]["generation"] = before["metadata"]["generation"] + 1
        return after

    def save(self, resource: Resource, changed: Json) -> Json:
        """Store a changed draft; one that differs in nothing stays as it is, under its resourceVersion."""
        before = self.get(resource, changed["metadata"].get("namespace", ""), changed["metadata"]["name"])
        if before is None or _content(before) == _content(changed):
            return before or changed
        return self._put(resource, before, self.raised(resource, before, changed))

    def remove(self, resource: Resource, found: Json) -> None:
        """Remove an object, if it is still there."""
        key = found["metadata"].get("namespace", "") if resource.namespaced else "", found["metadata"]["name"]
        gone = self._kind(resource).get(key)
        if gone is None or gone["metadata"]["uid"] != found["metadata"]["uid"]:
            return
        del self._kind(resource)[key]
        self._version += 1
        for listener in self.listeners:
            listener(resource, gone, None)

    def _put(self, resource: Resource, before: Json | None, after: Json) -> Json:
        self._version += 1
        after["metadata"]["resourceVersion"] = str(self._version)
        key = after["metadata"].get("namespace", "") if resource.namespaced else "", after["metadata"]["name"]
        self._kind(resource)[key] = after
        for listener in self.listeners:
            listener(resource, before, after)
        return after


def copied(found: Json) -> Json:
    """A copy that shares nothing with the original."""
    whole: Json = msgspec.json.decode(msgspec.json.encode(found))
    return whole


def _counted(resource: Resource, found: Json) -> tuple[object, object]:
    """What a generation is the number of. The controller's own number is written as if it were status."""
    if resource is not DEPLOYMENTS:
        return found.get("spec"), None
    annotations = found["metadata"].get("annotations") or {}
    return found.get("spec"), {key: value for key, value in annotations.items() if key != _REVISION}


def _content(found: Json) -> Json:
    """An object without what says how it was written."""
    metadata = {
        key: value for key, value in found["metadata"].items() if key not in ("managedFields", "resourceVersion")
    }
    return {**found, "metadata": metadata}


def controller_of(found: Json) -> Json:
    """The reference to the controller of an object; empty if it has none."""
    references = found["metadata"].get("ownerReferences") or ()
    return next((one for one in references if one.get("controller")), {})


def owner_reference(owner: Json) -> Json:
    """The reference by which `owner` controls what it makes."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
