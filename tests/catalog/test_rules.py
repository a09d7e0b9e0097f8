"""Sources, endpoints, services and rules: what they say, what they name, and what `with` gives."""

import pytest

from paramedic.core.bundle import Endpoint, Source
from paramedic.core.words import Mode, Severity
from tests.catalog.texts import BOOK, HOOK, bundle, faults

RULE = """\
rules:
  - name: down
    match: ['alertname="Down"']
    playbook: restart
    with: {host: "${labels.host}"}
"""


def rule_faults(old: str, new: str, book: str = BOOK, more: str = "") -> list[str]:
    assert old in RULE
    return faults(RULE.replace(old, new) + more + "---\n" + HOOK + book)


# -- sources ----------------------------------------------------------------------------------------------------------


def test_the_source_default_is_always_there() -> None:
    assert bundle("").sources == {"default": Source("default")}
    assert bundle("sources: [{name: default, repeat: 1h}]").sources["default"].repeat == 3600


def test_a_source_says_where_it_is_and_how_often_it_repeats() -> None:
    text = """\
sources:
  - {name: main, instances: ["http://am-0:9093", "https://am.example.org/am"], token: MAIN_TOKEN, cluster: c}
"""
    assert bundle(text).sources["main"] == Source(
        "main", ("http://am-0:9093", "https://am.example.org/am"), "MAIN_TOKEN", "c"
    )


@pytest.mark.parametrize(("entry", "storm"), [("", 60), (", storm: 5", 5), (", storm: 0", 0)])
def test_sixty_new_incidents_a_minute_are_a_storm_unless_said_otherwise(entry: str, storm: int) -> None:
    assert bundle(f"sources: [{{name: a{entry}}}]").source("a").storm == storm
    assert bundle("").source("unheard-of").storm == 60


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("{}", '2:5: source has no "name"'),
        ("{name: a, token: s3cret}", "token must be the name of a setting"),
        ("{name: a, repeat: 0s}", "repeat must be more than 0"),
        ("{name: a, storm: -1}", "storm must be"),
        ("{name: a, storm: 5001}", "storm must be"),
        ("{name: a, storm: off}", "storm must be"),
        ("{name: a, instances: http://am:9093}", "instances must be a list"),
        ('{name: a, instances: ["am:9093"]}', "2:27: this address is not http:// or https://"),
        ('{name: a, instances: ["http://u:p@am:9093"]}', "this address holds a user or a password"),
        ("{name: a, token: A}\n  - {name: b, token: A}", '3:22: the source "a" is known by the same token'),
        ("{name: operator}", "2:12: operator is what people open by hand"),
        ("{name: a}\n  - {name: a}", 'a source "a" is there already, at f.yaml:2'),
    ],
)
def test_what_is_no_source(entry: str, fault: str) -> None:
    assert fault in "\n".join(faults(f"sources:\n  - {entry}\n"))


# -- endpoints --------------------------------------------------------------------------------------------------------


def test_an_endpoint() -> None:
    text = "endpoints:\n  - {name: h, url: 'https://example.org/a/', token: T, idempotent: true, timeout: 3s}\n"

    assert bundle(text).endpoints["h"] == Endpoint("h", "https://example.org/a", "T", idempotent=True, timeout=3)


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("{name: h}", 'endpoint has no "url"; needed: name, url'),
        ("{name: h, url: 'ftp://x'}", "2:20: this address is not http:// or https://"),
        ("{name: h, url: 'http://u:secret@x'}", "this address holds a user or a password; name the setting"),
        ("{name: h, url: 'http://x?a=b'}", "this address is not http:// or https://"),
        ("{name: h, url: 'http://x/${a}'}", "this address is not http:// or https://"),
        ("{name: h, url: 'http://x:99999'}", "port 99999 does not exist"),
        ("{name: h, url: 'http://x', timeout: 10m}", 'timeout must be at most 5m, not "10m"'),
        ("{name: h, url: 'http://x', idempotent: 1}", "idempotent must be true or false, not 1"),
        ("{name: h, url: 'http://x', token: abc}", "token must be the name of a setting"),
    ],
)
def test_what_is_no_endpoint(entry: str, fault: str) -> None:
    found = "\n".join(faults(f"endpoints:\n  - {entry}\n"))

    assert fault in found
    assert "secret@" not in found


def test_an_endpoint_with_a_fault_is_not_also_missing() -> None:
    text = HOOK.replace("http:", "ftp:") + BOOK

    assert len(faults(text)) == 1


# -- services ---------------------------------------------------------------------------------------------------------


