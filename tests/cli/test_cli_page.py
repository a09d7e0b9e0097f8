"""docs/reference/cli.md shows every command and every option, and none that there is not."""

import argparse
import re
from pathlib import Path

import pytest

from paramedic.cli.incidents import ACTS
from paramedic.cli.main import build_parser
from paramedic.core.words import Mode
from tests.cli.test_main import every

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "cli.md").read_text()
PARSERS = dict(every(build_parser()))


def section(command: str) -> str:
    """What the page says of a command."""
    return PAGE.split(f"\n## {command}\n", 1)[1].split("\n## ", 1)[0]


def options(parser: argparse.ArgumentParser) -> set[str]:
    """The options of a command that are its own."""
    return {option for action in parser._actions for option in action.option_strings} - {"-h", "--help", "--json"}


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    commands = {name.split()[1] for name in PARSERS if len(name.split()) > 1}

    assert set(re.findall(r"^## ([a-z]+)$", PAGE, re.MULTILINE)) == commands


@pytest.mark.parametrize("name", [name for name in PARSERS if name != "paramedic"])
def test_every_command_is_shown_with_every_option(name: str) -> None:
    said = section(name.split()[1])

    assert name in said
    assert [option for option in sorted(options(PARSERS[name])) if option not in said] == []


def test_every_mode_and_every_act_is_explained() -> None:
    assert all(f"`{mode}`" in section("switch") for mode in Mode)
    assert all(f"| `{act}` |" in section("incidents") for act in ACTS)
