"""What people do to an incident: who may, what speaks against it, what follows. Called by `decide` for `Acted`.

The engine asks `objection` before it records an act, so that a refused act leaves no trace but its answer.
"""

from paramedic.core import escalation, lifecycle, steps, temporaries, treatment
from paramedic.core.bundle import Bundle
from paramedic.core.draft import Draft
from paramedic.core.events import Acted
from paramedic.core.model import Incident
from paramedic.core.words import Outcome, Phase, Purpose, Stage

__all__ = ["ACTS", "acted", "objection", "role_for"]

ACTS = ("ack", "take", "snooze", "escalate", "close", "note", "approve", "deny", "cancel")


def role_for(what: str) -> str:
    """The role that an act asks for."""
    return "approver" if what in ("approve", "deny") else "operator"


def objection(incident: Incident, what: str, run: int | None, bundle: Bundle) -> str:
    """Why this act cannot be done now; empty if it can."""
    over = incident.phase in (Phase.RESOLVED, Phase.REVIEWED)
    if what in ("approve", "deny", "cancel"):
        return _about_run(incident, what, run)
    if what in ("ack", "take", "snooze", "escalate", "close") and over:
        return f"{incident.ref} is {incident.phase} already" + (f", {incident.fixed_by}" if incident.fixed_by else "")
    if what == "ack" and incident.paging.acked_by:
        return f"{incident.ref} was acknowledged already by {incident.paging.acked_by}"
    if what == "escalate":
        policy = bundle.policies.get(incident.paging.policy)
        if policy is None or incident.paging.level >= len(policy.levels):
            return f"{incident.ref} has no further level to go to"
    return ""


def _about_run(incident: Incident, what: str, run: int | None) -> str:
    active = incident.run
    past = next((one for one in incident.past if one.n == run), None)
    if past is not None:
        return f"run {incident.ref}.{run} was decided already: {past.outcome}, {past.reason}"
    if active is None or active.n != run:
        return f"{incident.ref} has no run {run}"
    if what != "cancel" and active.stage is not Stage.APPROVAL:
        by = f": approved by {active.approved_by}" if active.approved_by else ""
        return f"run {incident.ref}.{run} does not wait for an approval{by}"
    return ""


def acted(draft: Draft, event: Acted) -> None:
    """Carry out what a person asked for, unless it cannot be done (any more)."""
    who = event.who
    against = objection(draft.incident, event.what, event.run, draft.bundle)
    if against:
        draft.note("refused", f"{event.what}: {against}", who=who)
        return
    match event.what:
        case "ack":
            escalation.acknowledge(draft, who)
        case "take":
            _take(draft, who)
        case "snooze":
            _snooze(draft, event)
        case "escalate":
            escalation.push(draft, who)
        case "close":
            # The engine closes the episodes with it; the `AlertsSeen` that follows resolves the incident.
            _close(draft, event)
        case "note":
            draft.note("note", event.text, who=who)
        case _:
            _decide_run(draft, event)


def _decide_run(draft: Draft, event: Acted) -> None:
    if event.what == "approve":
        steps.approved(draft, event.who)
    elif event.what == "deny":
        reason = f"denied by {event.who}" + (f": {event.text}" if event.text else "")
        treatment.end(draft, Outcome.DENIED, reason)
    elif event.what == "cancel":
        if draft.run.purpose is Purpose.EXPIRE:
            draft.note("temporary", "stays as it is, and is not taken back any more", who=event.who)
            temporaries.drop(draft, draft.run.expires)
        treatment.stop(draft, Outcome.CANCELLED, f"cancelled by {event.who}")
    else:
        draft.note("note", f"an act that this version does not know: {event.what}", who=event.who)


def _take(draft: Draft, who: str) -> None:
    draft.set(owner=who)
    draft.note("taken", "a person has it; automation stands down", who=who)
    if not draft.incident.paging.acked_by:
        escalation.acknowledge(draft, who)
    treatment.stop(draft, Outcome.CANCELLED, f"{who} has taken the incident over")


def _close(draft: Draft, event: Acted) -> None:
    draft.note("closing", event.text or lifecycle.BY_HAND, who=event.who)
    draft.set(candidates=(), fixed_by=lifecycle.BY_HAND)  # a write that is under way comes back first
    treatment.stop(draft, Outcome.CANCELLED, f"{event.who} closed the incident")


def _snooze(draft: Draft, event: Acted) -> None:
    until = event.until or draft.at
    escalation.stand_by(draft, event.who)
    draft.set_paging(snoozed_until=until)
    draft.timer("snooze", until)
    draft.note("snoozed", f"until {until:%Y-%m-%d %H:%M} UTC", who=event.who)
