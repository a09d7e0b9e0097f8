"""JSON Schema for editors: made from the models that validate, with what the plug-ins declare."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from paramedic.catalog.entries import NOUNS
from paramedic.catalog.schema import people_schema, playbook_schema, rules_schema
from paramedic.plugin import discover
from tests.catalog.texts import BOOK, PLUGINS, values

Schema = dict[str, Any]


@pytest.fixture(scope="module")
def rules() -> Draft202012Validator:
    return Draft202012Validator(rules_schema(PLUGINS))


@pytest.fixture(scope="module")
def playbooks() -> Draft202012Validator:
    return Draft202012Validator(playbook_schema(PLUGINS))


def fits(schema: Draft202012Validator, text: str) -> bool:
    return all(schema.is_valid(value) for value in values(text))


def test_all_are_valid_and_stand_alone() -> None:
    for plugins in (PLUGINS, discover()):
        for make in (rules_schema, people_schema, playbook_schema):
            schema = make(plugins)
            Draft202012Validator.check_schema(schema)
            text = json.dumps(schema)
            references = {part.split('"')[0] for part in text.split('"#/$defs/')[1:]}
            assert references <= set(schema["$defs"])


def test_a_file_of_rules_may_hold_every_key(rules: Draft202012Validator) -> None:
    for key in NOUNS:
        assert fits(rules, f"{key}: []\n")
        assert fits(rules, f"{key}:\n")
        assert not fits(rules, f"{key}: 5\n")
        assert not fits(rules, f"{key}: [5]\n")
    assert not fits(rules, "rulez: []\n")
    assert fits(rules, BOOK)


PARTS = [
    ("  - {push: {to: hook}}", True),
    ('  - {push: {to: hook, path: "/${params.host}"}}', True),
    ('  - {push: {to: hook, times: "${params.host}"}}', True),
    ("  - {push: {to: hook, times: 3}}", True),
    ("  - {pull: it}", True),
    ("  - {pull: {what: it}}", True),
    ("  - {pull: }", True),
    ("  - {pull: {what: it}, when: 'a == b', on_failure: next}", True),
    ("  - {pull: it, verify: [{cleared: {within: 5m, every: 10s, stays: 1m}}, {cleared: }]}", True),
    ("  - {push: {}}", False),
    ("  - {push: }", False),
    ("  - {push: {to: hook, times: many}}", False),
    ("  - {push: {to: hook, times: 10}}", False),
    ("  - {push: {to: hook, tiems: 1}}", False),
    ("  - {psuh: {to: hook}}", False),
    ("  - {push: {to: hook}, pull: it}", False),
    ("  - {}", False),
    ("  - {when: 'true'}", False),
    ("  - push", False),
    ("  - {pull: it, on_failure: retry}", False),
    ("  - {pull: it, verify: [{clear: {}}]}", False),
    ("  - {pull: it, verify: [{cleared: {within: soon}}]}", False),
    ("  - {pull: it, verify: [{cleared: {}, again: {}}]}", False),
]


@pytest.mark.parametrize(("step", "right"), PARTS)
def test_steps_are_completed_from_the_actions_there_are(
    playbooks: Draft202012Validator, step: str, right: bool
) -> None:
    assert fits(playbooks, f"playbook: a\ntarget: b\nsteps:\n{step}\n") is right


@pytest.mark.parametrize(
    ("guard", "right"),
    [
        ("{still_firing: {for: 1m}}", True),
        ("{still_firing: }", True),
        ("{still_firing: {for: 60}}", True),
        ('{still_firing: {for: "${params.wait}"}}', True),
        ("{when: a == b}", True),
        ("{when: {condition: a == b}}", True),
        ("{quiet: {match: ['a=\"b\"']}}", True),
        ("{still_firing: {for: soon}}", False),
        ("{still_firing: {fro: 1m}}", False),
        ("{still_firing: 1m}", False),
        ("{quiet: }", False),
        ("{quiet: {match: []}}", False),
        ('{quiet: {match: "${params.x}"}}', False),
        ("{nope: {}}", False),
        ("{}", False),
        ("{still_firing: , when: x}", False),
        ("still_firing", False),
    ],
)
def test_guards_are_completed_from_those_there_are(playbooks: Draft202012Validator, guard: str, right: bool) -> None:
    assert fits(playbooks, f"playbook: a\ntarget: b\nguards:\n  - {guard}\nsteps: [{{pull: it}}]\n") is right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("people: [{name: a, door: front}]", True),
        ("people: [{name: a, rota: [b], turn: 1w}]", True),
        ("people: [{name: a, rota: [b], email: c}]", False),
        ("people: [{name: a, emial: c}]", False),
        ("people: [{email: c}]", False),
        ("rules: []", False),
    ],
)
def test_people_stand_alone(text: str, right: bool) -> None:
    assert fits(Draft202012Validator(people_schema(PLUGINS)), text + "\n") is right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("windows: [{name: a, from: b, to: c}]", True),
        ("windows: [{name: a, on: b}]", True),
        ("windows: [{name: a}]", False),
        ("windows: [{name: a, from: b}]", False),
        ("endpoints: [{name: a, url: 'http://b'}]", True),
        ("endpoints: [{name: a, url: 'ftp://b'}]", False),
        ("rules: [{name: a, match: ['b=c'], playbook: d, with: {e: 1, f: true, g: '${x}'}}]", True),
        ("rules: [{name: a, match: ['b=c'], playbook: d, with: {e: [1]}}]", False),
        ("rules: [{name: a, match: ['b=c'], playbook: d, storm: off}]", True),
        ("rules: [{name: a, match: ['b=c'], playbook: d, storm: false}]", False),
        ("services: [{match: ['b=c'], any: thing, n: 1, l: [a]}]", True),
        ("services: [{any: thing}]", False),
    ],
)
def test_entries(rules: Draft202012Validator, text: str, right: bool) -> None:
    assert fits(rules, text + "\n") is right


def test_an_editor_is_told_what_things_are() -> None:
    schema = playbook_schema(PLUGINS)
    push = schema["properties"]["steps"]["items"]["properties"]["push"]

    assert push["description"] == "Pushes."
    assert schema["properties"]["approval"]["description"]


def test_nothing_is_shared_between_two_schemas() -> None:
    one, other = playbook_schema(PLUGINS), playbook_schema(PLUGINS)
    one["properties"].clear()

    assert other["properties"]
    assert playbook_schema(PLUGINS) == other
