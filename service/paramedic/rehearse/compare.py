"""Expectations against what happened. The stage calls `compare` when its time is over; `report` prints the findings.

What was written of a thing is a pattern: text with `*` for anything, a mapping as a part of one, all else as it is.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from paramedic.cluster.names import say_target
from paramedic.rehearse.expectations import Expected, Forbidden, say_times
from paramedic.rehearse.moments import say_moment
from paramedic.rehearse.script import Script
from paramedic.rehearse.witness import Happened

__all__ = ["Finding", "compare", "fits"]

_PARTS = frozenset({"text", "reason"})
_TELLING = frozenset(
    {"approval", "approved", "guards", "parked", "refused", "run", "shadow", "step", "taken", "unknown", "waits"}
)


@dataclass(frozen=True, slots=True)
class Finding:
    """An expectation that was not met: which one, in words, what happened instead, and the entry that says why."""

    section: Literal["then", "never"]
    position: int
    expected: str
    happened: str
    because: str


def compare(script: Script, happened: Sequence[Happened]) -> list[Finding]:
    """What the rehearsal expected and did not get, or got and should not."""
    findings = []
    previous: float | None = 0.0
    for position, expected in enumerate(script.then):
        found = _Sought(expected, happened).find(previous)
        if isinstance(found, Happened):
            previous = found.at
            continue
        because = _because(expected, happened, found.near, found.until)
        findings.append(Finding("then", position, _say(expected), found.text, because))
    for position, forbidden in enumerate(script.never):
        met = next((one for one in happened if _is(forbidden, one)), None)
        if met is not None:
            because = _because(forbidden, happened, met, met.at)
            findings.append(Finding("never", position, _say(forbidden), _told(met), because))
    return findings


@dataclass(frozen=True, slots=True)
class _Missed:
    """No match: what to show instead, the nearest thing that did happen, and until when was looked."""

    text: str
    near: Happened | None
    until: float


class _Sought:
    """One expectation in search of what meets it."""

    def __init__(self, expected: Expected, happened: Sequence[Happened]) -> None:
        self.expected = expected
        self.kind = [one for one in happened if one.kind == expected.kind and fits(expected.thing.of, one.title)]
        self.matching = [one for one in self.kind if _is(expected, one)]

    def find(self, previous: float | None) -> Happened | _Missed:
        """What meets it: the first match in time. `previous`: when the expectation above was met."""
        expected = self.expected
        since, until = self._bounds(previous or 0.0)
        if expected.at is not None and expected.kind == "incident":
            return self._state_at(expected.at)
        within = [one for one in self.matching if since <= one.at <= until]
        if expected.times is not None:
            return self._so_often(within, expected.times, until)
        if within:
            return within[0]
        if self.matching:
            near = next((one for one in self.matching if one.at > until), self.matching[-1])
            return _Missed(_told(near), near, near.at)
        near_miss = self._nearest(until)
        return _Missed(_told(near_miss) if near_miss else f"no {expected.kind}", near_miss, until)

    def _bounds(self, previous: float) -> tuple[float, float]:
        expected = self.expected
        if expected.at is not None:
            return expected.at, expected.at + 0.999_999
        if expected.within is not None:
            return max(previous, expected.after or 0.0), previous + expected.within
        return expected.after or 0.0, expected.by if expected.by is not None else float("inf")

    def _state_at(self, moment: float) -> Happened | _Missed:
        latest: dict[int, Happened] = {}
        for one in self.kind:
            if one.at <= moment:
                latest[one.incident] = one
        for one in latest.values():
            if _is(self.expected, one):
                return Happened(moment, one.kind, one.incident, one.title, one.facts, one.text)
        near = next(iter(latest.values()), None)
        return _Missed(_told(near) if near else "no incident by then", near, moment)

    def _so_often(self, within: list[Happened], times: int, until: float) -> Happened | _Missed:
        if len(within) == times:
            nothing = Happened(0.0, self.expected.kind, 0, "", {}, "")
            return within[-1] if within else nothing
        last = within[-1] if within else self._nearest(until)
        shown = "; ".join(_told(one) for one in within[:3]) + ("; …" if len(within) > 3 else "")
        return _Missed(say_times(len(within)) + (f": {shown}" if shown else ""), last, until)

    def _nearest(self, until: float) -> Happened | None:
        """The thing of this kind of which most is as expected; the earlier one of two."""
        wanted = self.expected.thing.wanted()
        ranked = sorted(self.kind, key=lambda one: (-_score(wanted, one.facts), one.at > until, one.at))
        return ranked[0] if ranked else None


def _is(forbidden: Forbidden, one: Happened) -> bool:
    """Whether this is the thing named. A step that names no outcome means the ones that count as carried out."""
    if one.kind != forbidden.kind or not fits(forbidden.thing.of, one.title):
        return False
    wanted = forbidden.thing.wanted()
    if one.kind == "step" and "outcome" not in wanted and one.facts["outcome"] not in forbidden.outcomes:
        return False
    return all(_meets(name, value, one.facts) for name, value in wanted.items())


def _meets(name: str, value: Any, facts: Mapping[str, Any]) -> bool:
    """Whether one thing said of it is so. A target may be written as people read it, `deployment/api.shop`."""
    found = facts.get(name)
    if name == "target" and isinstance(found, str) and fits(value, say_target(found)):
        return True
    return fits(_pattern(name, value), found)


def _score(wanted: Mapping[str, Any], facts: Mapping[str, Any]) -> int:
    return sum(_meets(name, value, facts) for name, value in wanted.items())


def _pattern(name: str, value: Any) -> Any:
    return f"*{value}*" if name in _PARTS else value


def fits(wanted: Any, found: Any) -> bool:
    """Whether `found` is as `wanted`: `*` in text stands for anything, a mapping need only be a part."""
    if isinstance(wanted, str) and isinstance(found, str):
        if "*" not in wanted:
            return wanted == found
        parts = map(re.escape, wanted.split("*"))
        return re.fullmatch(".*".join(parts), found, re.DOTALL) is not None
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        return all(name in found and fits(value, found[name]) for name, value in wanted.items())
    if isinstance(wanted, list | tuple) and isinstance(found, list | tuple):
        return len(wanted) == len(found) and all(map(fits, wanted, found))
    return bool(wanted == found) and isinstance(wanted, bool) is isinstance(found, bool)


def _because(forbidden: Forbidden, happened: Sequence[Happened], near: Happened | None, until: float) -> str:
    """The entry that explains best: the last telling one before it in the same incident, else the last one at all."""
    before = list(happened)
    if near is not None and near.at <= until:
        place = next((place for place, one in enumerate(before) if one is near), len(before))
        before = [one for one in before[:place] if one.incident == near.incident]
    entries = [one for one in before if one.kind == "entry" and one.at <= until and fits(forbidden.thing.of, one.title)]
    if not entries:
        return "no alert had opened an incident by then" if not happened else "nothing was written down by then"
    telling = [one for one in entries if one.facts["kind"] in _TELLING]
    return _told((telling or entries)[-1])


def _told(one: Happened) -> str:
    return f"{say_moment(one.at)}  {one.text}"


def _say(forbidden: Forbidden) -> str:
    """An expectation in one line: when, what, and what about it."""
    wanted = forbidden.thing.wanted()
    if forbidden.kind in ("step", "guard", "check"):
        first = [wanted.pop(name) for name in ("action", "target", "name", "answer") if name in wanted]
    else:
        first = []
    rest = [f"{name} {_value(value)}" for name, value in wanted.items()]
    of = [f"of {forbidden.thing.of}"] if forbidden.thing.of != "*" else []
    return "   ".join((forbidden.when(), " ".join([forbidden.kind, *first, ", ".join([*rest, *of])]).strip()))


def _value(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) and " " in value else str(value)
