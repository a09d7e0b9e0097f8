"""A rollback goes on through crashes and lost answers, and changes its target once: the hardest case, a StatefulSet.

Its rollback writes twice, the template and then the pod in its way; whatever happens between is found out by looking.
"""

from pathlib import Path
from typing import Any

import pytest

from paramedic.plugin import Plugins, discover
from paramedic.rehearse.files import Rehearsal, read_rehearsals
from paramedic.rehearse.run import rehearse

FILE = Path("tests/data/rehearsals/remedies.test.yaml")
WHOLE = FILE.read_text().partition("\n---\nrehearsal:")[0]
STORY = """\
rehearsal: A bad release of a stateful set is rolled back whatever happens
world:
  stateful_sets:
    - {name: db, namespace: shop, replicas: 3, revisions: [{image: "db:41"}, {image: "db:42", at: -10m, ready: false}]}
  alerts:
    - alert: {alertname: HighErrorRate, namespace: shop, workload: statefulset/db}
      while: {target: statefulset/db.shop, is: unready}
when: []
faults:
  - FAULT
then:
  - {by: 10m, incident: {phase: resolved, fixed_by: paramedic}}
never:
  - {step: {roll_back: "*", undo: true}}
  - {step: {roll_back: "*", to: {image: "db:42"}}}
clock: {until: 15m}
"""
CRASHES = [f"{{commit: {n}, crash: {when}}}" for n in range(3, 10) for when in ("before", "after")]
LOSSES = [
    f'{{cluster: main, fails: {how}, on: "{what} *", times: {times}, dry_runs: {dry}}}'
    for how in ("lost", "timeout")
    for what, times, dry in (("patch", 1, "false"), ("patch", 2, "true"), ("delete", 1, "false"), ("get", 2, "false"))
]


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    """All of them, found once."""
    return discover()


def story(fault: str, plugins: Plugins) -> Rehearsal:
    text = f"{WHOLE}\n---\n{STORY.replace('FAULT', fault)}"
    file = read_rehearsals("x.test.yaml", text, plugins, _none)
    assert not file.faults
    [rehearsal] = file.rehearsals
    return rehearsal


def _none() -> Any:
    pytest.fail("the file has its own rules")


@pytest.mark.parametrize("fault", CRASHES + LOSSES)
def test_it_is_whole_again_once(fault: str, plugins: Plugins) -> None:
    went = rehearse(story(fault, plugins), plugins, lambda: 0.0)

    assert went.ok, (went.error, went.findings)


def test_a_cluster_that_never_answers_a_write_ends_with_a_person(plugins: Plugins) -> None:
    """So the story can fail: what cannot be done is not claimed."""
    went = rehearse(story('{cluster: main, fails: timeout, on: "patch *"}', plugins), plugins, lambda: 0.0)

    assert (went.ok, len(went.findings)) == (False, 1)
