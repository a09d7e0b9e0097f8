"""Who else decides about a workload, by what it carries: GitOps tools, operators, and its people's own annotations.

What somebody else keeps as they want it is not ours to change: they would take it back within seconds (Argo CD after
five), or we would fight them. Actions refuse by it, the guard `owned` denies by it, checks say by it who interfered.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from paramedic.cluster.port import MANAGER, Json
from paramedic.core.text import one_line
from paramedic.core.words import Mode

__all__ = ["MODE", "annotation", "applied_by", "last_writer", "mode_of", "mode_said", "owner_of", "scaler_of"]

MODE: Final = "paramedic/mode"
"""The annotation by which a target's people say how much we may do there."""

_MODES: Final = (Mode.OFF, Mode.SHADOW, Mode.APPROVE, Mode.AUTO)

# A label or annotation that a tool puts on everything it keeps in sync, and whose it says that the workload is.
_BY_ANNOTATION: Final[Mapping[str, str]] = {
    "argocd.argoproj.io/tracking-id": "Argo CD",
    "argo-rollouts.argoproj.io/managed-by-rollouts": "Argo Rollouts",
    "configsync.gke.io/resource-id": "Config Sync",
    "objectset.rio.cattle.io/id": "Fleet",
}
_BY_LABEL: Final[Mapping[str, str]] = {
    "argocd.argoproj.io/instance": "Argo CD",
    "kustomize.toolkit.fluxcd.io/name": "Flux",
    "helm.toolkit.fluxcd.io/name": "Flux",
    "olm.owner": "the Operator Lifecycle Manager",
}
_FLUX_LEAVES: Final = "kustomize.toolkit.fluxcd.io/reconcile"


def owner_of(workload: Json) -> str:
    """Who keeps this workload as it is, in words; empty if nobody does.

    Helm alone keeps nothing between two upgrades, and an HPA or KEDA owns the replicas, never the template.
    """
    for reference in workload["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return one_line(f"{reference.get('kind', '')}/{reference.get('name', '')}, which controls it", 160)
    labels = workload["metadata"].get("labels") or {}
    for key, tool in _BY_ANNOTATION.items():
        if value := annotation(workload, key):
            return one_line(f"{tool} ({value.partition(':')[0]})", 160)
    for key, tool in _BY_LABEL.items():
        if (value := labels.get(key, "")) and not (tool == "Flux" and annotation(workload, _FLUX_LEAVES) == "disabled"):
            return one_line(f"{tool} ({value})", 160)
    if labels.get("addonmanager.kubernetes.io/mode") == "Reconcile":
        return "the cluster's add-on manager"
    return ""


def mode_of(workload: Json) -> Mode | None:
    """The highest mode that the workload's annotation allows; None where it says nothing. What is no mode is `off`."""
    said = annotation(workload, MODE)
    if said is None:
        return None
    return next((mode for mode in _MODES if mode == said), Mode.OFF)


def mode_said(workload: Json) -> str:
    """What the annotation says, for people: also that it says nothing we know. Empty where there is none."""
    said = annotation(workload, MODE)
    if said is None:
        return ""
    if said in _MODES:
        return f"its annotation {MODE} says {said}"
    return f'its annotation {MODE} is "{one_line(said, 40)}", none of {", ".join(_MODES)}: that counts as off'


def annotation(workload: Json, key: str) -> str | None:
    """An annotation of the object, None where it has none."""
    value = (workload["metadata"].get("annotations") or {}).get(key)
    return None if value is None else str(value)


def scaler_of(workload: Json, hpas: Iterable[Json]) -> Json | None:
    """The HorizontalPodAutoscaler that sets this workload's replicas, out of those of its namespace."""
    group = str(workload.get("apiVersion", "")).partition("/")[0]
    for hpa in hpas:
        target = hpa["spec"].get("scaleTargetRef") or {}
        same = target.get("kind") == workload["kind"] and target.get("name") == workload["metadata"]["name"]
        if same and str(target.get("apiVersion") or group).partition("/")[0] == group:
            return hpa
    return None


def applied_by(workload: Json, fields: Iterable[str]) -> tuple[str, str]:
    """Who else applies one of these fields of the spec by server-side apply, and which: they would set it again.

    Both are empty if nobody does. Whoever once created or edited the object does not come back to it, and is no owner.
    """
    for entry in workload["metadata"].get("managedFields") or ():
        theirs = (entry.get("fieldsV1") or {}).get("f:spec") or {}
        if entry.get("operation") == "Apply" and entry.get("manager") != MANAGER:
            for field in fields:
                if f"f:{field}" in theirs:
                    return one_line(str(entry.get("manager") or "somebody"), 80), field
    return "", ""


def last_writer(workload: Json) -> str:
    """Who changed the object after us: `kubectl-edit at 2026-05-12T09:15:02Z`. Empty where nothing tells."""
    entries = workload["metadata"].get("managedFields") or ()
    ours = max((str(entry.get("time", "")) for entry in entries if entry.get("manager") == MANAGER), default="")
    others = [
        entry
        for entry in entries
        if entry.get("manager") != MANAGER
        and entry.get("subresource", "") != "status"
        and str(entry.get("time", "")) >= ours
    ]
    latest = max(others, key=lambda entry: str(entry.get("time", "")), default=None)
    if latest is None:
        return ""
    return one_line(f"{latest.get('manager') or 'somebody'} at {latest.get('time', 'an unknown time')}", 120)
