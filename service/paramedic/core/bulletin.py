"""The root message of an incident: what it is, what is being done and why, who has it. `communication` says when.

It says nothing of the present moment, so that it changes only when the incident does.
"""

from datetime import datetime

from paramedic.core.bundle import Bundle
from paramedic.core.model import Incident, Past, Run
from paramedic.core.text import one_line, span
from paramedic.core.words import Outcome, Phase, Stage

__all__ = ["is_over", "root"]

_TITLE = 300
_DOING = 700


def is_over(incident: Incident) -> bool:
    """Whether nothing is left to be done about it, unless its alert comes back."""
    return incident.phase in (Phase.RESOLVED, Phase.REVIEWED)


def root(incident: Incident, bundle: Bundle, next_at: datetime | None) -> tuple[str, str, str]:
    """Three lines: what it is; what is being done and why; who has it, and when the next update is due, if it is."""
    title = f"{incident.severity} · {one_line(incident.title, _TITLE)} · {incident.phase}"
    doing = _outcome(incident) if is_over(incident) else _doing(incident, bundle)
    return title, one_line(doing[:1].upper() + doing[1:], _DOING), " · ".join(_foot(incident, next_at))


def _foot(incident: Incident, next_at: datetime | None) -> list[str]:
    paging, parts = incident.paging, []
    if paging.acked_by:
        parts.append(f"Acknowledged by {one_line(paging.acked_by, 100)}")
    elif not is_over(incident):
        parts.append("Acknowledged by nobody yet" if paging.policy else "Nobody is paged")
    if next_at is not None:
        parts.append(f"next update {next_at:%H:%M} UTC")
    return parts


def _outcome(incident: Incident) -> str:
    """How it ended and how long it took."""
    took = span(((incident.resolved_at or incident.updated_at) - incident.opened_at).total_seconds())
    if incident.fixed_by == "paramedic":
        fixes = (Outcome.FIXED, Outcome.DONE)
        fix = next((one for one in reversed(incident.past) if one.treats and one.outcome in fixes), None)
        return f"fixed by paramedic in {took}" + (f": {fix.playbook} on {fix.target}, {fix.reason}" if fix else "")
    if incident.fixed_by == "itself":
        return f"the alert cleared by itself after {took}"
    return f"{incident.fixed_by} after {took}"


def _doing(incident: Incident, bundle: Bundle) -> str:
    if incident.parked:
        return "automation has stopped for this incident: a person has to decide"
    if incident.run is not None:
        return _under_way(incident, incident.run, bundle)
    if incident.owner:
        return f"taken by {incident.owner}; automation stands down"
    if incident.paging.reason:
        return incident.paging.reason
    return _ended(incident.past[-1]) if incident.past else "nothing is being done about it by automation"


def _ended(past: Past) -> str:
    return f"run of {past.playbook} on {past.target} ended {past.outcome}: {past.reason}"


def _under_way(incident: Incident, run: Run, bundle: Bundle) -> str:
    """What the run is at; steps of milliseconds are told as one."""
    change = run.change.summary if run.change is not None else f"{run.playbook} on {run.target}"
    match run.stage:
        case Stage.APPROVAL:
            return f"waits for an approval: {change}. To approve: paramedic runs approve {incident.ref}.{run.n}"
        case Stage.APPLYING | Stage.OBSERVING | Stage.RETRYING:
            return f"being done: {change}"
        case Stage.VERIFYING:
            return f"done: {change}. Waiting for {_awaited(run, bundle)}"
        case Stage.UNDOING:
            return f"taking it back: {change}. {run.stop or ('It did not help' if run.treats else 'Its time is over')}"
        case _:
            return f"deciding about {run.playbook} on {run.target}"


def _awaited(run: Run, bundle: Bundle) -> str:
    """The checks that are still to pass, and how long they may take."""
    checks = bundle.playbooks[run.playbook].steps[run.step].verify[run.check :]
    return ", then ".join(f"{check.kind} (at most {span(check.within)})" for check in checks)
