"""Guard `metric`: it allows on a number that compares as wanted, waits where that is a matter of time, else refuses."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from paramedic.catalog.shapes import OPEN
from paramedic.catalog.templates import compile_tree
from paramedic.core.model import Verdict
from paramedic.core.words import Answer
from paramedic.errors import Temporary
from paramedic.guards.metric import Metric, MetricParams
from paramedic.plugin import Measured, NoMetrics, Sample, Tools
from tests.contract.plugin_scene import NOW, Wire, at_once, seen


class Series:
    """A metrics port with one series: its last value is that of now, the ones before it of 15 s earlier each."""

    def __init__(self, *values: float | None) -> None:
        self._values = values
        self.asked: list[str] = []

    async def instant(self, name: str, query: str, *, max_age: float, timeout: float) -> Measured:
        self.asked.append(query)
        return self._at(self._values[-1], 0)

    async def over(
        self, name: str, query: str, *, seconds: float, step: float, max_age: float, timeout: float
    ) -> Sequence[Measured]:
        self.asked.append(query)
        return [self._at(value, len(self._values) - 1 - n) for n, value in enumerate(self._values)]

    def _at(self, value: float | None, back: int) -> Measured:
        samples = () if value is None else (Sample({}, value),)
        return Measured(NOW - timedelta(seconds=15 * back), samples)


GIVEN: dict[str, Any] = {"name": "http_5xx", "query": "sum(x)", "op": ">", "threshold": 0.1}


def judged(metrics: Any, **given: Any) -> Verdict:
    tools = Tools(http=Wire(), metrics=metrics)
    return at_once(Metric().judge(MetricParams.model_validate({**GIVEN, **given}), seen(), tools))


def test_a_value_that_compares_as_wanted_allows() -> None:
    verdict = judged(Series(0.3))

    assert (verdict.name, verdict.answer, verdict.reason) == ("metric", Answer.ALLOW, "http_5xx 0.3 > 0.1")
    assert verdict.seen["value"] == 0.3
    assert verdict.again is None


def test_one_that_does_not_denies_and_is_not_waited_for() -> None:
    verdict = judged(Series(0.05))

    assert (verdict.answer, verdict.reason) == (Answer.DENY, "http_5xx 0.05, > 0.1 is wanted")
    assert verdict.again is None


def test_for_less_long_than_wanted_denies_for_now() -> None:
    """As long as it keeps up, waiting makes it true: the run waits instead of ending."""
    assert judged(Series(0.3, 0.3, 0.3), **{"for": "30s"}).answer is Answer.ALLOW
    verdict = judged(Series(0.0, 0.3, 0.3), **{"for": "30s"})

    assert (verdict.answer, verdict.again) == (Answer.DENY, 15.0)
    assert verdict.reason == "http_5xx 0.3 > 0.1 for 15s only, 30s is wanted"


def test_some_moments_may_have_been_otherwise() -> None:
    given = {"for": "30s", "failures": 1, "interval": "15s"}

    assert judged(Series(0.3, 0.0, 0.3), **given).answer is Answer.ALLOW
    assert judged(Series(0.0, 0.0, 0.3), **given).answer is Answer.DENY
    assert judged(Series(0.3, None, 0.3), **given).answer is Answer.UNKNOWN


def test_a_young_series_denies_for_now() -> None:
    verdict = judged(Series(None, 0.3, 0.3), **{"for": "30s"})

    assert (verdict.answer, verdict.again) == (Answer.DENY, 15.0)


@pytest.mark.parametrize("values", [(None,), (float("nan"),)])
@pytest.mark.parametrize("op", [">", "<", "!=", "=="])
def test_what_cannot_be_known_is_unknown_whatever_is_wanted(values: tuple[float | None], op: str) -> None:
    verdict = judged(Series(*values), op=op)

    assert verdict.answer is Answer.UNKNOWN
    assert verdict.again is None


def test_without_a_prometheus_it_says_what_to_set() -> None:
    verdict = judged(NoMetrics())

    assert verdict.answer is Answer.UNKNOWN
    assert verdict.reason == "no Prometheus is configured; set PARAMEDIC_PROMETHEUS_URL"


def test_an_outage_is_unknown() -> None:
    class Down(Series):
        async def instant(self, name: str, query: str, *, max_age: float, timeout: float) -> Measured:
            raise Temporary("not reached")

    assert judged(Down(1.0)).answer is Answer.UNKNOWN


@pytest.mark.parametrize(
    "wrong",
    [
        {"op": "=>"},
        {"threshold": "nan"},
        {"threshold": float("inf")},
        {"name": "http 5xx"},
        {"name": ""},
        {"query": ""},
        {"reduce": "first"},
        {"for": "2h"},
        {"max_age": 0},
        {"timeout": "1m"},
        {"failures": -1},
        {"failures": 61},
        {"interval": 0},
        {"interval": "11m"},
        {"on_empty": "allow"},
    ],
    ids=str,
)
def test_what_it_may_not_be_told(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MetricParams.model_validate({**GIVEN, **wrong})


def test_the_value_of_an_alert_reaches_prometheus_as_a_value() -> None:
    """From the playbook's text to what is asked: the example of the plug-in, with a hostile parameter."""
    given = yaml.safe_load(Metric.example)["metric"]
    template = compile_tree(given, {"params": OPEN}, Metric.escapes)
    params = template.render({"params": {"namespace": '"} or vector(1) #'}})
    series = Series(0.0)
    judged(series, **params)

    assert series.asked == [
        'sum(rate(http_requests_total{status=~"5..",namespace="\\"} or vector(1) #"}[5m]))',
    ]
