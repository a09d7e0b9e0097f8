"""Eviction: deleting a pod if the disruption budgets that choose it allow. The port calls it.

Source: pkg/registry/core/pod/storage/eviction.go. A budget that says no is `Temporary`: the API answers 429.
"""

from paramedic.cluster.port import Json
from paramedic.cluster.resources import DISRUPTION_BUDGETS, PODS
from paramedic.errors import Permanent, Temporary
from paramedic.rehearse.cluster.pods import is_ready
from paramedic.rehearse.cluster.selectors import matches
from paramedic.rehearse.cluster.site import Site, labels_of

__all__ = ["evict"]


def evict(site: Site, namespace: str, name: str, uid: str, grace: float | None, *, dry_run: bool) -> None:
    """Evict a pod. Raises `Missing`, `Changed` (another pod has the name), `Temporary` (a budget says no)."""
    pod = site.server.get(PODS, namespace, name)
    ends_anyway = pod["status"].get("phase") != "Running" or "deletionTimestamp" in pod["metadata"]
    budgets = [
        one
        for one in site.storage.all(DISRUPTION_BUDGETS, namespace)
        if matches(one["spec"].get("selector"), labels_of(pod))
    ]
    if len(budgets) > 1:
        raise Permanent(
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        )
    if budgets and not ends_anyway and not _unhealthy_may_go(pod, budgets[0]):
        _take(site, budgets[0], name, dry_run=dry_run)
    site.server.delete(PODS, namespace, name, uid, grace, dry_run=dry_run)


def _unhealthy_may_go(pod: Json, budget: Json) -> bool:
    """Whether a pod that is not ready may go without counting: always, or while the budget is kept."""
    if is_ready(pod):
        return False
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status") or {}
    return bool(status.get("currentHealthy", 0) >= status.get("desiredHealthy", 0) > 0)


def _take(site: Site, budget: Json, name: str, *, dry_run: bool) -> None:
    status = budget.get("status") or {}
    said = "Cannot evict pod as it would violate the pod's disruption budget."
    if status.get("observedGeneration", 0) < budget["metadata"]["generation"]:
        raise Temporary(f"{said} The disruption budget is still being processed by the server.", delay=10.0)
    allowed = status.get("disruptionsAllowed", 0)
    if allowed < 1:
        needs, has = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
        why = f"The disruption budget {budget['metadata']['name']} needs {needs} healthy pods and has {has} currently"
        raise Temporary(f"{said} {why}")
    if not dry_run:
        disrupted = {**(status.get("disruptedPods") or {}), name: site.clockwork.stamp()}
        changed = {**status, "disruptionsAllowed": allowed - 1, "disruptedPods": disrupted}
        site.server.set_status(DISRUPTION_BUDGETS, budget, changed)
