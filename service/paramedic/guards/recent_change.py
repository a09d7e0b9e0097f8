"""Guard `recent_change`: did the target change right before the alert began? Then going back is what may help."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from pydantic import Field

from paramedic.cluster.history import TemplateChange, kept_in, last_change
from paramedic.cluster.names import Target, parse_target
from paramedic.cluster.resources import WORKLOADS
from paramedic.cluster.revisions import selector_of
from paramedic.core.model import Verdict
from paramedic.core.text import ago, one_line
from paramedic.core.words import Answer
from paramedic.durations import Duration, say_duration
from paramedic.errors import Fault, Permanent, Refused, Temporary, UnknownOutcome
from paramedic.plugin import Deployed, Guard, Params, Seen, Tools

__all__ = ["RecentChange"]

_SHOWN = 5


class RecentChangeParams(Params):
    """What `recent_change` may be told."""

    within: Duration = Field(gt=0, le=7 * 86400, description="how long before the alert a change counts as recent")
    absent: bool = Field(False, description="true: allow only if there was none, such as before a restart")
    slack: Duration = Field(
        60.0, le=3600, description="how long after the beginning of the alert a change may still be its cause"
    )
    service: str = Field("", max_length=200, description="also changes that were reported of this service count")


@dataclass(frozen=True, slots=True)
class _Look:
    """What was found, and the moments that it is compared with."""

    now: datetime
    first: datetime
    last: datetime
    change: TemplateChange | None
    reported: Sequence[Deployed]

    def fits(self, at: datetime | None) -> bool:
        return at is not None and self.first <= at <= self.last


class RecentChange(Guard):
    """Allows if the target changed within the time given before the alert began, so that going back may help.

    A change is a new template of the workload (a restart is none), by the age of its ReplicaSet or ControllerRevision,
    and whatever was reported to `POST /api/v1/changes` about this workload, or about the `service`. A template that
    changed after the alert began denies: somebody may be repairing it. With `absent: true` it is the other way round:
    it allows if there was no change, before the alert or since. What cannot be read is unknown.
    """

    name = "recent_change"
    example = "recent_change: {within: 1h}"
    Params = RecentChangeParams
    reads = frozenset({"kube", "changes"})
    permissions = (
        *(f"get {each.permission}" for each in WORKLOADS),
        "list replicasets.apps",
        "list controllerrevisions.apps",
    )
    escapes: ClassVar = {"absent": "literal"}

    async def judge(self, params: RecentChangeParams, seen: Seen, tools: Tools) -> Verdict:
        """Look at the workload's revisions and at what was reported."""
        began = _began(seen)
        first, last = began - timedelta(seconds=params.within), began + timedelta(seconds=params.slack)
        try:
            target = _workload(seen.target)
            if target is None and not params.service:
                reason = f"{one_line(seen.target, 80)} is no workload, and no service is named whose changes count"
                return Verdict(self.name, Answer.UNKNOWN, reason)
            change = await _template_change(target, tools) if target is not None else None
            reported = await tools.changes.since(seen.target, params.service, first)
        except (Temporary, Permanent, UnknownOutcome, Refused) as error:
            return Verdict(self.name, Answer.UNKNOWN, one_line(f"what changed cannot be read: {error}"))
        look = _Look(seen.now, first, last, change, reported)
        answer, reason = _absence(look, params) if params.absent else _presence(look, params)
        return Verdict(self.name, answer, one_line(reason), _evidence(look, began))


def _began(seen: Seen) -> datetime:
    """When the alert began, as far as anybody knows; never in the future."""
    known = (seen.alert.starts_at if seen.alert is not None else None, seen.firing.since)
    return min([moment for moment in known if moment is not None], default=seen.run.started_at)


def _workload(target: str) -> Target | None:
    try:
        found = parse_target(target)
    except Fault:
        return None
    return found if found.resource in WORKLOADS else None


async def _template_change(target: Target, tools: Tools) -> TemplateChange:
    workload = await tools.kube.get(target.place, max_age=1.0)
    place = target.place.beside(kept_in(target.resource.kind))
    return last_change(workload, await tools.kube.list(place, labels=selector_of(workload), max_age=1.0))


def _presence(look: _Look, params: RecentChangeParams) -> tuple[Answer, str]:
    """A change is wanted."""
    change = look.change
    if change is not None and change.at is None:
        return Answer.UNKNOWN, f"it changed to {change.after}, and nothing tells when"
    if change is not None and change.at is not None and change.at > look.last:
        return Answer.DENY, f"changed {ago(change.at, look.now)} ago, after the alert began: {change}"
    if change is not None and change.at is not None and look.fits(change.at):
        return Answer.ALLOW, f"change {ago(change.at, look.now)} ago: {change}"
    for one in look.reported:
        if look.fits(one.at):
            return Answer.ALLOW, f"change {ago(one.at, look.now)} ago: {_said(one)}"
    return Answer.DENY, _none(look, params)


def _absence(look: _Look, params: RecentChangeParams) -> tuple[Answer, str]:
    """No change is wanted: neither before the alert, nor lately."""
    recent = look.now - timedelta(seconds=params.within)
    change = look.change
    if change is not None and change.at is None:
        return Answer.UNKNOWN, f"it changed to {change.after}, and nothing tells when"
    if change is not None and change.at is not None and (look.fits(change.at) or change.at > recent):
        return Answer.DENY, f"change {ago(change.at, look.now)} ago: {change}"
    for one in look.reported:
        if look.fits(one.at) or one.at > recent:
            return Answer.DENY, f"change {ago(one.at, look.now)} ago: {_said(one)}"
    return Answer.ALLOW, _none(look, params)


def _none(look: _Look, params: RecentChangeParams) -> str:
    latest = ""
    if look.change is not None and look.change.at is not None:
        latest = f"; the last was {ago(look.change.at, look.now)} ago: {look.change}"
    return f"no change within {say_duration(params.within)} before the alert{latest}"


def _said(one: Deployed) -> str:
    about = one.service or "this workload"
    return f"{about} to {one.version}, reported by {one.by or 'somebody'}"


def _evidence(look: _Look, began: datetime) -> dict[str, Any]:
    seen: dict[str, Any] = {"alert_began": began.isoformat()}
    if look.change is not None:
        at = look.change.at
        seen["change"] = {
            "at": at.isoformat() if at is not None else "",
            "from": look.change.before,
            "to": look.change.after,
        }
    if look.reported:
        seen["reported"] = [
            {
                "at": one.at.isoformat(),
                "of": one.service or one.target,
                "version": one.version,
                "url": one.url,
                "by": one.by,
            }
            for one in look.reported[:_SHOWN]
        ]
    return seen
