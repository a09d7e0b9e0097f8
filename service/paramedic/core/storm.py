"""Storms: more new incidents of a source in a minute than people can be paged for. One parent pages for all of them.

Called by `decide` for `Swell` (to the parent) and `Calm` (to a child), by `acts`, and by the engine, which counts.

A child is opened, queued and resolved as any incident is, but neither pages nor posts nor treats: `Incident.storm`
holds it back. The storm is over when for ten minutes fewer than half as many incidents began in any minute as a storm
takes, or when a person closes the parent. Then each child that still fires goes on by itself, after a wait of its own;
one that has resolved is closed without a word. A person who takes, acknowledges, snoozes or escalates a child takes it
out.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import assert_never

import msgspec

from paramedic.core import escalation, lifecycle, treatment
from paramedic.core.bundle import Bundle
from paramedic.core.draft import Draft
from paramedic.core.events import Calm, Opened, Swell
from paramedic.core.model import Incident, Storm
from paramedic.core.text import one_line, span
from paramedic.core.words import Mode, Phase, Severity

__all__ = [
    "KIND",
    "MINUTE",
    "TIMERS",
    "begins",
    "begun",
    "grown",
    "heard",
    "lasts",
    "opened",
    "per_minute",
    "step_out",
    "storm_key",
]

KIND = "storm"
"""What kind of incident a parent is."""

MINUTE = timedelta(minutes=1)
"""The time in which new incidents are counted."""

COOL = timedelta(minutes=10)
"""How long there must have been few of them before it is over."""

_EXEMPLARS = 20
_USUAL = 60
_GRAIN = timedelta(seconds=5)
"""New incidents within this long are remembered as of one moment."""

_LINGER = 60.0


def storm_key(source: str) -> str:
    """The key of the parent of a source's storms; no alert's can be like it, since theirs name labels with values."""
    return f"{source}{{storm}}"


def begins(openings: int, threshold: int) -> bool:
    """Whether so many new incidents in a minute are a storm; a threshold of 0 is never reached."""
    return 0 < threshold < openings


def lasts(parent: Incident) -> bool:
    """Whether this storm is not over. One whose parent cannot be decided any more holds nobody back."""
    return parent.open and not parent.parked and parent.phase not in (Phase.RESOLVED, Phase.REVIEWED)


def per_minute(threshold: int) -> int:
    """How many children go on by themselves in a minute once it is over."""
    return max(1, (threshold or _USUAL) // 2)


def begun(number: int, shard: int, source: str, about: Swell, bundle: Bundle) -> Opened:
    """The parent's first event."""
    return Opened(
        at=about.at,
        mode=about.mode,
        id=number,
        key=storm_key(source),
        shard=shard,
        source=source,
        title=f"Storm of incidents from {source}",
        bundle=bundle.hash,
        rule=about.rule,
        severity=about.severity or Severity.P2,
        kind=KIND,
    )


def grown(children: Iterable[Opened], bundle: Bundle, at: datetime, mode: Mode) -> Swell:
    """What these new children are to their parent.

    Its severity is the highest of theirs, its rule that of the most severe whose rule has an escalation policy.
    """
    some = sorted(children, key=lambda one: (not _pages(bundle, one.rule), one.severity))
    return Swell(
        at=at,
        mode=mode,
        openings=max((one.openings for one in some), default=0),
        children=len(some),
        severity=min((one.severity for one in some), default=None),
        rule=some[0].rule if some else "",
        exemplars=tuple(one_line(f"INC-{one.id} {one.title}", 120) for one in some[:_EXEMPLARS]),
    )


def _pages(bundle: Bundle, rule: str) -> bool:
    named = bundle.rules.named(rule)
    return named is not None and bool(named.escalation)


def heard(draft: Draft, event: Swell | Calm) -> None:
    """What a parent, or a child, is told of its storm."""
    match event:
        case Swell():
            _swollen(draft, event)
        case Calm():
            _calmed(draft, event)
        case _:
            assert_never(event)


# -- the parent -------------------------------------------------------------------------------------------------------


def _swollen(draft: Draft, event: Swell) -> None:
    """More children, or the beginning. What is told of a storm that is over only counts."""
    storm = draft.incident.storming or Storm()
    recent, exemplars = _recent(draft, storm, event), (*storm.exemplars, *event.exemplars)[:_EXEMPLARS]
    storm = msgspec.structs.replace(storm, children=storm.children + event.children, exemplars=exemplars, recent=recent)
    many = sum(count for _, count in recent) * 2 >= _threshold(draft)
    draft.set(storming=msgspec.structs.replace(storm, busy_at=draft.at if many or event.began else storm.busy_at))
    if event.began:
        _begin(draft, event)
    elif lasts(draft.incident):
        _raise(draft, event)
        _count(draft)


def _threshold(draft: Draft) -> int:
    return draft.bundle.source(draft.incident.source).storm


