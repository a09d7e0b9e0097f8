"""What expressions may see, and the typical values they are tried on. The scopes of the core must fit these shapes."""

from datetime import UTC, datetime
from typing import Any

import pytest

from paramedic.catalog.shapes import OPEN, Open, playbook_shape, rule_shape, sample_of, target_shape, typical
from paramedic.core.bundle import Param, ServiceEntry
from paramedic.core.model import Alert, Exemplar, Firing, Incident, Run
from paramedic.core.scope import playbook_scope, rule_scope, target_scope
from paramedic.core.words import Mode, Phase, Severity, Stage
from paramedic.errors import Fault
from paramedic.matchers import Regex

NOW = datetime(2026, 5, 12, tzinfo=UTC)
PARAMS = {"host": Param("host", "string"), "count": Param("count", "integer")}


def outline(value: Any) -> Any:
    """A scope or a shape as its field names; what is open says nothing about its fields."""
    if isinstance(value, Open):
        return "open"
    return {name: outline(each) for name, each in value.items()} if isinstance(value, dict) else "value"


def opened(shape: Any, scope: Any) -> Any:
    """`scope` with "open" wherever the shape is open."""
    if isinstance(shape, Open):
        return "open"
    if isinstance(scope, dict):
        return {name: opened(shape.get(name), each) for name, each in scope.items()}
    return "value"


def test_a_rule_sees_what_the_core_hands_it() -> None:
    alert = Alert("main", "1", {"a": "b"}, {"c": "d"}, True, NOW)
    shape = rule_shape([ServiceEntry((), {"cluster": "main"})])

    assert outline(shape) == opened(shape, rule_scope(alert, {"cluster": "x"}))


def test_a_playbook_sees_what_the_core_hands_it() -> None:
    exemplar = Exemplar("1", {"a": "b"}, {}, NOW)
    incident = Incident(
        1, "k", 1, "main", "t", "b", "r", Severity.P1, Phase.DETECTED, NOW, NOW, firing=Firing(exemplars=(exemplar,))
    )
    params = {"host": "a", "count": 1}
    run = Run(1, "r", "p", "t", "1", params, Severity.P1, Mode.AUTO, NOW, Stage.JUDGING)
    shape = playbook_shape(PARAMS)

    assert outline(shape) == opened(shape, playbook_scope(incident, run))


def test_a_target_sees_the_parameters_only() -> None:
    assert outline(target_shape(PARAMS)) == outline(target_scope({"host": "a", "count": 1}))


@pytest.mark.parametrize(
    ("param", "sample"),
    [
        (Param("a", "string"), "example"),
        (Param("a", "integer"), 1),
        (Param("a", "number"), 1.5),
        (Param("a", "boolean"), True),
        (Param("a", "string", default="x"), "x"),
        (Param("a", "integer", default=0), 0),
        (Param("a", "boolean", default=False), False),
        (Param("a", "string", regex=Regex("^[0-9]+$")), "1"),
        (Param("a", "string", regex=Regex("^(deployment|statefulset)/")), "deployment/example"),
        (Param("a", "string", regex=Regex("^[0-9]+[smh]$")), "15m"),
        (Param("a", "string", regex=Regex("^xyz$")), "example"),
    ],
)
def test_a_typical_value(param: Param, sample: Any) -> None:
    assert sample_of(param) == sample


def test_open_mappings_have_whatever_is_asked_for() -> None:
    scope = typical({"labels": OPEN, "a": {"b": OPEN}}, [("labels", "x"), ("a", "b", "y"), ("labels", "x", "z")][:2])

    assert scope == {"labels": {"x": "1"}, "a": {"b": {"y": "1"}}}


def test_a_shape_is_not_changed_by_being_tried() -> None:
    shape = rule_shape([])
    typical(shape, [("labels", "x")])

    assert typical(shape, []) == {"labels": {}, "annotations": {}, "source": "main", "service": {}}


NOWHERE = [
    (("params", "hots"), 'params has no field "hots"', 'did you mean "host"?'),
    (("params", "zzz"), 'params has no field "zzz"', "known: count, host"),
    (("parms", "host"), '"parms" refers to nothing', 'did you mean "params"?'),
    (("params", "host", "x"), 'params.host is text, it has no field "x"', ""),
    (("params", "count", "x"), 'params.count is a number, it has no field "x"', ""),
    (("alert", "label", "x"), 'alert has no field "label"', 'did you mean "labels"?'),
    (("alert", "labels", "x", "y"), 'alert.labels.x is text, it has no field "y"', ""),
    (("incident", "severty"), 'incident has no field "severty"', 'did you mean "severity"?'),
    (("run", "recurrence", "x"), 'run.recurrence is a number, it has no field "x"', ""),
]


@pytest.mark.parametrize(("path", "what", "right"), NOWHERE)
def test_a_path_that_leads_nowhere_is_a_fault(path: tuple[str, ...], what: str, right: str) -> None:
    with pytest.raises(Fault) as caught:
        typical(playbook_shape(PARAMS), [path])

    assert (caught.value.what, caught.value.right) == (what, right)


def test_without_services_there_is_no_field_of_one() -> None:
    with pytest.raises(Fault) as caught:
        typical(rule_shape([]), [("service", "cluster")])

    assert (caught.value.what, caught.value.right) == ('service has no field "cluster"', "no service is declared")


def test_without_parameters_there_is_none() -> None:
    with pytest.raises(Fault) as caught:
        typical(target_shape({}), [("params", "host")])

    assert caught.value.right == "no param is declared"
