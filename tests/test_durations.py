"""Durations: one notation for YAML, commands and parameters."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from paramedic.durations import LONGEST, Duration, parse_duration, say_duration
from paramedic.errors import Fault


class Model(BaseModel):
    """Something with a duration in it."""

    wait: Duration = 0.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("0s", 0.0),
        ("30s", 30.0),
        ("15m", 900.0),
        ("2h30m", 9000.0),
        ("1w", 604800.0),
        ("400d", 34560000.0),
        ("1w2d3h4m5s6ms", 788645.006),
        ("500ms", 0.5),
        ("90m", 5400.0),
    ],
)
def test_what_people_write(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)
    assert Model.model_validate({"wait": text}).wait == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "30",
        "m",
        "-30s",
        "+30s",
        "1.5h",
        "30 s",
        " 30s",
        "30s ",
        "30s\n",
        "1m1h",
        "1s1s",
        "1y",
        "1H",
        "\u0663s",
        "1e3s",
    ],
)
def test_what_is_no_duration_is_a_fault_with_an_example(text: str) -> None:
    with pytest.raises(Fault) as caught:
        parse_duration(text)

    assert caught.value.what.endswith("is not a duration")
    assert "2h30m" in caught.value.right
    assert caught.value.what.isprintable()


@pytest.mark.parametrize("text", ["521w5d", "3651d", "999999999999w", "315360001s"])
def test_nothing_waits_longer_than_ten_years(text: str) -> None:
    with pytest.raises(Fault, match="between nothing and ten years"):
        parse_duration(text)
    assert parse_duration("3650d") == LONGEST


def test_a_hostile_text_is_cut_in_the_message() -> None:
    with pytest.raises(Fault) as caught:
        parse_duration("x\x1b[2J" * 1000)

    assert len(str(caught.value)) < 200
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(("value", "seconds"), [(0, 0.0), (30, 30.0), (1.5, 1.5), (LONGEST, LONGEST)])
def test_a_number_means_seconds(value: float, seconds: float) -> None:
    assert Model.model_validate({"wait": value}).wait == seconds


@pytest.mark.parametrize(
    "value", [True, None, [], {}, -1, float("nan"), float("inf"), LONGEST + 1, 10**400, "30", "soon", b"30s"]
)
def test_anything_else_is_a_validation_error_that_says_what_is_right(value: object) -> None:
    with pytest.raises(ValidationError, match=r"write for example 30s, 15m, 2h30m or 1w"):
        Model.model_validate({"wait": value})


def test_editors_are_told_the_same() -> None:
    shown = Model.model_json_schema()["properties"]["wait"]
    text, number = shown["anyOf"]

    assert "30s" in shown["description"]
    assert (number["minimum"], number["maximum"]) == (0, LONGEST)
    for good in ("0", "30s", "2h30m", "1w"):
        assert re.search(text["pattern"], good)
    for bad in ("", "30", "1m1h", "-1s", "1.5h"):
        assert not re.search(text["pattern"], bad)


@given(st.integers(min_value=0, max_value=int(LONGEST)))
def test_what_we_say_is_what_people_write(seconds: int) -> None:
    """Said in two units, it is off by less than one of the smaller."""
    said = say_duration(seconds)
    again = parse_duration(said)

    assert abs(again - seconds) <= (3600 if seconds >= 86400 else 60 if seconds >= 3600 else 0)
