"""Storms in the turn: who is held back by which parent, what the parent hears of it, who goes on when it is over.

Called by `folds` for each delivery, and by the turn once a batch when all its inputs are folded. What storms mean is
`core.storm`; a parent lies on a shard as every incident does, and its owner alone begins a storm.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from paramedic.core.events import Calm, Opened, Swell
from paramedic.core.model import Incident
from paramedic.core.sharing import SHARDS, shard_of
from paramedic.core.storm import MINUTE, begins, begun, grown, lasts, per_minute, storm_key
from paramedic.core.words import Severity
from paramedic.engine.forwarding import PassedSwell
from paramedic.engine.passing import forward

if TYPE_CHECKING:
    from paramedic.engine.folds import Folds

__all__ = ["Fresh", "heard", "opened", "parent", "settle"]

_AT_ONCE = 50
"""Incidents that are told in one batch, at most, that their storm is over."""


@dataclass(slots=True)
class Fresh:
    """What one batch comes to: new children by source and parent, and the numbers of parents that are to begin."""

    children: dict[tuple[str, int], list[Opened]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)


def parent(folds: "Folds", source: str, nth: int) -> tuple[int, int] | None:
    """The parent that holds back the nth new incident of a source, and how many are new; None where there is no storm.

    One that has yet to begin has its number here, and begins when the batch is settled.
    """
    storms, threshold = folds.shell.holdings.storms, folds.shell.current.source(source).storm
    if threshold <= 0:
        return None
    openings = storms.openings(source, folds.work.at - MINUTE) + nth
    if shard_of(storm_key(source)) not in folds.shell.holdings.shards:
        elsewhere = storms.parents.get(source)
        return None if elsewhere is None else (elsewhere, openings)
    known = _parent(folds, source)
    if known is None:
        return (_number(folds, source), openings) if begins(openings, threshold) else None
    if lasts(known):
        return known.id, openings
    if known.open and known.resolved_at is not None:
        # What had begun before it was over, or was closed by a person, begins no other one.
        minute = folds.work.at - MINUTE
        fresh = known.resolved_at > minute
        openings = storms.openings(source, max(known.resolved_at, minute), ours=fresh) + nth
        return (known.id, openings) if begins(openings, threshold) else None
    return None


def _number(folds: "Folds", source: str) -> int:
    """The number of the parent that is to begin with this batch."""
    numbers = folds.storms.numbers
    if source not in numbers:
        numbers[source] = folds.shell.numbers.pop()
    return numbers[source]


def _parent(folds: "Folds", source: str) -> Incident | None:
    """The parent of ours that is open, whether its storm is over or not."""
    number = folds.shell.holdings.keys.get(storm_key(source))
    return None if number is None else folds.work.incident(number)


def opened(folds: "Folds", begun: Iterable[Opened | None]) -> None:
    """Count what has begun, and remember whose children they are."""
    for one in begun:
        rule = folds.shell.current.rules.named(one.rule) if one is not None else None
        if one is None or (rule is not None and not rule.storm):
            continue
        folds.shell.holdings.storms.count(one.source, one.at, one.shard)
        if one.storm is not None:
            folds.storms.children.setdefault((one.source, one.storm), []).append(one)


def heard(folds: "Folds", row: int, passed: PassedSwell) -> None:
    """A parent of ours has children that another member opened."""
    folds.work.batch.forwarded_gone.append(row)
    if folds.work.incident(passed.incident) is not None:
        folds.event(passed.incident, replace(passed.event, at=folds.work.at, mode=folds.work.mode))


def settle(folds: "Folds") -> None:
    """Tell the parents, begin what only all members together make a storm, and let those go on whose storm is over."""
    shell = folds.shell
    for (source, number), children in folds.storms.children.items():
        known = [_as_it_is(folds, one) for one in children]
        _tell(folds, source, number, grown(known, shell.current, folds.work.at, folds.work.mode))
    if shell.holdings.storms.held:
        _tell_of_worse(folds)
    for source in shell.holdings.storms.others:
        _begin_by_others(folds, source)
    for source, number in list(shell.holdings.storms.held):
        if not _lasts(folds, source, number):
            _go_on(folds, source, number)


def _tell_of_worse(folds: "Folds") -> None:
    """A child whose severity has risen may be worse than what its parent has paged for."""
    for touched in list(folds.work.touched.values()):
        before, now = touched.before, touched.now
        if before is not None and now.storm is not None and now.severity < before.severity:
            swell = Swell(folds.work.at, folds.work.mode, 0, severity=now.severity, rule=now.rule)
            _tell(folds, now.source, now.storm, swell)


def _as_it_is(folds: "Folds", one: Opened) -> Opened:
    """A new child with the severity that its other alerts have given it by now."""
    now = folds.work.incident(one.id)
    return one if now is None else replace(one, severity=now.severity)


def _begin_by_others(folds: "Folds", source: str) -> None:
    if shard_of(storm_key(source)) not in folds.shell.holdings.shards or not folds.shell.numbers:
        return
    found, known = parent(folds, source, 0), _parent(folds, source)
    if found is None or (known is not None and lasts(known)):
        return
    rows = folds.shell.holdings.storms.others[source]
    policies = folds.shell.current.rules
    worst = min(rows, key=lambda row: (not getattr(policies.named(row.rule), "escalation", ""), row.severity))
    severity = Severity(min(row.severity for row in rows))
    _tell(folds, source, found[0], Swell(folds.work.at, folds.work.mode, found[1], severity=severity, rule=worst.rule))


def _tell(folds: "Folds", source: str, number: int, swell: Swell) -> None:
    """Fold it, or pass it on to the member whose the parent is."""
    shell, shard = folds.shell, shard_of(storm_key(source))
    if shard not in shell.holdings.shards:
        forward(folds, shard, PassedSwell(number, swell))
        return
    known = folds.work.incident(number)
    if known is not None and not known.open:
        return  # it was closed in this very batch, and whom it held back is let go
    if known is None:
        folds.event(number, begun(number, shard, source, swell, shell.current))
        folds.work.batch.tell = True
    over = known is not None and not lasts(known)
    if over and known is not None and known.resolved_at == folds.work.at:
        return  # it was over only just now: whom it held back is let go
    folds.event(number, replace(swell, began=known is None or over))


def _lasts(folds: "Folds", source: str, number: int) -> bool:
    shell = folds.shell
    if shard_of(storm_key(source)) not in shell.holdings.shards:
        return not shell.holdings.storms.looked or shell.holdings.storms.parents.get(source) == number
    known = folds.work.incident(number)
    return known is not None and lasts(known)


def _go_on(folds: "Folds", source: str, number: int) -> None:
    """The worst first, and so few in a minute that people and targets can take it."""
    shell, storms, who = folds.shell, folds.shell.holdings.storms, (source, number)
    queue = storms.queues.get(who)
    if not queue:
        queue = storms.queues[who] = deque(sorted(storms.held[who], key=lambda one: _urgency(folds, one)))
    share = len(shell.holdings.shards) / SHARDS
    apart = 60.0 / (per_minute(shell.current.source(source).storm) * share)
    for _ in range(min(_AT_ONCE, len(queue))):
        child, nth = queue.popleft(), storms.gone_on.get(who, 0)
        if child not in storms.held.get(who, ()):
            continue  # a person took it out, or it is closed
        storms.gone_on[who] = nth + 1
        wait = nth * apart + shell.options.jitter(apart)
        folds.event(child, Calm(folds.work.at, folds.work.mode, round(wait, 3)))
        storms.let_go(source, number, child)
    if queue:
        shell.inbox.wake()


def _urgency(folds: "Folds", number: int) -> tuple[str, int]:
    held = folds.shell.holdings.incidents.get(number)
    return (str(held.severity) if held is not None else "P9", number)
