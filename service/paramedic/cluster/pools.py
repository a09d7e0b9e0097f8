"""How well the workloads of a pool are (of a namespace, or of a whole cluster), counted in pods. `blast_radius` asks.

A workload that somebody is treating counts as if none of its pods were up: what is under way may still take them.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from paramedic.cluster.port import Json
from paramedic.cluster.rollout import progress
from paramedic.core.text import one_line

__all__ = ["Pool", "chooses", "counted", "disrupted", "share"]


@dataclass(frozen=True, slots=True)
class Pool:
    """Pods of a pool: how many are wanted, and missing, `own` of these the target's. `hurt`: whose, besides its."""

    wanted: int
    missing: int
    own: int
    hurt: tuple[str, ...]
    treated: tuple[str, ...]

    @property
    def healthy(self) -> int:
        """How many pods are up and left alone."""
        return self.wanted - self.missing

    @property
    def percent(self) -> float:
        """The share of those that are not."""
        return 100 * self.missing / self.wanted if self.wanted else 0.0


def counted(workloads: Iterable[Json], target: str, treated: Collection[str]) -> Pool:
    """The pool that these workloads are. They are named NAMESPACE/KIND/NAME, as `target` and those in treatment are.

    Of the target itself what is up counts, because it is what the pool is asked about.
    """
    wanted = missing = own = 0
    hurt, under_way = [], []
    for one in workloads:
        name = f"{one['metadata']['namespace']}/{one['kind'].lower()}/{one['metadata']['name']}"
        found = progress(one)
        lacking = max(0, found.wanted - found.ready)
        if name in treated and name != target:
            under_way.append(name)
            lacking = found.wanted
        wanted, missing = wanted + found.wanted, missing + lacking
        if name == target:
            own = lacking
        elif lacking:
            hurt.append(name)
    return Pool(wanted, missing, own, tuple(sorted(hurt)), tuple(sorted(under_way)))


def share(value: int | str, of: int) -> int:
    """So many pods: a number, or a percentage of `of`, rounded up."""
    return value if isinstance(value, int) else ceil(float(value.removesuffix("%")) * of / 100)


def disrupted(workload: Json, budgets: Iterable[Json]) -> str:
    """Why a disruption budget over the workload's pods lets none of them go now; empty if all do, or there is none."""
    labels = ((workload["spec"]["template"].get("metadata") or {}).get("labels")) or {}
    for budget in budgets:
        if not chooses((budget.get("spec") or {}).get("selector"), labels):
            continue
        name, status = one_line(str(budget["metadata"]["name"]), 80), budget.get("status") or {}
        if int(status.get("observedGeneration") or 0) < int(budget["metadata"].get("generation") or 0):
            return f"nothing tells yet what the disruption budget {name} allows"
        if int(status.get("disruptionsAllowed") or 0) < 1:
            counts = f"{status.get('currentHealthy', 0)} pods are healthy, {status.get('desiredHealthy', 0)} must be"
            return f"the disruption budget {name} lets no pod go: {counts}"
    return ""


def chooses(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a budget's selector chooses pods with these labels: none chooses nothing, an empty one everything."""
    if selector is None:
        return False
    plain = (selector.get("matchLabels") or {}).items() <= labels.items()
    return plain and all(_holds(one, labels) for one in selector.get("matchExpressions") or ())


def _holds(requirement: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = requirement.get("key"), requirement.get("values") or ()
    value = labels.get(str(key))
    match requirement.get("operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case _:
            return True  # one that we cannot read is taken to be about these pods
