"""The scale subresource: the replicas of a workload as an `autoscaling/v1` Scale. The server answers with it."""

from typing import Any

from paramedic.cluster.port import Json
from paramedic.cluster.resources import DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS, Resource
from paramedic.errors import Changed, Permanent
from paramedic.rehearse.cluster.selectors import selector_text
from paramedic.rehearse.cluster.storage import copied

__all__ = ["patched_scale", "scale_of"]


def scale_of(resource: Resource, found: Json, subresource: str) -> Json:
    """The Scale of a workload; as the API has it, zero replicas are left out. Raises `Permanent` if it has none."""
    if subresource != "scale" or resource not in (DEPLOYMENTS, STATEFUL_SETS, REPLICA_SETS):
        raise Permanent(f"{resource.plural} have no subresource {subresource[:40]}")
    metadata = found["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    replicas = found["spec"].get("replicas")
    return {
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {key: metadata[key] for key in kept},
        "spec": {"replicas": replicas} if replicas else {},
        "status": {
            "replicas": (found.get("status") or {}).get("replicas", 0),
            "selector": selector_text(found["spec"]["selector"]),
        },
    }


def patched_scale(before: Json, asked: Any, resource: Resource) -> Json:
    """The workload that a changed Scale asks for."""
    metadata, spec = asked.get("metadata") or {}, asked.get("spec") or {}
    name = before["metadata"]["name"]
    for key in ("resourceVersion", "uid"):
        if metadata.get(key) not in (before["metadata"][key], None, ""):
            raise Changed(
                f'Operation cannot be fulfilled on {resource.permission} "{name}": the object has been modified'
            )
    replicas = spec.get("replicas", 0)
    if not isinstance(replicas, int) or isinstance(replicas, bool) or replicas < 0:
        raise Permanent(f'Scale.autoscaling "{name}" is invalid: spec.replicas: must be greater than or equal to 0')
    wanted = copied(before)
    wanted["spec"]["replicas"] = replicas
    return wanted
