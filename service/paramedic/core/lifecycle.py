"""The end of an incident: resolved, quiet, closed. Called when nothing fires and nothing is being treated."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from paramedic.core import escalation
from paramedic.core.draft import Draft
from paramedic.core.text import span
from paramedic.core.words import Outcome, Phase, Purpose

__all__ = ["BY_HAND", "QUIET", "TIMERS", "resolve"]

QUIET = timedelta(minutes=15)
"""How long a resolved incident waits for its alert to come back before it is closed."""

BY_HAND = "closed by hand"
"""What ends an incident whose alert still fires."""

_LINGER = timedelta(minutes=1)
_LONGEST = timedelta(hours=1)
_FIXES = 20


def resolve(draft: Draft, by: str = "") -> None:
    """The incident is over: open pages are resolved, and it waits out its quiet time."""
    who = by or draft.incident.fixed_by or ("paramedic" if _fixed(draft) else "itself")
    if who == "paramedic":
        draft.set(fixes=(*draft.incident.fixes, draft.at)[-_FIXES:])
    took = span((draft.at - draft.incident.opened_at).total_seconds())
    draft.set(phase=Phase.RESOLVED, resolved_at=draft.at, fixed_by=who)
    words = {"paramedic": f"fixed by paramedic in {took}", "itself": f"the alert cleared by itself after {took}"}
    pages = escalation.close(draft)
    draft.note("resolved", words.get(who, f"{who} after {took}"), pages)
    draft.timer("quiet", draft.at + QUIET)


def _fixed(draft: Draft) -> bool:
    """Whether something that we did since the alert last came up has helped."""
    past = [one for one in draft.incident.past if one.recurrence == draft.incident.recurrence]
    return any(one.outcome in (Outcome.FIXED, Outcome.DONE) and one.acted for one in past)


def _since(draft: Draft) -> datetime:
    """When the last thing happened that an open incident may still have to answer for."""
    taken_back = (one.ended_at for one in draft.incident.past if one.purpose is Purpose.EXPIRE)
    return max([draft.incident.resolved_at or draft.at, *taken_back])


def _quiet(draft: Draft) -> None:
    """Close, once nothing is left: a change to be taken back, a run, a doubt about the alert, a page to be resolved.

    A run outlives its change where a person keeps that while it is being taken back.
    """
    incident, expire = draft.incident, draft.incident.timers.get("expire")
    if incident.temporaries or incident.run is not None:
        draft.timer("quiet", max(draft.at, expire.due if expire else draft.at) + _LINGER)
        return
    left = incident.firing.doubted or incident.effects or incident.paging.retries
    if left and draft.at - _since(draft) < _LONGEST:
        draft.timer("quiet", draft.at + _LINGER)
        return
    draft.set(open=False, timers={}, effects={})
    draft.note("closed", f"quiet for {span(QUIET.total_seconds())}")


TIMERS: Mapping[str, Callable[[Draft], None]] = {"quiet": _quiet}
