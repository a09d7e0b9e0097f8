"""Communication: whom to tell what happens, and when. Called by `decide` after every event, and for `Messaged`.

The plan of the incident's rule names the audiences. Each has one root message, edited as the incident changes
(`bulletin`), and a thread for what the timeline says meanwhile. Nothing here reacts to single events: what an audience
has been told is compared with what there is to tell, and the difference is asked for, one message an audience at a
time. What changes meanwhile goes into the next one. A message that fails never pages.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from paramedic.core import escalation
from paramedic.core.bulletin import is_over, root
from paramedic.core.bundle import Communication, Tell
from paramedic.core.draft import Draft
from paramedic.core.effects import Effect, Message, Part
from paramedic.core.events import Interrupted, Messaged
from paramedic.core.model import Failure, Told
from paramedic.core.scope import incident_scope
from paramedic.core.text import one_line
from paramedic.core.words import Kind
from paramedic.errors import Fault

__all__ = ["TIMER", "concerns", "interrupted", "keep_up", "messaged"]

TIMER = "message"
"""The one timer of all audiences: when it fires, `keep_up` looks again."""

_FIRST = timedelta(seconds=escalation.PATIENCE + 0.5)
"""The first message waits for the first page, and so can say what the guards said."""

_SETTLE = timedelta(seconds=1)
"""What happens within a moment is told together."""

_GAP = timedelta(seconds=3)
"""Between two messages to one audience: chat services take about one a second into a channel."""

_NEWS = 20
_LINE = 240
_UNTOLD = frozenset({"message", "timer", "late"})
"""Kinds of entries that are about the telling itself, or about nothing that an audience asks."""

_TRIES = 5
_FIRST_WAIT = 5.0
_LONGEST_WAIT = 300.0


def keep_up(draft: Draft) -> None:
    """See to it that every audience is told what it is to be told, now or later."""
    plan = _plan(draft)
    if plan is None or not draft.incident.open or draft.incident.storm is not None:
        return
    _gather(draft)
    moments = [moment for tell in plan.tell if (moment := _tend(draft, tell)) is not None]
    _look_again(draft, min(moments, default=None))
    _forget_told(draft)


def _plan(draft: Draft) -> Communication | None:
    rule = draft.rule
    return draft.bundle.communication.get(rule.communication) if rule is not None and rule.communication else None


def _gather(draft: Draft) -> None:
    """Keep what this event wrote down, until everybody has been told."""
    fresh = [
        one_line(f"{draft.at:%H:%M:%S} {entry.kind}: {entry.text}", _LINE)
        for entry in draft.entries
        if entry.kind not in _UNTOLD
    ]
    if fresh:
        incident = draft.incident
        draft.set(news=(*incident.news, *fresh)[-_NEWS:], lines=incident.lines + len(fresh))


def _forget_told(draft: Draft) -> None:
    incident = draft.incident
    if incident.told and incident.news:
        left = incident.lines - min(one.upto for one in incident.told.values())
        draft.set(news=incident.news[-left:] if left else ())


def _look_again(draft: Draft, due: datetime | None) -> None:
    timer = draft.incident.timers.get(TIMER)
    if due is None:
        draft.cancel(TIMER)
    elif timer is None or timer.due != due:
        draft.timer(TIMER, due)


def _set(draft: Draft, audience: str, told: Told, **changes: Any) -> Told:
    told = msgspec.structs.replace(told, **changes)
    draft.set(told={**draft.incident.told, audience: told})
    return told


# -- one audience -----------------------------------------------------------------------------------------------------


def _tend(draft: Draft, tell: Tell) -> datetime | None:
    """Bring one audience further; the moment at which to look again, if that is known."""
    told = draft.incident.told.get(tell.audience)
    if told is None:
        if not _begins(draft, tell):
            return None
        told = Told(upto=draft.incident.lines - len(draft.incident.news))
    told = _owed(draft, tell, told)
    part = _next_part(told)
    if told.effect is None and part is not None:
        if told.wait is None:
            told = _set(draft, tell.audience, told, wait=_soon(draft, told))
        if told.wait is not None and told.wait <= draft.at:
            told = _ask(draft, tell, told, part)
    if told.effect is not None:
        return None
    return told.wait if part is not None else told.next_at


def _begins(draft: Draft, tell: Tell) -> bool:
    try:
        return tell.when is None or tell.when.holds(incident_scope(draft.incident))
    except Fault:  # a condition that has no answer does not allow
        return False


def _owed(draft: Draft, tell: Tell, told: Told) -> Told:
    """What is to be told: everything that has changed; to those who are told every so often, once the time has come.

    The end, and that it was not the end, are told at once.
    """
    over, at = is_over(draft.incident), draft.at
    if tell.every:
        if told.next_at is not None and at < told.next_at and over is told.over:
            return told
        if over and told.over and told.at is not None:
            return told
        next_at = None if over else at + timedelta(seconds=tell.every)
    else:
        next_at = None
    owed = "\n".join(root(draft.incident, draft.bundle, next_at)) != told.root
    return _set(draft, tell.audience, told, owed=owed, goal=draft.incident.lines, over=over, next_at=next_at)


def _next_part(told: Told) -> Part | None:
    """What is tried again; else the root, then what belongs into its thread: neither keeps the other waiting long."""
    if told.trying:
        return told.trying
    behind = bool(told.ref) and told.upto < told.goal
    if told.owed and not (behind and told.last == "root"):
        return "root"
    return "detail" if behind else None


def _soon(draft: Draft, told: Told) -> datetime:
    if told.at is None:
        return draft.at + _FIRST
    return max(draft.at + _SETTLE, told.at + _GAP)


def _ask(draft: Draft, tell: Tell, told: Told, part: Part) -> Told:
    """Ask for the next message of this audience."""
    incident = draft.incident
    since = told.since or draft.at
    key = f"{incident.ref}/{tell.audience}"
    if part == "root":
        lines: tuple[str, ...] = root(incident, draft.bundle, told.next_at)
        offered, upto = "\n".join(lines), told.upto
    else:
        key += f"/{told.parts + 1}"
        upto = told.offered_upto if told.trying else told.goal  # what may be there already is not told as anything else
        lines, offered = _news(draft, told, upto), ""

    def message(n: int) -> Effect:
        ref, doubtful, tries = told.ref, told.doubtful, told.tries + 1
        return Message(n, tell.audience, tell.by, tell.to, part, key, lines, since, ref, doubtful, tries)

    goal = incident.lines if part == "root" else told.goal
    n = draft.ask(message, to=tell.audience, notifier=tell.by, tries=told.tries + 1)
    return _set(
        draft,
        tell.audience,
        told,
        trying=part,
        effect=n,
        goal=goal,
        offered=offered,
        offered_upto=upto,
        since=since,
        tries=told.tries + 1,
    )


def _news(draft: Draft, told: Told, upto: int) -> tuple[str, ...]:
    """The lines after the last one told, up to this one; of very many, the last ones."""
    incident = draft.incident
    first = incident.lines - len(incident.news)
    lines = incident.news[max(0, told.upto - first) : max(0, upto - first)]
    left_out = min(first, upto) - told.upto
    return (f"{left_out} earlier entries are in the timeline", *lines) if left_out > 0 else lines


# -- what comes back --------------------------------------------------------------------------------------------------


def concerns(draft: Draft, n: int) -> bool:
    """Whether this effect is a message."""
    about = draft.incident.effects.get(n)
    return about is not None and about.what == "message"


def messaged(draft: Draft, event: Messaged) -> None:
    """A message arrived, or did not. A failure is tried again a bounded number of times, and then noted."""
    found = _under_way(draft, event.n)
    if found is None:
        return
    audience, told, by = found
    failure = event.failure
    if failure is None:
        _arrived(draft, audience, told, by, event.ref)
    elif failure.kind in (Kind.TEMPORARY, Kind.UNKNOWN) and told.tries < _TRIES:
        seconds = min(_LONGEST_WAIT, max(_FIRST_WAIT, failure.delay) * 2 ** (told.tries - 1))
        doubtful = told.doubtful or failure.kind is Kind.UNKNOWN
        _set(draft, audience, told, effect=None, doubtful=doubtful, wait=draft.at + timedelta(seconds=seconds))
    else:
        _given_up(draft, audience, told, by, failure)


def interrupted(draft: Draft, event: Interrupted) -> None:
    """The process that sent it is gone: sent again, after a look whether it is there."""
    found = _under_way(draft, event.n)
    if found is not None:
        audience, told, _ = found
        _set(draft, audience, told, effect=None, doubtful=True, wait=draft.at, tries=max(0, told.tries - 1))


def _under_way(draft: Draft, n: int) -> tuple[str, Told, str] | None:
    """The audience that this effect was to tell, what it has been told, and by what."""
    about = draft.answered(n)
    if about is None or about.what != "message":
        return None
    told = draft.incident.told.get(about.to)
    return (about.to, told, about.notifier) if told is not None and told.effect == n else None


def _arrived(draft: Draft, audience: str, told: Told, by: str, ref: str) -> None:
    dry = ref.startswith("dry")
    if told.trying == "root" and (not told.ref or (told.ref.startswith("dry") and not dry)):
        _note_first(draft, audience, by, ref if dry else "")
    elif told.fault:
        draft.note("message", f"{audience} is being told again", by)
    if told.trying == "root":
        told = _set(draft, audience, told, ref=ref, root=told.offered, owed=False, last="root")
    else:
        told = _set(draft, audience, told, upto=told.offered_upto, parts=told.parts + 1, last="detail")
    _settled(draft, audience, told, doubtful=False, since=None, fault="")


def _note_first(draft: Draft, audience: str, by: str, dry: str) -> None:
    """Say once that an audience is told, or that nobody is reached because its notifier is dry."""
    if dry:
        draft.note("message", f"{audience}: nobody is reached{dry.removeprefix('dry')}", f"{by} (dry)")
    else:
        draft.note("message", f"{audience} is being told", by)


def _given_up(draft: Draft, audience: str, told: Told, by: str, failure: Failure) -> None:
    """This is not tried any more; what changes next is. Noted once, as long as the reason stays the same.

    A root that may have been posted stays in doubt, so that the next one is looked for first.
    """
    if failure.message != told.fault:
        draft.note("message", f"{audience} could not be told: {failure.message}", by)
    doubtful = not told.ref and (told.doubtful or failure.kind is Kind.UNKNOWN)
    since = told.since if doubtful else None
    if told.trying == "root":
        told = _set(draft, audience, told, root=told.offered, owed=False, last="root")
    else:
        told = _set(draft, audience, told, upto=told.offered_upto, parts=told.parts + 1, last="detail")
    _settled(draft, audience, told, doubtful=doubtful, since=since, fault=failure.message)


def _settled(draft: Draft, audience: str, told: Told, **changes: Any) -> None:
    _set(
        draft,
        audience,
        told,
        trying="",
        effect=None,
        offered="",
        offered_upto=0,
        wait=None,
        tries=0,
        at=draft.at,
        **changes,
    )
