"""Killed before and after every await on a store, a client or a plug-in: it ends as if nothing had been.

Promises 1, 3, 6, 7 and 8. The list of awaits is derived from the code, and no await can be left out: one that no story
passes, or that nobody can place, fails here. In virtual time; `tests/real/test_crash_points.py` does it to processes.
"""

import pytest

from tests.crash import cases
from tests.crash.points import Awaits, points, unplaced


def test_every_await_is_a_point_or_known_to_stay_within_the_process() -> None:
    assert not list(unplaced()), (
        "say in tests/crash/points.py what is awaited: a way out of the process (PORTS), something within it (WITHIN), "
        "or another walked module (OURS)"
    )


@pytest.mark.timeout(180)
def test_killed_at_every_point_it_ends_as_if_nothing_had_been_or_a_person_decides() -> None:
    with cases.set_up():
        tried = cases.few()
    assert not tried.wrong, "\n".join(tried.wrong)
    excused = {f"{point}:{side}" for point in cases.UNREACHED for side in ("before", "after")}
    missing = cases.wanted() - tried.passed - excused
    assert not missing, f"no story passes {sorted(missing)}: tell one in tests/crash/stories, or say why in UNREACHED"
    assert not excused & tried.passed, f"passed after all: {sorted(excused & tried.passed)}"
    assert excused <= cases.wanted(), f"there are no such points: {sorted(excused - cases.wanted())}"
    assert tried.kills[1] > 150
    assert tried.kills[2] > 20  # killed again while it recovers
    assert tried.handed > 0  # a write that nothing protects was under way


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("async def f(store):\n    await store.commit(1)", "f:store.commit"),
        (
            "class A:\n    async def f(self):\n        return [await self._http.request(x) for x in y]",
            "A.f:self._http.request",
        ),
        ("async def f(tools):\n    await look(1, tools.metrics)", "f:look"),
    ],
)
def test_an_await_on_a_port_is_a_point(source: str, found: str) -> None:
    (point,) = Awaits("paramedic.engine.x", source).points
    assert str(point) == f"engine.x:{found}"


@pytest.mark.parametrize(
    "source",
    [
        "async def f(new):\n    await new.thing()",
        "async def f(new):\n    async with new.thing():\n        pass",
        "async def f(new):\n    async for one in new:\n        pass",
    ],
)
def test_an_await_on_something_new_is_no_point_and_has_to_be_placed(source: str) -> None:
    walked = Awaits("paramedic.engine.x", source)
    assert not walked.points
    assert len(walked.others) == 1


def test_there_are_points_in_every_part() -> None:
    assert {point.module.split(".")[1] for point in points()} == {
        "actions",
        "checks",
        "cluster",
        "engine",
        "guards",
        "notifiers",
    }
