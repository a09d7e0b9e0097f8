"""The decision: what follows for an incident from something that happened. Read this first; it is the whole policy.

    Opened        the incident begins: somebody will be paged
    AlertsSeen    episodes opened, closed, came back: a run may start, the incident may be over → sightings
    Resolved      the target is known by its one name: it is judged                             → steps
    Judged        the guards have answered: plan, wait, or refuse                               → steps
    Planned       the action knows what it would write: approve, apply, or only say so          → steps
    Applied       the write came back: verify, try again, or hand over                          → steps, writing
    Observed      after a crash: is our write there?                                            → steps, writing
    Checked       a check has answered: next step, ask again, or not cleared                    → steps
    Paged         a page went out, or did not: the climb goes on                                → pages
    Messaged      an audience was told, or was not                                              → communication
    Interrupted   the process that carried an effect out is gone                                → steps, writing
    Late          it was not gone: what the effect came to, learned when that was settled       → late
    Held          a claim is held by somebody else, or used up                                  → steps, writing
    TimerFired    a due moment                                                                  → by its name
    Acted         a person: ack, take, snooze, escalate, close, note, approve, deny, cancel     → acts
    Parked        deciding raised an error: a person has to                                      → here
    Swell, Calm   too many incidents at once: one parent pages; later its children go on         → storm

After each of them `temporaries` sees when the next change is to be taken back, and `communication` who is to be told.
The turn calls `decide` for each event, records the event, and makes the answer durable. Same incident, same event, same
bundle: same answer (promise 9). `VERSION` changes when a recorded event would be answered differently.
"""

from typing import assert_never

from paramedic.core import acts, communication, escalation, late, lifecycle, pages, sightings, steps, storm, temporaries
from paramedic.core.bundle import Bundle
from paramedic.core.decision import Decision
from paramedic.core.draft import Draft
from paramedic.core.events import (
    Acted,
    AlertsSeen,
    Applied,
    Calm,
    Checked,
    Event,
    Held,
    Interrupted,
    Judged,
    Late,
    Messaged,
    Observed,
    Opened,
    Paged,
    Parked,
    Planned,
    Resolved,
    Swell,
    TimerFired,
)
from paramedic.core.model import Firing, Incident, Paging
from paramedic.core.words import Phase

__all__ = ["VERSION", "decide"]

VERSION = 4


def decide(incident: Incident | None, event: Event, bundle: Bundle) -> Decision:
    """The incident after this event, what is to be done, and what to write down.

    `incident` is None only for `Opened`. `bundle` is the one the incident was opened under. Raises nothing on purpose:
    an exception is a defect, and the turn parks the incident.
    """
    if incident is None:
        if not isinstance(event, Opened):
            raise LookupError(f"{type(event).__name__} for an incident that was never opened")
        return _opened(event, bundle)
    draft = Draft(incident, bundle, event.at, event.mode, event.switch)
    _happened(draft, event)
    if not draft.incident.parked:  # their timers would wait with it, and its page must not depend on them
        temporaries.arrange(draft)
        communication.keep_up(draft)
    return draft.decision()


def _happened(draft: Draft, event: Event) -> None:
    match event:
        case Opened():
            raise LookupError(f"{draft.incident.ref} is open already")
        case AlertsSeen():
            sightings.seen(draft, event)
        case Interrupted() if communication.concerns(draft, event.n):
            communication.interrupted(draft, event)
        case Resolved() | Judged() | Planned() | Applied() | Observed() | Checked() | Interrupted() | Held():
            steps.answered(draft, event)
        case Paged() | Messaged() | Late():
            _came_back(draft, event)
        case TimerFired():
            _timer_fired(draft, event)
        case Acted():
            acts.acted(draft, event)
        case Parked():
            _parked(draft, event)
        case Swell() | Calm():
            storm.heard(draft, event)
        case _:
            assert_never(event)


def _came_back(draft: Draft, event: Paged | Messaged | Late) -> None:
    match event:
        case Paged():
            pages.paged(draft, event)
        case Messaged():
            communication.messaged(draft, event)
        case Late():
            late.learned(draft, event)
        case _:
            assert_never(event)


def _opened(event: Opened, bundle: Bundle) -> Decision:
    rule = bundle.rules.named(event.rule)
    incident = Incident(
        id=event.id,
        key=event.key,
        shard=event.shard,
        source=event.source,
        title=event.title,
        bundle=event.bundle,
        rule=event.rule,
        severity=event.severity,
        phase=Phase.DETECTED,
        opened_at=event.at,
        updated_at=event.at,
        kind=event.kind,
        decided_by=VERSION,
        previous=event.previous,
        firing=Firing(since=event.at, seen_at=event.at),
        paging=Paging(policy=rule.escalation if rule else ""),
        storm=event.storm,
        opened_by=event.by,
    )
    draft = Draft(incident, bundle, event.at, event.mode, event.switch)
    draft.way = event.way
    before = f"; before it: INC-{event.previous}" if event.previous else ""
    draft.note("incident", f'{incident.ref} {incident.severity} "{incident.title}"{before}', f"rule {event.rule}")
    if event.by:
        draft.note("opened", "by hand", who=event.by)
    storm.opened(draft, event)
    communication.keep_up(draft)
    return draft.decision()


def _parked(draft: Draft, event: Parked) -> None:
    draft.set(parked=event.error)
    if event.error:
        draft.note("parked", f"this version cannot decide any further: {event.error}")
        escalation.hand_over(draft, "automation has stopped for this incident: a defect of Paramedic")
    else:
        draft.note("parked", "this version can decide again")


def _timer_fired(draft: Draft, event: TimerFired) -> None:
    """One timer is due. A timer that was replaced or cancelled in the meantime has another number, or none."""
    timer = draft.incident.timers.get(event.name)
    if timer is None or timer.n != event.n:
        return
    draft.cancel(event.name)
    if event.late >= 1.0:
        draft.note("timer", f'the timer "{event.name}" fired {event.late:.0f}s late')
    for part in (steps.TIMERS, escalation.TIMERS, lifecycle.TIMERS, temporaries.TIMERS, storm.TIMERS):
        if event.name in part:
            part[event.name](draft)
