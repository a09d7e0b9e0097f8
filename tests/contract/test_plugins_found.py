"""`discover` and `claim_scope`: how plug-ins are found, and what their claims are called."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import paramedic.checks
from paramedic.errors import Fault
from paramedic.plugin import claim_scope, discover

PLUGIN = """
from paramedic.plugin import Check, Params


class {name}Params(Params):
    pass


class {name}(Check):
    name = "{called}"
    example = "{called}: {{}}"
    Params = {name}Params

    async def ask(self, params, seen, tools):
        raise AssertionError
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose files count as checks for the time of the test."""
    monkeypatch.setattr(paramedic.checks, "__path__", [*paramedic.checks.__path__, str(tmp_path)])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_new_file_is_a_new_plugin(folder: Path) -> None:
    (folder / "extra.py").write_text(PLUGIN.format(name="Extra", called="extra"))

    assert "extra" in discover().checks
    assert "http" in discover().checks


def test_the_found_cannot_be_changed() -> None:
    found = discover()

    assert all(isinstance(kind, MappingProxyType) for kind in (found.actions, found.guards, found.checks))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "checks/extra.py: holds 0 plug-ins; one file, one plug-in"),
        (
            PLUGIN.format(name="A", called="a") + PLUGIN.format(name="B", called="b"),
            "checks/extra.py: holds 2 plug-ins; one file, one plug-in",
        ),
        (PLUGIN.format(name="A", called="http"), 'checks/extra.py: the name "http" is taken; choose another'),
    ],
)
def test_a_file_with_none_or_two_or_a_taken_name_is_a_fault(folder: Path, text: str, said: str) -> None:
    (folder / "extra.py").write_text(text)
    with pytest.raises(Fault) as caught:
        discover()

    assert str(caught.value) == said


def test_a_scope_is_its_parts() -> None:
    assert claim_scope("cooldown", "restart", "main/shop/api") == "cooldown/restart/main/shop/api"


@given(st.text(max_size=400), st.text(max_size=400))
@example("x" * 400, "x" * 399)
def test_any_scope_is_a_short_printable_key_and_two_are_never_the_same(one: str, other: str) -> None:
    """What an alert names ends up as a key of the store: neither its length nor its bytes may matter there."""
    scopes = [claim_scope("budget", "target", text) for text in (one, other)]

    assert all(len(scope) <= 200 and scope.isascii() and scope.isprintable() for scope in scopes)
    assert (scopes[0] == scopes[1]) is (one == other)
