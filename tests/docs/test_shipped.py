"""The rules and playbooks that are shipped: no faults, every rehearsal goes as told, every guard is seen to say no."""

import time
from functools import cache
from pathlib import Path

import pytest
import yaml

from paramedic.catalog.load import Loaded, load
from paramedic.plugin import discover
from paramedic.rehearse.files import Rehearsal, read_rehearsals
from paramedic.rehearse.run import rehearse

ROOT = Path(__file__).parents[2]
PLAYBOOKS = sorted(path for path in (ROOT / "playbooks").glob("*.yaml") if not path.name.endswith(".test.yaml"))


@cache
def shipped() -> Loaded:
    return load(ROOT / "rules", ROOT / "playbooks", discover())


def rehearsals(path: Path) -> tuple[Rehearsal, ...]:
    """Those beside a playbook."""
    beside = path.with_name(f"{path.stem}.test.yaml")
    file = read_rehearsals(beside.name, beside.read_text(), discover(), shipped)
    assert [str(fault) for fault in file.faults] == []
    return file.rehearsals


ALL = [rehearsal for path in PLAYBOOKS for rehearsal in rehearsals(path)]


def test_they_have_no_fault() -> None:
    assert [str(fault) for fault in shipped().faults] == []
    assert {path.stem for path in PLAYBOOKS} == {
        "call-the-hook",
        "restart-workload",
        "roll-back-bad-change",
        "scale-out",
    }


@pytest.mark.parametrize("rehearsal", ALL, ids=lambda rehearsal: f"{rehearsal.file}: {rehearsal.script.rehearsal}")
def test_each_rehearsal_goes_as_told(rehearsal: Rehearsal) -> None:
    result = rehearse(rehearsal, discover(), time.monotonic)
    assert result.ok, (result.error, [str(finding) for finding in result.findings])


BUDGETS = "is used up until"
"""What a budget says that was taken by others between the look and the claim."""


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_every_guard_is_seen_to_say_no(path: Path) -> None:
    """A guard that no rehearsal ever saw deny is a guess."""
    guards = {name for guard in yaml.safe_load(path.read_text())["guards"] for name in guard} - {"still_firing"}
    wanted = [expected for rehearsal in rehearsals(path) for expected in rehearsal.script.then]
    denied = {one.guard.name for one in wanted if one.guard is not None and one.guard.wanted()["answer"] != "allow"}
    denied |= {"budget" for one in wanted if one.page is not None and BUDGETS in one.page.text}
    assert guards <= denied | ({"budget"} if path.stem == "call-the-hook" else set())


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_every_playbook_has_a_good_day_and_is_verified(path: Path) -> None:
    bundle = shipped().bundle
    assert bundle is not None
    playbook = bundle.playbooks[path.stem]
    *_, last = playbook.steps
    assert last.mutates
    assert [check.kind for check in last.verify][-1] == "alert_cleared"
    wanted = [expected for rehearsal in rehearsals(path) for expected in rehearsal.script.then]
    assert any(one.incident is not None and one.incident.fixed_by == "paramedic" for one in wanted)


def test_what_acts_on_a_cluster_looks_first() -> None:
    """Evidence is gone once the pods are: it is collected before they are replaced."""
    bundle = shipped().bundle
    assert bundle is not None
    for playbook in bundle.playbooks.values():
        kinds = [step.kind for step in playbook.steps]
        assert kinds == ["http"] or kinds[0] == "collect", playbook.name
