"""Rolls Deployments out over ReplicaSets, as the real controller does. The cluster calls it for what changed.

Sources: pkg/controller/deployment/{deployment_controller,sync,rolling,recreate,progress}.go. A template that an old
ReplicaSet has already is not made again: that one gets the next revision number, which is what an undo comes to.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from paramedic.cluster.port import Json
from paramedic.cluster.resources import DEPLOYMENTS, PODS, REPLICA_SETS
from paramedic.rehearse.cluster.deployment_status import DeploymentStatus
from paramedic.rehearse.cluster.replica_sets import CONTROLLER
from paramedic.rehearse.cluster.rolling import (
    DESIRED,
    MOST,
    annotated,
    max_surge,
    new_replicas,
    old_after_cleanup,
    old_after_scaling,
    proportions,
)
from paramedic.rehearse.cluster.site import Site, hashed
from paramedic.rehearse.cluster.storage import copied, owner_reference

__all__ = ["Deployments"]

REVISION: Final = "deployment.kubernetes.io/revision"
HISTORY: Final = "deployment.kubernetes.io/revision-history"
HASH: Final = "pod-template-hash"
_OWN: Final = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "deprecated.deployment.rollback.to",
        *(REVISION, HISTORY, DESIRED, MOST),
    }
)
"""Annotations of a Deployment that its ReplicaSets do not take over."""


class Deployments:
    """The controller of Deployments."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._status = DeploymentStatus(site)

    def reconcile(self, found: Json) -> None:
        """One step of the rollout; what it changes brings the next."""
        paused = bool(found["spec"].get("paused"))
        found = self._status.note_pause(found, paused=paused)
        sets = self._site.storage.owned(REPLICA_SETS, found)
        if paused or _was_scaled(found, sets):
            new, old = self._split(found, sets)
            self._scale(found, new, old)
            if paused:
                self._clean_up(found, old)
            self._status.store(found, new, self._now(found), progress=False)
        elif found["spec"]["strategy"]["type"] == "Recreate":
            self._recreate(found, sets)
        else:
            self._roll(found, sets)

    def _now(self, found: Json) -> list[Json]:
        return self._site.storage.owned(REPLICA_SETS, found)

    def _roll(self, found: Json, sets: Sequence[Json]) -> None:
        new, old = self._split(found, sets)
        found, new = self._new(found, new, old)
        wanted = found["spec"]["replicas"]
        size = wanted if new["spec"]["replicas"] > wanted else self._room(found, new, old)
        if size != new["spec"]["replicas"]:
            self._resize(found, new, size)
        elif self._shrink(found, new, old):
            pass
        elif self._status.is_complete(found):
            self._clean_up(found, old)
        self._finish(found, new)

    @staticmethod
    def _room(found: Json, new: Json, old: Sequence[Json]) -> int:
        return new_replicas(found, [new, *old], new["spec"]["replicas"])

    def _shrink(self, found: Json, new: Json, old: Sequence[Json]) -> bool:
        active = [one for one in old if one["spec"]["replicas"]]
        cleaned = self._resize_all(found, active, old_after_cleanup(found, new, active))
        left = [
            self._site.storage.get(REPLICA_SETS, one["metadata"]["namespace"], one["metadata"]["name"])
            for one in active
        ]
        old_now = [one for one in left if one is not None]
        return self._resize_all(found, old_now, old_after_scaling(found, new, old_now, active)) or cleaned

    def _recreate(self, found: Json, sets: Sequence[Json]) -> None:
        new, old = self._split(found, sets)
        active = [one for one in old if one["spec"]["replicas"]]
        if active:
            self._resize_all(found, active, {one["metadata"]["name"]: 0 for one in active})
        elif not any(self._site.storage.owned(PODS, one) for one in old):
            found, new = self._new(found, new, old)
            self._resize(found, new, found["spec"]["replicas"])
            if self._status.is_complete(found):
                self._clean_up(found, old)
        self._finish(found, new)

    def _finish(self, found: Json, new: Json | None) -> None:
        if new is not None:
            new = self._site.storage.get(REPLICA_SETS, new["metadata"]["namespace"], new["metadata"]["name"])
        self._status.store(found, new, self._now(found), progress=True)

    # -- its ReplicaSets ----------------------------------------------------------------------------------------------

    @staticmethod
    def _split(found: Json, sets: Sequence[Json]) -> tuple[Json | None, list[Json]]:
        """The ReplicaSet of the present template, if there is one, and the others."""
        by_age = sorted(sets, key=lambda one: (one["metadata"]["creationTimestamp"], one["metadata"]["uid"]))
        wanted = _unhashed(found["spec"]["template"])
        new = next((one for one in by_age if _unhashed(one["spec"]["template"]) == wanted), None)
        return new, [one for one in by_age if one is not new]

    def _new(self, found: Json, new: Json | None, old: Sequence[Json]) -> tuple[Json, Json]:
        """The ReplicaSet of the present template with its revision, made if need be; and the Deployment."""
        revision = max((annotated(one, REVISION) for one in old), default=0) + 1
        if new is None:
            new = self._make(found, old, revision)
            reason, said = "NewReplicaSetCreated", "Created new replica set"
        else:
            taken_over = self._annotated(found, new, revision)
            new = self._site.server.replace(REPLICA_SETS, taken_over, CONTROLLER)
            reason, said = "FoundNewReplicaSet", "Found new replica set"
        text = str(annotated(new, REVISION))
        if (found["metadata"].get("annotations") or {}).get(REVISION) != text:
            found = self._site.storage.draft(found)
            found["metadata"].setdefault("annotations", {})[REVISION] = text
            found = self._site.server.replace(DEPLOYMENTS, found, CONTROLLER)
        return self._status.note_new(found, reason, f'{said} "{new["metadata"]["name"]}"'), new

    def _make(self, found: Json, old: Sequence[Json], revision: int) -> Json:
        template, metadata = copied(found["spec"]["template"]), found["metadata"]
        digest = hashed(template)
        template["metadata"]["labels"] = {**(template["metadata"].get("labels") or {}), HASH: digest}
        body: Json = {
            "metadata": {
                "name": f"{metadata['name']}-{digest}",
                "labels": template["metadata"]["labels"],
                "annotations": {REVISION: str(revision), **_handed_on(found), **_sizes(found)},
                "ownerReferences": [owner_reference(found)],
            },
            "spec": {
                "replicas": new_replicas(found, old, 0),
                "selector": copied(found["spec"]["selector"]),
                "template": template,
            },
            "status": {"replicas": 0},
        }
        body["spec"]["selector"].setdefault("matchLabels", {})[HASH] = digest
        if found["spec"].get("minReadySeconds"):
            body["spec"]["minReadySeconds"] = found["spec"]["minReadySeconds"]
        made = self._site.server.create(REPLICA_SETS, metadata["namespace"], body, CONTROLLER, status=True)
        if made["spec"]["replicas"]:
            self._scaled(found, made, 0, made["spec"]["replicas"])
        return made

    @staticmethod
    def _annotated(found: Json, new: Json, revision: int) -> Json:
        """The ReplicaSet with the Deployment's annotations, and the next revision if its own is an old one."""
        own = dict(new["metadata"].get("annotations") or {})
        own |= _handed_on(found)
        before = annotated(new, REVISION)
        if before < revision:
            own[REVISION] = str(revision)
            if before:
                own[HISTORY] = f"{own[HISTORY]},{before}" if own.get(HISTORY) else str(before)
        return {**new, "metadata": {**new["metadata"], "annotations": own}}

    def _resize_all(self, found: Json, sets: Sequence[Json], sizes: Mapping[str, int]) -> bool:
        for one in sets:
            size = sizes.get(one["metadata"]["name"], one["spec"]["replicas"])
            if size != one["spec"]["replicas"]:
                self._resize(found, one, size)
        return bool(sizes)

    def _resize(self, found: Json, one: Json, size: int) -> None:
        before = one["spec"]["replicas"]
        annotations = {**(one["metadata"].get("annotations") or {}), **_sizes(found)}
        wanted = {
            **one,
            "metadata": {**one["metadata"], "annotations": annotations},
            "spec": {**one["spec"], "replicas": size},
        }
        self._site.server.replace(REPLICA_SETS, wanted, CONTROLLER)
        if size != before:
            self._scaled(found, one, before, size)

    def _scaled(self, found: Json, one: Json, before: int, after: int) -> None:
        way = "up" if after > before else "down"
        said = f"Scaled {way} replica set {one['metadata']['name']} from {before} to {after}"
        self._site.tell(found, "ScalingReplicaSet", said, "deployment-controller")

    def _scale(self, found: Json, new: Json | None, old: Sequence[Json]) -> None:
        """The Deployment's size was changed, or it is paused: its ReplicaSets follow without a rollout."""
        wanted, every = found["spec"]["replicas"], [*old, *([new] if new else [])]
        active = [one for one in every if one["spec"]["replicas"]]
        if len(active) <= 1:
            latest = active[0] if active else new or (old[-1] if old else None)
            if latest is not None:
                self._resize(found, latest, wanted)
        elif new is not None and _saturated(found, new):
            self._resize_all(found, old, {one["metadata"]["name"]: 0 for one in old})
        elif found["spec"]["strategy"]["type"] == "RollingUpdate":
            sizes = proportions(found, active)
            for one in active:
                self._resize(found, one, sizes[one["metadata"]["name"]])

    def _clean_up(self, found: Json, old: Sequence[Json]) -> None:
        """Old ReplicaSets beyond the limit of the history go, the oldest first."""
        limit = found["spec"]["revisionHistoryLimit"]
        by_revision = sorted(old, key=lambda one: annotated(one, REVISION))
        for one in by_revision[: max(0, len(by_revision) - limit)]:
            status = one.get("status") or {}
            if not status.get("replicas") and not one["spec"]["replicas"]:
                metadata = one["metadata"]
                self._site.server.delete(REPLICA_SETS, metadata["namespace"], metadata["name"], metadata["uid"], None)


def _unhashed(template: Json) -> Json:
    metadata = template.get("metadata") or {}
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != HASH}
    kept = {key: value for key, value in metadata.items() if key != "labels" and value}
    return {**template, "metadata": {**kept, "labels": labels}}


def _handed_on(found: Json) -> dict[str, str]:
    annotations = found["metadata"].get("annotations") or {}
    return {key: value for key, value in annotations.items() if key not in _OWN}


def _sizes(found: Json) -> dict[str, str]:
    desired = found["spec"]["replicas"]
    return {DESIRED: str(desired), MOST: str(desired + max_surge(found))}


def _was_scaled(found: Json, sets: Sequence[Json]) -> bool:
    active = [one for one in sets if one["spec"]["replicas"]]
    return any(annotated(one, DESIRED) != found["spec"]["replicas"] for one in active)


def _saturated(found: Json, new: Json) -> bool:
    wanted = found["spec"]["replicas"]
    available = (new.get("status") or {}).get("availableReplicas", 0)
    return bool(new["spec"]["replicas"] == wanted == annotated(new, DESIRED) == available)
