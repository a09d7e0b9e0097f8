"""Guard `capacity`: only where more pods of the target would find room, in the namespace's quotas and on the nodes."""

from typing import ClassVar

from pydantic import Field

from paramedic.cluster.quotas import no_headroom
from paramedic.cluster.refusals import workload_target
from paramedic.cluster.resources import PODS, QUOTAS
from paramedic.cluster.scaling import unschedulable
from paramedic.core.model import Verdict
from paramedic.core.text import one_line
from paramedic.core.words import Answer
from paramedic.plugin import Guard, Params, Seen, Tools

__all__ = ["Capacity"]


class CapacityParams(Params):
    """What `capacity` may be told."""

    pods: int = Field(1, ge=1, le=10_000, description="for how many more pods of the target there must be room")
    pending: bool = Field(True, description="deny while a pod of the namespace cannot be placed on any node")


class Capacity(Guard):
    """Denies if the quotas of the namespace have no room for so many more pods of the target, or the nodes have none.

    That the nodes have none is known from pods that wait: what asks for more while a pod of the namespace cannot be
    placed on any node would wait as well. A rollout needs room for the pods that it starts before it ends old ones.
    """

    name = "capacity"
    example = "capacity: {pods: 3}"
    Params = CapacityParams
    reads = frozenset({"kube"})
    permissions = (
        "get deployments.apps",
        "get statefulsets.apps",
        "get daemonsets.apps",
        "list pods",
        "list resourcequotas",
    )
    escapes: ClassVar = {"pending": "literal"}

    async def judge(self, params: CapacityParams, seen: Seen, tools: Tools) -> Verdict:
        """Read the quotas, and the pods that wait."""
        target = workload_target(seen.target)
        workload = await tools.kube.get(target.place, max_age=1.0)
        quotas = await tools.kube.list(target.place.beside(QUOTAS), max_age=1.0)
        evidence = {"pods": params.pods, "quotas": len(quotas)}
        if reason := no_headroom(workload, params.pods, quotas):
            return Verdict(self.name, Answer.DENY, one_line(reason), evidence)
        if params.pending:
            place = target.place.beside(PODS)
            waiting = await tools.kube.list(place, fields="status.phase=Pending", limit=2000, max_age=1.0)
            evidence["pending"] = len(waiting)
            if reason := unschedulable(waiting, of=f"the pods of {target.namespace}"):
                return Verdict(self.name, Answer.DENY, one_line(reason), evidence)
        count = f"{params.pods} more pod{'' if params.pods == 1 else 's'} of {target.short}"
        return Verdict(self.name, Answer.ALLOW, f"there is room for {count}", evidence)
