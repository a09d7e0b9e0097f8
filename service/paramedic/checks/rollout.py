"""Check `rollout`: are all pods of the target new, and up? Asked in a reading slot after a step that changes pods."""

from paramedic.cluster.ownership import last_writer
from paramedic.cluster.port import Json, Kube
from paramedic.cluster.refusals import workload_target
from paramedic.cluster.resources import HPAS
from paramedic.cluster.revisions import RESTARTED, fingerprint, images
from paramedic.cluster.rollout import progress
from paramedic.cluster.scaling import set_by
from paramedic.core.model import Verdict
from paramedic.core.text import one_line
from paramedic.core.words import Answer
from paramedic.errors import Fault, Permanent, Temporary, UnknownOutcome
from paramedic.plugin import Check, Params, Seen, Tools

__all__ = ["Rollout"]

_SOON = 1.0


class RolloutParams(Params):
    """What `rollout` may be told: nothing, it looks at the run's target."""


class Rollout(Check):
    """Passes once all pods that the target wants are of its newest template and available.

    After a `scale` the number that was set must be there too, and be acted on by the autoscaler where one was told.

    It fails at once, without waiting for its time to be up, where the rollout has stalled, and where somebody changed
    what the step before it wrote: their change is not our success. A target that is gone is unknown.
    """

    name = "rollout"
    example = "rollout: {}"
    Params = RolloutParams
    reads = frozenset({"kube"})
    permissions = (
        "get deployments.apps",
        "get statefulsets.apps",
        "get daemonsets.apps",
        "get horizontalpodautoscalers.autoscaling",
    )

    async def ask(self, params: RolloutParams, seen: Seen, tools: Tools) -> Verdict:
        """Look at the target's status, which its controller writes."""
        write = _wrote(seen)
        try:
            workload, written = await _read(tools.kube, seen, write, _SOON)
            against = _pre_empted(written, write)
            if against:  # or read a moment before we wrote: only a fresh look tells
                workload, written = await _read(tools.kube, seen, write, 0.0)
                against = _pre_empted(written, write)
        except (Temporary, Permanent, UnknownOutcome, Fault) as error:
            return Verdict(self.name, Answer.UNKNOWN, one_line(str(error)))
        now = progress(workload)
        evidence = {"state": now.state, "ready": now.ready, "wanted": now.wanted, "updated": now.updated}
        if against:
            return Verdict(self.name, Answer.FAIL, against, evidence, final=True)
        if now.state == "failed":
            return Verdict(self.name, Answer.FAIL, now.reason, evidence, final=True)
        if written is not workload and now.wanted < write["replicas"]:
            reason = f"its autoscaler is told to have {write['replicas']} replicas and has set {now.wanted} so far"
            return Verdict(self.name, Answer.FAIL, reason, evidence)
        if now.state == "complete":
            return Verdict(self.name, Answer.PASS, now.reason, evidence)
        return Verdict(self.name, Answer.FAIL, now.reason, evidence, again=None if now.updated else _SOON)


def _wrote(seen: Seen) -> Json:
    """What the step before this check has written on the cluster; nothing, if it was not needed."""
    run = seen.run
    done = any(record.step == run.step and record.outcome == "done" for record in run.steps)
    return run.change.write if run.change is not None and done and "uid" in run.change.write else {}


async def _read(kube: Kube, seen: Seen, write: Json, max_age: float) -> tuple[Json, Json]:
    """The target, and the object that was written: its autoscaler, or itself."""
    place = workload_target(seen.target).place
    workload = await kube.get(place, max_age=max_age)
    if write.get("of") != HPAS.kind:
        return workload, workload
    return workload, await kube.get(place.beside(HPAS, write["name"]), max_age=max_age)


def _pre_empted(written: Json, write: Json) -> str:
    """What of our own write is not there any more, and by whom; empty if all of it is, or there was none."""
    if not write:
        return ""
    if written["metadata"]["uid"] != write["uid"]:
        return "it was replaced by another object of the same name since our write"
    found = _difference(written["spec"], write)
    changed = next((field for field, value in write.get("sets", {}).items() if written["spec"].get(field) != value), "")
    who = set_by(written, changed) if changed else last_writer(written)
    return found and f"{found}, which is not what we wrote" + (f": {who}" if who else "")


def _difference(spec: Json, write: Json) -> str:
    template = spec.get("template") or {}
    if "template" in write and fingerprint(template) != write["template"]:
        return f"it has another template by now ({images(template)})"
    if "restarted_at" in write:
        at = ((template.get("metadata") or {}).get("annotations") or {}).get(RESTARTED)
        if at != write["restarted_at"]:
            return f"it was restarted anew by somebody ({one_line(str(at), 40)})"
    for field, value in write.get("sets", {}).items():
        if spec.get(field) != value:
            return f"{field} is {spec.get(field)} by now instead of {value}"
    return ""
