"""The walk of CONTRIBUTING.md, "to add an action, create one file": the file of the page is put where it says.

No other file is touched: it is found, held to the contract of all actions, loaded in a playbook, offered to editors,
carried out and documented by being there.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from inspect import getmembers, isfunction
from pathlib import Path
from typing import Any

import pytest

import paramedic.actions
from paramedic.catalog.load import load_files
from paramedic.catalog.schema import playbook_schema
from paramedic.core.words import Once
from paramedic.plugin import Action, Plugins, discover
from tests.contract import test_plugins as contract
from tests.contract.plugin_scene import RESOURCES, Wire, at_once, seen, tools
from tests.docs.plugin_reference import section
from tests.house.tree import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text()
NAME = "empty_cache"
PLAYBOOK = """\
endpoints: [{name: shop, url: "http://127.0.0.1:9"}]
---
playbook: empty
params: {cache: {type: string, pattern: "^[a-z]+$"}}
target: "caches/${params.cache}"
steps: [{empty_cache: {endpoint: shop, cache: "${params.cache}"}}]
"""


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plugins]:
    """All plug-ins, found after the page's file was written into the folder of actions (an extension of it)."""
    [text] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    folder = tmp_path_factory.mktemp("walk") / "actions"
    folder.mkdir()
    (folder / f"{NAME}.py").write_text(text)
    paths = paramedic.actions.__path__
    before = set(sys.modules)
    paths.append(str(folder))
    try:
        yield discover()
    finally:
        paths.remove(str(folder))
        for name in set(sys.modules) - before:
            if name.endswith(NAME):
                del sys.modules[name]
                delattr(paramedic.actions, NAME)


@pytest.fixture(scope="module")
def action(plugins: Plugins) -> Action:
    return plugins.actions[NAME]


def clauses() -> Iterator[tuple[str, Any, dict[str, str]]]:
    """The tests that the contract holds every action to, and which of their arguments stand for it."""
    for name, function in getmembers(contract, isfunction):
        for mark in getattr(function, "pytestmark", []):
            if mark.name == "parametrize" and name.startswith("test_"):
                names = mark.args[0]
                if tuple(names) == ("folder", "name", "plugin"):
                    yield name, function, {"folder": "actions", "name": NAME, "plugin": ""}
                elif names == "action":
                    yield name, function, {"action": ""}


CLAUSES = list(clauses())


def test_there_are_clauses() -> None:
    """The contract is found by how its tests are written; if that changed, this walk would pass over nothing."""
    assert len([name for name, _, given in CLAUSES if "plugin" in given]) >= 10
    assert len([name for name, _, given in CLAUSES if "action" in given]) >= 2


@pytest.mark.parametrize(("clause", "function", "given"), CLAUSES, ids=[name for name, *_ in CLAUSES])
def test_the_file_alone_keeps_the_contract(action: Action, clause: str, function: Any, given: dict[str, str]) -> None:
    function(**{key: value or action for key, value in given.items()})


def test_the_linter_finds_nothing(action: Action) -> None:
    path = sys.modules[type(action).__module__].__file__ or ""
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--stdin-filename"]
    done = subprocess.run(
        [*command, f"service/paramedic/actions/{NAME}.py", "-"],
        input=Path(path).read_text(),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def test_a_playbook_can_use_it_at_once(plugins: Plugins) -> None:
    loaded = load_files({"p.yaml": PLAYBOOK}, plugins)

    assert [str(fault) for fault in loaded.faults] == []
    assert loaded.bundle is not None
    [step] = loaded.bundle.playbooks["empty"].steps
    assert (step.kind, step.once) == (NAME, Once.KEY)


def test_a_mistake_in_its_parameters_has_its_line_and_column(plugins: Plugins) -> None:
    [fault] = load_files({"p.yaml": PLAYBOOK.replace("{endpoint: shop,", "{endpoints: shop,")}, plugins).faults[:1]

    assert str(fault).startswith("p.yaml:6:")
    assert "endpoint" in str(fault)


def test_editors_are_offered_it(plugins: Plugins) -> None:
    assert f'"{NAME}"' in repr(playbook_schema(plugins)).replace("'", '"')


def test_it_plans_and_writes_what_it_planned(action: Action) -> None:
    wire = Wire()
    params = contract.concrete(action)
    scene = seen(endpoints={"shop": RESOURCES.endpoints["hook"]})
    change = at_once(action.plan(params, scene, tools(wire)))
    assert wire.asked == []
    applied = at_once(action.apply(change.write, "INC-1/1/1/1", scene, tools(wire)))

    assert applied.summary == "cache prices emptied"
    [asked] = wire.asked
    assert asked["headers"]["Idempotency-Key"] == "INC-1/1/1/1"
    assert asked["body"] == b'{"cache": "prices"}'


def test_the_reference_has_a_section_for_it(action: Action) -> None:
    said = section(action)

    assert action.example in said
    assert all(f"| `{name}` |" in said for name in action.Params.model_fields)


def test_it_was_only_there_for_this_walk() -> None:
    assert NAME not in {path.stem for path in (ROOT / "service" / "paramedic" / "actions").glob("*.py")}
