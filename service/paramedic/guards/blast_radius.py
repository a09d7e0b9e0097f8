"""Guard `blast_radius`: not while too much around the target is down or being treated already."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, StrictInt, StrictStr, model_validator

from paramedic.cluster.names import Target
from paramedic.cluster.pools import Pool, counted, disrupted, share
from paramedic.cluster.port import Json, Kube
from paramedic.cluster.refusals import workload_target
from paramedic.cluster.resources import DISRUPTION_BUDGETS, WORKLOADS, Place
from paramedic.core.claims import MOST_HELD
from paramedic.core.model import Verdict
from paramedic.core.text import one_line
from paramedic.core.words import Answer
from paramedic.plugin import Guard, Params, Seen, Tools

__all__ = ["BlastRadius"]

_SOON = 15.0
_SHOWN = 5
_MOST = 5000


def _part(value: int | str) -> int | str:
    if isinstance(value, int):
        if not 1 <= value <= 100_000:
            raise ValueError("a number of pods is 1 to 100000")
    elif not (value.endswith("%") and value[:-1].isascii() and value[:-1].isdigit() and 0 < int(value[:-1]) <= 100):
        raise ValueError('write a number of pods such as 2, or a share such as "70%"')
    return value


class BlastRadiusParams(Params):
    """What `blast_radius` may be told."""

    across: Literal["workload", "namespace", "cluster"] = Field(
        "namespace", description="the pool: the target alone, the workloads of its namespace, or all of its cluster"
    )
    max_percent: float | None = Field(
        None, gt=0, le=100, description="so many percent of the pool's pods may be down or in treatment"
    )
    min_healthy: Annotated[StrictInt | StrictStr, AfterValidator(_part)] | None = Field(
        None, description="so many pods of the pool must be up and left alone: a number, or a share such as `70%`"
    )
    respect_pdb: bool = Field(True, description="deny while a disruption budget over the target's pods lets none go")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.max_percent is None and self.min_healthy is None and not self.respect_pdb:
            raise ValueError("it bounds nothing; write for example max_percent: 10")
        return self


class BlastRadius(Guard):
    """Denies while more of the target's pool is down or in treatment than `max_percent` or `min_healthy` allow.

    Counted are pods: those that are wanted and not available, and all pods of a workload that another run holds, as if
    they were down. Against `max_percent` the target alone never counts, so that one broken workload in a small
    namespace can be treated. With `respect_pdb` a PodDisruptionBudget over the target's pods must let one of them go;
    say `false` where the pods that are down are what is treated. If only treatments of others stand against it, the run
    waits for them. Held counts what this member knows of; two runs that are judged at the same moment do not see each
    other. `across: cluster` needs its permissions in all namespaces.
    """

    name = "blast_radius"
    example = "blast_radius: {max_percent: 10}"
    Params = BlastRadiusParams
    reads = frozenset({"kube"})
    permissions = (
        *(f"{verb} {each.permission}" for each in WORKLOADS for verb in ("get", "list")),
        "list poddisruptionbudgets.policy",
    )
    escapes: ClassVar = {"across": "literal", "respect_pdb": "literal"}

    async def judge(self, params: BlastRadiusParams, seen: Seen, tools: Tools) -> Verdict:
        """Count the pool's pods, and ask the budgets."""
        target = workload_target(seen.target)
        workload = await tools.kube.get(target.place, max_age=1.0)
        if params.respect_pdb:
            budgets = await tools.kube.list(target.place.beside(DISRUPTION_BUDGETS), max_age=1.0)
            if reason := disrupted(workload, budgets):
                return Verdict(self.name, Answer.DENY, one_line(reason), {"budgets": len(budgets)})
        if params.max_percent is None and params.min_healthy is None:
            reason = f"no disruption budget is against one pod less of {target.short}"
            return Verdict(self.name, Answer.ALLOW, reason, {"respect_pdb": True})
        workloads = await _pool(target, workload, params.across, tools.kube)
        own = f"{target.namespace}/{target.resource.word}/{target.name}"
        within = f"target/{target.cluster}/" + (f"{target.namespace}/" if params.across != "cluster" else "")
        held = seen.uses.holding(within)
        if len(held) >= MOST_HELD:
            reason = f"{MOST_HELD} targets or more are in treatment: nobody can say how many"
            return Verdict(self.name, Answer.UNKNOWN, reason)
        treated = {scope.removeprefix(f"target/{target.cluster}/") for scope in held}
        pool = counted(workloads, own, treated)
        against = _against(params, pool)
        reason = f"{pool.missing} of {pool.wanted} pods are down or in treatment ({pool.percent:.0f} %)"
        if not against:
            return Verdict(self.name, Answer.ALLOW, reason, _evidence(pool))
        alone = _against(params, counted(workloads, own, ()))
        again = _SOON if pool.treated and not alone else None
        shown = ", ".join(one_line(one, 60) for one in pool.hurt[:_SHOWN])
        whose = f", also of {shown}" if shown else ""
        return Verdict(self.name, Answer.DENY, one_line(f"{reason}, {against}{whose}"), _evidence(pool), again=again)


async def _pool(target: Target, workload: Json, across: str, kube: Kube) -> Sequence[Json]:
    if across == "workload":
        return [workload]
    namespace = target.namespace if across == "namespace" else ""
    found: list[Json] = []
    for each in WORKLOADS:
        found += await kube.list(Place(target.cluster, each, namespace), limit=_MOST, max_age=1.0)
    return found


def _against(params: BlastRadiusParams, pool: Pool) -> str:
    """What is wanted instead; empty if all is as wanted."""
    if params.max_percent is not None and pool.percent > params.max_percent and pool.missing > pool.own:
        return f"{params.max_percent:g} % are the most"
    if params.min_healthy is not None:
        least = share(params.min_healthy, pool.wanted)
        if pool.healthy < least:
            return f"{least} must be up and left alone"
    return ""


def _evidence(pool: Pool) -> dict[str, Any]:
    return {
        "wanted": pool.wanted,
        "missing": pool.missing,
        "own": pool.own,
        "hurt": [one_line(one, 120) for one in pool.hurt[:20]],
        "in_treatment": [one_line(one, 120) for one in pool.treated[:20]],
    }
