"""A metric against a threshold: does it hold, does it not, or can that not be known?

The guard and the check `metric` ask it through the metrics port. Nothing but a number that is there, is recent enough
and is one (promise 11) holds or does not hold; everything else is unknown, and says why.
"""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from paramedic.core.text import one_line, span
from paramedic.errors import Permanent, Temporary
from paramedic.plugin import Measured, Metrics

__all__ = ["Finding", "Operator", "Question", "Reduction", "look"]

Operator = Literal[">", ">=", "<", "<=", "==", "!="]
Reduction = Literal["only", "max", "min", "avg", "sum"]

_MOST = 60  # looks at a stretch of time

_COMPARES: Final[Mapping[Operator, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}

_REDUCES: Final[Mapping[Reduction, Callable[[Sequence[float]], float]]] = {
    "only": min,
    "max": max,
    "min": min,
    "sum": sum,
    "avg": lambda values: sum(values) / len(values),
}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. `held` (s): for how long until now it must have been so; 0 asks about now alone.

    That is looked at every `interval` seconds, where it makes at most 60 looks; so many `failures` of them are borne,
    the newest never.
    """

    name: str
    query: str
    op: Operator
    threshold: float
    held: float
    reduce: Reduction
    max_age: float
    timeout: float
    interval: float = 15.0
    failures: int = 0

    @property
    def about(self) -> str:
        """As reasons name it: `http_5xx`, `max(http_5xx)`."""
        return self.name if self.reduce == "only" else f"{self.reduce}({self.name})"


@dataclass(frozen=True, slots=True)
class Finding:
    """`holds` is None where it cannot be known. `again`: in how many seconds it may hold, if nothing changes."""

    holds: bool | None
    reason: str
    seen: dict[str, Any]
    again: float | None = None


class _Unknown(Exception):
    """Why there is no number to compare."""


async def look(question: Question, metrics: Metrics, now: datetime) -> Finding:
    """Ask once. Never raises for what the port raises: no answer is a reason to know nothing."""
    step = _step(question)
    try:
        if question.held:
            measured = await metrics.over(
                question.name,
                question.query,
                seconds=question.held,
                step=step,
                max_age=question.max_age,
                timeout=question.timeout,
            )
        else:
            measured = [
                await metrics.instant(question.name, question.query, max_age=question.max_age, timeout=question.timeout)
            ]
    except (Temporary, Permanent) as error:
        return Finding(None, one_line(str(error)), _evidence(question))
    return _found(question, measured, now, step)


def _step(question: Question) -> float:
    return max(question.held / _MOST, min(question.interval, question.held))


def _found(question: Question, measured: Sequence[Measured], now: datetime, step: float) -> Finding:
    """What all moments come to, the newest first of all: only if that holds, the others matter."""
    if not measured:
        return Finding(None, f"{question.about} has no value", _evidence(question))
    newest = measured[-1]
    seen = _evidence(question, newest)
    try:
        value = _value(question, newest)
        age = (now - newest.at).total_seconds()
        if age > question.max_age:
            raise _Unknown(f"is {span(age)} old, {span(question.max_age)} is the most")
        if -age > question.max_age:
            raise _Unknown(f"is from {span(-age)} ahead of our clock; one of the two is wrong")
        seen["value"] = value if math.isfinite(value) else str(value)
        wanted = f"{question.op} {question.threshold:g}"
        if not _COMPARES[question.op](value, question.threshold):
            return Finding(False, f"{question.about} {value:.6g}, {wanted} is wanted", seen)
        held = _held(question, measured)
    except _Unknown as unknown:
        return Finding(None, one_line(f"{question.about} {unknown}"), seen)
    says = f"{question.about} {value:.6g} {wanted}"
    if held is None:
        return Finding(True, says + (f" for {span(question.held)}" if question.held else ""), seen)
    known, broke = held
    so_long = (newest.at - broke).total_seconds() - step
    reason = f"{says} for {span(so_long)} only, {span(question.held)} is wanted"
    return Finding(False if known else None, reason, seen, again=max(1.0, question.held - so_long))


def _held(question: Question, measured: Sequence[Measured]) -> tuple[bool, datetime] | None:
    """None if it held at every moment but so many `failures`; else the last that is one too many, and whether known.

    A series that has only begun is young, and will be old enough; one with a gap is not to be relied on.
    """
    begun = next(position for position, each in enumerate(measured) if each.samples)
    broke = [
        each.at for each in measured[begun:] if not _COMPARES[question.op](_value(question, each), question.threshold)
    ]
    if len(broke) > question.failures:
        return True, broke[-1 - question.failures]
    return (False, measured[begun - 1].at) if begun else None


def _value(question: Question, measured: Measured) -> float:
    """The one number. Raises `_Unknown` where there is none, or more than one."""
    if measured.warnings:
        raise _Unknown(f"comes with a warning: {measured.warnings[0]}")
    values = [sample.value for sample in measured.samples]
    if not values:
        raise _Unknown("has no value" + ("" if question.held == 0 else f" at {measured.at:%H:%M:%S} UTC"))
    if any(math.isnan(value) for value in values):
        raise _Unknown("is not a number (NaN)")
    if question.reduce == "only" and len(values) > 1:
        raise _Unknown(f"has {len(values)} series where one is wanted; reduce them, for example by max")
    value = _REDUCES[question.reduce](values)
    if math.isnan(value):
        raise _Unknown("is not a number (NaN)")
    return value


def _evidence(question: Question, measured: Measured | None = None) -> dict[str, Any]:
    seen: dict[str, Any] = {
        "query": one_line(question.query, 1000),
        "wanted": f"{question.reduce} {question.op} {question.threshold:g}",
    }
    if measured is not None:
        seen |= {"at": measured.at.isoformat(), "series": len(measured.samples)}
        if measured.warnings:
            seen["warnings"] = list(measured.warnings)
    return seen
