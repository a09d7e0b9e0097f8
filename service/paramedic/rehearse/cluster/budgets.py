"""PodDisruptionBudgets and ResourceQuotas: what they allow now, and pods that a quota refuses. The cluster calls it.

Sources: pkg/controller/disruption/disruption.go, pkg/controller/resourcequota, the admission plug-in ResourceQuota.
"""

from decimal import Decimal
from math import ceil
from typing import Any, Final

from paramedic.cluster.port import Json
from paramedic.cluster.resources import (
    DAEMON_SETS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    PODS,
    QUOTAS,
    REPLICA_SETS,
    STATEFUL_SETS,
    Resource,
)
from paramedic.errors import Permanent
from paramedic.rehearse.cluster.pods import is_active, is_ready
from paramedic.rehearse.cluster.quantities import amount, asked_by, say_amount
from paramedic.rehearse.cluster.selectors import matches
from paramedic.rehearse.cluster.site import Site, condition, labels_of
from paramedic.rehearse.cluster.storage import controller_of

__all__ = ["Budgets", "Quotas"]

_SCALED: Final = {each.kind: each for each in (DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS, DAEMON_SETS)}


class Budgets:
    """The controller of PodDisruptionBudgets."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def reconcile(self, found: Json) -> None:
        """Count the pods that the budget chooses, and what may go."""
        namespace, selector = found["metadata"]["namespace"], found["spec"].get("selector")
        pods = [one for one in self._site.storage.all(PODS, namespace) if matches(selector, labels_of(one))]
        disrupted = (found.get("status") or {}).get("disruptedPods") or {}
        going = {name: since for name, since in disrupted.items() if self._still_going(pods, name)}
        healthy = sum(is_active(one) and is_ready(one) and one["metadata"]["name"] not in going for one in pods)
        expected, wanted = self._wanted(found, pods)
        allowed = max(0, healthy - wanted) if expected else 0
        status: dict[str, Any] = {
            "currentHealthy": healthy,
            "desiredHealthy": wanted,
            "disruptionsAllowed": allowed,
            "expectedPods": expected,
            "observedGeneration": found["metadata"]["generation"],
            "conditions": [self._condition(found, allowed)],
        }
        if going:
            status["disruptedPods"] = going
        self._site.server.set_status(DISRUPTION_BUDGETS, found, status)

    @staticmethod
    def _still_going(pods: list[Json], name: str) -> bool:
        """Whether a pod that was evicted has not begun to end yet."""
        return any(one["metadata"]["name"] == name and is_active(one) for one in pods)

    def _wanted(self, found: Json, pods: list[Json]) -> tuple[int, int]:
        """How many pods there should be, and how many of them must be healthy."""
        expected = self._expected(pods)
        least, missing = found["spec"].get("minAvailable"), found["spec"].get("maxUnavailable")
        if missing is not None:
            return expected, max(0, expected - _part(missing, expected))
        if isinstance(least, str):
            return expected, _part(least, expected)
        return len([one for one in pods if is_active(one)]), int(least or 0)

    def _expected(self, pods: list[Json]) -> int:
        """The sizes of all controllers of these pods."""
        sizes: dict[str, int] = {}
        for pod in pods:
            reference = controller_of(pod)
            while reference:
                kind = _SCALED.get(reference["kind"])
                found = self._site.storage.get(kind, pod["metadata"]["namespace"], reference["name"]) if kind else None
                if found is None:
                    break
                above = controller_of(found)
                if not above:
                    sizes[found["metadata"]["uid"]] = found["spec"].get("replicas", 0)
                reference = above
        return sum(sizes.values())

    def _condition(self, found: Json, allowed: int) -> Json:
        status, reason = ("True", "SufficientPods") if allowed else ("False", "InsufficientPods")
        was = condition(found, "DisruptionAllowed")
        same = was is not None and was["status"] == status
        return {
            "type": "DisruptionAllowed",
            "status": status,
            "reason": reason,
            "message": "",
            "observedGeneration": found["metadata"]["generation"],
            "lastTransitionTime": was["lastTransitionTime"]
            if was is not None and same
            else self._site.clockwork.stamp(),
        }


def _part(value: int | str, whole: int) -> int:
    return value if isinstance(value, int) else ceil(int(value.removesuffix("%")) * whole / 100)


class Quotas:
    """The controller of ResourceQuotas, and the admission that asks them."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def reconcile(self, found: Json) -> None:
        """Write down what is used of it."""
        hard, used = found["spec"].get("hard") or {}, self._used(found["metadata"]["namespace"])
        told = {name: say_amount(used.get(_plain(name), Decimal(0))) for name in hard}
        self._site.server.set_status(QUOTAS, found, {"hard": dict(hard), "used": told})

    def admit(self, resource: Resource, asked: Json) -> None:
        """Refuse a pod for which a quota of its namespace has no room, as the API's 403."""
        if resource is not PODS:
            return
        namespace = asked["metadata"]["namespace"]
        wanted = asked_by(asked)
        for quota in self._site.storage.all(QUOTAS, namespace):
            used, name = self._used(namespace), quota["metadata"]["name"]
            for key, hard in (quota["spec"].get("hard") or {}).items():
                more, had = wanted.get(_plain(key)), used.get(_plain(key), Decimal(0))
                if more is not None and had + more > amount(hard):
                    limits = (("requested", say_amount(more)), ("used", say_amount(had)), ("limited", hard))
                    told = ", ".join(f"{word}: {key}={value}" for word, value in limits)
                    pod = asked["metadata"]["name"]
                    raise Permanent(f'pods "{pod}" is forbidden: exceeded quota: {name}, {told}')

    def _used(self, namespace: str) -> dict[str, Decimal]:
        total: dict[str, Decimal] = {}
        for pod in self._site.storage.all(PODS, namespace):
            for name, number in (
                asked_by(pod).items() if pod["status"].get("phase") not in ("Succeeded", "Failed") else ()
            ):
                total[name] = total.get(name, Decimal(0)) + number
        return total


def _plain(name: str) -> str:
    """A quota's name of a thing as pods ask for it: `requests.cpu` is `cpu`."""
    return name.removeprefix("requests.")
