"""Guard `access`: may we do on the cluster what the steps of the playbook will want to do? Better asked before them."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from paramedic.clients.kube.reviews import refused_of
from paramedic.cluster.names import Target, parse_target
from paramedic.cluster.permissions import Permission, parse_permission
from paramedic.cluster.resources import WORKLOADS
from paramedic.core.model import Verdict
from paramedic.core.words import Answer
from paramedic.durations import Duration
from paramedic.errors import Fault
from paramedic.plugin import Guard, Params, Seen, Tools

__all__ = ["Access"]

_SHOWN = 5


def _permission(text: str) -> str:
    try:
        return str(parse_permission(text))
    except Fault as fault:
        raise ValueError(f"{fault.what}, {fault.right}") from None


class AccessParams(Params):
    """What `access` may be told."""

    may: Annotated[list[Annotated[str, AfterValidator(_permission)]], Field(max_length=50)] = Field(
        [], description="permissions to ask about; unless given, those that the steps of the playbook need"
    )
    timeout: Duration = Field(5.0, gt=0, le=20, description="how long each answer may take")


class Access(Guard):
    """Denies if the cluster says that we may not do, in the target's namespace, what the steps of the playbook need.

    It asks for each permission that they declare (a SelfSubjectAccessReview), but for those on other kinds of
    workloads than the target's. `paramedic rbac` prints the same permissions, `paramedic doctor` asks about them all.
    """

    name = "access"
    example = "access: {may: [patch deployments.apps]}"
    Params = AccessParams
    reads = frozenset({"kube"})
    permissions = ("create selfsubjectaccessreviews.authorization.k8s.io",)
    escapes: ClassVar = {"may": "literal"}

    async def judge(self, params: AccessParams, seen: Seen, tools: Tools) -> Verdict:
        """Ask about each."""
        target = parse_target(seen.target)
        needed = _needed(params.may or seen.needs(), target)
        if not needed:
            return Verdict(self.name, Answer.ALLOW, "no step needs a permission on a cluster", {"asked": 0})
        refused = await refused_of(tools.kube, target.cluster, needed, target.namespace, params.timeout)
        if not refused:
            reason = f"all {len(needed)} permissions are granted in {target.namespace}"
            return Verdict(self.name, Answer.ALLOW, reason, {"asked": len(needed)})
        names = [str(one) for one in refused]
        more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        reason = (
            f"we may not {', '.join(names[:_SHOWN])}{more} in {target.namespace}; paramedic rbac prints what to grant"
        )
        return Verdict(self.name, Answer.DENY, reason, {"asked": len(needed), "refused": names[:50]})


def _needed(permissions: Sequence[str], target: Target) -> Sequence[Permission]:
    others = {each.permission for each in WORKLOADS} - {target.resource.permission}
    found = [parse_permission(one) for one in permissions]
    return [one for one in found if f"{one.resource}.{one.group}" not in others]
