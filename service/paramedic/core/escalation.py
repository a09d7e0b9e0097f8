"""Paging: who is told, when the next level is, and what an acknowledgement stops.

Called by sightings (begin), treatment (a reason to tell), acts (ack, snooze, escalate), lifecycle (close), and by its
timers; hands on to `pages`. A page waits at most `PATIENCE` for the first judgement, so that it can say why nothing was
done.
"""

from collections.abc import Callable, Mapping

from paramedic.core import pages
from paramedic.core.draft import Draft
from paramedic.core.effects import Page
from paramedic.core.model import Incident
from paramedic.core.text import one_line, span
from paramedic.core.words import Outcome, Phase

__all__ = [
    "PATIENCE",
    "TIMERS",
    "acknowledge",
    "after_all",
    "begin",
    "close",
    "hand_over",
    "page_now",
    "push",
    "report",
    "stand_by",
    "start_over",
    "unwanted",
]

PATIENCE = 2.0
"""Seconds that level 1 waits for the guards, so that the page can carry their answer."""

_LATE = 60.0
"""The next level counts from the page, or from this many seconds after the page was due, whichever is first."""


def begin(draft: Draft) -> None:
    """An alert fires and nobody has been paged for it yet: see that somebody will be."""
    policy, paging = draft.policy, draft.incident.paging
    if policy is None or paging.level or paging.acked_by or "page" in draft.incident.timers:
        return
    rule = draft.rule
    draft.timer_in("page", max(PATIENCE, (rule.page_after if rule else 0.0) + policy.levels[0].after))
    if policy.respond:
        draft.timer_in("respond", policy.respond)


def page_now(draft: Draft, reason: str) -> None:
    """The guards have answered or a write is to come: level 1 need not wait, unless the rule pages late."""
    rule, policy = draft.rule, draft.policy
    late = policy is not None and ((rule.page_after if rule else 0.0) or policy.levels[0].after)
    draft.set_paging(reason=one_line(reason))
    if draft.incident.paging.level == 0 and "page" in draft.incident.timers and not late:
        draft.cancel("page")
        climb(draft)


def report(draft: Draft, reason: str) -> None:
    """Nothing is done about it, because of `reason`: as `page_now`, and whoever has acknowledged is told."""
    if draft.policy is None:
        _tell_nobody(draft, reason)
    elif draft.incident.paging.acked_by:
        draft.set_paging(reason=one_line(reason))
        _tell_owner(draft, reason)
    else:
        page_now(draft, reason)


def hand_over(draft: Draft, reason: str, *, climb_on: bool = True) -> None:
    """A person is needed at once, because of `reason`.

    Whoever has acknowledged is told; else the next level is paged, or the last one again where there is none
    (or `climb_on` is false).
    """
    policy, paging = draft.policy, draft.incident.paging
    if policy is None:
        _tell_nobody(draft, reason)
        return
    draft.set_paging(reason=one_line(reason))
    higher = climb_on and policy.climbs == "paramedic" and paging.level < len(policy.levels)
    if paging.acked_by:
        _tell_owner(draft, reason)
    elif paging.level == 0 or higher:
        draft.cancel("page", "climb")
        climb(draft)
    else:
        _tell_level(draft, reason)


def after_all(draft: Draft, reason: str) -> None:
    """Something of ours is left although the alert has cleared: somebody is told, once, and nobody climbs."""
    if draft.incident.phase is not Phase.RESOLVED:
        hand_over(draft, reason, climb_on=False)
    elif draft.policy is None:
        _tell_nobody(draft, reason)
    elif draft.incident.paging.acked_by:
        _tell_owner(draft, reason)
    else:
        _tell_level(draft, reason)


def start_over(draft: Draft) -> None:
    """The alert came back: paged from level 1 again, under new keys. What is open or to be resolved stays so."""
    paging = draft.incident.paging
    draft.set_paging(
        level=0,
        generation=paging.generation + 1,
        acked_by="",
        acked_at=None,
        snoozed_until=None,
        retries=tuple(one for one in paging.retries if one.verb == "resolve"),
        reason="",
    )


def push(draft: Draft, who: str) -> None:
    """A person asked for the next level."""
    draft.note("escalated", "to the next level, by hand", who=who)
    draft.set_paging(acked_by="", acked_at=None, snoozed_until=None)
    draft.cancel("page", "climb", "ack", "remind", "snooze")
    climb(draft, by_hand=True)


def climb(draft: Draft, *, by_hand: bool = False) -> None:
    """Page the next level and set the timer of the one after it."""
    policy, paging = draft.policy, draft.incident.paging
    if policy is None or paging.level >= len(policy.levels):
        return
    before = paging.level
    level = policy.levels[before]
    draft.set_paging(level=before + 1, due=draft.at)
    why = f" (level {before} not acknowledged)" if before and not by_hand else ""
    for position, name in enumerate(level.page):
        pages.trigger(draft, before + 1, name, position, why=why)
    if policy.climbs == "paramedic" and before + 1 < len(policy.levels):
        gap = policy.levels[before + 1].after - level.after
        draft.timer_in("climb", gap + _LATE)


