"""Rehearsal files: what is a rehearsal, what it is about, and every fault with its place."""

from pathlib import Path

import pytest

from paramedic.catalog.load import Loaded, load_files
from paramedic.errors import Fault
from paramedic.rehearse.files import RehearsalFile, find_files, read_rehearsals, rehearsal_schema
from tests.rehearse.staged import RULES, plugins

REHEARSAL = """rehearsal: It is restarted
world:
  endpoints: {hook: {}}
when:
  - {at: 0s, alert: {alertname: ServiceDown, job: api}}
then:
  - {by: 2s, step: {http: "*"}}
  - by: 2s
    page: {level: 1}
never:
  - {page: {level: 2}}
"""


def beside() -> Loaded:
    return load_files({"rules/rules.yaml": RULES}, plugins())


def read(text: str) -> RehearsalFile:
    return read_rehearsals("x.test.yaml", text, plugins(), beside)


def faults(text: str) -> list[str]:
    file = read(text)
    assert not file.rehearsals
    return [str(fault) for fault in file.faults]


def test_a_file_is_about_the_folders_beside_it() -> None:
    (rehearsal,) = read(REHEARSAL).rehearsals
    assert rehearsal.bundle.hash == getattr(beside().bundle, "hash", "")
    assert (rehearsal.line, rehearsal.lines) == (1, {"then": (7, 8), "never": (11,)})


def test_a_file_with_rules_of_its_own_is_about_those() -> None:
    text = f"# one service\n{RULES}\n---\n{REHEARSAL}---\n{REHEARSAL.replace('It is', 'Again')}...\n"
    file = read_rehearsals("x.test.yaml", text, plugins(), lambda: pytest.fail("the folders are not asked"))
    assert [one.script.rehearsal for one in file.rehearsals] == ["It is restarted", "Again restarted"]
    assert {rule.name for rule in file.rehearsals[0].bundle.rules} == {"service-down", "asked-first"}
    lines = text.split("\n")
    assert all(lines[one.line - 1].startswith("rehearsal:") for one in file.rehearsals)


def test_a_fault_in_its_rules_has_its_own_line_and_column() -> None:
    text = f"{REHEARSAL}---\nrules:\n  - {{name: a, match: ['x=\"1\"'], playbok: b}}\n---\n{REHEARSAL}"
    assert faults(text) == [
        'x.test.yaml:14:33: unknown key "playbok"; did you mean "playbook"?',
    ]


@pytest.mark.parametrize(
    ("written", "instead", "says"),
    [
        ("rehearsal: It is restarted", "rehearsal: ''", "1:12: rehearsal must be at least 1 character"),
        ("  endpoints: {hook", "  endpoint: {hook", '3:3: unknown key "endpoint"; did you mean "endpoints"?'),
        ("{hook: {}}", "{hoook: {}}", '3:15: unknown endpoint "hoook"; did you mean "hook"?'),
        ("hook: {}", "hook: {answers: [{reports: load}]}", '3:42: unknown metric "load"; there are none'),
        ("{at: 0s, alert", "{at: soon, alert", '5:10: at: "soon" is not a duration; write for example 0s, 90s'),
        ("{at: 0s, alert", "{at: -5s, alert", "5:10: at: nothing happens before 0s"),
        ("alert: {alert", "alerts: {alert", "5:5: this names nothing that happens; one of alert, resolved, repeat"),
        ("job: api}}", "job: api}, source: man}", '5:65: unknown source "man"; did you mean "main"?'),
        ("job: api}}", "job: [api]}}", "5:51: job must be text, not a list"),
        ('{http: "*"}', '{htp: "*"}', '7:21: unknown action "htp"; did you mean "http"?'),
        ('{http: "*"}', "{}", '7:20: step: write {ACTION: TARGET}, for example {http: "*"}'),
        ("page: {level: 1}", "page: {level: one}", '9:19: level must be a whole number, not "one"'),
        ("page: {level: 1}", "page: {policy: sr}", '9:20: unknown policy "sr"; did you mean "sre"?'),
        ("page: {level: 1}", "page: {to: alcie}", '9:16: unknown person "alcie"; did you mean "alice"?'),
        ("page: {level: 1}", "run: {playbook: restrt}", '9:21: unknown playbook "restrt"; did you mean "restart"?'),
        ("page: {level: 1}", "incident: {rule: down}", '9:22: unknown rule "down"'),
        ("page: {level: 1}", "guard: {cool: deny}", '9:13: unknown guard "cool"'),
        ("page: {level: 1}", "check: {http: deny}", '9:12: check: "deny" is not an answer; one of pass, fail, unknown'),
        ("page: {level: 1}", "pages: {level: 1}", '9:5: unknown key "pages"; did you mean "page"?'),
        ("  - {page: {level: 2}}", "  - {by: 1s, page: {level: 2}}", '11:6: unknown key "by"'),
        ("never:", "faults: [{notifier: bell, fails: temporary}]\nnever:", '10:21: unknown notifier "bell"'),
        ("never:", "faults: [{at: 1s}]\nnever:", "10:10: this names nothing that fails; one of crash, database"),
        ("never:", "clock: {start: noon}\nnever:", '10:16: start: "noon" is not a moment; write for example 2026'),
        ("when:", "wenn:", '4:1: unknown key "wenn"; did you mean "when"?'),
    ],
)
def test_what_is_wrong_is_told_with_its_place(written: str, instead: str, says: str) -> None:
    assert written in REHEARSAL
    found = faults(REHEARSAL.replace(written, instead))
    assert any(fault.startswith(f"x.test.yaml:{says}") for fault in found), found


def test_every_fault_of_every_rehearsal_is_told() -> None:
    found = faults(f"{REHEARSAL.replace('when', 'wen')}---\n{REHEARSAL.replace('level: 1', 'level: 0')}")
    assert [fault.split(": ")[0] for fault in found] == ["x.test.yaml:4:1", "x.test.yaml:21:19"]


@pytest.mark.parametrize("text", ["", "# nothing\n", "rules: []\n", "--- \n"])
def test_a_file_without_a_rehearsal_says_so(text: str) -> None:
    (fault,) = faults(text)
    assert fault == 'x.test.yaml: there is no rehearsal in it; begin one with "rehearsal: what it shows"'


def test_what_is_not_yaml_says_where() -> None:
    (fault,) = faults(REHEARSAL + "  - {page: \n")
    assert fault.startswith("x.test.yaml:13:1: the text ends inside a bracket that is not closed")


def test_which_files_are_found(tmp_path: Path) -> None:
    for name in ("a.test.yaml", "sub/b.test.yml", "sub/c.yaml", ".hidden/d.test.yaml", "plain.yaml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = find_files([tmp_path, tmp_path / "a.test.yaml", tmp_path / "plain.yaml"])
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["a.test.yaml", "sub/b.test.yml", "plain.yaml"]
    with pytest.raises(Fault, match="there is no such file or folder"):
        find_files([tmp_path / "none"])


def test_the_schema_is_of_a_rehearsal() -> None:
    schema = rehearsal_schema()
    assert schema["title"] == "Rehearsal"
    assert schema["required"] == ["rehearsal"]
    assert "revisions" in schema["$defs"]["DeploymentWorld"]["properties"]
