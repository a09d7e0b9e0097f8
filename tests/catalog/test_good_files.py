"""Every good file in tests/data/good loads, and an editor with our JSON Schema agrees."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from paramedic.catalog.documents import read
from paramedic.catalog.faults import Faults
from paramedic.catalog.load import bundle_body, load_body, load_files
from paramedic.catalog.schema import people_schema, playbook_schema, rules_schema
from paramedic.core.bundle import Bundle
from paramedic.core.words import Mode, Once, Severity
from paramedic.plugin import Plugins, discover

GOOD = Path(__file__).parent.parent / "data" / "good"
FILES = sorted(GOOD.glob("*.yaml"))


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return discover()


@pytest.fixture(scope="module")
def schema(plugins: Plugins) -> Draft202012Validator:
    return Draft202012Validator(rules_schema(plugins))


def good(name: str, plugins: Plugins) -> Bundle:
    loaded = load_files({name: (GOOD / name).read_text(encoding="utf-8")}, plugins)
    assert [str(fault) for fault in loaded.faults] == []
    assert loaded.bundle is not None
    return loaded.bundle


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_good_file_loads(path: Path, plugins: Plugins) -> None:
    assert good(path.name, plugins).hash


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_editor_finds_nothing_wrong(path: Path, schema: Draft202012Validator) -> None:
    for document in read(path.name, path.read_text(encoding="utf-8"), Faults()):
        assert [error.message for error in schema.iter_errors(document.root.value)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_good_file_comes_back_from_its_row(path: Path, plugins: Plugins) -> None:
    """Promise 10: a run keeps the bundle it began with, on every replica, so it is rebuilt from what was stored."""
    text = path.read_text(encoding="utf-8")
    again = load_body(bundle_body({path.name: text}), plugins)

    assert again.hash == good(path.name, plugins).hash


def test_all_schemas_are_schemas(plugins: Plugins) -> None:
    for make in (rules_schema, playbook_schema, people_schema):
        Draft202012Validator.check_schema(make(plugins))


def test_the_smallest_catalog_is_what_it_says(plugins: Plugins) -> None:
    bundle = good("surface.yaml", plugins)
    rule = bundle.rules.first({"alertname": "Anything", "id": "7"})
    playbook = bundle.playbooks["call-the-hook"]
    step = playbook.steps[0]

    assert rule is not None
    assert (rule.name, rule.incident, rule.storm, rule.playbook) == ("every-alert", ("id",), False, "call-the-hook")
    assert playbook.mode is Mode.AUTO
    assert [guard.kind for guard in playbook.guards] == ["still_firing"]
    assert (step.kind, step.once, step.mutates, step.inline) == ("http", Once.KEY, True, True)
    assert step.params.render({"params": {"id": "a/b"}}) == {
        "endpoint": "hook",
        "method": "POST",
        "path": "/act?id=a%2Fb",
        "body": {"id": "a/b"},
    }


def test_everything_that_a_playbook_can_say_arrives(plugins: Plugins) -> None:
    bundle = good("services.yaml", plugins)
    playbook = bundle.playbooks["restart-workload"]
    first, second = playbook.steps

    assert [guard.kind for guard in playbook.guards] == ["still_firing", "cooldown", "budget", "not_firing", "when"]
    assert (playbook.recurrence.max, playbook.recurrence.within, playbook.approval) == (3, 14400, 1800)
    assert playbook.supersedes == ("watch-workload",)
    assert (first.once, first.timeout, first.on_failure, second.on_failure) == (Once.NONE, 30.0, "undo", "next")
    assert (second.mutates, second.once) == (False, Once.KEY)
    assert [(check.kind, check.within, check.every, check.inline) for check in first.verify] == [
        ("http", 120, 5, False),
        ("alert_cleared", 600, 10, True),
    ]
    assert first.when is not None
    assert first.when.holds({"params": {"force": False}, "run": {"recurrence": 1}})
    assert bundle.playbooks["watch-workload"].mode is Mode.SHADOW
    watched = [[str(matcher) for matcher in one] for one in bundle.watched]
    assert watched == [['alertname=~"KubeAPIDown|etcd.*"'], ['job="postgres"'], ['service="postgres"']]


def test_everything_that_a_rule_can_say_arrives(plugins: Plugins) -> None:
    bundle = good("services.yaml", plugins)
    rule, other = bundle.rules.all

    assert (rule.severity, rule.mode, rule.page_after, rule.page_unless_fixed) == (
        Severity.P0,
        Mode.APPROVE,
        300,
        True,
    )
    assert (other.severity, other.mode, other.page_after, other.storm) == (None, None, 0, True)
    assert bundle.source("main").expiry == 2 * (4 * 3600 + 300)
    assert bundle.sources["default"].repeat == 12 * 3600
    assert bundle.endpoints["deployer"].url == "https://deploy.example.org/api/v1"
    assert bundle.services[0].fields["depends_on"] == ["postgres"]
    assert other.with_["replicas"].render({"labels": {"replicas": "4"}}) == 4
