"""Action `restart`: every pod of a workload anew, as `kubectl rollout restart` does it. Runs in slots of the engine."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from paramedic.cluster.ownership import mode_of
from paramedic.cluster.refusals import (
    ALLOW_DOWNTIME,
    against_rollout,
    downtime,
    downtime_allowed,
    no_replicas,
    refuse,
    workload_target,
)
from paramedic.cluster.replacing import roll_out, rolled_out
from paramedic.cluster.revisions import RESTARTED, fingerprint
from paramedic.cluster.rollout import rolling, wanted_of
from paramedic.cluster.writes import planned, sealed, setting
from paramedic.core.model import Change
from paramedic.core.words import Once
from paramedic.durations import Duration
from paramedic.plugin import Action, Applied, Params, Resources, Seen, Tools

__all__ = ["Restart"]

_AT = ("spec", "template", "metadata", "annotations", RESTARTED)
_CALLS = 20.0


class RestartParams(Params):
    """What `restart` may be told."""

    allow_downtime: bool = Field(False, description="restart also where no pod would be left for a while")
    settle: Duration = Field(
        10.0, ge=1, le=300, description="how long to wait for pods of a StatefulSet that are in the way, all together"
    )


class Restart(Action):
    """Replaces all pods of a Deployment, StatefulSet or DaemonSet, a few at a time, as its update strategy says.

    It writes the run's own start into the pod template, under the annotation that `kubectl rollout restart` uses, so
    that writing it again changes nothing. The pods keep their version. A pod of a StatefulSet that is not ready would
    block the restart for ever, and is deleted.
    """

    name = "restart"
    example = "restart: {allow_downtime: false}"
    Params = RestartParams
    reads = frozenset({"kube"})
    writes = frozenset({"kube"})
    permissions = (
        "get deployments.apps",
        "get statefulsets.apps",
        "get daemonsets.apps",
        "patch deployments.apps",
        "patch statefulsets.apps",
        "patch daemonsets.apps",
        "list pods",
        "get pods",
        "delete pods",
    )
    escapes: ClassVar[Mapping[str, str]] = {"allow_downtime": "literal", "settle": "literal"}
    undone_by = "nothing: no version changes, and pods that were replaced do not come back"
    refuses: ClassVar[tuple[str, ...]] = (
        "the target is not a Deployment, StatefulSet or DaemonSet, or is not there",
        "it is being deleted",
        "it opted out: its annotation paramedic/mode says off, or nothing that we know",
        "it is kept by somebody else: Argo CD, Flux, an operator",
        "its annotations leave no room for ours",
        "its rollouts are paused",
        "its update strategy is OnDelete, or its partition keeps every pod",
        "no pod is wanted",
        "a rollout is under way, or has stalled",
        "it has a single pod, its strategy is Recreate or maxUnavailable covers all pods, without allow_downtime",
    )

    def once(self, params: RestartParams, resources: Resources) -> Once:
        """The server compares uid and generation."""
        return Once.CAS

    def takes(self, params: RestartParams, resources: Resources) -> float:
        """The calls, and the waiting for pods."""
        return _CALLS + params.settle

    async def plan(self, params: RestartParams, seen: Seen, tools: Tools) -> Change:
        """The annotation to write. Raises `Refused` with the reason."""
        target = workload_target(seen.target)
        workload = await tools.kube.get(target.place, max_age=1.0 if seen.run.attempt == 1 else 0.0)
        moment = f"{seen.run.started_at:%Y-%m-%dT%H:%M:%SZ}"
        notes = (workload["spec"]["template"].get("metadata") or {}).get("annotations") or {}
        before = str(notes.get(RESTARTED, ""))
        most = mode_of(workload)
        if before == moment:
            write = {"restarted_at": moment}
            return sealed(f"{target.short} was restarted by this run already", write, most=most, needed=False)
        away = downtime(workload)
        if away and not downtime_allowed(workload, params.allow_downtime):
            away += f"; allow_downtime, or the annotation {ALLOW_DOWNTIME} on it, would allow that"
        else:
            away = ""
        refuse((against_rollout(workload), no_replicas(workload), rolling(workload), away))
        change = setting(workload, _AT, moment)
        write = planned(workload, change) | {
            "restarted_at": moment,
            "template": fingerprint(workload["spec"]["template"]),
            "settle": params.settle,
        }
        count = wanted_of(workload)
        summary = f"restart {target.short}, {count} pod{'' if count == 1 else 's'}"
        return sealed(summary, write, prior={"restarted_at": before}, most=most)

    async def apply(self, write: Mapping[str, Any], key: str, seen: Seen, tools: Tools) -> Applied:
        """Write it, and replace the pods in its way."""
        target = workload_target(seen.target)
        rolled = await roll_out(tools.kube, tools.wait, target.place, write, key)
        evidence: dict[str, Any] = {"generation": rolled.workload["metadata"].get("generation")}
        if rolled.replaced:
            evidence["replaced"] = list(rolled.replaced)
        return Applied(f"{target.short} restarts its pods", evidence, halted=rolled.halted)

    async def observe(self, write: Mapping[str, Any], key: str, seen: Seen, tools: Tools) -> bool | None:
        """Whether the target carries our key, and no pod is in the way."""
        return await rolled_out(tools.kube, workload_target(seen.target).place, write, key)
