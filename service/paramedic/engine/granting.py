"""Which effects leave with a batch: one for each free slot, with its claims; and their intents. Called by the turn.

`pick` chooses while the batch is still open, since what it finds may have to be decided; `leave` takes the slots.
"""

from datetime import timedelta
from typing import Literal

from paramedic.core.claims import Blocked, grant
from paramedic.core.effects import Apply, Message, Page, lane_of
from paramedic.core.escalation import unwanted
from paramedic.core.events import Held, Paged
from paramedic.core.model import Failure, Incident
from paramedic.core.words import Kind, Once, Purpose
from paramedic.core.writing import ON_ITS_WAY, stale
from paramedic.engine.executors import write_deadline
from paramedic.engine.folds import Folds
from paramedic.engine.shell import Shell
from paramedic.engine.work import Work
from paramedic.store.port import HoldRow, UseRow

__all__ = ["leave", "pick"]

_TELLING = 30.0
"""Seconds after which a page or message whose intent is committed now can no longer be under way."""

Against = Blocked | Literal["stale", "unclaimed"]
"""What stands against a write: somebody else, guards that answered too long ago, or that others may claim it too."""


def pick(shell: Shell, folds: Folds, work: Work) -> None:
    """The effects that leave with this batch: as many as there are free slots, without those that must not."""
    leaving = shell.holdings.leaving
    for lane in ("page", "write", "read", "message"):
        for number, effect in shell.holdings.next(lane, shell.executors.free(lane)):
            if lane == "write" and leaving and shell.holdings.shard(number) in leaving:
                continue
            incident = work.incident(number)
            if incident is None or effect.n not in incident.effects:
                continue  # answered or withdrawn in this very batch
            if isinstance(effect, Page) and (why := unwanted(incident, effect)):
                folds.event(number, Paged(work.at, work.mode, effect.n, failure=Failure(Kind.REFUSED, why)))
            elif isinstance(effect, Apply):
                if _claim(shell, folds, work, incident, effect):
                    work.leaving.append((number, effect))
            elif not isinstance(effect, Message) or not _paging(shell, incident):
                work.leaving.append((number, effect))
    for lane in ("write", "read"):
        _pick_born(shell, work, lane)


def _paging(shell: Shell, incident: Incident) -> bool:
    """Whether a page of this incident has yet to leave; also one that is only being committed (promise 7)."""
    under_way = shell.holdings.under_way
    return any(one.what == "page" and (incident.id, n) not in under_way for n, one in incident.effects.items())


def _pick_born(shell: Shell, work: Work, lane: str) -> None:
    """Effects asked for in this very batch leave with it while slots stay free: their intent is born with them.

    What has to wait for a claim, or for guards that are asked again, is left to the next turn as all others are.
    """
    left = shell.executors.free(lane) - sum(1 for _, effect in work.leaving if lane_of(effect) == lane)
    if left <= 0:
        return
    for number, effect in sorted(work.unanswered(lane), key=lambda one: _severity(work, one[0])):
        incident = work.incident(number)
        if incident is None or incident.shard in shell.holdings.leaving:
            continue
        if isinstance(effect, Apply) and not _may_be_born(shell, work, incident, effect):
            continue
        seconds = write_deadline(effect) if isinstance(effect, Apply) else None
        work.born[number, effect.n] = None if seconds is None else work.at + timedelta(seconds=seconds)
        work.leaving.append((number, effect))
        left -= 1
        if left == 0:
            return


def _severity(work: Work, number: int) -> str:
    incident = work.incident(number)
    return str(incident.severity) if incident else "P9"


def _may_be_born(shell: Shell, work: Work, incident: Incident, effect: Apply) -> bool:
    """Whether this write may leave with the batch that asks for it; it then has its claims.

    Not one that nothing keeps from happening twice: a commit in doubt would leave it to a person to settle.
    """
    return effect.once is not Once.NONE and _take_claims(shell, work, incident, effect) is None


def _claim(shell: Shell, folds: Folds, work: Work, incident: Incident, effect: Apply) -> bool:
    """Take what the write needs, all or nothing, in the commit of its intent; False: it has to wait.

    For one that has waited long and could leave now the guards are asked again first.
    """
    holdings, who = shell.holdings, (incident.id, effect.n)
    against = _take_claims(shell, work, incident, effect)
    if isinstance(against, Blocked):
        holdings.block(who, against.scope)
        shell.inbox.wake()  # it has made room for the next one that waits, which may need something else
        if holdings.refused.get(who) != against.scope:  # else it is known to wait for it
            holdings.refused[who] = against.scope
            folds.event(incident.id, Held(work.at, work.mode, effect.n, against.scope, against.by, against.until))
    elif against == "stale":
        folds.event(incident.id, Held(work.at, work.mode, effect.n, "", ""))
    elif against == "unclaimed":
        shell.inbox.wake()  # not claimed yet, or in vain: the next turn tries
    return against is None


def _take_claims(shell: Shell, work: Work, incident: Incident, effect: Apply) -> Against | None:
    """Take all that the write needs, or nothing: then what stands against it."""
    holdings, number = shell.holdings, incident.id
    granted = grant(holdings.ledger, effect.claims, number, effect.run, work.at)
    if isinstance(granted, Blocked):
        return granted
    if effect.purpose is Purpose.REMEDY and incident.run is not None and stale(incident.run, work.at + ON_ITS_WAY):
        return "stale"
    if not holdings.alone and (granted.holds or granted.uses):
        return "unclaimed"
    for scope in granted.holds:
        holdings.ledger.hold(scope, number, effect.run)
        work.batch.holds.append(HoldRow(scope, number, effect.run, work.at))
    for scope in granted.uses:
        holdings.ledger.use(scope, work.at, number, effect.run)
        work.batch.uses.append(UseRow(scope, work.at, number, effect.run))
    return None


def leave(shell: Shell, work: Work) -> None:
    """An intent for each effect that leaves, before it leaves. Reads need none: they are safe to repeat."""
    work.leaving = [(number, effect) for number, effect in work.leaving if shell.holdings.wants(number, effect.n)]
    for number, effect in work.leaving:
        lane = lane_of(effect)
        shell.holdings.leave(lane, (number, effect.n))
        shell.executors.reserve(lane)
        if lane != "read" and (number, effect.n) not in work.born:
            seconds = write_deadline(effect) if isinstance(effect, Apply) else _TELLING
            work.batch.intents.append((number, effect.n, work.at + timedelta(seconds=seconds)))
