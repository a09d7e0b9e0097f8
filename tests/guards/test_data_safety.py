"""Guard `data_safety`: every question that is asked must have the answer wanted; what is not known is not safe."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from math import inf, nan
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from paramedic.catalog.shapes import OPEN
from paramedic.catalog.templates import compile_tree
from paramedic.core.model import Verdict
from paramedic.core.words import Answer
from paramedic.errors import Fault, Permanent, Temporary
from paramedic.guards.data_safety import DataSafety, DataSafetyParams
from paramedic.plugin import Measured, NoMetrics, Sample
from tests.contract.plugin_scene import NOW, at_once
from tests.guards.asked import HOSTILE, asked

ALL: dict[str, Any] = {
    "lag_bytes": {"query": "lag", "max": 1000},
    "lag_seconds": {"query": "behind", "max": "10s"},
    "quorum": {"query": "count(in_sync == 1)", "members": 3},
    "timeline": {"query": "max(tl) - min(tl)"},
    "backup_age": {"query": "time() - last", "max": "26h"},
}
WELL: dict[str, tuple[float, ...]] = {
    "lag_bytes": (0.0, 1000.0),
    "lag_seconds": (0.1, 9.0),
    "quorum": (3.0,),
    "timeline": (0.0,),
    "backup_age": (3600.0,),
}


class Database:
    """A metrics port: each question by its name. What is an exception is raised."""

    def __init__(self, values: Mapping[str, Sequence[float] | Exception], old: float = 0.0) -> None:
        self.values, self.old = values, old
        self.asked: list[tuple[str, str, float, float]] = []

    async def instant(self, name: str, query: str, *, max_age: float, timeout: float) -> Measured:
        self.asked.append((name, query, max_age, timeout))
        found = self.values[name]
        if isinstance(found, Exception):
            raise found
        return Measured(NOW - timedelta(seconds=self.old), tuple(Sample({}, value) for value in found))

    async def over(self, name: str, query: str, **_: Any) -> Sequence[Measured]:
        raise AssertionError("only now is asked about")


def judged(metrics: Any, **given: Any) -> Verdict:
    return at_once(asked(DataSafety(), ports={"metrics": metrics}, **(given or ALL)))


def test_all_as_wanted_allows_with_every_number() -> None:
    database = Database(WELL)
    verdict = judged(database)

    assert verdict.answer is Answer.ALLOW
    assert verdict.reason.startswith("max(lag_bytes) 1000 <= 1000; max(lag_seconds) 9 <= 10; quorum 3 >= 3;")
    assert list(verdict.seen) == list(ALL)
    assert [name for name, *_ in database.asked] == list(ALL)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("lag_bytes", (0.0, 1000.5), "1000.5, <= 1000 is wanted"),
        ("lag_seconds", (10.1,), "10.1, <= 10 is wanted"),
        ("quorum", (2.0,), "quorum 2, >= 3 is wanted"),
        ("timeline", (1.0,), "timeline 1, == 0 is wanted"),
        ("backup_age", (93601.0,), "backup_age 93601, <= 93600 is wanted"),
        ("lag_bytes", (inf,), "inf, <= 1000 is wanted"),
        ("lag_bytes", (1e300,), "1e+300"),
    ],
)
def test_one_that_is_not_as_wanted_denies(name: str, value: tuple[float, ...], said: str) -> None:
    verdict = judged(Database({**WELL, name: value}))

    assert (verdict.answer, verdict.again) == (Answer.DENY, None)
    assert said in verdict.reason


@pytest.mark.parametrize("name", list(ALL))
@pytest.mark.parametrize("value", [(), (nan,), Temporary("not reached"), Permanent("no query")], ids=str)
def test_one_that_cannot_be_known_is_unknown(name: str, value: Any) -> None:
    assert judged(Database({**WELL, name: value})).answer is Answer.UNKNOWN


def test_one_that_is_wrong_weighs_more_than_one_that_is_not_known() -> None:
    verdict = judged(Database({**WELL, "lag_bytes": (), "timeline": (2.0,)}))

    assert verdict.answer is Answer.DENY
    assert verdict.reason == "timeline 2, == 0 is wanted; max(lag_bytes) has no value"


def test_what_is_old_is_unknown() -> None:
    assert judged(Database(WELL, old=59)).answer is Answer.ALLOW
    verdict = judged(Database(WELL, old=61))

    assert verdict.answer is Answer.UNKNOWN
    assert "1m1s old, 1m is the most" in verdict.reason


def test_several_numbers_where_one_is_meant_are_unknown() -> None:
    """Of replicas the worst counts; a quorum that comes to two numbers is none."""
    assert judged(Database({**WELL, "quorum": (3.0, 3.0)})).answer is Answer.UNKNOWN


def test_only_what_is_given_is_asked() -> None:
    database = Database({"quorum": (3.0,)})

    assert judged(database, quorum=ALL["quorum"], max_age="5s", timeout="2s").answer is Answer.ALLOW
    assert database.asked == [("quorum", "count(in_sync == 1)", 5.0, 2.0)]


def test_without_a_prometheus_it_is_unknown() -> None:
    assert judged(NoMetrics()).answer is Answer.UNKNOWN


@pytest.mark.parametrize(
    ("quorum", "least"),
    [
        ({"members": 3}, 3),
        ({"members": 5}, 4),
        ({"members": 5, "away": 0}, 3),
        ({"members": 3, "reads": 1, "writes": 3}, 4),
        ({"members": 4, "reads": 2, "writes": 3, "away": 0}, 3),
        ({"members": 1, "away": 0}, 1),
    ],
)
def test_so_many_must_be_in_sync(quorum: dict[str, int], least: int) -> None:
    params = DataSafetyParams.model_validate({"quorum": {"query": "n", **quorum}})

    assert params.questions()[0].threshold == least


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, "nothing is asked"),
        ({"max_age": "1m"}, "nothing is asked"),
        ({"quorum": {"query": "n", "members": 4, "reads": 2, "writes": 2}}, "may miss a write"),
        ({"quorum": {"query": "n", "members": 2, "writes": 3}}, "more than the members"),
        ({"lag_bytes": {"query": "n"}}, "max"),
        ({"lag_bytes": {"query": "n", "max": "nan"}}, "max"),
        ({"lag_bytes": {"query": "", "max": 1}}, "query"),
        ({"backup_age": {"query": "n", "max": 0}}, "max"),
        ({"timeline": {"query": "n", "max": 1}}, "max"),
        ({"timeline": {"query": "n"}, "timeout": "1m"}, "timeout"),
    ],
)
def test_what_it_may_not_be_told(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        DataSafetyParams.model_validate(wrong)


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_of_an_alert_stays_a_value_in_every_query(value: str) -> None:
    given = {name: {**each, "query": 'x{cluster="${params.cluster}"}'} for name, each in ALL.items()}
    template = compile_tree(given, {"params": OPEN}, DataSafety.escapes)
    database = Database(WELL)
    try:
        rendered = template.render({"params": {"cluster": value}})
    except Fault:
        assert value in ("", "\ud800"), "an empty value never stands for everything"
        return
    if len(value) > 8000:
        with pytest.raises(Fault, match="at most 8192"):
            judged(database, **rendered)
        return
    judged(database, **rendered)
    for _, query, *_ in database.asked:
        assert query.startswith('x{cluster="')
        assert query.endswith('"}')
        assert query[11:-2].replace("\\\\", "").replace('\\"', "").count('"') == 0
        assert query.isprintable() or "\u202e" in query


def test_an_expression_outside_of_a_matcher_is_a_fault() -> None:
    for name in ALL:
        with pytest.raises(Fault, match="could become a part of the query"):
            compile_tree({name: {"query": "x > ${params.n}"}}, {"params": OPEN}, DataSafety.escapes)


def test_its_example_says_what_it_shows() -> None:
    assert set(yaml.safe_load(DataSafety.example)["data_safety"]) == {"lag_bytes", "quorum"}
