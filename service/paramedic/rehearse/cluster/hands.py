"""What somebody else does to a cluster by hand, as a rehearsal says it. The stage and the demo call it."""

from collections.abc import Mapping
from typing import Any

from paramedic.cluster.names import parse_target
from paramedic.cluster.port import Json
from paramedic.errors import Fault
from paramedic.rehearse.cluster.cluster import SimulatedCluster
from paramedic.rehearse.cluster.spec import Hand

__all__ = ["lay_hand"]


def lay_hand(clusters: Mapping[str, SimulatedCluster], hand: Hand) -> None:
    """Edit or delete as told. Raises `Fault` where there is no such cluster, and what the server says."""
    target = parse_target(hand.edit or hand.delete)
    if target.cluster not in clusters:
        raise Fault(
            "cluster", f'this world has no cluster "{target.cluster}"', f"it has: {', '.join(clusters) or 'none'}"
        )
    cluster = clusters[target.cluster]
    cluster.catch_up()
    if hand.delete:
        cluster.remove(target.resource, target.namespace, target.name)
        return
    found = cluster.site.server.get(target.resource, target.namespace, target.name)
    cluster.edit(target.resource, target.namespace, target.name, _patch(hand, found), manager=hand.by)


def _patch(hand: Hand, found: Json) -> Json:
    spec: dict[str, Any] = {}
    if hand.replicas is not None:
        spec["replicas"] = hand.replicas
    if hand.paused is not None:
        spec["paused"] = hand.paused
    if hand.image:
        first, *others = found["spec"]["template"]["spec"]["containers"]
        spec["template"] = {"spec": {"containers": [{**first, "image": hand.image}, *others]}}
    return {**hand.patch, "spec": {**(hand.patch.get("spec") or {}), **spec}} if spec else dict(hand.patch)
