"""Check `metric`: a number that does not compare as wanted fails; everything that is no number is unknown."""

from typing import Any

import pytest

from paramedic.checks.metric import MetricCheck, MetricCheckParams
from paramedic.core.model import Verdict
from paramedic.core.words import Answer
from paramedic.plugin import NoMetrics, Tools
from tests.contract.plugin_scene import Wire, at_once, seen
from tests.guards.test_metric import GIVEN, Series


def asked(metrics: Any, **given: Any) -> Verdict:
    params = MetricCheckParams.model_validate({**GIVEN, "op": "<", **given})
    return at_once(MetricCheck().ask(params, seen(), Tools(http=Wire(), metrics=metrics)))


def test_it_passes_and_fails_on_a_number() -> None:
    good, bad = asked(Series(0.01)), asked(Series(0.5))

    assert (good.name, good.answer, good.reason) == ("metric", Answer.PASS, "http_5xx 0.01 < 0.1")
    assert (bad.answer, bad.reason, bad.again) == (Answer.FAIL, "http_5xx 0.5, < 0.1 is wanted", None)


def test_it_must_have_been_so_for_as_long_as_wanted() -> None:
    assert asked(Series(0.0, 0.0, 0.0), **{"for": "30s"}).answer is Answer.PASS
    verdict = asked(Series(0.5, 0.0, 0.0), **{"for": "30s"})

    assert (verdict.answer, verdict.again) == (Answer.FAIL, 15.0)


@pytest.mark.parametrize("values", [(None,), (float("nan"),), (0.0, None), (None, 0.0)], ids=str)
def test_unknown_never_fails(values: tuple[float | None, ...]) -> None:
    """A failed check can take a remedy back; one that cannot know must not (promise 11)."""
    held = {"for": "15s"} if len(values) > 1 else {}

    assert asked(Series(*values), **held).answer is Answer.UNKNOWN


def test_without_a_prometheus_it_is_unknown() -> None:
    assert asked(NoMetrics()).answer is Answer.UNKNOWN
