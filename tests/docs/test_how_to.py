"""The parts of rules and playbooks that the how-to pages show: put where they belong, they load."""

import re
import textwrap
import time
from pathlib import Path

import pytest

from paramedic.catalog.load import Loaded, load_files
from paramedic.core.words import Mode
from paramedic.plugin import discover
from paramedic.rehearse.files import read_rehearsals
from paramedic.rehearse.run import rehearse

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


def rehearsed(text: str) -> dict[str, list[str]]:
    """The rehearsals of a text that holds rules and playbooks too, and what went otherwise than told."""
    file = read_rehearsals("page.test.yaml", text, discover(), _nothing)
    assert [str(fault) for fault in file.faults] == []
    results = {one.script.rehearsal: rehearse(one, discover(), time.monotonic) for one in file.rehearsals}
    return {
        name: [*(str(finding) for finding in one.findings), *([one.error] if one.error else [])]
        for name, one in results.items()
    }


def _nothing() -> Loaded:
    raise AssertionError("the page needs no other rules than its own")


def shown(page: str) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)


def test_the_window_for_a_release_holds_as_the_page_says() -> None:
    rules, rehearsals = shown("how-to/freeze-for-a-release.md")

    went = rehearsed(f"{rules}---\n{rehearsals}")
    assert went == {"Nothing is restarted while a release goes out": [], "An hour later it is": []}
    unguarded = rules.replace("  - window: {outside: release}\n", "")
    assert rehearsed(f"{unguarded}---\n{rehearsals}")["Nothing is restarted while a release goes out"] != []


def test_the_storm_goes_as_the_page_says() -> None:
    (text,) = shown("explanation/storms.md")

    (found,) = rehearsed(text).values()
    assert found == []
    (otherwise,) = rehearsed(text.replace("storm: 3", "storm: 0")).values()
    assert otherwise != []


def test_the_positions_that_the_page_explains_are_all_there_are() -> None:
    page = (ROOT / "docs" / "how-to" / "stop-automation.md").read_text()
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == [str(mode) for mode in Mode]
