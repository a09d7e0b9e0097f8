"""What the pages show is tried: every YAML block loads, every command exists with the arguments shown."""

import argparse
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from paramedic.catalog.load import load_files
from paramedic.cli.main import build_parser
from paramedic.plugin import discover

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
HISTORY = ROOT / "docs" / "adr"


def blocks(language: str) -> Iterator[tuple[str, str]]:
    for page in PAGES:
        if HISTORY in page.parents:
            continue
        for number, found in enumerate(re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL), 1):
            yield f"{page.relative_to(ROOT)}#{number}", found


def commands() -> Iterator[tuple[str, str]]:
    for where, block in blocks("sh"):
        for line in block.splitlines():
            words = line.split("#")[0].strip()
            if words:
                yield where, words


def is_a_bundle(where: str, text: str) -> bool:
    """Not a rehearsal, and not the example of a single plug-in: those are tried where they are generated."""
    single = ("plug-ins.md", "actions.md", "guards.md")
    return "rehearsal:" not in text and not any(page in where for page in single)


RULES = [(where, text) for where, text in blocks("yaml") if is_a_bundle(where, text)]
COMMANDS = list(commands())


@cache
def parser() -> argparse.ArgumentParser:
    return build_parser()


def test_there_is_something_to_try() -> None:
    assert len(RULES) >= 2
    assert len(COMMANDS) >= 8


@pytest.mark.parametrize(("where", "text"), RULES, ids=[where for where, _ in RULES])
def test_every_block_of_yaml_loads(where: str, text: str) -> None:
    """A block is a whole: it declares every name that it uses."""
    loaded = load_files({"rules/page.yaml": text}, discover())

    assert [str(fault) for fault in loaded.faults] == []


@pytest.mark.parametrize(("where", "command"), COMMANDS, ids=[f"{where}: {command}" for where, command in COMMANDS])
def test_every_command_is_there(where: str, command: str) -> None:
    words = shlex.split(command)
    if words[0] == "make":
        target = words[1]
        assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text(), re.MULTILINE), command
    elif words[0] == "paramedic":
        assert hasattr(parser().parse_args(words[1:]), "run")
    else:
        assert words[0] in {"export", "curl", ".venv/bin/pytest", ".venv/bin/python", "python", "git", "pytest"}, (
            command
        )
