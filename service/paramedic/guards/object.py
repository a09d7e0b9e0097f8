"""Guard `object`: a condition in CEL on the target as the cluster has it now, for whatever has no guard of its own."""

from typing import Annotated, Any, ClassVar

from pydantic import Field, InstanceOf, StrictStr, WithJsonSchema

from paramedic.cluster.names import parse_target
from paramedic.cluster.resources import HPAS, PODS, SERVICES, WORKLOADS
from paramedic.core.bundle import LiveCondition
from paramedic.core.model import Verdict
from paramedic.core.text import one_line
from paramedic.core.words import Answer
from paramedic.errors import Fault, Permanent, Temporary, UnknownOutcome
from paramedic.plugin import Guard, Params, Seen, Tools

__all__ = ["ObjectGuard"]


class ObjectParams(Params):
    """What `object` may be told."""

    condition: Annotated[StrictStr | InstanceOf[LiveCondition], WithJsonSchema({"type": "string"})] = Field(
        description="a CEL expression about `object` that must be true"
    )


class ObjectGuard(Guard):
    """Allows if the expression is true of the live object, and nothing else: neither 1 nor a field that is missing.

    `object: EXPRESSION` is the short form. `object` is the target as the API shows it; `params`, `target`, `alert`,
    `incident` and `run` are there as everywhere. A field that may be missing is asked for with `has()`. Lists of more
    than 256 items and texts of more than 16 KiB are not looked at: that is an error, and so is what cannot be decided.
    What cannot be read is unknown.
    """

    name = "object"
    example = 'object: "object.spec.replicas >= 2 && !has(object.spec.paused)"'
    Params = ObjectParams
    reads = frozenset({"kube"})
    permissions = tuple(f"get {each.permission}" for each in (*WORKLOADS, PODS, SERVICES, HPAS))
    escapes: ClassVar = {"condition": "live"}
    short = "condition"

    async def judge(self, params: ObjectParams, seen: Seen, tools: Tools) -> Verdict:
        """Read the target, and ask."""
        condition = params.condition
        if isinstance(condition, str):
            return Verdict(self.name, Answer.UNKNOWN, f"{one_line(condition)} was not compiled")
        text = one_line(condition.text, 200)
        try:
            found = await tools.kube.get(parse_target(seen.target).place, max_age=1.0)
        except (Temporary, Permanent, UnknownOutcome) as error:
            return Verdict(self.name, Answer.UNKNOWN, one_line(f"the target cannot be read: {error}"))
        values = condition.values(found)
        try:
            true = condition.holds(found)
        except Fault as fault:
            return Verdict(self.name, Answer.ERROR, one_line(f"{text}: {fault.where} {fault.what}"), _shown(values))
        answer = Answer.ALLOW if true else Answer.DENY
        return Verdict(self.name, answer, f"{text} is {'true' if true else 'false'}", _shown(values))


def _shown(values: dict[str, Any]) -> dict[str, Any]:
    return {path: one_line(value, 120) if isinstance(value, str) else value for path, value in values.items()}
