"""Windows: once and again and again, over midnight, over the end of a month, through summer time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paramedic.catalog.moments import zone_of
from paramedic.catalog.windows import OnceWindow, Recurrence, RecurringWindow, parse_recurrence
from paramedic.core.bundle import Window
from paramedic.errors import Fault
from tests.catalog.texts import PATIENT, bundle, faults

ALL, WEEKDAYS = frozenset(range(7)), frozenset(range(5))


def hours(start: float, end: float, days: frozenset[int] = ALL, which: int = 0) -> Recurrence:
    return Recurrence(days, timedelta(hours=start), timedelta(hours=end), which)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("daily 02:00-03:00", hours(2, 3)),
        ("Daily 2:00-3:00", hours(2, 3)),
        ("weekdays 22:00-06:00", hours(22, 6, WEEKDAYS)),
        ("weekends 00:00-24:00", hours(0, 24, frozenset((5, 6)))),
        ("Sunday 02:00-06:00", hours(2, 6, frozenset((6,)))),
        ("sun 02:00-06:00", hours(2, 6, frozenset((6,)))),
        ("  Sunday   02:00-06:00 ", hours(2, 6, frozenset((6,)))),
        ("Mon,Wed,Fri 09:00-17:00", hours(9, 17, frozenset((0, 2, 4)))),
        ("Mon-Fri 09:00-17:00", hours(9, 17, WEEKDAYS)),
        ("Sat-Mon 09:00-17:00", hours(9, 17, frozenset((5, 6, 0)))),
        ("Mon-Tue,Sat 09:00-17:00", hours(9, 17, frozenset((0, 1, 5)))),
        ("Mon-Mon 09:00-17:00", hours(9, 17, frozenset((0,)))),
        ("first Sunday 02:00-06:00", hours(2, 6, frozenset((6,)), 1)),
        ("FOURTH tue 02:00-06:00", hours(2, 6, frozenset((1,)), 4)),
        ("last Friday 18:00-24:00", hours(18, 24, frozenset((4,)), -1)),
    ],
)
def test_a_recurrence_is_read(text: str, meant: Recurrence) -> None:
    assert parse_recurrence(text) == meant


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("every night", "is not a recurring window"),
        ("02:00-03:00", "is not a recurring window"),
        ("Sunday", "is not a recurring window"),
        ("Sunday 02:00", "is not a recurring window"),
        ("Sunday 02:00 - 06:00", "is not a recurring window"),
        ("", "is not a recurring window"),
        ("0 2 * * *", "is not a recurring window"),
        ("Sundy 02:00-06:00", '"Sundy" is not a day of the week'),
        ("Mon-Fry 02:00-06:00", '"Fry" is not a day of the week'),
        ("fifth Sunday 02:00-06:00", '"fifth" says nothing about a day'),
        ("every Sunday 02:00-06:00", '"every" says nothing about a day'),
        ("first weekdays 02:00-06:00", '"first" needs one day of the week'),
        ("first Mon,Tue 02:00-06:00", '"first" needs one day of the week'),
        ("Sunday 02:00-26:00", '"26:00" is not a time of day'),
        ("Sunday 24:00-02:00", "24:00 cannot be a beginning"),
        ("Sunday 02:00-02:00", "begins and ends at the same time"),
    ],
)
def test_what_is_no_recurrence(text: str, what: str) -> None:
    with pytest.raises(Fault) as caught:
        parse_recurrence(text)

    assert what in caught.value.what
    assert caught.value.right


def recurring(text: str, zone: str = "UTC") -> RecurringWindow:
    return RecurringWindow("w", parse_recurrence(text), zone_of(zone))


# Each: the window, its zone, a moment in UTC, whether that is inside.
INSIDE = [
    ("daily 02:00-03:00", "UTC", "2026-05-12T02:00", True),
    ("daily 02:00-03:00", "UTC", "2026-05-12T02:59:59", True),
    ("daily 02:00-03:00", "UTC", "2026-05-12T03:00", False),
    ("daily 02:00-03:00", "UTC", "2026-05-12T01:59:59", False),
    # Over midnight: it belongs to the day on which it begins
    ("weekdays 22:00-06:00", "UTC", "2026-05-15T23:00", True),
    ("weekdays 22:00-06:00", "UTC", "2026-05-16T05:59", True),
    ("weekdays 22:00-06:00", "UTC", "2026-05-16T22:00", False),
    ("weekdays 22:00-06:00", "UTC", "2026-05-18T05:00", False),
    ("weekdays 22:00-06:00", "UTC", "2026-05-18T22:00", True),
    # To the end of the day, and whole days
    ("last Friday 18:00-24:00", "UTC", "2026-05-29T23:59:59", True),
    ("last Friday 18:00-24:00", "UTC", "2026-05-30T00:00", False),
    ("last Friday 18:00-24:00", "UTC", "2026-05-22T20:00", False),
    ("weekends 00:00-24:00", "UTC", "2026-05-16T00:00", True),
    ("weekends 00:00-24:00", "UTC", "2026-05-17T23:59", True),
    ("weekends 00:00-24:00", "UTC", "2026-05-18T00:00", False),
    # The n-th of a month
    ("first Sunday 02:00-06:00", "UTC", "2026-05-03T02:00", True),
    ("first Sunday 02:00-06:00", "UTC", "2026-05-10T02:00", False),
    ("second Sunday 02:00-06:00", "UTC", "2026-05-10T02:00", True),
    ("first Friday 22:00-06:00", "UTC", "2026-05-02T03:00", True),
    ("last Sunday 22:00-06:00", "UTC", "2026-06-01T03:00", True),
    ("last Sunday 22:00-06:00", "UTC", "2026-05-25T03:00", False),
    # Elsewhere
    ("daily 09:00-17:00", "Asia/Kolkata", "2026-05-12T03:30", True),
    ("daily 09:00-17:00", "Asia/Kolkata", "2026-05-12T11:30", False),
    ("Monday 00:00-01:00", "Pacific/Kiritimati", "2026-05-10T10:30", True),
    ("Sunday 23:00-24:00", "Pacific/Pago_Pago", "2026-05-11T10:30", True),
    # Summer time: the clock on the wall counts
    ("daily 09:00-10:00", "Europe/London", "2026-01-12T09:30", True),
    ("daily 09:00-10:00", "Europe/London", "2026-07-12T08:30", True),
    ("daily 09:00-10:00", "Europe/London", "2026-07-12T09:30", False),
    ("daily 00:30-02:30", "Europe/London", "2026-10-25T01:45", True),
    ("daily 00:30-02:30", "Europe/London", "2026-10-25T02:29", True),
    ("daily 00:30-02:30", "Europe/London", "2026-03-29T01:29", True),
    ("daily 00:30-02:30", "Europe/London", "2026-03-29T01:30", False),
]


@pytest.mark.parametrize(("text", "zone", "at", "inside"), INSIDE)
def test_whether_a_moment_is_inside(text: str, zone: str, at: str, inside: bool) -> None:
    assert recurring(text, zone).contains(datetime.fromisoformat(at).replace(tzinfo=UTC)) is inside


def test_once() -> None:
    begins, ends = datetime(2026, 12, 20, tzinfo=UTC), datetime(2027, 1, 3, tzinfo=UTC)
    window = OnceWindow("freeze", begins, ends)
    moment = timedelta(microseconds=1)

    assert [window.contains(at) for at in (begins - moment, begins, ends - moment, ends)] == [False, True, True, False]


MOMENTS = st.integers(1_000_000_000, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
TEXTS = [
    "daily 02:00-03:00",
    "weekdays 22:00-06:00",
    "first Sunday 02:00-06:00",
    "last Fri 18:00-24:00",
    "Sat-Mon 20:00-08:00",
]


@PATIENT
@given(MOMENTS, st.sampled_from(TEXTS), st.sampled_from(["UTC", "Europe/London", "America/New_York", "Asia/Kolkata"]))
def test_a_window_is_as_the_calendar_on_the_wall_says(at: datetime, text: str, zone: str) -> None:
    """Judged a second time, by the wall clock alone; the hours in which the clock is changed are left out."""
    window = recurring(text, zone)
    wall = at.astimezone(zone_of(zone))
    changed = {(wall + timedelta(hours=shift)).utcoffset() for shift in range(-30, 31, 6)}
    if len(changed) > 1:
        return
    on = window.on
    midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0)
    expected = any(
        on.begins_on(day.date()) and day + on.start <= wall < day + on.start + on.length
        for day in (midnight, midnight - timedelta(days=1))
    )

    assert window.contains(at) is expected


@PATIENT
@given(st.dates(), st.integers(0, 6))
def test_each_month_has_one_first_and_one_last_of_each_day(day: object, weekday: int) -> None:
    import calendar
    from datetime import date

    assert isinstance(day, date)
    month = [date(day.year, day.month, n) for n in range(1, calendar.monthrange(day.year, day.month)[1] + 1)]
    if day.year == 9999:
        return
    for which in (1, 2, 3, 4, -1):
        rule = hours(0, 1, frozenset((weekday,)), which)
        days = [one for one in month if rule.begins_on(one)]
        assert len(days) == 1
        of_month = [one for one in month if one.weekday() == weekday]
        assert days[0] == of_month[which - 1 if which > 0 else -1]


# -- as entries -------------------------------------------------------------------------------------------------------


def window(text: str) -> Window:
    return bundle(f"windows:\n  - {text}\n").windows["w"]


def test_an_entry_becomes_a_window() -> None:
    once = window("{name: w, from: 2026-12-20T00:00Z, to: 2027-01-03T00:00Z, mute: pages}")
    again = window('{name: w, on: "daily 02:00-03:00", zone: Europe/London}')

    assert isinstance(once, OnceWindow)
    assert once.mute_pages
    assert isinstance(again, RecurringWindow)
    assert (again.zone.key, again.mute_pages) == ("Europe/London", False)


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("{name: w}", '2:5: the window "w" does not say when it is; give either `from` and `to`, or `on`'),
        ("{name: w, from: 2026-12-20T00:00Z}", "give either `from` and `to`, or `on`"),
        ("{name: w, to: 2026-12-20T00:00Z}", "give either `from` and `to`, or `on`"),
        ('{name: w, on: "daily 02:00-03:00", to: 2026-12-20T00:00Z}', "give either `from` and `to`, or `on`"),
        ("{name: w, from: x, to: y}", '2:21: from: "x" is not a moment'),
        ("{name: w, from: 2026-12-20T00:00Z, to: 2026-12-20T00:00Z}", "the window ends before it begins"),
        ("{name: w, on: never}", '2:19: on: "never" is not a recurring window'),
        ('{name: w, on: "daily 02:00-03:00", zone: Mars}', '2:46: zone: there is no time zone "Mars"'),
        ("{name: w, on: 5}", "on must be text, not 5; quote it"),
    ],
)
def test_an_entry_that_is_no_window(entry: str, fault: str) -> None:
    assert fault in "\n".join(faults(f"windows:\n  - {entry}\n"))


def test_both_ends_are_judged_at_once() -> None:
    assert len(faults("windows:\n  - {name: w, from: x, to: y}\n")) == 2
