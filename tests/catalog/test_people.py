"""People, pagers, rotas and the policies that page them."""

from datetime import UTC, datetime

import pytest

from paramedic.catalog.people import person_model
from paramedic.core.bundle import AckTerms, Level, Person, Policy
from tests.catalog.texts import HOOK, PLUGINS, bundle, faults


def person(entry: str, more: str = "") -> Person:
    return bundle(f"{HOOK}{more}people:\n  - {{name: p, {entry}}}\n").people["p"]


def test_a_person_has_contacts_roles_and_teams() -> None:
    found = person("email: a@example.org, slack: U01, pagerduty: P01, roles: [operator, approver], teams: [sre]")

    assert found.contacts == {"email": "a@example.org", "slack": "U01", "pagerduty": "P01"}
    assert (found.roles, found.teams, found.rota) == (("operator", "approver"), ("sre",), None)


def test_a_pager_names_the_setting_that_holds_its_key() -> None:
    assert person("pagerduty_key: PAGERDUTY_SRE_KEY").contacts == {"pagerduty_key": "PAGERDUTY_SRE_KEY"}


@pytest.mark.parametrize(
    ("entry", "notifier"),
    [
        ("teams: []", "log"),
        ("email: a@example.org", "log"),
        ("door: front", "bell"),
        ("webhook: hook", "webhook"),
        ("door: front, webhook: hook", "bell"),
        ("webhook: hook, door: front", "webhook"),
        ("door: front, webhook: hook, notifier: webhook", "webhook"),
        ("door: front, notifier: log", "log"),
    ],
)
def test_how_a_person_is_paged(entry: str, notifier: str) -> None:
    """By what the entry says, else by the first contact that it gives and that pages, else by the dry one."""
    assert person(entry).notifier == notifier


def test_a_notifier_brings_its_own_contact() -> None:
    fields = person_model(PLUGINS.notifiers).model_fields

    assert {"door", "webhook", "email"} <= set(fields)
    assert "door" not in person_model({}).model_fields


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("{email: a@example.org}", '5:5: person has no "name"; needed: name'),
        ("{name: p, emial: a@example.org}", '5:15: unknown key "emial"; did you mean "email"?'),
        ("{name: p, roles: [operater]}", "roles, item 1 must be one of viewer, operator, approver, admin, ci"),
        ("{name: p, roles: operator}", 'roles must be a list, not "operator"'),
        ("{name: p, email: ''}", "email must be at least 1 character"),
        ("{name: p, email: [a, b]}", "email must be text, not a list"),
        ("{name: a b}", "name must be a name: letters, digits, dots, dashes and underscores, at most 100"),
        ("{name: p, pagerduty_key: abc}", "pagerduty_key must be the name of a setting"),
        ("{name: p, notifier: webhok}", '5:25: unknown notifier "webhok"; did you mean "webhook"?'),
        ("{name: p, notifier: bell}", '5:25: the notifier "bell" needs a contact; add door:'),
        ("{name: p, webhook: hok}", '5:24: there is no endpoint "hok"; did you mean "hook"?'),
        ("alice", '5:5: a person must be a mapping of keys to values, not "alice"'),
    ],
)
def test_who_is_nobody(entry: str, fault: str) -> None:
    assert fault in "\n".join(faults(f"{HOOK}people:\n  - {entry}\n"))


# -- policies ---------------------------------------------------------------------------------------------------------

PEOPLE = "people:\n  - {name: alice}\n  - {name: bob}\n  - {name: watch, rota: [alice, bob]}\n"
POLICY = """\
escalation:
  - name: sre
    respond: 15m
    levels:
      - {after: 0m, page: [watch], second: [bob]}
      - {after: 15m, page: [alice, bob]}
    ack: {for: 2h, remind: 15m}
"""


def test_a_policy_has_levels_and_terms() -> None:
    assert bundle(PEOPLE + POLICY).policies["sre"] == Policy(
        "sre",
        (Level(0, ("watch",), ("bob",)), Level(900, ("alice", "bob"))),
        respond=900,
        climbs="paramedic",
        ack=AckTerms(7200, 900),
        at="f.yaml:6",
    )


def test_what_a_policy_leaves_unsaid() -> None:
    found = bundle(f"{PEOPLE}escalation:\n  - name: sre\n    levels: [{{after: 0s, page: [alice]}}]\n").policies["sre"]

    assert (found.respond, found.climbs, found.ack) == (0, "paramedic", AckTerms(3600, 0))


def test_a_rota_can_be_paged_like_a_person() -> None:
    found = bundle(PEOPLE).people["watch"]

    assert found.rota is not None
    assert found.rota.on_call(datetime(2024, 1, 1, 9, tzinfo=UTC)) == "alice"
    assert found.contacts == {}


LEVELS = [
    ("- {after: 0m, page: [alcie]}", '8:28: there is nobody called "alcie" to page; did you mean "alice"?'),
    ("- {after: 0m, page: [zed]}", 'there is nobody called "zed" to page; known: alice, bob, watch'),
    ("- {after: 0m, page: [alice], second: [sre-email]}", '8:45: there is nobody called "sre-email" to page'),
    ("- {after: 0m, page: []}", "page must be a list of at least 1 item"),
    ("- {after: 0m}", 'levels, item 1 has no "page"; needed: after, page'),
    ("- {page: [alice]}", 'levels, item 1 has no "after"; needed: after, page'),
    ("- {after: later, page: [alice]}", 'after: "later" is not a duration'),
    ("- {after: 15m, page: [alice]}\n      - {after: 15m, page: [bob]}", "9:17: level 2 is not after level 1"),
    ("- {after: 0m, page: [alice], thrid: [bob]}", '8:36: unknown key "thrid"; keys: after, page, second'),
    ("[]", "levels must be a list of at least 1 item"),
]


@pytest.mark.parametrize(("levels", "fault"), LEVELS)
def test_what_is_no_level(levels: str, fault: str) -> None:
    assert fault in "\n".join(faults(f"{PEOPLE}escalation:\n  - name: sre\n    levels:\n      {levels}\n"))


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("respond: never", 'respond: "never" is not a duration'),
        ("climbs: opsgenie", "climbs must be one of paramedic, pagerduty"),
        ("ack: 1h", "ack must be a mapping of keys to values"),
        ("ack: {for: 0s}", 'for must be more than 0, not "0s"'),
        ("ack: {remnid: 1m}", 'unknown key "remnid"; did you mean "remind"?'),
    ],
)
def test_what_a_policy_cannot_say(line: str, fault: str) -> None:
    text = f"{PEOPLE}escalation:\n  - name: sre\n    levels: [{{after: 0s, page: [alice]}}]\n    {line}\n"

    assert fault in "\n".join(faults(text))


def test_one_fault_is_not_told_twice() -> None:
    """A person with a fault exists all the same: nobody is told, besides, that there is no such person."""
    text = "people:\n  - {name: alice, emial: x}\n  - {name: r, rota: [alice], turn: x}\n" + POLICY.replace(
        "watch", "r"
    ).replace("bob", "alice")

    assert [one.split(" ")[1] for one in faults(text)] == ["unknown", "turn:"]
