"""Moments of a rehearsal as its file gives them: `90s` after it began, `-10m` before. Seconds inside, signed.

The models of the file use the type; what is printed about a moment is made here too, as `00:01:30`.
"""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from paramedic.catalog.moments import moment
from paramedic.durations import LONGEST, parse_duration
from paramedic.errors import Fault

__all__ = ["After", "Date", "Moment", "say_moment"]

_RIGHT = "write for example 0s, 90s, 2h30m, or -10m for before the rehearsal begins"


def _read(value: Any) -> float:
    if isinstance(value, str):
        sign = -1.0 if value.startswith("-") else 1.0
        try:
            return sign * parse_duration(value.removeprefix("-"))
        except Fault as fault:
            raise _no_moment(fault.what) from fault
    if isinstance(value, int | float) and not isinstance(value, bool) and -LONGEST <= value <= LONGEST:
        return float(value)
    raise _no_moment("this is not a moment")


def _read_after(value: Any) -> float:
    seconds = _read(value)
    if seconds < 0:
        raise _no_moment("nothing happens before 0s, when the rehearsal begins", "write for example 0s, 90s or 2h30m")
    return seconds


def _no_moment(what: str, right: str = _RIGHT) -> PydanticCustomError:
    return PydanticCustomError("moment", "{what}; {right}", {"what": what, "right": right})


def _read_date(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        return moment(str(value))
    except Fault as fault:
        raise _no_moment(fault.what, fault.right) from fault


_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "string", "pattern": "^-?[0-9]"}, {"type": "number"}],
    "description": "a moment as a duration since the rehearsal began, such as 90s; a number means seconds",
}

Moment = Annotated[float, BeforeValidator(_read), WithJsonSchema(_SCHEMA)]
"""A pydantic field: seconds since the rehearsal began, negative for before."""

After = Annotated[float, BeforeValidator(_read_after), WithJsonSchema(_SCHEMA)]
"""A pydantic field: seconds since the rehearsal began, never negative."""

Date = Annotated[
    datetime,
    BeforeValidator(_read_date),
    WithJsonSchema({"type": "string", "description": "a moment with its offset, such as 2026-03-29T00:30Z"}),
]
"""A pydantic field: a moment of the calendar, in UTC."""


def say_moment(seconds: float) -> str:
    """A moment as `00:01:30`, with days in front where there are any, and a sign where it lies before the beginning."""
    whole = int(abs(seconds))
    days, rest = divmod(whole, 86_400)
    text = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return ("-" if seconds < 0 else "") + (f"{days}d {text}" if days else text)
