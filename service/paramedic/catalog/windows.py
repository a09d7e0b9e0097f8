"""Windows: named stretches of time, once or again and again. `load` calls `windows_of`; the core asks `contains`."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from paramedic.catalog.entries import Item
from paramedic.catalog.faults import Faults, quoted
from paramedic.catalog.models import WindowEntry
from paramedic.catalog.moments import clock_time, instant, moment, on_day, zone_of
from paramedic.catalog.wording import validated
from paramedic.core.bundle import Window
from paramedic.errors import Fault

__all__ = ["OnceWindow", "Recurrence", "RecurringWindow", "parse_recurrence", "windows_of"]

_WHICH: Mapping[str, int] = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_GROUPS: Mapping[str, frozenset[int]] = {
    "daily": frozenset(range(7)),
    "weekdays": frozenset(range(5)),
    "weekends": frozenset((5, 6)),
}
_SHAPE = re.compile(
    r"(?:(?P<which>[A-Za-z]+) )?(?P<days>[A-Za-z]+(?:[-,][A-Za-z]+)*) (?P<start>[0-9:]+)-(?P<end>[0-9:]+)"
)
_NEVER = datetime.min.replace(tzinfo=UTC)
_RIGHT = 'write for example "first Sunday 02:00-06:00", "weekdays 22:00-06:00" or "daily 02:00-03:00"'


@dataclass(frozen=True, slots=True)
class OnceWindow:
    """From one moment until another; the end is outside."""

    name: str
    begins: datetime
    ends: datetime
    mute_pages: bool = False

    def contains(self, at: datetime) -> bool:
        """Whether this moment lies in the window."""
        return self.begins <= at < self.ends


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Days of the week, perhaps only the first (…, last: -1) of a month, and times; `end` at or before `start` is the
    next day's."""

    days: frozenset[int]
    start: timedelta
    end: timedelta
    which: int = 0

    def begins_on(self, day: date) -> bool:
        """Whether the window opens on this day."""
        if day.weekday() not in self.days:
            return False
        if self.which == -1:
            return (day + timedelta(days=7)).month != day.month
        return self.which in (0, (day.day + 6) // 7)

    @property
    def length(self) -> timedelta:
        """How long it is open by the clock on the wall."""
        return self.end - self.start + (timedelta(days=1) if self.end <= self.start else timedelta())


@dataclass(frozen=True, slots=True)
class RecurringWindow:
    """Again and again, by the clock on the wall of a time zone."""

    name: str
    on: Recurrence
    zone: ZoneInfo
    mute_pages: bool = False

    def contains(self, at: datetime) -> bool:
        """Whether this moment lies in the window. A window that opened yesterday may still be open."""
        today = at.astimezone(self.zone).date()
        return any(self._open(day, at) for day in (today, today - timedelta(days=1)))

    def _open(self, day: date, at: datetime) -> bool:
        if not self.on.begins_on(day):
            return False
        begins = instant(day, self.on.start, self.zone)
        return begins <= at < instant(day, self.on.start + self.on.length, self.zone)


def parse_recurrence(text: str) -> Recurrence:
    """`first Sunday 02:00-06:00` and its like. Raises `Fault`."""
    found = _SHAPE.fullmatch(" ".join(text.split()))
    if found is None:
        raise Fault("on", f"{quoted(text)} is not a recurring window", _RIGHT)
    which = found["which"]
    if which is not None and which.lower() not in _WHICH:
        raise Fault("on", f"{quoted(which)} says nothing about a day", "one of " + ", ".join(_WHICH))
    days = _days(found["days"])
    if which is not None and len(days) != 1:
        raise Fault("on", f"{quoted(which)} needs one day of the week", _RIGHT)
    start, end = clock_time(found["start"]), clock_time(found["end"])
    if start >= timedelta(days=1):
        raise Fault("on", "24:00 cannot be a beginning", "write 00:00")
    if start == end:
        raise Fault("on", f"{quoted(text)} begins and ends at the same time", "for a whole day write 00:00-24:00")
    return Recurrence(days, start, end, _WHICH[which.lower()] if which else 0)


def _days(text: str) -> frozenset[int]:
    """`weekdays`, `Sunday`, `Mon-Fri`, `Mon,Wed`."""
    group = _GROUPS.get(text.lower())
    if group is not None:
        return group
    days: set[int] = set()
    for part in text.split(","):
        first, *rest = [on_day(name) for name in part.split("-")]
        last = rest[-1] if rest else first
        days.update((first + n) % 7 for n in range((last - first) % 7 + 1))
    return frozenset(days)


def windows_of(items: Iterable[Item], faults: Faults) -> dict[str, Window]:
    """The windows by name. One with a fault stands in for itself, so that nobody is told that it does not exist."""
    found: dict[str, Window] = {}
    for item in items:
        entry = validated(item.file, item.node, WindowEntry, faults, "window")
        window = _window(item, entry, faults) if entry is not None else None
        found[item.name] = window or OnceWindow(item.name, _NEVER, _NEVER)
    return found


def _window(item: Item, entry: WindowEntry, faults: Faults) -> Window | None:
    once = entry.from_ is not None or entry.to is not None
    if once is (entry.on is not None) or (once and (entry.from_ is None or entry.to is None)):
        right = "give either `from` and `to`, or `on`"
        faults.add(item.file, item.node.mark, f'the window "{entry.name}" does not say when it is', right)
        return None
    mute = entry.mute == "pages"
    if entry.on is None:
        begins = item.parsed("from", moment, faults)
        ends = item.parsed("to", moment, faults)
        if begins is None or ends is None:
            return None
        if ends <= begins:
            faults.add(item.file, item.node.at(["to"]), "the window ends before it begins", "`to` is after `from`")
            return None
        return OnceWindow(entry.name, begins, ends, mute)
    zone = item.parsed("zone", zone_of, faults, entry.zone)
    on = item.parsed("on", parse_recurrence, faults)
    return RecurringWindow(entry.name, on, zone, mute) if on is not None and zone is not None else None
