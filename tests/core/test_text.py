"""Words for people out of values that nobody vouches for."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.core.text import ago, iso, one_line, span
from tests.core.builders import T0, after


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("as it is", "as it is"),
        ("two\nlines\r\nand a\ttab", "two lines and a tab"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("\u202etxt.exe", "txt.exe"),
        ("\ud800 alone", "alone"),
        ("  spaced   out  ", "spaced out"),
        ("nul\x00byte", "nul byte"),
        ("", ""),
        ("größer ≥ 5", "größer ≥ 5"),
    ],
)
def test_a_line_is_one_line_and_printable(text: str, line: str) -> None:
    assert one_line(text) == line


def test_a_long_text_is_cut_with_an_ellipsis() -> None:
    assert one_line("x" * 500) == "x" * 399 + "…"
    assert one_line("x" * 400) == "x" * 400
    assert one_line("four", 4) == "four"
    assert one_line("fives", 4) == "fiv…"


@given(st.text(), st.integers(1, 50))
@settings(max_examples=100, deadline=None)
def test_whatever_comes_in_what_goes_out_is_short_and_printable(text: str, most: int) -> None:
    line = one_line(text, most)

    assert len(line) <= most
    assert line.isprintable()
    assert one_line(line, most) == line


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0s"),
        (-3, "0s"),
        (0.4, "0s"),
        (45, "45s"),
        (59.6, "1m"),
        (60, "1m"),
        (252, "4m12s"),
        (3600, "1h"),
        (7500, "2h5m"),
        (86400, "1d"),
        (3 * 86400 + 4 * 3600 + 59 * 60, "3d4h"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_how_long_ago_is_never_in_the_future() -> None:
    assert ago(T0, after(90)) == "1m30s"
    assert ago(T0 + timedelta(minutes=5), T0) == "0s"


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=2)), timezone(timedelta(0), "Z")])))
@settings(max_examples=200, deadline=None)
def test_a_moment_is_written_as_python_writes_it(moment: datetime) -> None:
    """The timeline's chain is over this text: one character less, and no chain that was written holds any more."""
    assert iso(moment) == moment.isoformat()
    assert iso(moment.replace(microsecond=0)) == moment.replace(microsecond=0).isoformat()
