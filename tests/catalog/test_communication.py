"""Communication plans: what they say, what they leave unsaid, what rules make of them. What is wrong is in data/bad."""

import pytest

from paramedic.catalog.load import load_files
from paramedic.catalog.schema import rules_schema
from paramedic.core.bundle import Bundle, Tell
from paramedic.plugin import discover

PLUGINS = discover()
RULE = """\
endpoints: [{name: hook, url: "http://127.0.0.1:9000"}]
rules: [{name: down, match: ['alertname="Down"'], playbook: look, communication: outage}]
---
playbook: look
target: everything
steps: [http: {endpoint: hook, path: /look}]
"""


def bundle(tell: str, more: str = RULE) -> Bundle:
    loaded = load_files({"x.yaml": f"communication: [{{name: outage, tell: [{tell}]}}]\n{more}"}, PLUGINS)
    assert loaded.bundle is not None, [str(fault) for fault in loaded.faults]
    return loaded.bundle


def told(tell: str) -> Tell:
    (one,) = bundle(tell).communication["outage"].tell
    return one


def test_an_audience_is_told_by_a_notifier_somewhere_whenever_something_changes() -> None:
    assert told("{audience: engineering, by: slack, to: C01}") == Tell("engineering", "slack", "C01", 0.0, None)
    assert told("{audience: engineering, by: slack, to: C01, every: change}").every == 0.0


@pytest.mark.parametrize(("every", "seconds"), [("15m", 900.0), ("10s", 10.0), ("1h30m", 5400.0), ("60", 60.0)])
def test_or_every_so_often(every: str, seconds: float) -> None:
    assert told(f"{{audience: support, by: log, every: {every}}}").every == seconds


@pytest.mark.parametrize(("severity", "holds"), [("P0", True), ("P1", True), ("P2", False)])
def test_a_condition_sees_the_incident(severity: str, holds: bool) -> None:
    when = told("{audience: bosses, by: log, when: \"incident.severity in ['P0', 'P1']\"}").when

    assert when is not None
    assert when.holds({"incident": {"severity": severity}}) is holds


def test_a_rule_names_its_plan() -> None:
    found = bundle("{audience: engineering, by: log}")

    assert next(iter(found.rules)).communication == "outage"
    assert found.communication["outage"].at == "x.yaml:1"


def test_a_plan_with_a_fault_is_not_said_to_be_missing() -> None:
    text = f"communication: [{{name: outage, tell: [{{audience: e, by: slac}}]}}]\n{RULE}"
    faults = [str(fault) for fault in load_files({"x.yaml": text}, PLUGINS).faults]

    assert len(faults) == 1
    assert "unknown notifier" in faults[0]


def test_two_plans_of_one_name() -> None:
    text = (
        "communication:\n  - {name: a, tell: [{audience: e, by: log}]}\n  - {name: a, tell: [{audience: e, by: log}]}\n"
    )
    faults = [str(fault) for fault in load_files({"x.yaml": text}, PLUGINS).faults]

    assert faults == ['x.yaml:3:12: a plan "a" is there already, at x.yaml:2; choose another name']


def test_an_editor_completes_plans_and_what_a_rule_may_say() -> None:
    schema = rules_schema(PLUGINS)
    tell = schema["$defs"]["TellEntry"]

    assert set(tell["properties"]) == {"audience", "by", "to", "every", "when"}
    assert tell["required"] == ["audience", "by"]
    assert "communication" in schema["else"]["properties"]
    assert "communication" in schema["$defs"]["RuleEntry"]["properties"]
