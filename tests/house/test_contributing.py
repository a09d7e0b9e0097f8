"""The page for contributors is true: its example is a plug-in, its commands exist, its folders are there."""

import re
import sys
import types

import pytest
import yaml

from paramedic.plugin import Action, Params
from tests.house.tree import ROOT, SERVICE

PAGE = (ROOT / "CONTRIBUTING.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> type[Action]:
    """The action of the page, as if its file were there."""
    [block] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    module = types.ModuleType("paramedic.actions.example_of_the_page", doc="The page's example.")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(block, "CONTRIBUTING.md", "exec"), module.__dict__)
    [action] = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Action) and value.__module__ == module.__name__
    ]
    return action


def test_the_example_is_a_whole_action(example: type[Action]) -> None:
    action = example()
    params = yaml.safe_load(action.example)[action.name]

    assert issubclass(action.Params, Params)
    assert action.Params.model_validate(params).model_dump() == params
    assert action.undone_by
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        action.Params.model_validate({**params, "misspelt": 1})


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "README.md", "CHANGELOG.md"])
def test_every_make_command_exists(page: str) -> None:
    text = (ROOT / page).read_text()
    named = {word for words in re.findall(r"`make ([a-z ]+?)(?: [A-Z]+=\S*)?`", text) for word in words.split()}

    assert {verb for verb in named if not re.search(rf"^{verb}:", MAKEFILE, re.MULTILINE)} == set()


def test_every_folder_on_the_map_is_there() -> None:
    [area] = re.findall(r"## Where things are\n\n```\n(.*?)```", PAGE, re.DOTALL)
    inside = re.findall(r"^  ((?:[a-z]+(?:/|\.py) ?)+)", area, re.MULTILINE)
    named = {name for names in inside for name in names.split()}

    assert {name for name in named if not (SERVICE / "paramedic" / name).exists()} == set()


def test_every_folder_there_is_on_the_map() -> None:
    folders = {f"{entry.name}/" for entry in (SERVICE / "paramedic").iterdir() if entry.is_dir()} - {"__pycache__/"}

    assert {folder for folder in folders if folder not in PAGE} == set()


def test_every_verb_has_its_word_of_help() -> None:
    """`make` alone lists them all."""
    [phony] = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    explained = set(re.findall(r"^([a-z]+):[^#\n]*## \S", MAKEFILE, re.MULTILINE))

    assert set(phony.split()) == explained
