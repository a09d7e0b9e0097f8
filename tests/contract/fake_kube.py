"""A cluster of a few objects for plug-ins: reads by name and label, JSON patches that compare, failures at will.

Nothing happens by itself in it: what a write leads to is told by the simulated cluster, in stories.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from paramedic.cluster.port import Json, PatchKind
from paramedic.cluster.resources import CONTROLLER_REVISIONS, DEPLOYMENTS, PODS, REPLICA_SETS, Place, Resource
from paramedic.errors import Changed, Missing

UID = "11111111-1111-1111-1111-111111111111"
DEPLOYMENT = Place("main", DEPLOYMENTS, "shop", "api")


@dataclass
class FakeKube:
    """The objects by place. `fails` raises instead of answering; `lost` raises after the write was made."""

    objects: dict[Place, Json] = field(default_factory=dict)
    container_logs: dict[tuple[str, str, bool], bytes | Exception] = field(default_factory=dict)
    fails: dict[str, Exception] = field(default_factory=dict)
    lost: Exception | None = None
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    written: list[tuple[Place, Sequence[Json]]] = field(default_factory=list)

    @property
    def clusters(self) -> Sequence[str]:
        return ("main",)

    def put(self, resource: Resource, thing: Json) -> Place:
        """Add an object, or replace it."""
        metadata = thing["metadata"]
        place = Place("main", resource, metadata.get("namespace", "shop"), metadata["name"])
        self.objects[place] = {"apiVersion": resource.api, "kind": resource.kind, **thing}
        return place

    def _fail(self, what: str, place: Place) -> None:
        for name in (what, f"{what} {place.resource.plural}", f"{what} {place.name}"):
            if name in self.fails:
                raise self.fails[name]

    async def get(self, place: Place, *, subresource: str = "", max_age: float = 0.0, timeout: float = 10.0) -> Json:
        self.asked.append(("get", place))
        self._fail("get", place)
        if place not in self.objects:
            raise Missing(f"{place} does not exist")
        return self.objects[place]

    async def list(
        self,
        place: Place,
        *,
        labels: str = "",
        fields: str = "",
        limit: int = 500,
        max_age: float = 0.0,
        timeout: float = 10.0,
    ) -> Sequence[Json]:
        self.asked.append(("list", place, labels, fields))
        self._fail("list", place)
        wanted = dict(part.split("=", 1) for part in labels.split(",") if part)
        return [
            thing
            for at, thing in self.objects.items()
            if (at.resource, at.namespace) == (place.resource, place.namespace)
            and wanted.items() <= (thing["metadata"].get("labels") or {}).items()
            and _fields_fit(fields, thing)
        ]

    async def patch(
        self,
        place: Place,
        patch: Sequence[Json] | Json,
        how: PatchKind,
        *,
        subresource: str = "",
        dry_run: bool = False,
        timeout: float = 10.0,
    ) -> Json:
        assert how == "json"
        assert not isinstance(patch, dict)
        assert not subresource
        self.asked.append(("dry run" if dry_run else "patch", place))
        self._fail("dry run" if dry_run else "patch", place)
        if place not in self.objects:
            raise Missing(f"{place} does not exist")
        changed = deepcopy(self.objects[place])
        for operation in patch:
            apply(operation, changed, place)
        if dry_run:
            return changed
        if changed["spec"] != self.objects[place]["spec"] and "generation" in changed["metadata"]:
            changed["metadata"]["generation"] += 1
        self.objects[place] = changed
        self.written.append((place, patch))
        if self.lost is not None:
            raise self.lost
        return changed

    async def create(self, place: Place, body: Json, *, dry_run: bool = False, timeout: float = 10.0) -> Json:
        raise AssertionError("nothing is created here")

    async def delete(
        self, place: Place, *, uid: str, grace: float | None = None, dry_run: bool = False, timeout: float = 10.0
    ) -> None:
        raise AssertionError("nothing is deleted here")

    async def evict(
        self, place: Place, *, uid: str, grace: float | None = None, dry_run: bool = False, timeout: float = 10.0
    ) -> None:
        raise AssertionError("nothing is evicted here")

    async def logs(
        self, place: Place, *, container: str = "", previous: bool = False, most: int = 64 * 1024, timeout: float = 10.0
    ) -> bytes:
        self.asked.append(("logs", place.name, container, previous, most))
        self._fail("logs", place)
        found = self.container_logs.get((place.name, container, previous), b"")
        if isinstance(found, Exception):
            raise found
        return found[-most:]


def _fields_fit(fields: str, thing: Json) -> bool:
    for part in fields.split(","):
        if part:
            path, value = part.split("=", 1)
            here: Any = thing
            for name in path.split("."):
                here = (here or {}).get(name)
            if here != value:
                return False
    return True


def apply(operation: Json, thing: Json, place: Place) -> None:
    """One operation of a JSON patch."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
    here: Any = thing
    for part in parts[:-1]:
        if not isinstance(here, dict) or part not in here:
            raise Changed(f"{place}: {operation['path']} is not there")
        here = here[part]
    match operation["op"]:
        case "test":
            if here.get(parts[-1]) != operation["value"]:
                raise Changed(f"{place}: the test of {operation['path']} failed")
        case "add":
            here[parts[-1]] = operation["value"]
        case "replace":
            assert parts[-1] in here
            here[parts[-1]] = operation["value"]
        case other:
            raise AssertionError(other)


