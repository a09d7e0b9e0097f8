"""Objects of a cluster as its API gives them: workloads at rest, revisions, pods. Tests bend what matters to them."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from paramedic.cluster.port import Json
from paramedic.cluster.revisions import NUMBER, RESTARTED

MADE = "2026-05-12T08:00:00Z"
LATER = "2026-05-12T09:04:00Z"
LABELS = {"app": "api"}
Make = Callable[..., Json]


def template(image: str = "api:42", *, restarted: str = "", hashed: str = "", **annotations: str) -> Json:
    """A pod template with one container."""
    notes = annotations | ({RESTARTED: restarted} if restarted else {})
    metadata: Json = {"labels": LABELS | ({"pod-template-hash": hashed} if hashed else {})}
    if notes:
        metadata["annotations"] = notes
    return {"metadata": metadata, "spec": {"containers": [{"name": "api", "image": f"registry.example/shop/{image}"}]}}


def workload(kind: str, name: str = "api", *, replicas: int = 3, image: str = "api:42", **spec: Any) -> Json:
    """A workload of this kind with all its pods up; `spec` replaces fields of its spec."""
    found: Json = {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": f"{kind.lower()}-{name}",
            "generation": 2,
            "resourceVersion": "1000",
            "annotations": {NUMBER: "2"},
        },
        "spec": {"selector": {"matchLabels": dict(LABELS)}, "template": template(image)},
        "status": {"observedGeneration": 2},
    }
    if kind == "DaemonSet":
        counts = ("currentNumberScheduled", "desiredNumberScheduled", "numberAvailable", "updatedNumberScheduled")
    else:
        found["spec"]["replicas"] = replicas
        counts = ("replicas", "readyReplicas", "availableReplicas", "updatedReplicas")
    found["status"] |= dict.fromkeys(counts, replicas)
    if kind == "Deployment":
        found["status"]["conditions"] = [
            {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable", "lastUpdateTime": LATER},
        ]
    if kind == "StatefulSet":
        found["status"] |= {"currentRevision": "api-b", "updateRevision": "api-b", "currentReplicas": replicas}
    found["spec"] |= spec
    return found


def deployment(name: str = "api", **changes: Any) -> Json:
    """A Deployment at rest."""
    return workload("Deployment", name, **changes)


def stateful_set(name: str = "api", **changes: Any) -> Json:
    """A StatefulSet at rest."""
    return workload("StatefulSet", name, **changes)


def daemon_set(name: str = "api", **changes: Any) -> Json:
    """A DaemonSet at rest."""
    return workload("DaemonSet", name, **changes)


def status(found: Json, **changes: Any) -> Json:
    """The same object with other numbers in its status; None takes a field away."""
    bent = deepcopy(found)
    bent["status"] = {key: value for key, value in (bent["status"] | changes).items() if value is not None}
    return bent


def condition(found: Json, kind: str, value: str, reason: str, at: str = LATER) -> Json:
    """The same object with one condition as given."""
    bent = deepcopy(found)
    others = [one for one in bent["status"].get("conditions", []) if one["type"] != kind]
    bent["status"]["conditions"] = [*others, {"type": kind, "status": value, "reason": reason, "lastUpdateTime": at}]
    return bent


def metadata(found: Json, **changes: Any) -> Json:
    """The same object with other metadata; None takes a field away."""
    bent = deepcopy(found)
    bent["metadata"] = {key: value for key, value in (bent["metadata"] | changes).items() if value is not None}
    return bent


def noted(found: Json, notes: dict[str, str]) -> Json:
    """The same object with further annotations."""
    return metadata(found, annotations=(found["metadata"].get("annotations") or {}) | notes)


def owned_by(uid: str, kind: str = "Deployment", name: str = "api") -> list[Json]:
    """Owner references to its controller."""
    return [{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid, "controller": True}]


def replica_set(number: int, pod_template: Json, created: str, *, name: str = "", uid: str = "deployment-api") -> Json:
    """A revision of a Deployment."""
    name = name or f"api-{number}"
    hashed = deepcopy(pod_template)
    hashed["metadata"].setdefault("labels", {})["pod-template-hash"] = name
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": f"rs-{name}",
            "creationTimestamp": created,
            "labels": LABELS | {"pod-template-hash": name},
            "annotations": {NUMBER: str(number)},
            "ownerReferences": owned_by(uid),
        },
        "spec": {"replicas": 0, "template": hashed},
    }


def controller_revision(name: str, number: int, pod_template: Json, created: str, owner: Json) -> Json:
    """A revision of a StatefulSet or DaemonSet."""
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": f"cr-{name}",
            "creationTimestamp": created,
            "labels": dict(LABELS),
            "ownerReferences": owned_by(owner["metadata"]["uid"], owner["kind"]),
        },
        "revision": number,
        "data": {"spec": {"template": pod_template | {"$patch": "replace"}}},
    }


def pod(name: str, revision: str, owner: Json, *, ready: bool = True) -> Json:
    """A pod of a StatefulSet."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": f"pod-{name}-{revision}",
            "labels": LABELS | {"controller-revision-hash": revision},
            "ownerReferences": owned_by(owner["metadata"]["uid"], owner["kind"]),
        },
        "spec": {},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True" if ready else "False"}]},
    }


def hpa(name: str = "api", *, kind: str = "Deployment", of: str = "api", api: str = "apps/v1", **meta: Any) -> Json:
    """A HorizontalPodAutoscaler of a workload."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": "shop", "uid": f"hpa-{name}", **meta},
        "spec": {"scaleTargetRef": {"apiVersion": api, "kind": kind, "name": of}, "minReplicas": 2, "maxReplicas": 9},
    }
