"""What the incident makes of its alerts: when it assesses, when it reopens, when it is over.

Called by `decide` for `AlertsSeen`. Hands on to `treatment.assess` when something should be treated, and to
`escalation` when somebody should be told.
"""

from datetime import datetime

import msgspec

from paramedic.core import escalation, lifecycle, treatment, verification
from paramedic.core.draft import Draft
from paramedic.core.episodes import DOUBT, lapse_due
from paramedic.core.events import AlertsSeen
from paramedic.core.model import Candidate, Exemplar, Firing, Past, Run, Turn
from paramedic.core.routing import EXEMPLARS, title_of
from paramedic.core.text import span
from paramedic.core.words import Phase, Stage

__all__ = ["seen"]


_QUEUE = EXEMPLARS - 1
"""Treatments that wait at most: with the one being carried out, each has its alert among the exemplars."""

_TURNS = 20
"""Turns that are kept: more than any guard asks about."""


def seen(draft: Draft, event: AlertsSeen) -> None:
    """Take in what changed about the alerts, then treat, reopen or resolve."""
    _describe(draft, event)
    _recount(draft, event)
    _timers(draft, event)
    if event.opened or event.reopened:
        if draft.incident.phase is Phase.RESOLVED:
            _reopen(draft, event)
        _firing_again(draft)
        treatment.call_off(draft)
        _propose(draft, event)
        if draft.incident.storm is None:  # else its parent pages, and it waits until that is over
            escalation.begin(draft)
            treatment.assess(draft)
    _bound_exemplars(draft)
    if draft.incident.firing.open == 0 and draft.incident.firing.doubted == 0:
        _cleared(draft, event)


def _describe(draft: Draft, event: AlertsSeen) -> None:
    """One entry for each kind of change, naming the first alerts that it may have happened to."""
    fires = tuple(one for one in event.exemplars if one.open)
    over = tuple(one for one in event.exemplars if not one.open)
    source = {"delivery": f"alertmanager {draft.incident.source}", "person": "closed by hand"}.get(event.cause, "")
    told = (
        (event.opened, fires, "{is} firing"),
        (event.reopened, fires, _REOPENED.get(event.cause, "{is} firing again; it never ended for us")),
        (event.moved, fires, "{is} still firing; its start moved, so it ended and came back unseen"),
        (event.doubted, over, f"fires with a start before its last end: an echo or a refire; known in {_DOUBT}"),
        (event.undoubted, over, "was an echo: it is over"),
        (event.closed, over, _CLOSED.get(event.cause, "resolved")),
    )
    for count, alerts, words in told:
        if count:
            text = words.format(**{"is": "is" if count == 1 else "are"})
            draft.note("alert", f"{_names(alerts or event.exemplars, count)} {text}", source)


def _names(alerts: tuple[Exemplar, ...], count: int) -> str:
    shown = [_name(one) for one in alerts[: min(3, count)]]
    if not shown:
        return "an alert" if count == 1 else f"{count} alerts"
    return ", ".join(shown) + (f" and {count - len(shown)} more" if count > len(shown) else "")


_DOUBT = span(DOUBT.total_seconds())
_REOPENED = {"doubt": "{is} taken as firing again: nobody could say that it was an echo"}
_CLOSED = {"expired": "not confirmed in time and taken as over", "person": "no longer followed"}


def _name(exemplar: Exemplar) -> str:
    labels = exemplar.labels
    severity = f" ({labels['severity']})" if labels.get("severity") else ""
    return f"{title_of(labels, {})}{severity}"


def _recount(draft: Draft, event: AlertsSeen) -> None:
    firing = draft.incident.firing
    open_now = max(0, firing.open + event.opened + event.reopened - event.closed)
    settled = event.undoubted + event.settled + (event.reopened if event.cause == "doubt" else 0)
    draft.set(
        firing=Firing(
            open=open_now,
            total=firing.total + event.opened,
            doubted=max(0, firing.doubted + event.doubted - settled),
            exemplars=_merged(firing.exemplars, event.exemplars),
            since=(firing.since if firing.open else draft.at) if open_now else firing.since,
            cleared_at=None if open_now else firing.cleared_at or draft.at,
            seen_at=draft.at if event.cause == "delivery" else firing.seen_at,
            turns=_turned(firing.turns, event),
        )
    )
    if event.severity is not None and event.severity < draft.incident.severity:
        draft.note("severity", f"raised from {draft.incident.severity} to {event.severity}")
        draft.set(severity=event.severity)


def _turned(turns: tuple[Turn, ...], event: AlertsSeen) -> tuple[Turn, ...]:
    """The turns with those of this event; a start that moved is two, as it ended and came back unseen."""
    if event.closed or event.moved:
        turns = _turn(turns, event.at, firing=False)
    if event.opened or event.reopened or event.moved:
        turns = _turn(turns, event.at, firing=True)
    return turns[-_TURNS:]


