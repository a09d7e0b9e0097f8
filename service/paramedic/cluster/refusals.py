"""Why a remedy must not touch a workload, as it stands: small questions, each answered by a reason or by "".

Actions ask them while planning, when refusing costs nothing; the apply compares with what was planned, so that nothing
that was asked here can have become otherwise unnoticed.
"""

from collections.abc import Iterable
from math import ceil, floor
from typing import Any, Final

from paramedic.cluster.names import Target, parse_target
from paramedic.cluster.ownership import annotation, mode_of, mode_said, owner_of
from paramedic.cluster.port import Json
from paramedic.cluster.resources import WORKLOADS
from paramedic.cluster.rollout import strategy_of, wanted_of
from paramedic.core.words import Mode
from paramedic.errors import Fault, Refused

__all__ = [
    "ALLOW_DOWNTIME",
    "LARGEST_ANNOTATIONS",
    "ROLLBACK_SAFE",
    "against_rollout",
    "against_write",
    "downtime",
    "downtime_allowed",
    "no_replicas",
    "paused",
    "refuse",
    "rollback_unsafe",
    "workload_target",
]

ROLLBACK_SAFE: Final = "paramedic/rollback-safe"
ALLOW_DOWNTIME: Final = "paramedic/allow-downtime"

LARGEST_ANNOTATIONS: Final = 256 * 1024
"""Bytes that the keys and values of an object's annotations may have together; the API refuses more."""

_OURS: Final = 1024


def workload_target(text: str, *kinds: str) -> Target:
    """The target, if it is a workload (of one of `kinds`, if any are given). Raises `Fault`."""
    target = parse_target(text)
    allowed = [each for each in WORKLOADS if not kinds or each.kind in kinds]
    if target.resource not in allowed:
        right = f"one of {', '.join(each.word for each in allowed)}"
        raise Fault("target", f"{target.short} is a {target.resource.kind}, whose pods nothing replaces", right)
    return target


def refuse(reasons: Iterable[str]) -> None:
    """Raise `Refused` with the first reason that is one."""
    for reason in reasons:
        if reason:
            raise Refused(reason)


def against_write(workload: Json) -> str:
    """Why nothing of this workload must be changed; empty if it may be."""
    asked = (_being_deleted, _opted_out, _owned, _no_room)
    return next((reason for ask in asked if (reason := ask(workload))), "")


def against_rollout(workload: Json) -> str:
    """Why its template must not be changed: as for any write, or because no pod would be replaced by it."""
    return against_write(workload) or paused(workload) or _on_delete(workload)


def _being_deleted(workload: Json) -> str:
    """It is on its way out."""
    since = workload["metadata"].get("deletionTimestamp")
    return f"it is being deleted since {since}" if since else ""


def _opted_out(workload: Json) -> str:
    """Its people want us to keep off."""
    return mode_said(workload) if mode_of(workload) is Mode.OFF else ""


def _owned(workload: Json) -> str:
    """Somebody else keeps it as they want it, and would take our change back."""
    owner = owner_of(workload)
    return f"it is kept by {owner}: what we change there would be taken back" if owner else ""


def _no_room(workload: Json) -> str:
    """Its annotations are so long that ours would not fit."""
    notes = workload["metadata"].get("annotations") or {}
    size = sum(len(f"{key}{value}".encode("utf-8", "surrogatepass")) for key, value in notes.items())
    if size + _OURS <= LARGEST_ANNOTATIONS:
        return ""
    return f"metadata.annotations: they have {size} bytes, {LARGEST_ANNOTATIONS} is the most, and ours would not fit"


def paused(workload: Json) -> str:
    """Somebody has stopped its rollouts, and a change would wait until they go on."""
    return "its rollouts are paused (spec.paused)" if workload["spec"].get("paused") else ""


def _on_delete(workload: Json) -> str:
    """Its pods are replaced by hand only, so that a new template changes nothing that runs."""
    kind, rolling_update = strategy_of(workload)
    if kind == "OnDelete":
        return "its update strategy is OnDelete: a new template would change nothing that runs"
    partition = int(rolling_update.get("partition") or 0)
    if workload["kind"] == "StatefulSet" and partition >= max(1, wanted_of(workload)):
        return f"its partition of {partition} keeps every pod as it is: a new template would change nothing that runs"
    return ""


def no_replicas(workload: Json) -> str:
    """Nothing runs that could be replaced."""
    return "it has no pods to replace: none is wanted" if wanted_of(workload) == 0 else ""


def downtime(workload: Json) -> str:
    """Why replacing its pods would leave none for a while; empty if some always stay."""
    wanted = wanted_of(workload)
    kind, rolling_update = strategy_of(workload)
    if wanted == 1:
        return "it has a single pod, so replacing it is an outage"
    if kind == "Recreate":
        return "its strategy is Recreate: all its pods would be gone at once"
    away = _most_away(workload, rolling_update, wanted)
    return f"maxUnavailable lets all {wanted} pods be away at once" if 0 < wanted <= away else ""


def downtime_allowed(workload: Json, playbook: bool) -> bool:
    """Whether an outage while pods are replaced is allowed: the target's own annotation has the last word."""
    said = annotation(workload, ALLOW_DOWNTIME)
    return playbook if said is None else said == "true"


def rollback_unsafe(workload: Json) -> str:
    """Its people say that an older version must not run any more, such as after a database migration."""
    template_notes = (workload["spec"]["template"].get("metadata") or {}).get("annotations") or {}
    for said in (annotation(workload, ROLLBACK_SAFE), template_notes.get(ROLLBACK_SAFE)):
        if said is not None and said != "true":
            return f"its annotation {ROLLBACK_SAFE} says that an older version must not run any more"
    return ""


def _most_away(workload: Json, rolling_update: Any, wanted: int) -> int:
    """How many pods a rolling update may take away at once, as its controller reads it."""
    deployment = workload["kind"] == "Deployment"
    given = rolling_update.get("maxUnavailable", "25%" if deployment else 1)
    if isinstance(given, str) and given.endswith("%") and given[:-1].isdigit():
        share = wanted * int(given[:-1]) / 100
        # Deployments round this down, the other two up.
        return floor(share) if deployment else ceil(share)
    return int(given) if str(given).isdigit() else wanted