def acknowledge(draft: Draft, who: str) -> None:
    """Somebody has it: the climb stops until the policy's hold runs out."""
    stand_by(draft, who)
    draft.note("acknowledged", f"by {who}", who=who)
    policy = draft.policy
    if policy is not None:
        draft.timer_in("ack", policy.ack.hold)
        if policy.ack.remind:
            draft.timer_in("remind", policy.ack.remind)


def stand_by(draft: Draft, who: str) -> None:
    """Somebody has it: nobody else is paged, and the pages that are open say so."""
    paging = draft.incident.paging
    draft.cancel("page", "climb", "respond", "ack", "remind", "snooze")
    if not paging.acked_by:
        for sent in paging.sent:
            pages.send(draft, "acknowledge", sent)
    kept = tuple(one for one in paging.retries if one.verb != "trigger")
    draft.set_paging(acked_by=who, acked_at=draft.at, snoozed_until=None, retries=kept)


def _tell_nobody(draft: Draft, text: str) -> None:
    draft.note("page", f"nobody: the rule names no escalation policy. {text}")


def _tell_owner(draft: Draft, text: str) -> None:
    """Tell whoever acknowledged, without waking anybody else; somebody who cannot be paged has the level told."""
    who = draft.incident.paging.acked_by
    if who in draft.bundle.people:
        pages.tell(draft, who, f"{who}, who has it: {text}", text)
    else:
        draft.note("page", f"{who} has it and is not among the people")
        _tell_level(draft, text)


def _tell_level(draft: Draft, text: str) -> None:
    """Tell the level that was paged last once more, whatever it knows already."""
    policy, level = draft.policy, max(1, draft.incident.paging.level)
    for name in policy.levels[level - 1].page if policy is not None else ():
        pages.tell(draft, name, f"level {level} {name} again: {text}", text)


def close(draft: Draft) -> str:
    """Resolve every page that went out and stop all timers of the climb. Says what was done, for the timeline."""
    draft.cancel("page", "climb", "respond", "repage", "ack", "remind", "snooze")
    sent = draft.incident.paging.sent
    for one in sent:
        pages.send(draft, "resolve", one, text="resolved")
    draft.set_paging(sent=(), retries=(), snoozed_until=None)
    return "" if not sent else "page resolved" if len(sent) == 1 else f"{len(sent)} pages resolved"


def unwanted(incident: Incident, effect: Page) -> str:
    """Why a trigger that has not left yet need not leave any more; empty if it must."""
    if effect.verb != "trigger" or pages.needed(incident, effect.dedup_key):
        return ""
    over = incident.phase in (Phase.RESOLVED, Phase.REVIEWED)
    return "resolved before it was sent" if over else "acknowledged before it was sent"


def _page_due(draft: Draft) -> None:
    """Late pages: `unless: fixed` gives a fix the time that its alert's source may take to say that it cleared."""
    rule = draft.rule
    fixed = [
        past.ended_at
        for past in draft.incident.past
        if past.outcome is Outcome.FIXED and past.recurrence == draft.incident.recurrence
    ]
    if rule is not None and rule.page_unless_fixed and fixed:
        grace = _LATE + draft.bundle.source(draft.incident.source).group_interval
        left = grace - (draft.at - fixed[-1]).total_seconds()
        if left > 0:
            draft.note("page", f"nobody yet: it is fixed, unless the alert still fires in {span(left)}")
            draft.timer_in("page", left)
            return
    climb(draft)


def _respond_due(draft: Draft) -> None:
    policy = draft.policy
    if policy is not None:
        draft.note("overdue", f"nobody acknowledged within {span(policy.respond)}")


def _ack_over(draft: Draft) -> None:
    """The hold has run out and the alert still fires: the same level is paged again, under a new key."""
    draft.note(
        "acknowledged", f"the acknowledgement by {draft.incident.paging.acked_by} has run out; the alert still fires"
    )
    _page_again(draft)


def _page_again(draft: Draft) -> None:
    paging = draft.incident.paging
    draft.cancel("remind")
    draft.set_paging(
        acked_by="",
        acked_at=None,
        snoozed_until=None,
        level=max(0, paging.level - 1),
        generation=paging.generation + 1,
    )
    climb(draft, by_hand=True)


def _remind(draft: Draft) -> None:
    policy, paging = draft.policy, draft.incident.paging
    if policy is None or not paging.acked_by:
        return
    if paging.acked_by in draft.bundle.people:
        since = span((draft.at - (paging.acked_at or draft.at)).total_seconds())
        text = f"still open, acknowledged {since} ago"
        pages.tell(draft, paging.acked_by, f"{paging.acked_by}, who has it: {text}", text)
    draft.timer_in("remind", policy.ack.remind)


def _snooze_over(draft: Draft) -> None:
    draft.note("snoozed", "the snooze is over; the alert still fires")
    _page_again(draft)


TIMERS: Mapping[str, Callable[[Draft], None]] = {
    "page": _page_due,
    "climb": climb,
    "respond": _respond_due,
    "ack": _ack_over,
    "remind": _remind,
    "repage": pages.repage,
    "snooze": _snooze_over,
}
