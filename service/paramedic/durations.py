"""Durations as people write them: `30s`, `15m`, `2h30m`, `1w` in YAML and on the command line, seconds inside.

The catalog, the commands and the parameters of plug-ins read them through here, so that one notation holds everywhere;
`say_duration` is the way back, as timelines show them.
"""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from paramedic.core.text import span as say_duration
from paramedic.errors import Fault

__all__ = ["LONGEST", "Duration", "parse_duration", "say_duration"]

LONGEST = 10 * 365 * 86400.0  # ten years: any date plus this is still a date

_UNITS = {"w": 604800.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
# Each unit at most once, the largest first, as Prometheus has it. ASCII digits only: \d also takes other scripts'.
_SHAPE = "".join(f"(?:([0-9]{{1,12}}){unit})?" for unit in _UNITS)
_WRITTEN = re.compile(_SHAPE)
_RIGHT = "write for example 30s, 15m, 2h30m or 1w"


def parse_duration(text: str) -> float:
    """Seconds that `text` means. Raises `Fault` when it is not a duration, or is longer than ten years."""
    if text == "0":
        return 0.0
    found = _WRITTEN.fullmatch(text) if text else None
    if found is None:
        raise Fault("duration", f"{_quoted(text)} is not a duration", _RIGHT)
    seconds = sum(int(count) * unit for count, unit in zip(found.groups(), _UNITS.values(), strict=True) if count)
    return _bounded(seconds, text)


def _bounded(seconds: float, text: object) -> float:
    if not 0 <= seconds <= LONGEST:  # false for NaN too
        raise Fault("duration", f"{_quoted(text)} is not between nothing and ten years", _RIGHT)
    return seconds


def _quoted(value: object) -> str:
    text = str(value)
    return '"' + ascii(text[:40])[1:-1] + ('…"' if len(text) > 40 else '"')


def _read(value: Any) -> float:
    try:
        if isinstance(value, str):
            return parse_duration(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _bounded(float(value), value)
    except (Fault, OverflowError) as error:
        what = error.what if isinstance(error, Fault) else "the number is too large"
        raise PydanticCustomError("duration", "{what}; {right}", {"what": what, "right": _RIGHT}) from error
    raise PydanticCustomError("duration", "{what}; {right}", {"what": "this is not a duration", "right": _RIGHT})


Duration = Annotated[
    float,
    BeforeValidator(_read),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": "^(0|(?=.)" + _SHAPE + ")$"},
                {"type": "number", "minimum": 0, "maximum": LONGEST},
            ],
            "description": "a duration such as 30s, 15m, 2h30m or 1w; a number means seconds",
        }
    ),
]
"""A pydantic field for a duration: text such as `2h30m`, or a number of seconds; seconds inside."""
