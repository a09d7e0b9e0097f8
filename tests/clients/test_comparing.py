"""A metric against a threshold: what holds, what does not, and all that is never more than unknown (promise 11)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from paramedic.clients.comparing import Finding, Question, look
from paramedic.errors import Permanent, Temporary
from paramedic.plugin import Measured, Sample

NOW = datetime(2026, 5, 12, 9, 14, tzinfo=UTC)
ASKED = Question("http_5xx", "sum(x)", ">", 0.1, 0.0, "only", 120.0, 5.0)


def measured(*values: float, age: float = 0.0, warnings: tuple[str, ...] = ()) -> Measured:
    samples = tuple(Sample({"n": str(n)}, value) for n, value in enumerate(values))
    return Measured(NOW - timedelta(seconds=age), samples, warnings)


@dataclass
class Told:
    """A metrics port that answers what it is told to, and keeps what it was asked."""

    now: Measured | Exception = field(default_factory=lambda: measured(1.0))
    before: Sequence[Sequence[float]] = ()
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def instant(self, name: str, query: str, *, max_age: float, timeout: float) -> Measured:
        self.asked.append({"name": name, "query": query, "max_age": max_age, "timeout": timeout})
        if isinstance(self.now, Exception):
            raise self.now
        return self.now

    async def over(
        self, name: str, query: str, *, seconds: float, step: float, max_age: float, timeout: float
    ) -> Sequence[Measured]:
        self.asked.append({"seconds": seconds, "step": step, "max_age": max_age, "timeout": timeout})
        count = len(self.before)
        return [measured(*values, age=step * (count - 1 - n)) for n, values in enumerate(self.before)]


async def found(told: Told, **changed: Any) -> Finding:
    return await look(replace(ASKED, **changed), told, NOW)


@pytest.mark.parametrize(
    ("op", "value", "holds"),
    [
        (">", 0.2, True),
        (">", 0.1, False),
        (">=", 0.1, True),
        (">=", 0.0999, False),
        ("<", 0.05, True),
        ("<", 0.1, False),
        ("<=", 0.1, True),
        ("<=", 0.2, False),
        ("==", 0.1, True),
        ("==", 0.2, False),
        ("!=", 0.2, True),
        ("!=", 0.1, False),
        (">", math.inf, True),
        ("<", -math.inf, True),
    ],
)
async def test_every_operator(op: str, value: float, holds: bool) -> None:
    assert (await found(Told(measured(value)), op=op)).holds is holds


@pytest.mark.parametrize(("reduce", "value"), [("max", 3.0), ("min", 1.0), ("avg", 2.0), ("sum", 6.0)], ids=str)
async def test_several_series_become_one_number(reduce: str, value: float) -> None:
    finding = await found(Told(measured(1.0, 2.0, 3.0)), reduce=reduce, op="==", threshold=value)

    assert finding.holds is True
    assert finding.reason == f"{reduce}(http_5xx) {value:g} == {value:g}"


async def test_the_reason_says_value_and_threshold() -> None:
    assert (await found(Told(measured(0.3125)))).reason == "http_5xx 0.3125 > 0.1"
    assert (await found(Told(measured(0.02)))).reason == "http_5xx 0.02, > 0.1 is wanted"


async def test_the_evidence_says_what_was_asked_and_seen() -> None:
    finding = await found(Told(measured(0.3, age=3)))

    assert finding.seen == {
        "query": "sum(x)",
        "wanted": "only > 0.1",
        "at": "2026-05-12T09:13:57+00:00",
        "series": 1,
        "value": 0.3,
    }


async def test_evidence_is_always_json() -> None:
    assert (await found(Told(measured(math.inf)))).seen["value"] == "inf"


async def test_it_asks_with_its_bounds() -> None:
    told = Told()
    await found(told, max_age=60.0, timeout=2.0)

    assert told.asked == [{"name": "http_5xx", "query": "sum(x)", "max_age": 60.0, "timeout": 2.0}]


UNKNOWN = [
    (measured(), {}, "http_5xx has no value"),
    (measured(math.nan), {}, "http_5xx is not a number (NaN)"),
    (measured(math.nan, 5.0), {"reduce": "max"}, "max(http_5xx) is not a number (NaN)"),
    (measured(5.0, math.nan), {"reduce": "max"}, "max(http_5xx) is not a number (NaN)"),
    (measured(math.inf, -math.inf), {"reduce": "sum"}, "sum(http_5xx) is not a number (NaN)"),
    (measured(1.0, 2.0), {}, "http_5xx has 2 series where one is wanted; reduce them, for example by max"),
    (measured(1.0, age=121), {}, "http_5xx is 2m1s old, 2m is the most"),
    (measured(1.0, age=-121), {}, "http_5xx is from 2m1s ahead of our clock; one of the two is wrong"),
    (measured(1.0, warnings=("a part is missing",)), {}, "http_5xx comes with a warning: a part is missing"),
    (Temporary("not reached"), {}, "not reached"),
    (Permanent("not a query"), {}, "not a query"),
]


@pytest.mark.parametrize(("answer", "changed", "reason"), UNKNOWN, ids=[reason for _, _, reason in UNKNOWN])
@pytest.mark.parametrize("op", [">", "<", "!=", "=="])
async def test_what_cannot_be_known_never_holds_and_never_fails(
    answer: Measured | Exception, changed: dict[str, Any], reason: str, op: str
) -> None:
    finding = await found(Told(answer), op=op, **changed)

    assert finding.holds is None
    assert finding.again is None
    assert finding.reason == reason


# -- for how long -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("held", "step"), [(5.0, 5.0), (15.0, 15.0), (60.0, 15.0), (900.0, 15.0), (3600.0, 60.0)])
async def test_a_stretch_is_looked_at_every_15_seconds_and_at_most_60_times(held: float, step: float) -> None:
    told = Told(before=[[1.0], [1.0]])
    await found(told, held=held)

    assert told.asked == [{"seconds": held, "step": step, "max_age": 120.0, "timeout": 5.0}]


@pytest.mark.parametrize(
    ("held", "interval", "step"), [(60.0, 5.0, 5.0), (60.0, 90.0, 60.0), (3600.0, 5.0, 60.0), (60.0, 30.0, 30.0)]
)
async def test_how_often_it_is_looked_at_may_be_said(held: float, interval: float, step: float) -> None:
    told = Told(before=[[1.0], [1.0]])
    await found(told, held=held, interval=interval)

    assert told.asked[0]["step"] == step


@pytest.mark.parametrize(
    ("values", "failures", "holds", "again"),
    [
        ((1.0, 0.0, 1.0, 1.0, 1.0), 0, False, 30.0),
        ((1.0, 0.0, 1.0, 1.0, 1.0), 1, True, None),
        ((0.0, 1.0, 0.0, 1.0, 1.0), 1, False, 15.0),
        ((0.0, 1.0, 0.0, 1.0, 1.0), 2, True, None),
        ((1.0, 1.0, 1.0, 1.0, 0.0), 4, False, None),
    ],
)
async def test_so_many_moments_may_have_been_otherwise_but_never_the_last(
    values: Sequence[float], failures: int, holds: bool, again: float | None
) -> None:
    finding = await found(Told(before=[[value] for value in values]), held=60.0, failures=failures)

    assert (finding.holds, finding.again) == (holds, again)


async def test_what_is_not_known_is_never_one_of_the_failures() -> None:
    for odd in ([], [math.nan], [0.0, 0.0]):
        assert (await found(Told(before=[[1.0], odd, [1.0]]), held=30.0, failures=2)).holds is None


async def test_it_holds_if_it_did_at_every_moment() -> None:
    finding = await found(Told(before=[[0.2], [0.3], [0.2], [0.5], [0.4]]), held=60.0)

    assert finding.holds is True
    assert finding.reason == "http_5xx 0.4 > 0.1 for 1m"


async def test_one_moment_at_which_it_did_not_begins_the_count_anew() -> None:
    finding = await found(Told(before=[[0.2], [0.2], [0.0], [0.5], [0.4]]), held=60.0)

    assert finding.holds is False
    assert finding.reason == "http_5xx 0.4 > 0.1 for 15s only, 1m is wanted"
    assert finding.again == 45.0


async def test_what_does_not_hold_now_is_not_waited_for() -> None:
    finding = await found(Told(before=[[0.2], [0.2], [0.2], [0.2], [0.0]]), held=60.0)

    assert finding == Finding(False, "http_5xx 0, > 0.1 is wanted", finding.seen, None)


async def test_a_young_series_is_unknown_until_it_is_old_enough() -> None:
    finding = await found(Told(before=[[], [], [0.2], [0.2], [0.2]]), held=60.0)

    assert finding.holds is None
    assert finding.again == 30.0
    assert finding.reason == "http_5xx 0.2 > 0.1 for 30s only, 1m is wanted"


@pytest.mark.parametrize(
    "before",
    [
        [[0.2], [], [0.2], [0.2], [0.2]],
        [[0.2], [0.2], [0.2], [0.2], []],
        [[], [], [], [], []],
        [[0.2], [math.nan], [0.2], [0.2], [0.2]],
        [[0.2], [0.2, 0.3], [0.2], [0.2], [0.2]],
        [[0.2], [0.2], [0.2], [0.2], [math.nan]],
    ],
    ids=["gap", "ended", "never", "NaN", "two", "NaN now"],
)
async def test_a_gap_and_a_nan_and_a_second_series_are_unknown(before: Sequence[Sequence[float]]) -> None:
    finding = await found(Told(before=before), held=60.0)

    assert finding.holds is None
    assert finding.again is None


async def test_each_moment_is_reduced_by_itself() -> None:
    """At each moment another series is the high one: the maximum held, whichever it was of."""
    told = Told(before=[[0.2, 0.0], [0.0, 0.2], [0.2, 0.0]])

    assert (await found(told, held=30.0, reduce="max")).holds is True
    assert (await found(told, held=30.0, reduce="min")).holds is False


async def test_an_empty_answer_is_no_answer() -> None:
    """No port may answer with no moments; one that does is not taken for a yes."""
    assert (await found(Told(before=[]), held=60.0)).holds is None
