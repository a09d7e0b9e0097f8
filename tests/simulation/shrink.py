"""A plan that breaks a promise, cut down to what it takes to break it: what can be left out is left out.

Whole stretches of happenings, troubles and faults are tried first, then single ones, then the alerts in a delivery and
what the world says; until nothing more can go, or enough has been tried.
"""

from collections.abc import Callable, Iterator
from typing import Any

from tests.simulation.plan import LISTS, Plan

__all__ = ["shrunk"]

TRIES = 400
"""Plans that are tried at most."""


def shrunk(plan: Plan, breaks: Callable[[Plan], bool], tries: int = TRIES) -> Plan:
    """The smallest plan found that still `breaks`. The plan itself is known to."""
    left = tries
    smaller = True
    while smaller and left > 0:
        smaller = False
        for candidate in _smaller(plan):
            left -= 1
            if left < 0:
                break
            if breaks(candidate):
                plan, smaller = candidate, True
                break
    return plan


def _smaller(plan: Plan) -> Iterator[Plan]:
    """Plans with less in them, those that lose most first."""
    for name in LISTS:
        items = plan.told[name]
        size = len(items)
        while size >= 1:
            for start in range(0, len(items), size):
                yield plan.but(**{name: items[:start] + items[start + size :]})
            size //= 2
    if plan.processes > 1:
        yield plan.but(processes=plan.processes - 1)
    yield from _smaller_deliveries(plan)
    yield from _smaller_worlds(plan)


def _smaller_deliveries(plan: Plan) -> Iterator[Plan]:
    for place, step in enumerate(plan.told["when"]):
        alerts = step.get("alert")
        for n in range(len(alerts)) if isinstance(alerts, list) and len(alerts) > 1 else ():
            fewer = {**step, "alert": alerts[:n] + alerts[n + 1 :]}
            yield plan.but(when=[*plan.told["when"][:place], fewer, *plan.told["when"][place + 1 :]])


def _smaller_worlds(plan: Plan) -> Iterator[Plan]:
    for way in _ways(plan.told["world"]):
        told = plan.copy()
        inner: Any = told["world"]
        for step in way[:-1]:
            inner = inner[step]
        del inner[way[-1]]
        yield Plan(told)


def _ways(part: Any) -> Iterator[tuple[Any, ...]]:
    """The ways to what can be left out of a world: answers and effects of endpoints, people, points of a series."""
    for endpoint, about in part.get("endpoints", {}).items():
        for name in ("answers", "effects"):
            yield from (("endpoints", endpoint, name, n) for n in range(len(about.get(name, ()))))
    yield from (("people", who) for who in part.get("people", {}))
    for name, points in part.get("metrics", {}).items():
        yield from (("metrics", name, n) for n in range(1, len(points)))
