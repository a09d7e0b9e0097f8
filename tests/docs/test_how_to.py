"""The parts of rules and playbooks that the how-to pages show: put where they belong, they load."""

import re
import textwrap
from pathlib import Path

import pytest

from paramedic.catalog.load import load_files
from paramedic.plugin import discover

ROOT = Path(__file__).parents[2]
PEOPLE = """\
people: [{name: alice}]
escalation: [{name: sre, levels: [{after: 0m, page: [alice]}]}]
windows: [{name: change-freeze, from: 2026-12-20T00:00Z, to: 2027-01-03T00:00Z}]
"""
SCALE = """\
playbook: scale
params: {namespace: {type: string}, queue: {type: string}}
target: "main/${params.namespace}/deployment/worker"
"""


def parts(page: str) -> list[str]:
    """The blocks without a language of a page, without their indent."""
    text = (ROOT / "docs" / "how-to" / page).read_text()
    return [textwrap.dedent(block) for block in re.findall(r"^ *```\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)]


def faults(text: str) -> list[str]:
    return [str(fault) for fault in load_files({"rules/page.yaml": text}, discover()).faults]


def test_the_rules_for_rolling_back_fit_the_playbook_that_is_shipped() -> None:
    services, rules = parts("roll-back-a-bad-release.md")
    playbook = (ROOT / "playbooks" / "roll-back-bad-change.yaml").read_text()

    assert faults(f"{PEOPLE}{services}{rules}---\n{playbook}") == []
    assert faults(f"{PEOPLE}{services}{rules.replace('workload:', 'wrokload:')}---\n{playbook}") != []


@pytest.mark.parametrize("guarded", [True, False])
def test_the_parts_of_a_playbook_that_scales_make_one(guarded: bool) -> None:
    steps, guards = parts("scale-for-a-while.md")

    assert faults(SCALE + (guards if guarded else "") + steps) == []
    assert faults(SCALE + guards + steps.replace("factor: 2", "factor: 0")) != []


def test_the_shipped_playbook_scales_as_the_page_shows() -> None:
    (step,) = re.findall(r"scale: \{[^}]*\}", parts("scale-for-a-while.md")[0])
    assert step in (ROOT / "playbooks" / "scale-out.yaml").read_text()