def _turn(turns: tuple[Turn, ...], at: datetime, *, firing: bool) -> tuple[Turn, ...]:
    return turns if (turns[-1].firing if turns else False) is firing else (*turns, Turn(at, firing))


def _merged(kept: tuple[Exemplar, ...], new: tuple[Exemplar, ...]) -> tuple[Exemplar, ...]:
    return tuple({one.identity: one for one in (*kept, *new)}.values())


def _bound_exemplars(draft: Draft) -> None:
    """Keep at most `EXEMPLARS`: first those that a treatment is about, then those that fire, the oldest first."""
    kept = draft.incident.firing.exemplars
    if len(kept) <= EXEMPLARS:
        return
    about = {one.identity for one in draft.incident.candidates}
    if draft.incident.run is not None:
        about.add(draft.incident.run.identity)
    ranked = sorted(kept, key=lambda one: (one.identity not in about, not one.open))[:EXEMPLARS]
    chosen = {one.identity for one in ranked}
    exemplars = tuple(one for one in kept if one.identity in chosen)
    draft.set(firing=msgspec.structs.replace(draft.incident.firing, exemplars=exemplars))


def _timers(draft: Draft, event: AlertsSeen) -> None:
    """`expiry` and `doubt` are answered by the engine with an `AlertsSeen`: it reads the episodes for it."""
    firing, timers = draft.incident.firing, draft.incident.timers
    if firing.doubted and ("doubt" not in timers or event.cause == "doubt"):
        draft.timer("doubt", draft.at + DOUBT)
    if not firing.doubted:
        draft.cancel("doubt")
    if not firing.open:
        draft.cancel("expiry")
    elif "expiry" not in timers or event.cause == "expired":
        expiry = draft.bundle.source(draft.incident.source).expiry
        draft.timer("expiry", event.lapses_at or lapse_due(draft.at, expiry))


def _reopen(draft: Draft, event: AlertsSeen) -> None:
    """Back within the quiet time: the same incident goes on. Only a real new episode may be treated again."""
    draft.cancel("quiet")
    draft.set(
        phase=Phase.DETECTED,
        resolved_at=None,
        recurrence=draft.incident.recurrence + (1 if event.opened else 0),
    )
    escalation.start_over(draft)
    draft.note("reopened", "the alert came back within the quiet time; the same incident goes on")


def _firing_again(draft: Draft) -> None:
    """What was settled because nothing fired is not settled any more."""
    draft.set(fixed_by="")
    run = draft.incident.run
    if run is not None and run.stop == treatment.CLEARED:
        draft.set_run(stop="")


def _propose(draft: Draft, event: AlertsSeen) -> None:
    """Queue the treatments asked for, without what is running or was already tried for this recurrence."""
    run, recurrence = draft.incident.run, draft.incident.recurrence
    ran: list[Past | Run] = [one for one in draft.incident.past if one.recurrence == recurrence]
    ran += [run] if run is not None else []
    tried = {(one.playbook, target) for one in ran if one.treats for target in (one.target, one.named)}
    queue = list(draft.incident.candidates)
    waiting = {(one.playbook, one.target) for one in queue}
    for candidate in event.candidates:
        who = (candidate.playbook, candidate.target)
        if who in tried or who in waiting:
            continue
        if len(queue) >= _QUEUE:
            about = f"{candidate.playbook} on {candidate.target}" if candidate.target else candidate.playbook
            draft.note("refused", f"{about}: {len(queue)} treatments wait already", f"rule {candidate.rule}")
            continue
        queue.append(candidate)
        waiting.add(who)
    if len(event.candidates) >= EXEMPLARS and event.opened > len(event.candidates):
        draft.note("refused", f"alerts beyond the first {EXEMPLARS} treatments of a delivery ask for none of their own")
    queue.sort(key=_urgency)
    draft.set(candidates=tuple(queue))
    treatment.supersede(draft)


def _urgency(candidate: Candidate) -> str:
    return str(candidate.severity)


def _cleared(draft: Draft, event: AlertsSeen) -> None:
    """Nothing fires any more. A run that has not written yet is not needed; one that verifies may look again now."""
    draft.set(candidates=())
    run = draft.incident.run
    if run is None:
        if draft.incident.phase not in (Phase.RESOLVED, Phase.REVIEWED):
            lifecycle.resolve(draft, lifecycle.BY_HAND if event.cause == "person" else "")
    elif not run.treats:
        return  # it treats nothing, so that it goes on: the incident is resolved when it has ended
    elif run.stage is Stage.VERIFYING:
        verification.look_again(draft)
    elif run.stage not in treatment.BUSY:
        treatment.cleared(draft)
    elif not run.stop:
        draft.set_run(stop=treatment.CLEARED)
