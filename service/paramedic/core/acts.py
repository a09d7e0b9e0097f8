"""What people do to an incident: who may, what speaks against it, what follows. Called by `decide` for `Acted`.

The engine asks `objection` before it records an act, so that a refused act leaves no trace but its answer.
"""

from paramedic.core import approving, entitled, escalation, lifecycle, storm, temporaries, treatment
from paramedic.core.bundle import OPERATOR, Bundle
from paramedic.core.draft import Draft
from paramedic.core.events import Acted
from paramedic.core.model import Incident, Run
from paramedic.core.text import span
from paramedic.core.words import Outcome, Phase, Purpose, Stage

__all__ = ["ACTS", "acted", "objection", "role_for", "warning", "way_of"]

ACTS = ("ack", "take", "snooze", "escalate", "close", "link", "note", "approve", "deny", "cancel")

_LINKS = 20
"""Links that an incident keeps; the timeline has them all."""


_OUT = frozenset({"ack", "take", "snooze", "escalate"})
"""What takes an incident out of the storm that holds it back: a person looks after it."""


def role_for(what: str) -> str:
    """The role that an act asks for."""
    return "approver" if what in ("approve", "deny") else "operator"


def objection(incident: Incident, event: Acted, bundle: Bundle) -> str:
    """Why this act cannot be done now, whoever asks; empty if it can. Who may is `entitled.forbidden`."""
    what, over = event.what, incident.phase in (Phase.RESOLVED, Phase.REVIEWED)
    if what in ("approve", "deny", "cancel"):
        return _about_run(incident, event, bundle)
    if what in ("ack", "take", "snooze", "escalate", "close") and over:
        return f"{incident.ref} is {incident.phase} already" + (f", {incident.fixed_by}" if incident.fixed_by else "")
    if what == "ack" and incident.paging.acked_by:
        return f"{incident.ref} was acknowledged already by {incident.paging.acked_by}"
    if what == "link":
        return _about_link(incident, event)
    if what == "escalate":
        policy = bundle.policies.get(incident.paging.policy)
        if policy is None or incident.paging.level >= len(policy.levels):
            return f"{incident.ref} has no further level to go to"
    return ""


def _about_link(incident: Incident, event: Acted) -> str:
    if event.other is None or event.other == incident.id:
        return f"{incident.ref} can be linked to another incident only"
    return f"{incident.ref} is linked to INC-{event.other} already" if event.other in incident.links else ""


def _about_run(incident: Incident, event: Acted, bundle: Bundle) -> str:
    active, name = incident.run, f"{incident.ref}.{event.run}"
    past = next((one for one in incident.past if one.n == event.run), None)
    if past is not None:
        return f"run {name} was decided already: {past.outcome}, {past.reason}"
    if active is None or active.n != event.run:
        return f"{incident.ref} has no run {event.run}"
    if event.what == "cancel":
        return ""
    if active.stage is not Stage.APPROVAL or active.effect is not None:
        by = f": approved by {active.approved_by}" if active.approved_by else ""
        return f"run {name} does not wait for an approval{by}"
    return _about_approval(active, name, event, bundle) if event.what == "approve" else ""


def _about_approval(run: Run, name: str, event: Acted, bundle: Bundle) -> str:
    if event.plan and run.change is not None and event.plan != run.change.digest:
        return f"the plan of run {name} has changed: {run.change.summary}; look again: paramedic runs show {name}"
    if any(one.who == event.who for one in run.approvals):
        return f"run {name} was approved by {event.who} already, and waits for {entitled.wanted(run)}"
    counts = set(entitled.counts(run.asks, event, bundle))
    if counts and counts.isdisjoint(n for n, _, _ in entitled.missing(run.asks, run.approvals)):
        return f"run {name} has that approval already, and waits for {entitled.wanted(run)}"
    return ""


def acted(draft: Draft, event: Acted) -> None:
    """Carry out what a person asked for, unless it cannot be done (any more)."""
    who, draft.way = event.who, way_of(event.way, event.origin)
    incident, bundle = draft.incident, draft.bundle
    against = objection(incident, event, bundle) or entitled.forbidden(incident, event, bundle)
    if against:
        draft.note("refused", f"{event.what}: {against}", who=who)
        return
    stepped_out = event.what in _OUT and storm.step_out(draft, who)
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
        case "link":
            draft.note("linked", f"to INC-{event.other}", who=who)
            draft.set(links=(*draft.incident.links, event.other)[-_LINKS:])
        case "note":
            draft.note("note", event.text, who=who)
        case _:
            _decide_run(draft, event)
    if stepped_out and not draft.incident.owner:
        treatment.assess(draft)


def way_of(way: str, origin: str) -> str:
    """How a person came in, for the entries of what they did."""
    return " ".join(part for part in (way and f"by {way}", origin and f"from {origin}") if part)


def _decide_run(draft: Draft, event: Acted) -> None:
    if event.what == "approve":
        approving.approve(draft, event)
    elif event.what == "deny":
        draft.note("denied", event.text or f"run {draft.incident.ref}.{draft.run.n}", who=event.who)
        reason = f"denied by {event.who}" + (f": {event.text}" if event.text else "")
        treatment.end(draft, Outcome.DENIED, reason)
    elif event.what == "cancel":
        draft.note("cancelled", f"run {draft.incident.ref}.{draft.run.n}", who=event.who)
        if draft.run.purpose is Purpose.EXPIRE:
            draft.note("temporary", "stays as it is, and is not taken back any more", who=event.who)
            temporaries.drop(draft, draft.run.expires)
        treatment.stop(draft, Outcome.CANCELLED, f"cancelled by {event.who}")
    else:
        draft.note("note", f"an act that this version does not know: {event.what}", who=event.who)


def warning(incident: Incident, event: Acted, bundle: Bundle) -> str:
    """What the person should know who does this; empty if nothing."""
    if event.what != "close" or not incident.firing.open or incident.source == OPERATOR:
        return ""
    count, source = incident.firing.open, bundle.source(incident.source)
    fires = f"{count} alert{'s' if count > 1 else ''} of it still fire{'' if count > 1 else 's'}"
    return f"{fires}: the next repeat of {source.name}, within {span(source.repeat)}, brings it back, untreated"


def _take(draft: Draft, who: str) -> None:
    draft.set(owner=who)
    draft.note("taken", "a person has it; automation stands down", who=who)
    if not draft.incident.paging.acked_by:
        escalation.acknowledge(draft, who)
    treatment.stop(draft, Outcome.CANCELLED, f"{who} has taken the incident over")


def _close(draft: Draft, event: Acted) -> None:
    words = (event.text or lifecycle.BY_HAND, warning(draft.incident, event, draft.bundle))
    draft.note("closing", "; ".join(part for part in words if part), who=event.who)
    draft.set(candidates=(), fixed_by=lifecycle.BY_HAND)  # a write that is under way comes back first
    treatment.stop(draft, Outcome.CANCELLED, f"{event.who} closed the incident")


def _snooze(draft: Draft, event: Acted) -> None:
    until = event.until or draft.at
    escalation.stand_by(draft, event.who)
    draft.set_paging(snoozed_until=until)
    draft.timer("snooze", until)
    draft.note("snoozed", f"until {until:%Y-%m-%d %H:%M} UTC", who=event.who)