def template(image: str, **changes: Any) -> Json:
    """A pod template."""
    annotations = changes.pop("annotations", None)
    metadata = {"labels": {"app": "api"}} | ({"annotations": annotations} if annotations else {})
    return {"metadata": metadata, "spec": {"containers": [{"name": "api", "image": image}], **changes}}


def workload(image: str = "api:42", *, replicas: int = 3, **metadata: Any) -> Json:
    """A Deployment (or, by its kind, another workload) that is at rest."""
    return {
        "metadata": {"name": "api", "namespace": "shop", "uid": UID, "generation": 7, "resourceVersion": "70"}
        | metadata,
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "api"}},
            "template": template(image),
        },
        "status": {
            "observedGeneration": metadata.get("generation", 7),
            "replicas": replicas,
            "updatedReplicas": replicas,
            "readyReplicas": replicas,
            "availableReplicas": replicas,
            "conditions": [
                {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"},
                {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
            ],
        },
    }


def owned(uid: str = UID) -> list[Json]:
    """The owner references of what belongs to the workload."""
    return [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "api", "uid": uid, "controller": True}]


def replica_set(number: int, created: str, image: str, **changes: Any) -> Json:
    """A ReplicaSet of the Deployment."""
    hashed = template(image, **changes)
    hashed["metadata"]["labels"]["pod-template-hash"] = f"h{number}"
    return {
        "metadata": {
            "name": f"api-{number}",
            "namespace": "shop",
            "uid": f"rs-{number}-{created}",
            "labels": {"app": "api", "pod-template-hash": f"h{number}"},
            "annotations": {"deployment.kubernetes.io/revision": str(number)},
            "creationTimestamp": created,
            "ownerReferences": owned(),
        },
        "spec": {"replicas": 0, "template": hashed},
    }


def controller_revision(number: int, created: str, image: str) -> Json:
    """A ControllerRevision of a StatefulSet or DaemonSet."""
    return {
        "metadata": {
            "name": f"api-{number}",
            "namespace": "shop",
            "uid": f"cr-{number}",
            "labels": {"app": "api"},
            "creationTimestamp": created,
            "ownerReferences": owned(),
        },
        "data": {"spec": {"template": {**template(image), "$patch": "replace"}}},
        "revision": number,
    }


def pod(name: str, *, ready: bool = True, restarts: int = 0, **status: Any) -> Json:
    """A pod of the workload."""
    return {
        "metadata": {"name": name, "namespace": "shop", "uid": f"pod-{name}", "labels": {"app": "api"}},
        "spec": {"nodeName": "node-1", "containers": [{"name": "api", "image": "api:42"}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": [
                {"name": "api", "ready": ready, "restartCount": restarts, "state": {"running": {}}, "lastState": {}}
            ],
            **status,
        },
    }


def with_revisions(*sets: Json, thing: Json | None = None) -> FakeKube:
    """A Deployment with these ReplicaSets."""
    kube = FakeKube()
    kube.put(DEPLOYMENTS, thing if thing is not None else workload())
    for one in sets:
        kube.put(CONTROLLER_REVISIONS if "revision" in one else REPLICA_SETS, one)
    return kube


def with_pods(*pods: Json, thing: Json | None = None) -> FakeKube:
    """A Deployment with these pods."""
    kube = with_revisions(thing=thing)
    for one in pods:
        kube.put(PODS, one)
    return kube