def test_a_service_is_matchers_and_whatever_fields_one_likes() -> None:
    text = "services:\n  - {match: ['job=\"a\"'], cluster: c, replicas: 3, share: 0.5, on: true, needs: [db]}\n"
    (found,) = bundle(text).services

    assert [str(one) for one in found.match] == ['job="a"']
    assert found.fields == {"cluster": "c", "replicas": 3, "share": 0.5, "on": True, "needs": ["db"]}


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("{cluster: c}", 'service has no "match"'),
        ("{match: [], cluster: c}", "match must be a list of at least 1 item"),
        (
            "{match: ['job=a'], owner: {team: sre}}",
            "2:31: owner must be text, a number, true or false or a list",
        ),
        ("{match: ['job=a'], owner: }", "owner must be text, a number, true or false or a list, not nothing"),
        ("{match: ['job=a'], needs: [1]}", "needs, item 1 must be text, not 1"),
    ],
)
def test_what_is_no_service(entry: str, fault: str) -> None:
    assert fault in "\n".join(faults(f"services:\n  - {entry}\n"))


# -- rules ------------------------------------------------------------------------------------------------------------


def test_a_rule_says_little_and_means_much() -> None:
    (rule,) = bundle(RULE + "---\n" + HOOK + BOOK).rules.all

    assert (rule.name, rule.playbook, rule.at) == ("down", "restart", "f.yaml:2")
    assert (rule.severity, rule.incident, rule.escalation, rule.mode) == (None, (), "", None)
    assert (rule.storm, rule.page_after, rule.page_unless_fixed) == (True, 0, False)
    assert rule.with_["host"].render({"labels": {"host": "web"}}) == "web"


def test_a_rule_can_say_all_this() -> None:
    text = RULE.replace(
        "    playbook",
        "    severity: P0\n    incident: [cluster, job]\n    escalation: sre\n    mode: approve\n    storm: off\n"
        "    page: {after: 5m, unless: fixed}\n    playbook",
    )
    people = "people: [{name: a}]\nescalation:\n  - {name: sre, levels: [{after: 0s, page: [a]}]}\n"
    (rule,) = bundle(text + people + "---\n" + HOOK + BOOK).rules.all

    assert (rule.severity, rule.incident, rule.escalation) == (Severity.P0, ("cluster", "job"), "sre")
    assert (rule.mode, rule.storm, rule.page_after, rule.page_unless_fixed) == (Mode.APPROVE, False, 300, True)


def test_rules_are_asked_in_the_order_written() -> None:
    rules = "".join(
        f"  - {{name: r{n}, match: ['alertname=\"{name}\"'], playbook: restart, with: {{host: h}}}}\n"
        for n, name in enumerate("CABD")
    )
    found = bundle("rules:\n" + rules + "---\n" + HOOK + BOOK).rules

    assert [rule.name for rule in found] == ["r0", "r1", "r2", "r3"]
    first = found.first({"alertname": "B"})
    assert first is not None
    assert first.name == "r2"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("playbook: restart", "playbook: restrat", '4:15: there is no playbook "restrat"; did you mean "restart"?'),
        ("    playbook: restart\n", "", '2:5: rule has no "playbook"; needed: name, match, playbook'),
        ("    playbook", "    escalation: sre\n    playbook", '4:17: there is no escalation policy "sre"'),
        ("    playbook", "    severity: high\n    playbook", "severity must be one of P0, P1, P2, P3"),
        ("    playbook", "    mode: freeze\n    playbook", "mode must be one of off, shadow, approve, auto"),
        ("    playbook", "    storm: false\n    playbook", "storm must be one of on, off, not false"),
        ("    playbook", "    page: 5m\n    playbook", "page must be a mapping of keys to values"),
        ("    playbook", "    incident: job\n    playbook", 'incident must be a list, not "job"'),
        ("    playbook", "    incident: ['']\n    playbook", "incident, item 1 must be the name of a label"),
        ("['alertname=\"Down\"']", "'alertname=\"Down\"'", "match must be a list"),
        ("['alertname=\"Down\"']", "[]", "match must be a list of at least 1 item"),
        ("['alertname=\"Down\"']", "['a=~\"(\"']", '3:13: matcher a=~"(" is not a regular expression'),
        ("name: down", 'name: "do wn"', "name must be a name"),
        ('{host: "${labels.host}"}', "[host]", "with must be a mapping of keys to values"),
    ],
)
def test_what_is_no_rule(old: str, new: str, fault: str) -> None:
    assert fault in "\n".join(rule_faults(old, new))


# -- with -------------------------------------------------------------------------------------------------------------

