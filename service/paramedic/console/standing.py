"""What an incident waits for, in one sentence, and whether it is a person that it waits for. Pure.

`shapes` puts it on every incident that the console shows; the list of incidents is sorted by it.
"""

from datetime import UTC, datetime

from paramedic.console.models import StandingView
from paramedic.core.entitled import wanted
from paramedic.core.model import Incident, Past, Run
from paramedic.core.text import ago
from paramedic.core.words import Outcome, Phase, Stage

__all__ = ["MARKS", "standing"]

MARKS = (b'"stage":"approval"', b'"parked":"', b'"outcome":"unknown"', b'"told":true')
"""Pieces of a stored state that may mean that a person is needed: what a search in the database can look for."""

_LEFT_ALONE = frozenset(
    (Outcome.INEFFECTIVE, Outcome.REFUSED, Outcome.FAILED, Outcome.UNKNOWN, Outcome.DENIED, Outcome.SHADOWED)
)

_DOING = {
    Stage.RESOLVING: "looking for the workload behind {target}",
    Stage.JUDGING: "asking the guards of {playbook}",
    Stage.WAITING: "waiting until the guards of {playbook} may answer otherwise",
    Stage.PLANNING: "planning {playbook} on {target}",
    Stage.REJUDGING: "asking the guards once more, right before the write",
    Stage.APPLYING: "writing: {change}",
    Stage.RETRYING: "failed for the moment, trying again: {change}",
    Stage.OBSERVING: "looking whether the write took effect: {change}",
    Stage.VERIFYING: "checking whether it helped: {change}",
    Stage.UNDOING: "taking our change back: {change}",
    Stage.UNKNOWN: "nobody knows whether the write took effect: {change}",
}


def standing(incident: Incident, now: datetime) -> StandingView:
    """The sentence for `incident` at `now`."""
    if not incident.open or incident.phase in (Phase.RESOLVED, Phase.REVIEWED):
        stranded = any(one.told for one in incident.temporaries)
        return StandingView(text=_over(incident), person=stranded)
    if incident.parked:
        text = f"automation stopped by a fault of its own: {incident.parked}"
        return StandingView(text=text, person=True, next=_commands(incident, "take"))
    run = incident.run
    if run is not None and run.stage is Stage.APPROVAL:
        name = f"{incident.ref}.{run.n}"
        commands = [f"paramedic runs approve {name}", f"paramedic runs deny {name}"]
        return StandingView(text=_approval(incident, run), person=True, next=commands)
    return _going_on(incident, run, now)


def _going_on(incident: Incident, run: Run | None, now: datetime) -> StandingView:
    """What is being done or came of it, and who has it or was paged."""
    handled = _handled(incident, now)
    parts = [_doing(run) if run is not None else _came_to(incident), handled or _paged(incident)]
    text = "; ".join(part for part in parts if part)
    unknown = run is not None and run.stage is Stage.UNKNOWN
    alone = run is None and (last := _last(incident)) is not None and last.outcome in _LEFT_ALONE
    if handled or not (unknown or alone or incident.paging.level > 0):
        return StandingView(text=text)
    return StandingView(text=text, person=True, next=_commands(incident, "ack", "take"))


def _commands(incident: Incident, *acts: str) -> list[str]:
    return [f"paramedic incidents {act} {incident.ref}" for act in acts]


def _over(incident: Incident) -> str:
    by = incident.fixed_by
    words = {"": "over", "paramedic": "fixed by paramedic", "itself": "cleared by itself"}.get(by, by)
    if incident.temporaries:
        return f"{words}; {_left(incident)}"
    quiet = incident.timers.get("quiet")
    if quiet is None or not incident.open:
        return words
    return f"{words}; closed at {quiet.due.astimezone(UTC):%H:%M} if it stays away"


def _left(incident: Incident) -> str:
    """What was done for a time, and is still to be taken back."""
    if incident.run is not None:
        return _doing(incident.run)
    summaries = "; ".join(one.summary for one in incident.temporaries)
    expire = incident.timers.get("expire")
    at = f", taken back at {expire.due.astimezone(UTC):%H:%M}" if expire is not None else ""
    return f"for a time{at}: {summaries}"


def _approval(incident: Incident, run: Run) -> str:
    timer = incident.timers.get("approval")
    due = timer.due if timer is not None else run.deadline
    until = f" until {due.astimezone(UTC):%H:%M}" if due is not None else ""
    whom = wanted(run) if run.asks else "an approval"
    of = "for" if " by " in whom else "of"
    return f"waits for {whom} {of} {incident.ref}.{run.n}{until}: {_change(run)}"


def _handled(incident: Incident, now: datetime) -> str:
    """Who has it, if anybody has."""
    paging = incident.paging
    if incident.owner:
        return f"{incident.owner} has it"
    if paging.snoozed_until is not None and paging.snoozed_until > now:
        return f"snoozed by {paging.acked_by} until {paging.snoozed_until.astimezone(UTC):%H:%M}"
    if paging.acked_by:
        since = f" {ago(paging.acked_at, now)} ago" if paging.acked_at is not None else ""
        return f"acknowledged by {paging.acked_by}{since}"
    return ""


def _paged(incident: Incident) -> str:
    level = incident.paging.level
    return f"level {level} was paged, nobody has acknowledged" if level else ""


def _doing(run: Run) -> str:
    words = _DOING.get(run.stage, str(run.stage))
    return words.format(playbook=run.playbook, target=run.target, change=_change(run))


def _change(run: Run) -> str:
    return run.change.summary if run.change is not None else f"{run.playbook} on {run.target}"


def _last(incident: Incident) -> Past | None:
    """The run that ended last, if it belongs to this firing and not to one before it."""
    past = [one for one in incident.past if one.treats and one.recurrence == incident.recurrence]
    return past[-1] if past else None


def _came_to(incident: Incident) -> str:
    last = _last(incident)
    if incident.storm is not None:
        goes_on = incident.timers.get("storm")
        when = f", goes on at {goes_on.due.astimezone(UTC):%H:%M}" if goes_on is not None else ""
        return f"held back by storm INC-{incident.storm}{when}"
    if incident.storming is not None:
        return f"{incident.storming.children} incidents are held back by it"
    if last is None:
        return "nothing is being done" if incident.firing.open else "clear; waiting whether it stays so"
    return f"{last.playbook} {last.outcome}: {last.reason}" if last.reason else f"{last.playbook} {last.outcome}"
