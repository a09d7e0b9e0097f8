"""Moments, days, times and zones as people write them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paramedic.catalog.moments import clock_time, day_of, instant, moment, on_day, zone_of
from paramedic.errors import Fault
from tests.catalog.texts import PATIENT


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-12-20T00:00Z", datetime(2026, 12, 20, tzinfo=UTC)),
        ("2026-12-20T00:00:00Z", datetime(2026, 12, 20, tzinfo=UTC)),
        ("2026-12-20t00:00z", datetime(2026, 12, 20, tzinfo=UTC)),
        ("2026-12-20 00:00Z", datetime(2026, 12, 20, tzinfo=UTC)),
        ("2026-12-20T01:30+01:00", datetime(2026, 12, 20, 0, 30, tzinfo=UTC)),
        ("2026-12-20T00:00:05-05:30", datetime(2026, 12, 20, 5, 30, 5, tzinfo=UTC)),
        ("2026-12-20T00:00:05.25Z", datetime(2026, 12, 20, 0, 0, 5, 250000, tzinfo=UTC)),
    ],
)
def test_a_moment(text: str, meant: datetime) -> None:
    assert moment(text) == meant
    assert moment(text).tzinfo is UTC


@PATIENT
@given(st.integers(0, 4_000_000_000_000).map(lambda ms: datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ms)))
def test_a_moment_reads_as_it_is_written(when: datetime) -> None:
    assert moment(when.isoformat()) == when


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("2026-12-20", "is not a moment"),
        ("20.12.2026 09:00", "is not a moment"),
        ("2026-12-20T9:00Z", "is not a moment"),
        ("tomorrow", "is not a moment"),
        ("", "is not a moment"),
        ("2026-12-20T00:00", "does not say in which time zone"),
        ("2026-12-20T00:00:00", "does not say in which time zone"),
        ("2026-12-20T00:00 Europe/London", "is not a moment"),
        ("2026-12-20T00:00CET", "does not say in which time zone"),
        ("2026-02-30T00:00Z", "is no date of the calendar"),
        ("2026-12-20T24:30Z", "is no date of the calendar"),
        ("0001-01-01T00:00+10:00", "is no date of the calendar"),
        ("2026-12-20T00:00+99:00", "is no date of the calendar"),
    ],
)
def test_what_is_no_moment(text: str, what: str) -> None:
    with pytest.raises(Fault) as caught:
        moment(text)

    assert what in caught.value.what
    assert "2026-12-20T00:00Z" in caught.value.right


def test_a_day() -> None:
    assert day_of("2026-01-05") == date(2026, 1, 5)
    with pytest.raises(Fault, match="is not a date"):
        day_of("5.1.2026")


@pytest.mark.parametrize(
    ("text", "hours"), [("00:00", 0), ("9:00", 9), ("09:30", 9.5), ("23:59", 23 + 59 / 60), ("24:00", 24)]
)
def test_a_time_of_day(text: str, hours: float) -> None:
    assert clock_time(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["24:01", "25:00", "9", "09:60", "9.30", "noon", "", "-1:00", "009:00", "09:00:00"])
def test_what_is_no_time_of_day(text: str) -> None:
    with pytest.raises(Fault, match="is not a time of day; write for example 09:00"):
        clock_time(text)


@pytest.mark.parametrize(("text", "number"), [("Monday", 0), ("mon", 0), ("SUN", 6), ("wednesday", 2), ("Thu", 3)])
def test_a_day_of_the_week(text: str, number: int) -> None:
    assert on_day(text) == number


@pytest.mark.parametrize("text", ["Mo", "Tues", "Sundays", "", "1"])
def test_what_is_no_day_of_the_week(text: str) -> None:
    with pytest.raises(Fault, match="is not a day of the week; one of Mon, Tue"):
        on_day(text)


@pytest.mark.parametrize("name", ["UTC", "Europe/London", "America/New_York", "Asia/Kolkata", "Etc/GMT+5"])
def test_a_zone(name: str) -> None:
    assert zone_of(name).key == name


@pytest.mark.parametrize(
    "name", ["Europe/Londn", "Mars", "", "../../etc/passwd", "/etc/localtime", "Europe", "\x00", "a" * 300]
)
def test_what_is_no_zone(name: str) -> None:
    """A name that leads out of the database is none, whatever stands there."""
    with pytest.raises(Fault, match="there is no time zone"):
        zone_of(name)


@pytest.mark.parametrize(
    ("day", "hours", "utc"),
    [
        (date(2026, 1, 15), 9, datetime(2026, 1, 15, 9, tzinfo=UTC)),
        (date(2026, 7, 15), 9, datetime(2026, 7, 15, 8, tzinfo=UTC)),
        (date(2026, 7, 15), 24, datetime(2026, 7, 15, 23, tzinfo=UTC)),
        # The clock is put forward at 01:00 on 29 March and back at 02:00 on 25 October.
        (date(2026, 3, 29), 1.5, datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        (date(2026, 3, 29), 2, datetime(2026, 3, 29, 1, tzinfo=UTC)),
        (date(2026, 10, 25), 1.5, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (date(2026, 10, 25), 2, datetime(2026, 10, 25, 2, tzinfo=UTC)),
    ],
)
def test_the_moment_at_which_a_clock_shows_a_time(day: date, hours: float, utc: datetime) -> None:
    assert instant(day, timedelta(hours=hours), zone_of("Europe/London")) == utc
