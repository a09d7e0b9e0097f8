"""What would happen to an alert, and why: the rule, every earlier no, the mode, parameters, target, pages."""

from datetime import UTC, datetime
from typing import Any

import pytest

from paramedic.catalog.explain import explain, explained_lines
from paramedic.core.bundle import Bundle
from paramedic.core.model import Alert
from paramedic.core.words import Mode
from tests.catalog.texts import BOOK, HOOK, bundle

NOW = datetime(2026, 5, 12, 9, tzinfo=UTC)

CATALOG = (
    HOOK
    + """\
people: [{name: alice}, {name: bob}, {name: watch, rota: [alice, bob]}]
escalation:
  - name: sre-critical
    levels: [{after: 0m, page: [watch]}, {after: 15m, page: [alice, bob]}]
rules:
  - name: service-down
    match: ['alertname="ServiceDown"', 'job=~"api-.*"']
    playbook: restart
    with: {host: "${labels.host}"}
    severity: P0
  - name: high-error-rate
    match: ['severity="critical"', 'job="api"']
    playbook: restart
    with: {host: "${labels.host}"}
    incident: [job]
    escalation: sre-critical
    page: {after: 5m, unless: fixed}
    mode: approve
  - {name: later, match: ['a="1"'], playbook: restart, with: {host: a}}
  - {name: last, match: ['a="2"'], playbook: restart, with: {host: a}}
---
"""
    + BOOK.replace(
        "steps:",
        "guards:\n  - when: params.host != ''\nsteps:\n  - pull: it\n    when: params.host == 'x'\n"
        "    verify: [{cleared: {within: 10m}}]",
    )
)


@pytest.fixture(scope="module")
def catalog() -> Bundle:
    return bundle(CATALOG)


def alert(labels: dict[str, str], firing: bool = True) -> Alert:
    return Alert("main", "0a1b", labels, {}, firing, NOW)


def lines(catalog: Bundle, one: Alert, limit: Mode = Mode.AUTO) -> list[str]:
    return list(explained_lines(explain(one, catalog), catalog, limit, NOW))


CRITICAL = {"alertname": "HighErrorRate", "job": "api", "severity": "critical", "host": "web-1"}


def test_an_alert_that_a_rule_takes(catalog: Bundle) -> None:
    assert lines(catalog, alert(CRITICAL)) == [
        'alert HighErrorRate {job="api", severity="critical", host="web-1"} from source main',
        "rule  high-error-rate (f.yaml:14) → playbook restart, P1, policy sre-critical",
        '      service-down said no: alertname="ServiceDown" (it is "HighErrorRate")',
        "      2 more rules come after the first match",
        "mode  approve (at most auto, rule approve, playbook auto)",
        'opens main{job="api"}',
        "with  host='web-1'",
        "on    hosts/web-1",
        "asks  still_firing · when",
        "then  pull when params.host == 'x' (verified by cleared within 10m), then push",
        "page  level 1 watch (now bob) after 5m, unless it is fixed by then",
        "      level 2 alice, bob after 15m",
    ]


def test_the_first_matcher_that_said_no_is_named(catalog: Bundle) -> None:
    found = lines(catalog, alert({"alertname": "ServiceDown", "job": "db", "severity": "critical"}))

    assert found[1] == "rule  none matches: no incident is opened"
    assert found[2:] == [
        '      service-down said no: job=~"api-.*" (it is "db")',
        '      high-error-rate said no: job="api" (it is "db")',
        '      later said no: a="1" (it is "")',
        '      last said no: a="2" (it is "")',
    ]


@pytest.mark.parametrize(
    ("limit", "line"),
    [
        (Mode.AUTO, "mode  approve (at most auto, rule approve, playbook auto)"),
        (Mode.SHADOW, "mode  shadow (at most shadow, rule approve, playbook auto)"),
        (Mode.OFF, "mode  off (at most off, rule approve, playbook auto)"),
    ],
)
def test_the_lowest_mode_counts(catalog: Bundle, limit: Mode, line: str) -> None:
    assert line in lines(catalog, alert(CRITICAL), limit)


def test_a_rule_without_a_mode_or_a_policy(catalog: Bundle) -> None:
    found = lines(catalog, alert({"alertname": "X", "a": "1"}))

    assert found[1] == "rule  later (f.yaml:22) → playbook restart, P2, no policy"
    assert "mode  auto (at most auto, rule -, playbook auto)" in found
    assert "      1 more rule comes after the first match" in found
    assert not any(line.startswith("page") for line in found)


def test_the_last_rule_has_none_after_it(catalog: Bundle) -> None:
    assert not any("after the first match" in line for line in lines(catalog, alert({"alertname": "X", "a": "2"})))


def test_what_cannot_be_rendered_is_said(catalog: Bundle) -> None:
    without_host = {name: value for name, value in CRITICAL.items() if name != "host"}
    found = lines(catalog, alert(without_host))

    assert 'with  cannot be rendered, so a person is asked: ${labels.host}: "host" is not there' in found
    assert not any(line.startswith(("on ", "asks", "then")) for line in found)
    assert any(line.startswith("page") for line in found)


def test_a_resolved_alert_starts_nothing(catalog: Bundle) -> None:
    found = lines(catalog, alert(CRITICAL, firing=False))

    assert found[0].endswith("from source main, resolved")
    assert found[-1] == "then  its episode closes, if one is open; nothing is started"
    assert not any(line.startswith(("mode", "with", "page")) for line in found)


def test_an_alert_without_a_name(catalog: Bundle) -> None:
    assert lines(catalog, alert({"job": "x"}))[0] == 'alert without a name {job="x"} from source main'


def test_what_an_alert_carries_cannot_leave_its_line(catalog: Bundle) -> None:
    hostile = {**CRITICAL, "alertname": "A\n\x1b[2Jrule  none", "host": "x\r\ny\u202e"}
    found = lines(catalog, alert(hostile))

    assert all(line.isprintable() for line in found)
    assert found[0].startswith("alert A [2Jrule none {")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (
            CRITICAL,
            {
                "rule": {"name": "high-error-rate", "at": "f.yaml:14"},
                "refused_by": [
                    {"rule": "service-down", "matcher": 'alertname="ServiceDown"', "value": "HighErrorRate"}
                ],
                "playbook": "restart",
                "severity": "P1",
                "escalation": "sre-critical",
                "incident": 'main{job="api"}',
                "mode": "shadow",
                "params": {"host": "web-1"},
                "target": "hosts/web-1",
                "fault": "",
            },
        ),
        (
            {"alertname": "X", "a": "3"},
            {"rule": None, "playbook": None, "severity": None, "escalation": None, "params": {}, "target": ""},
        ),
    ],
)
def test_the_same_for_programs(catalog: Bundle, labels: dict[str, str], expected: dict[str, Any]) -> None:
    found = explain(alert(labels), catalog).as_json(Mode.SHADOW, catalog, NOW)

    assert found["alert"] == {"source": "main", "labels": labels, "firing": True}
    assert {key: found[key] for key in expected} == expected


def test_explaining_asks_and_changes_nothing(catalog: Bundle) -> None:
    one = alert(CRITICAL)

    assert explain(one, catalog) == explain(one, catalog)
