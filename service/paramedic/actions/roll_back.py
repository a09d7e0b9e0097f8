"""Action `roll_back`: the version before the present one, by its template, never by its number. Applied in slots."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec
from pydantic import Field

from paramedic.cluster.names import Target
from paramedic.cluster.ownership import annotation, mode_of
from paramedic.cluster.port import Json, Kube
from paramedic.cluster.refusals import against_rollout, refuse, rollback_unsafe, workload_target
from paramedic.cluster.replacing import roll_out, rolled_out
from paramedic.cluster.resources import CONTROLLER_REVISIONS, DEPLOYMENTS, REPLICA_SETS
from paramedic.cluster.revisions import (
    CAUSE,
    Revision,
    configured_anew,
    earlier,
    fingerprint,
    images,
    plain,
    revisions_of,
    selector_of,
)
from paramedic.cluster.writes import planned, sealed
from paramedic.core.model import Change
from paramedic.core.words import Once
from paramedic.durations import Duration
from paramedic.errors import Refused
from paramedic.plugin import Action, Applied, Params, Resources, Seen, Tools

__all__ = ["RollBack"]

_CALLS = 20.0
_LARGEST = 128 * 1024
_LONGEST_CAUSE = 500
_FROM = "paramedic/rolled-back-from"


class RollBackParams(Params):
    """What `roll_back` may be told."""

    same_image: bool = Field(False, description="go back also where the revision before has the same images")
    settle: Duration = Field(
        10.0, ge=1, le=300, description="how long to wait for pods of a StatefulSet that are in the way, all together"
    )


class RollBack(Action):
    """Gives a Deployment, StatefulSet or DaemonSet the pod template that it had before the present one.

    That is the newest older revision whose template differs in more than a restart, so that a rollback after a restart
    does not end at the same bad release. Replicas stay as they are; ConfigMaps and Secrets do too. A pod of a
    StatefulSet that is not ready would block the rollback for ever, and is deleted.

    The manifest still names the newer version, and its next `kubectl apply` or Helm upgrade brings it again.
    """

    name = "roll_back"
    example = "roll_back: {same_image: false}"
    Params = RollBackParams
    reads = frozenset({"kube"})
    writes = frozenset({"kube"})
    permissions = (
        "get deployments.apps",
        "get statefulsets.apps",
        "get daemonsets.apps",
        "list replicasets.apps",
        "list controllerrevisions.apps",
        "patch deployments.apps",
        "patch statefulsets.apps",
        "patch daemonsets.apps",
        "list pods",
        "get pods",
        "delete pods",
    )
    escapes: ClassVar[Mapping[str, str]] = {"same_image": "literal", "settle": "literal"}
    undone_by = "the template that was there before, written once, unless somebody has changed it since"
    refuses: ClassVar[tuple[str, ...]] = (
        "the target is not a Deployment, StatefulSet or DaemonSet, or is not there",
        "it is being deleted",
        "it opted out: its annotation paramedic/mode says off, or nothing that we know",
        "it is kept by somebody else: Argo CD, Flux, an operator",
        "its annotations leave no room for ours",
        "its rollouts are paused",
        "its update strategy is OnDelete, or its partition keeps every pod",
        "its annotation paramedic/rollback-safe says that an older version must not run any more",
        "there is no older revision with another template, or it keeps none (revisionHistoryLimit: 0)",
        "it was rolled back already: the present template is older than another one that was tried since",
        "the revision before has the same images, without same_image",
        "its pod template is larger than an incident keeps",
    )

    def once(self, params: RollBackParams, resources: Resources) -> Once:
        """The server compares uid and generation."""
        return Once.CAS

    def takes(self, params: RollBackParams, resources: Resources) -> float:
        """The calls, and the waiting for pods."""
        return _CALLS + params.settle

    async def plan(self, params: RollBackParams, seen: Seen, tools: Tools) -> Change:
        """The template to go back to. A rollout that is under way or has stalled is no reason against it."""
        target = workload_target(seen.target)
        max_age = 1.0 if seen.run.attempt == 1 else 0.0
        workload = await tools.kube.get(target.place, max_age=max_age)
        refuse((against_rollout(workload), rollback_unsafe(workload)))
        back = earlier(workload, revisions_of(workload, await _history(tools.kube, target, workload, max_age)))
        return _change(params, seen, target, workload, back)

    async def apply(self, write: Mapping[str, Any], key: str, seen: Seen, tools: Tools) -> Applied:
        """Write it, and replace the pods in its way."""
        target = workload_target(seen.target)
        rolled = await roll_out(tools.kube, tools.wait, target.place, write, key)
        evidence: dict[str, Any] = {"generation": rolled.workload["metadata"].get("generation")}
        if rolled.replaced:
            evidence["replaced"] = list(rolled.replaced)
        return Applied(f"{target.short} goes to {write['image']}", evidence, halted=rolled.halted)

    async def observe(self, write: Mapping[str, Any], key: str, seen: Seen, tools: Tools) -> bool | None:
        """Whether the target carries our key, and no pod is in the way."""
        return await rolled_out(tools.kube, workload_target(seen.target).place, write, key)


async def _history(kube: Kube, target: Target, workload: Json, max_age: float) -> Sequence[Json]:
    kept = REPLICA_SETS if target.resource == DEPLOYMENTS else CONTROLLER_REVISIONS
    return await kube.list(target.place.beside(kept), labels=selector_of(workload), max_age=max_age)


def _change(params: RollBackParams, seen: Seen, target: Target, workload: Json, back: Revision) -> Change:
    present, wanted = plain(workload["spec"]["template"]), plain(back.template)
    now, then = images(present), images(wanted)
    if now == then and _images(present) == _images(wanted) and not params.same_image:
        raise Refused(f"{back.name}, the revision before, has the same image {then}: same_image would allow that")
    size = len(msgspec.json.encode(present)) + len(msgspec.json.encode(wanted))
    if size > _LARGEST:
        raise Refused(f"spec.template: the present one and the one before have {size} bytes, {_LARGEST} is the most")
    change = [{"op": "replace", "path": "/spec/template", "value": wanted}]
    write = {
        "image": then,
        "revision": back.name,
        "template": back.fingerprint,
        "settle": params.settle,
        "annotations": {_FROM: f"image={now};incident={seen.incident}"}
        | _caused(workload, back.cause or f"back to {then}"),
        **planned(workload, change),
    }
    undo = {
        "image": now,
        "uid": write["uid"],
        "generation": None,
        "template": fingerprint(present),
        "still": back.fingerprint,
        "settle": params.settle,
        "annotations": _caused(workload, annotation(workload, CAUSE) or ""),
        "change": [{"op": "replace", "path": "/spec/template", "value": present}],
    }
    summary = f"roll back {target.short}, image {now} → {then}"
    if configured_anew(present, wanted):
        summary += "; ConfigMaps or Secrets have changed too, and stay as they are"
    return sealed(summary, write, prior={"image": now}, undo=undo, most=mode_of(workload))


def _caused(workload: Json, cause: str) -> dict[str, str]:
    """The reason of the revision, where the workload has one: its history would go on calling it by the last one."""
    kept = annotation(workload, CAUSE)
    return {} if kept is None or max(len(kept), len(cause)) > _LONGEST_CAUSE else {CAUSE: cause}


def _images(template: Json) -> list[str]:
    """The images in full: two registries may have the same short names."""
    return [str(container.get("image", "")) for container in (template.get("spec") or {}).get("containers") or ()]
