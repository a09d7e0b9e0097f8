"""Guard `owned`: not where somebody else keeps the target as they want it. Asked in a reading slot, before the plan."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from paramedic.cluster.ownership import applied_by, owner_of, scaler_of
from paramedic.cluster.port import Json
from paramedic.cluster.refusals import workload_target
from paramedic.cluster.resources import HPAS
from paramedic.cluster.scaling import keda_of
from paramedic.core.model import Verdict
from paramedic.core.text import one_line
from paramedic.core.words import Answer
from paramedic.plugin import Guard, Params, Seen, Tools

__all__ = ["Owned"]


class OwnedParams(Params):
    """What `owned` may be told."""

    hpa: bool = Field(False, description="count whoever sets the replicas (an HPA, KEDA) as an owner too")
    fields: list[Literal["replicas", "template"]] = Field(
        [], max_length=2, description="count whoever applies one of these by server-side apply as an owner too"
    )


class Owned(Guard):
    """Allows if nobody else owns the target: no GitOps tool, no operator and, with `hpa`, nobody who scales it.

    With `fields` also nobody who applies the replicas or the template, by whatever tool (server-side apply): they come
    back to what they applied. Whoever only created or edited the object does not.

    What Argo CD or Flux keeps in sync they take back within seconds; what an operator made is the operator's to change.
    The actions on clusters refuse such targets by themselves: this guard says so before anything else is asked.
    """

    name = "owned"
    example = "owned: {hpa: true}"
    Params = OwnedParams
    reads = frozenset({"kube"})
    permissions = (
        "get deployments.apps",
        "get statefulsets.apps",
        "get daemonsets.apps",
        "list horizontalpodautoscalers.autoscaling",
    )

    escapes: ClassVar[Mapping[str, str]] = {"hpa": "literal", "fields": "literal"}

    async def judge(self, params: OwnedParams, seen: Seen, tools: Tools) -> Verdict:
        """Look at its owner references, labels and annotations."""
        target = workload_target(seen.target)
        workload = await tools.kube.get(target.place, max_age=1.0)
        owner = owner_of(workload)
        if owner:
            return Verdict(self.name, Answer.DENY, f"{target.short} is kept by {owner}", {"owner": owner})
        manager, field = applied_by(workload, params.fields)
        if manager:
            reason = one_line(f"{manager} applies the {field} of {target.short}")
            return Verdict(self.name, Answer.DENY, reason, {"owner": "", "manager": manager, "field": field})
        if not params.hpa:
            return Verdict(self.name, Answer.ALLOW, f"nobody else keeps {target.short}", {"owner": ""})
        scaler = scaler_of(workload, await tools.kube.list(target.place.beside(HPAS), max_age=1.0))
        if scaler is None:
            reason = f"nobody else keeps {target.short} or sets its replicas"
            return Verdict(self.name, Answer.ALLOW, reason, {"owner": "", "hpa": ""})
        name = scaler["metadata"]["name"]
        reason = one_line(f"the replicas of {target.short} are set by the HPA {name}{_maker(scaler)}")
        return Verdict(self.name, Answer.DENY, reason, {"owner": "", "hpa": name})


def _maker(scaler: Json) -> str:
    owner = owner_of(scaler) or (f"KEDA (ScaledObject {keda})" if (keda := keda_of(scaler)) else "")
    return f", kept by {owner}" if owner else ""