def _recent(draft: Draft, storm: Storm, event: Swell) -> tuple[tuple[datetime, int], ...]:
    """The children of the last minute, without those that are older now, with the new ones."""
    kept = [(at, count) for at, count in storm.recent if draft.at - at < MINUTE]
    if kept and draft.at - kept[-1][0] < _GRAIN:
        kept[-1] = (kept[-1][0], kept[-1][1] + event.children)
    elif event.children:
        kept.append((draft.at, event.children))
    return tuple(kept)


def _begin(draft: Draft, event: Swell) -> None:
    again = not lasts(draft.incident)
    if again:
        draft.cancel("quiet")
        storm = Storm(event.children, event.exemplars[:_EXEMPLARS], ((draft.at, event.children),), draft.at)
        draft.set(phase=Phase.DETECTED, resolved_at=None, fixed_by="", storming=storm)
        escalation.start_over(draft)
    reason = f"{event.openings} new incidents in a minute, more than {_threshold(draft)}"
    draft.note(KIND, f"{reason}: they are held back" + (" again" if again else ""))
    _worse(draft, event)
    draft.set_paging(reason=f"{reason}; they are held back and listed under this one")
    escalation.begin(draft)
    draft.timer("calm", draft.at + MINUTE + COOL)


def _worse(draft: Draft, event: Swell) -> bool:
    """Take over the severity and the policy of a child that is worse than all before; whether one is."""
    incident, storm = draft.incident, draft.incident.storming or Storm()
    if event.severity is not None and event.severity < incident.severity:
        draft.note("severity", f"raised from {incident.severity} to {event.severity}")
        draft.set(severity=event.severity)
    rule = draft.bundle.rules.named(event.rule)
    if rule is None or not rule.escalation or event.severity is None:
        return False
    if storm.worst is not None and event.severity >= storm.worst:
        return False
    draft.set(storming=msgspec.structs.replace(storm, worst=event.severity))
    draft.set_paging(policy=rule.escalation)
    return True


def _raise(draft: Draft, event: Swell) -> None:
    """A worse child than those that were paged for: its policy is paged too, once, whoever has acknowledged before."""
    if not _worse(draft, event):
        return
    reason = draft.incident.paging.reason
    if draft.incident.paging.level or draft.incident.paging.acked_by:
        escalation.start_over(draft)
        draft.cancel("climb", "ack", "remind", "snooze")
    draft.set_paging(reason=reason)
    escalation.begin(draft)


def _count(draft: Draft) -> None:
    """Say how many there are, whenever they have become twice as many."""
    storm = draft.incident.storming or Storm()
    if storm.children >= max(_threshold(draft), 2 * storm.counted):
        draft.note(KIND, f"{storm.children} incidents are held back by now", seen={"some": list(storm.exemplars[:5])})
        draft.set(storming=msgspec.structs.replace(storm, counted=storm.children))


def _calm(draft: Draft) -> None:
    """Over, unless there were many since: then it is looked at again when that would be long enough ago."""
    storm = draft.incident.storming or Storm()
    over = (storm.busy_at or draft.at) + MINUTE + COOL
    if not lasts(draft.incident):
        return
    if over > draft.at:
        draft.timer("calm", over)
        return
    few = f"fewer than {-(-_threshold(draft) // 2)} new incidents a minute for {span(COOL.total_seconds())}"
    draft.note(KIND, f"over: {few}; {storm.children} were held back, and those that still fire go on one by one")
    lifecycle.resolve(draft, "the storm passed")


# -- a child ----------------------------------------------------------------------------------------------------------


def opened(draft: Draft, event: Opened) -> None:
    """Say that it is held back, if it is."""
    if event.storm is not None:
        draft.note("held back", f"storm INC-{event.storm} ({event.openings} new incidents in a minute)")


def _calmed(draft: Draft, event: Calm) -> None:
    """Its storm is over: it goes on in a while, not all of them at once."""
    if draft.incident.storm is not None:
        draft.timer_in(KIND, event.wait)


def step_out(draft: Draft, who: str) -> bool:
    """A person looks after it: it is an incident as any other from now on. Whether it was held back until now."""
    if draft.incident.storm is None:
        return False
    draft.note(KIND, f"taken out of storm INC-{draft.incident.storm}", who=who)
    draft.cancel(KIND)
    draft.set(storm=None)
    return True


def _go_on(draft: Draft) -> None:
    incident = draft.incident
    if incident.firing.open:
        draft.note(KIND, f"storm INC-{incident.storm} is over and the alert still fires: no longer held back")
        draft.set(storm=None)
        escalation.begin(draft)
        treatment.assess(draft)
    elif incident.firing.doubted:
        draft.timer_in(KIND, _LINGER)
    else:
        draft.set(open=False, timers={}, effects={})
        draft.note("closed", f"storm INC-{incident.storm} is over; it had resolved before anybody was told")


TIMERS: Mapping[str, Callable[[Draft], None]] = {"calm": _calm, KIND: _go_on}
