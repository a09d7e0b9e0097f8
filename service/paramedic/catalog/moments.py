"""Moments, times of day, days of the week and time zones as people write them. Windows and rotas are made of these.

Everything raises `Fault` with `what` and `right` for the text alone; the caller knows the field and the place.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from paramedic.catalog.faults import quoted
from paramedic.errors import Fault

__all__ = ["DAYS", "clock_time", "day_of", "instant", "moment", "on_day", "zone_of"]

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_NUMBERS: Mapping[str, int] = {name.lower(): n for n, day in enumerate(DAYS) for name in (day, day[:3])}
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2})(:[0-9]{2}(?:\.[0-9]{1,6})?)?(\S+)?")
_OFFSET = re.compile(r"[Zz]|[+-][0-9]{2}:[0-9]{2}")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})")


def moment(text: str) -> datetime:
    """A moment with its offset, such as 2026-12-20T00:00Z, in UTC; seconds may be left out."""
    right = "write for example 2026-12-20T00:00Z"
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise Fault("moment", f"{quoted(text)} is not a moment", right)
    day, clock, seconds, offset = found.groups()
    if offset is None or not _OFFSET.fullmatch(offset):
        raise Fault("moment", f"{quoted(text)} does not say in which time zone", f"end it with Z or +01:00; {right}")
    try:
        offset = "+00:00" if offset in "Zz" else offset
        return datetime.fromisoformat(f"{day}T{clock}{seconds or ':00'}{offset}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Fault("moment", f"{quoted(text)} is no date of the calendar", right) from error


def day_of(text: str) -> date:
    """A date, such as 2026-01-05."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Fault("date", f"{quoted(text)} is not a date", "write for example 2026-01-05") from error


def clock_time(text: str) -> timedelta:
    """A time of day as the time since midnight; 24:00 is the end of the day."""
    found = _TIME.fullmatch(text)
    hour, minute = (int(found[1]), int(found[2])) if found else (99, 0)
    if minute > 59 or hour * 60 + minute > 24 * 60:
        raise Fault("time", f"{quoted(text)} is not a time of day", "write for example 09:00")
    return timedelta(hours=hour, minutes=minute)


def on_day(text: str) -> int:
    """A day of the week by its name or its first three letters; Monday is 0."""
    number = _NUMBERS.get(text.lower())
    if number is None:
        raise Fault("day", f"{quoted(text)} is not a day of the week", "one of " + ", ".join(day[:3] for day in DAYS))
    return number


def zone_of(name: str) -> ZoneInfo:
    """A time zone by its name in the IANA database."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        right = "write a name of the IANA database, such as UTC or Europe/London"
        raise Fault("zone", f"there is no time zone {quoted(name)}", right) from error


def instant(day: date, clock: timedelta, zone: ZoneInfo) -> datetime:
    """The moment at which this day's clock shows this time there; where that happens twice, the first."""
    return (datetime.combine(day, time(), zone) + clock).astimezone(UTC)
