"""Guard `preflight`: the server tries the very write that was planned, without making it. Asked last of all."""

from collections.abc import Mapping
from typing import Any, ClassVar

from paramedic.cluster.names import parse_target
from paramedic.cluster.resources import HPAS, WORKLOADS, Place
from paramedic.cluster.writes import carries, patch_of
from paramedic.core.bundle import Asked
from paramedic.core.model import Verdict
from paramedic.core.text import one_line
from paramedic.core.words import Answer
from paramedic.errors import Changed, Missing, Permanent
from paramedic.plugin import Guard, Params, Seen, Tools

__all__ = ["Preflight"]


class PreflightParams(Params):
    """Nothing: what is tried is the plan."""


class Preflight(Guard):
    """Denies, in the server's own words, if it would not take the planned write: a quota, an admission, a permission.

    The write is sent as a dry run, which changes nothing. A change that is not a write to one object of a cluster
    cannot be tried, and is allowed. What was changed by somebody since it was planned is allowed too: the write itself
    compares, is not made, and is planned anew. It needs no permission that the action does not need as well.
    """

    name = "preflight"
    example = "preflight: {}"
    Params = PreflightParams
    asked: ClassVar[Asked] = "last"
    reads = frozenset({"kube"})
    permissions = tuple(f"get {each.permission}" for each in WORKLOADS)

    async def judge(self, params: PreflightParams, seen: Seen, tools: Tools) -> Verdict:
        """Try it."""
        change = seen.run.change
        if change is None:
            return Verdict(self.name, Answer.UNKNOWN, "nothing is planned yet")
        write = change.write
        if "uid" not in write or "change" not in write:
            return Verdict(self.name, Answer.ALLOW, "it is no write to a cluster that could be tried")
        place = _place(seen.target, write)
        evidence = {"tried": f"{place}", "digest": change.digest}
        key = f"{seen.incident}/{seen.run.n}/{seen.run.step + 1}/{seen.run.attempt}"
        try:
            present = await tools.kube.get(place)
        except Missing as error:
            return Verdict(self.name, Answer.DENY, one_line(f"there is nothing to write to: {error}"), evidence)
        if carries(present, key):
            return Verdict(self.name, Answer.ALLOW, f"{place} carries this write already", evidence)
        try:
            await tools.kube.patch(place, patch_of(write, key, present), "json", dry_run=True)
        except Changed as error:
            reason = one_line(f"it was changed since, and will be planned anew: {error}")
            return Verdict(self.name, Answer.ALLOW, reason, evidence)
        except Permanent as error:
            return Verdict(self.name, Answer.DENY, one_line(f"the server would not take it: {error}"), evidence)
        return Verdict(self.name, Answer.ALLOW, f"the server would take the change of {place}", evidence)


def _place(target: str, write: Mapping[str, Any]) -> Place:
    place = parse_target(target).place
    return place.beside(HPAS, str(write["name"])) if write.get("of") == HPAS.kind else place