WITH = 'with: {host: "${labels.host}"}'
NUMBERS = BOOK.replace(
    "{host: {type: string}}",
    "{host: {type: string}, n: {type: integer}, x: {type: number, default: 1.5}, on: {type: boolean, default: false}}",
)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("with: {n: 1}", '5:11: the playbook "restart" needs the parameter "host"; add host to `with`'),
        (
            "with: {host: a, n: 1, hots: b}",
            '5:27: the playbook "restart" has no parameter "hots"; did you mean "host"?',
        ),
        ("with: {host: a, n: a}", "5:24: n must be a whole number, not text"),
        ("with: {host: a, n: '1'}", "n must be a whole number, not text"),
        ("with: {host: a, n: 1.5}", "n must be a whole number, not a number"),
        ("with: {host: a, n: true}", "n must be a whole number, not true or false"),
        ("with: {host: a, n: 1, x: a}", "x must be a number, not text"),
        ("with: {host: a, n: 1, on: 1}", "on must be true or false, not a number"),
        ("with: {host: a, n: 1, on: 'true'}", "on must be true or false, not text"),
        ("with: {host: [a], n: 1}", "host must be text, not a list"),
        ("with: {host: {a: b}, n: 1}", "host must be text, not a mapping"),
        ("with: {host: , n: 1}", "host must be text, not nothing"),
        ("with: {host: true, n: 1}", "host must be text, not true or false"),
        ("with: {host: '', n: 1}", "host is empty; an empty value never stands for everything"),
        ('with: {host: a, n: "${labels.n}"}', 'n must be a whole number, not text; write "${int(labels.n)}"'),
        ('with: {host: a, n: 1, x: "${labels.x}"}', 'x must be a number, not text; write "${double(labels.x)}"'),
        ('with: {host: a, n: 1, on: "${labels.on}"}', "on must be true or false, not text"),
        ('with: {host: "${[1]}", n: 1}', "host must be text, not a list"),
        ('with: {host: "${label.x}", n: 1}', '5:18: `label.x`: "label" refers to nothing; did you mean "labels"?'),
        ('with: {host: "${params.x}", n: 1}', '"params" refers to nothing'),
        ('with: {host: "${service.x}", n: 1}', 'service has no field "x"; no service is declared'),
        ('with: {host: ["${1 +}"], n: 1}', "5:19: `1 +` is not a CEL expression"),
    ],
)
def test_with_gives_exactly_what_the_playbook_has(given: str, fault: str) -> None:
    assert fault in "\n".join(rule_faults(WITH, given, NUMBERS))


@pytest.mark.parametrize(
    "given",
    [
        "with: {host: a, n: 1}",
        "with: {host: 5, n: 1, x: 2, on: true}",
        "with: {host: 1.5, n: 1, x: 0.5}",
        'with: {host: "${labels.a}-${labels.b}", n: "${int(labels.n)}", x: "${double(labels.x)}"}',
        'with: {host: "${annotations.host}", n: "${size(labels.a)}", on: "${labels.a == labels.b}"}',
        'with: {host: "${source}", n: 1}',
    ],
)
def test_what_with_may_give(given: str) -> None:
    assert rule_faults(WITH, given, NUMBERS) == []


def test_without_with_a_playbook_that_needs_nothing_is_fine() -> None:
    assert rule_faults(WITH, "severity: P1", BOOK.replace("string}", "string, default: web}")) == []
    assert rule_faults(WITH, "severity: P1") == [
        '4:15: the playbook "restart" needs the parameter "host"; add host to `with`'
    ]


def test_a_pattern_is_asked_of_what_is_written_out() -> None:
    book = BOOK.replace("type: string}", 'type: string, pattern: "^web-"}')

    assert rule_faults(WITH, "with: {host: web-1}", book) == []
    assert rule_faults(WITH, 'with: {host: "${labels.host}"}', book) == []
    assert rule_faults(WITH, "with: {host: db-1}", book) == [
        '5:18: host does not fit the pattern "^web-" of the playbook'
    ]


def test_the_fields_of_all_services_are_known() -> None:
    services = "services:\n  - {match: ['job=\"a\"'], cluster: c}\n  - {match: ['job=\"b\"'], replicas: 3}\n"

    assert rule_faults(WITH, 'with: {host: "${service.cluster}"}', more=services) == []
    assert rule_faults(WITH, 'with: {host: "${service.clutser}"}', more=services) == [
        '5:18: `service.clutser`: service has no field "clutser"; did you mean "cluster"?'
    ]
    assert rule_faults(WITH, 'with: {host: a, n: "${service.replicas}"}', NUMBERS, services) == []


def test_a_rule_of_a_faulty_playbook_is_not_blamed() -> None:
    assert rule_faults(WITH, "with: {other: 1}", BOOK.replace("mode: auto", "mode: never")) == [
        '11:7: mode must be one of off, shadow, approve, auto, not "never"'
    ]
