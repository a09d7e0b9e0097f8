"""Which playbooks touch a cluster: those of which some plug-in says so. Their targets are resolved, and only theirs."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from paramedic.core.bundle import Playbook
from paramedic.plugin import Plugin, Plugins
from tests.catalog.texts import BOOK, HOOK, PLUGINS, bundle

P = TypeVar("P", bound=Plugin)

GUARDED = BOOK.replace("steps:", "guards:\n  - when: params.host != ''\nsteps:")
WHOLE = GUARDED.replace("---", "  - pull: it\n    verify:\n      - cleared: {within: 2m}\n---")


def playbook(plugins: Plugins = PLUGINS) -> Playbook:
    """A playbook with two guards, two actions and a check."""
    return bundle(HOOK + WHOLE, plugins).playbooks["restart"]


def touching(kinds: Mapping[str, P], name: str, how: str) -> dict[str, P]:
    """These plug-ins, one of which reads or writes clusters."""
    plain = type(kinds[name])
    changed: Any = type(plain.__name__, (plain,), {how: frozenset({"http", "kube"})})
    return {**kinds, name: changed()}


def test_a_playbook_whose_plugins_touch_none_is_on_none() -> None:
    assert not playbook().on_cluster


@pytest.mark.parametrize("how", ["reads", "writes"])
@pytest.mark.parametrize(("kind", "name"), [("guards", "when"), ("actions", "pull"), ("checks", "cleared")])
def test_one_that_touches_it_is_enough(kind: str, name: str, how: str) -> None:
    plugins = replace(PLUGINS, **{kind: touching(getattr(PLUGINS, kind), name, how)})

    assert playbook(plugins).on_cluster


def test_the_guard_that_every_playbook_has_counts_as_well() -> None:
    plugins = replace(PLUGINS, guards=touching(PLUGINS.guards, "still_firing", "reads"))

    assert playbook(plugins).on_cluster
