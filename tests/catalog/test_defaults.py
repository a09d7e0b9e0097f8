"""What binds a playbook that says nothing: only where it changes a cluster, and only what it does not say itself."""

from typing import Any

import pytest

from paramedic.catalog.defaults import ALWAYS, BINDING, defaults_for
from paramedic.catalog.effective import effective
from paramedic.catalog.load import load_files
from paramedic.core.bundle import Playbook
from paramedic.durations import parse_duration
from paramedic.plugin import Guard, discover

PLUGINS = discover()
HEAD = """\
endpoints:
  - {name: hook, url: "http://127.0.0.1:9000"}
---
playbook: it
mode: auto
target: main/shop/deployment/api
"""
RESTART = "steps: [restart: {}]\n"
BOUND = [default.kind for default in BINDING]


def book(rest: str) -> Playbook:
    loaded = load_files({"it.yaml": HEAD + rest}, PLUGINS)
    assert loaded.bundle is not None, loaded.faults
    return loaded.bundle.playbooks["it"]


def kinds(rest: str) -> list[str]:
    return [guard.kind for guard in book(rest).guards]


@pytest.mark.parametrize("step", ["restart: {}", "roll_back: {}", "scale: {by: 1, max: 5}"])
def test_whoever_changes_a_cluster_is_bound(step: str) -> None:
    assert kinds(f"steps: [{{{step}}}]\n") == BOUND == ["still_firing", "cooldown", "budget", "budget", "storm"]


@pytest.mark.parametrize("step", ["collect: {of: [pods]}", "http: {endpoint: hook, method: POST, path: /x}"])
def test_whoever_does_not_is_only_asked_whether_it_still_fires(step: str) -> None:
    assert kinds(f"steps: [{{{step}}}]\n") == ["still_firing"]
    assert book(f"steps: [{{{step}}}]\n").guards[0].params.render({}) == {}


def test_one_step_that_does_is_enough() -> None:
    assert kinds("steps: [{collect: {of: [pods]}}, {restart: {}}]\n") == BOUND


def test_a_kind_that_is_named_replaces_all_defaults_of_that_kind() -> None:
    named = book("guards: [{budget: {max: 9, per: 1d, across: all}}, {still_firing: {}}]\n" + RESTART).guards

    assert [guard.kind for guard in named] == ["cooldown", "storm", "budget", "still_firing"]
    assert named[2].params.render({}) == {"max": 9, "per": "1d", "across": "all"}


def test_none_leaves_only_whether_it_still_fires() -> None:
    assert kinds("defaults: none\n" + RESTART) == ["still_firing"]
    assert kinds("defaults: none\nguards: [{cooldown: {for: 1h}}]\n" + RESTART) == ["still_firing", "cooldown"]


def test_the_figures_are_those_that_the_documents_give() -> None:
    """A change of one is a change of what people were promised."""
    given = {(default.kind, *default.params.items()) for default in BINDING}

    assert given == {
        ("still_firing", ("for", "2m")),
        ("cooldown", ("for", "15m")),
        ("budget", ("max", 2), ("per", "1h"), ("across", "target")),
        ("budget", ("max", 5), ("per", "1h")),
        ("storm", ("max", 10), ("within", "5m"), ("halt", "10m")),
    }


@pytest.mark.parametrize("default", [*ALWAYS, *BINDING], ids=lambda default: default.kind)
def test_each_is_a_guard_as_it_could_be_written(default: Any) -> None:
    guard: Guard = PLUGINS.guards[default.kind]

    guard.Params.model_validate(dict(default.params))
    assert default.why
    assert not default.why.endswith(".")


def test_what_is_not_there_is_no_default() -> None:
    """Tests and old bundles may know fewer plug-ins."""
    few = type(PLUGINS)(PLUGINS.actions, {"cooldown": PLUGINS.guards["cooldown"]}, PLUGINS.checks, PLUGINS.notifiers)

    assert [default.kind for default in defaults_for(set(), few, binding=True)] == ["cooldown"]


# -- shown ------------------------------------------------------------------------------------------------------------


def shown(rest: str) -> str:
    return effective(load_files({"it.yaml": HEAD + rest}, PLUGINS), PLUGINS)


def test_each_default_is_shown_with_why_it_is_there() -> None:
    text = shown(RESTART)

    assert "# still_firing {for: 2m} by default: lets pass by itself what passes by itself\n" in text
    assert "# budget {max: 2, per: 1h, across: target} by default: hands a target to a person that" in text
    assert text.count(" by default: ") == len(BINDING)
    assert "- cooldown:\n    for: 15m\n" in text


def test_what_is_shown_is_read_again_to_the_same_effect() -> None:
    for rest in (RESTART, "defaults: none\n" + RESTART, "guards: [{budget: {max: 9, per: 1d}}]\n" + RESTART):
        again = load_files({"it.yaml": shown(rest)}, PLUGINS)
        assert again.bundle is not None
        assert [(guard.kind, _canonical(guard.params.render({}))) for guard in again.bundle.playbooks["it"].guards] == [
            (guard.kind, _canonical(guard.params.render({}))) for guard in book(rest).guards
        ]


def _canonical(params: dict[str, Any]) -> dict[str, Any]:
    return {name: parse_duration(value) if name in ("for", "per") else value for name, value in params.items()}


def test_what_does_not_bind_is_not_shown() -> None:
    assert "by default" not in shown("defaults: none\n" + RESTART)
    assert "by default" not in shown("steps: [collect: {of: [pods]}]\n")
