"""Rehearsing files: each on its own loop, results kept apart from what went wrong with the rehearsal itself."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from paramedic.core.decide import decide
from paramedic.engine import work
from paramedic.rehearse.files import Rehearsal, find_files, read_rehearsals
from paramedic.rehearse.report import as_json, junit, result_lines, summary
from paramedic.rehearse.run import Result, rehearse
from tests.rehearse.staged import RULES, plugins

SHIPPED = Path("tests/data/rehearsals")
WELL = """rehearsal: It is restarted
world: {endpoints: {hook: {effects: [{on: "POST *", resolves: ServiceDown}]}, bell: {}}}
when: [{at: 0s, alert: {alertname: ServiceDown, job: api}}]
then: [{by: 1m, incident: {phase: resolved}}]
"""


def read(text: str) -> list[Rehearsal]:
    file = read_rehearsals("x.test.yaml", f"{RULES}\n---\n{text}", plugins(), lambda: pytest.fail("has its own rules"))
    assert not file.faults
    return list(file.rehearsals)


def result(text: str) -> Result:
    ticks = itertools.count()
    (rehearsal,) = read(text)
    return rehearse(rehearsal, plugins(), lambda: float(next(ticks)))


def lines(one: Result) -> list[str]:
    return result_lines(one, lambda text, _: text)


@pytest.mark.parametrize("path", find_files([SHIPPED]), ids=lambda path: path.name)
def test_the_rehearsals_of_the_tests_go_as_told(path: Path) -> None:
    file = read_rehearsals(str(path), path.read_text(), plugins(), lambda: pytest.fail("has its own rules"))
    assert not file.faults
    for rehearsal in file.rehearsals:
        went = rehearse(rehearsal, plugins(), lambda: 0.0)
        assert went.ok, "\n".join(lines(went))


def test_what_goes_as_told_is_one_line() -> None:
    went = result(WELL)
    assert (went.ok, went.findings, went.error, went.seconds, went.took) == (True, (), "", 60.0, 1.0)
    assert lines(went) == [f"  ok    {'It is restarted':<68}  1m simulated"]


def test_every_finding_is_told_with_its_line() -> None:
    went = result(
        WELL.replace("then: [", "then:\n  - {by: 1s, page: {level: 2}}\n  - {by: 2s, step: {http: other/*}}\n  # [")
    )
    said = lines(went)
    first = RULES.count("\n") + 7
    assert said[0] == f"  FAIL  {'It is restarted':<68}  line {first}"
    assert said[1].startswith("        expected  by 00:00:01  page level 2")
    assert f"        and in line {first + 1}" in said
    assert all(len(line) <= 100 for line in said)


def test_a_step_that_cannot_be_is_told_as_it_is() -> None:
    went = result(WELL.replace("{at: 0s, alert: {alertname: ServiceDown, job: api}}", "{at: 5s, resolved: Other}"))
    assert not went.ok
    assert went.error.startswith("at 00:00:05: no alert Other fires at that moment")
    assert lines(went)[1].strip().startswith("at 00:00:05: no alert Other fires")


def test_a_defect_of_the_service_fails_the_rehearsal(monkeypatch: pytest.MonkeyPatch) -> None:
    count = itertools.count()

    def raises(*args: Any) -> Any:
        if next(count) == 2:
            raise ZeroDivisionError("in a decision")
        return decide(*args)

    monkeypatch.setattr(work, "decide", raises)
    went = result(WELL)
    assert not went.ok
    assert "a defect in decide: ZeroDivisionError: in a decision" in went.error


def test_the_summary_counts() -> None:
    well, badly = result(WELL), result(WELL.replace("resolved}", "reviewed}"))
    assert summary([well], 0, 0.04) == "1 rehearsal, 0 failed, 1m simulated in 0.0 s"
    assert summary([well, badly], 2, 1.9) == "2 rehearsals, 1 failed, 2 files not read, 2m simulated in 1.9 s"
    long = Result(well.rehearsal, (), "", 17 * 86_400.0, 1.0)
    assert summary([long], 0, 1.0) == "1 rehearsal, 0 failed, 17 days simulated in 1.0 s"


def test_the_same_in_json_and_junit() -> None:
    badly = result(WELL.replace("resolved}", "reviewed}"))
    told = as_json([badly], [], 1.0)["rehearsals"][0]
    assert (told["ok"], told["file"], told["findings"][0]["section"]) == (False, "x.test.yaml", "then")
    xml = junit([badly], [], 1.0)
    assert '<testsuite name="x.test.yaml" tests="1" failures="1" errors="0"' in xml
    assert "expected  by 00:01:00  incident phase reviewed" in xml
