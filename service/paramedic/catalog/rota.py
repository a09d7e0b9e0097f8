"""Rotas: who has the watch when. `people` makes them; escalation asks `on_call` when it pages."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from paramedic.catalog.entries import Item
from paramedic.catalog.faults import Faults, did_you_mean, quoted
from paramedic.catalog.models import RotaEntry
from paramedic.catalog.moments import clock_time, day_of, moment, on_day, zone_of
from paramedic.errors import Fault

__all__ = ["Override", "TakingTurns", "rota_of"]

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_HANDOVER = re.compile(r"(?:([A-Za-z]+) )?([0-9:]+)")


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody else has the watch between two moments; the end is outside."""

    person: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class TakingTurns:
    """`members` in order, each for one turn. `first` is a handover by the clock on the wall, to the first of them."""

    members: tuple[str, ...]
    turn: timedelta
    first: datetime
    zone: ZoneInfo
    overrides: tuple[Override, ...] = ()

    def on_call(self, at: datetime) -> str:
        """The name of the person on call at this moment; the last override that covers it wins."""
        for override in reversed(self.overrides):
            if override.begins <= at < override.ends:
                return override.person
        # Turns are counted by the clock on the wall, so that the handover stays at 09:00 in summer and in winter.
        wall = at.astimezone(self.zone).replace(tzinfo=None)
        return self.members[((wall - self.first) // self.turn) % len(self.members)]


def rota_of(item: Item, entry: RotaEntry, persons: frozenset[str], faults: Faults) -> TakingTurns | None:
    """The rota that an entry describes, or None after adding what is wrong. `persons` may be in it."""
    known = [_known(item, ["rota", n], name, persons, faults) for n, name in enumerate(entry.rota)]
    zone = item.parsed("zone", zone_of, faults, entry.zone)
    starts = item.parsed("starts", day_of, faults, entry.starts)
    handover = item.parsed("handover", _handover, faults, entry.handover)
    overrides = [_override(item, n, persons, faults) for n in range(len(entry.overrides))]
    turn = timedelta(seconds=entry.turn)
    if not all(known) or zone is None or starts is None or handover is None:
        return None
    weekday, clock = handover
    if (fault := _odd(turn, weekday)) is not None:
        faults.add(item.file, item.node.at(["turn"]), f"turn: {fault.what}", fault.right)
        return None
    first = datetime.combine(starts, time()) + clock
    if weekday is not None:
        first += _DAY * ((weekday - first.weekday()) % 7)
    return TakingTurns(tuple(entry.rota), turn, first, zone, tuple(one for one in overrides if one is not None))


def _known(item: Item, path: list[str | int], name: str, persons: frozenset[str], faults: Faults) -> bool:
    if name in persons or faults.torn:
        return True
    right = did_you_mean(name, persons, "a rota is made of people who have an entry of their own")
    faults.add(item.file, item.node.at(path), f"there is no person {quoted(name)}", right)
    return False


def _handover(text: str) -> tuple[int | None, timedelta]:
    """`Mon 09:00` or `09:00`: the day of the week, if any, and the time."""
    found = _HANDOVER.fullmatch(" ".join(text.split()))
    if found is None:
        raise Fault("handover", f"{quoted(text)} is not a handover", 'write for example "Mon 09:00" or "09:00"')
    day, clock = found.groups()
    return (on_day(day) if day else None), clock_time(clock)


def _odd(turn: timedelta, weekday: int | None) -> Fault | None:
    """A turn that would not end at the handover."""
    if turn < timedelta(hours=1):
        return Fault("turn", "a turn is shorter than an hour", "an hour is the shortest")
    if weekday is not None and turn % _WEEK:
        return Fault(
            "turn", "the handover names a day, so a turn is made of whole weeks", "write 1w, or handover: 09:00"
        )
    if weekday is None and turn % _DAY and _DAY % turn:
        return Fault("turn", "turns would not meet the handover", "write whole days, or hours that divide a day")
    return None


def _override(item: Item, n: int, persons: frozenset[str], faults: Faults) -> Override | None:
    node = item.node.child(["overrides", n])
    if node is None:
        return None
    inner = Item(item.file, node, "")
    name = str(node.value["person"])
    known = _known(inner, ["person"], name, persons, faults)
    begins, ends = inner.parsed("from", moment, faults), inner.parsed("to", moment, faults)
    if begins is None or ends is None or not known:
        return None
    if ends <= begins:
        faults.add(item.file, node.at(["to"]), "the override ends before it begins", "`to` is after `from`")
        return None
    return Override(name, begins, ends)
