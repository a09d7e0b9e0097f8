"""Guard `opt_out`: not where the people of the target, or of its namespace, have said that nothing shall be done."""

from paramedic.cluster.names import parse_target
from paramedic.cluster.ownership import MODE, mode_of, mode_said
from paramedic.cluster.resources import NAMESPACES, WORKLOADS, Place
from paramedic.core.model import Verdict
from paramedic.core.words import Answer, Mode
from paramedic.plugin import Guard, Params, Seen, Tools

__all__ = ["OptOut"]


class OptOutParams(Params):
    """Nothing: what counts stands on the cluster."""


class OptOut(Guard):
    """Denies where the annotation `paramedic/mode` says `off`, on the target or on its namespace.

    So does one that says nothing we know. One on the namespace that allows less than the mode of the run denies too;
    one on the target lowers the mode by itself. The actions on clusters refuse a target that opted out: this guard
    says so before anything else is asked, and asks the namespace as well.
    """

    name = "opt_out"
    example = "opt_out: {}"
    Params = OptOutParams
    reads = frozenset({"kube"})
    permissions = (*(f"get {each.permission}" for each in WORKLOADS), "get namespaces")

    async def judge(self, params: OptOutParams, seen: Seen, tools: Tools) -> Verdict:
        """Read both annotations."""
        target = parse_target(seen.target)
        space = Place(target.cluster, NAMESPACES, "", target.namespace)
        found = {
            target.short: await tools.kube.get(target.place, max_age=1.0),
            f"namespace {target.namespace}": await tools.kube.get(space, max_age=1.0),
        }
        said = {where: mode_said(one) for where, one in found.items()}
        for where, one in found.items():
            mode = mode_of(one)
            least = seen.run.mode if where.startswith("namespace ") else Mode.SHADOW
            if mode is not None and mode.rank < least.rank:
                wanted = "" if mode is Mode.OFF else f", and the run is in mode {least}"
                return Verdict(self.name, Answer.DENY, f"{where}: {said[where]}{wanted}", said)
        reason = "; ".join(f"{where}: {words}" for where, words in said.items() if words)
        return Verdict(self.name, Answer.ALLOW, reason or f"no annotation {MODE} on {' or '.join(found)}", said)
