"""`paramedic test`: the expected line beside what happened, an exit code and a file that a pipeline can use."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import Said

Paramedic = Callable[..., Said]

RULES = """\
endpoints:
  - {name: hook, url: "http://127.0.0.1:9000", idempotent: true}
people:
  - {name: alice}
escalation:
  - {name: sre, levels: [{after: 0s, page: [alice]}]}
rules:
  - name: service-down
    match: ['alertname="ServiceDown"']
    incident: [job]
    playbook: restart
    with: {job: "${labels.job}"}
    escalation: sre
"""

PLAYBOOK = """\
playbook: restart
mode: auto
defaults: none
params: {job: {type: string}}
target: "shop/${params.job}"
steps:
  - http: {endpoint: hook, path: "/restart?job=${params.job}"}
    verify:
      - alert_cleared: {within: 5m}
"""

GOES_WELL = """\
rehearsal: A restart clears the alert
world:
  endpoints:
    hook: {effects: [{on: "POST /restart*", resolves: ServiceDown, after: 30s}]}
when:
  - {at: 0s, alert: {alertname: ServiceDown, job: api}}
then:
  - {by: 1m, incident: {phase: resolved, fixed_by: paramedic}}
"""

GOES_WRONG = """\
rehearsal: Nobody restarts the database
world:
  endpoints: {hook: {}}
when:
  - {at: 0s, alert: {alertname: ServiceDown, job: db}}
never:
  - {step: {http: "*"}}
clock: {until: 10m}
"""

FAILED = [
    "  FAIL  Nobody restarts the database                                          line 7",
    "        expected  never  step http *",
    "        happened  00:00:00  step http shop/db, POST hook/restart?job=db",
    "        because   00:00:00  guards 1 of 1 allow: firing for 0s",
]


COUNTS = [
    ("restart", "tests"),
    ("restart", "failures"),
    ("wrong", "tests"),
    ("wrong", "failures"),
    ("worse", "errors"),
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working folder, with rules, a playbook and a rehearsal that goes as told."""
    for name in ("PARAMEDIC_RULES", "PARAMEDIC_PLAYBOOKS", "PARAMEDIC_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    for name in ("rules", "playbooks"):
        (tmp_path / name).mkdir()
    (tmp_path / "rules" / "shop.yaml").write_text(RULES)
    (tmp_path / "playbooks" / "restart.yaml").write_text(PLAYBOOK)
    (tmp_path / "playbooks" / "restart.test.yaml").write_text(GOES_WELL)
    yield tmp_path
    logging.disable(logging.NOTSET)  # the command ends its process, and so silences all of it


def wrong(folder: Path) -> None:
    """Add a rehearsal that goes otherwise."""
    (folder / "playbooks" / "wrong.test.yaml").write_text(GOES_WRONG)


def untimed(line: str) -> str:
    """The last line without the real seconds, which differ."""
    return re.sub(r"in \d+\.\d s$", "in S s", line)


def test_what_goes_as_told(paramedic: Paramedic) -> None:
    said = paramedic("test")

    assert (said.code, said.err) == (0, "")
    assert [untimed(line) for line in said.lines] == [
        "playbooks/restart.test.yaml",
        "  ok    A restart clears the alert                                            1m simulated",
        "1 rehearsal, 0 failed, 1m simulated in S s",
    ]


def test_what_goes_otherwise_is_told_beside_what_was_expected(paramedic: Paramedic, folder: Path) -> None:
    wrong(folder)

    said = paramedic("test")

    assert (said.code, said.err) == (1, "")
    assert [untimed(line) for line in said.lines[2:]] == [
        "playbooks/wrong.test.yaml",
        *FAILED,
        "2 rehearsals, 1 failed, 11m simulated in S s",
    ]
    assert all(len(line) <= 100 for line in said.lines)


@pytest.mark.parametrize(
    ("word", "code", "ran"),
    [
        pytest.param("clears", 0, 1, id="in a name"),
        pytest.param("wrong.test", 1, 1, id="in a file's name"),
        pytest.param("a", 1, 2, id="in both"),
    ],
)
def test_only_those_with_a_word(paramedic: Paramedic, folder: Path, word: str, code: int, ran: int) -> None:
    wrong(folder)

    said = paramedic("test", "-k", word)

    assert said.code == code
    assert len([line for line in said.lines if line.startswith(("  ok", "  FAIL"))]) == ran
    assert len([line for line in said.lines if line.startswith("playbooks/")]) == ran


def test_a_word_that_none_holds_is_wrong_usage(paramedic: Paramedic) -> None:
    said = paramedic("test", "-k", "nothing like it")

    assert said.code == 2
    assert said.err == 'paramedic: -k: no rehearsal holds "nothing like it"; leave -k away to see all of them\n'


def test_files_and_folders_can_be_named(paramedic: Paramedic, folder: Path) -> None:
    wrong(folder)

    assert paramedic("test", "playbooks/restart.test.yaml").code == 0
    assert paramedic("test", "playbooks/wrong.test.yaml").code == 1
    assert paramedic("test", "playbooks", "playbooks/wrong.test.yaml").lines[-1].startswith("2 rehearsals, 1 failed")


def test_a_file_with_faults_is_told_with_their_places_and_the_others_run(paramedic: Paramedic, folder: Path) -> None:
    (folder / "playbooks" / "bad.test.yaml").write_text(GOES_WELL.replace("by: 1m", "bye: 1m"))

    said = paramedic("test")

    assert said.code == 1
    assert said.lines[:2] == [
        "playbooks/bad.test.yaml",
        '  FAULT playbooks/bad.test.yaml:8:6: unknown key "bye"; did you mean "by"?',
    ]
    assert untimed(said.lines[-1]) == "1 rehearsal, 0 failed, 1 file not read, 1m simulated in S s"


def test_faults_of_the_rules_are_told_instead_of_rehearsing(paramedic: Paramedic, folder: Path) -> None:
    (folder / "playbooks" / "restart.yaml").write_text(PLAYBOOK.replace("mode: auto", "mod: auto"))

    said = paramedic("test")

    assert said.code == 1
    assert said.lines[1].startswith('  FAULT playbooks/restart.yaml:2:1: unknown key "mod"; did you mean "mode"?')


def test_json(paramedic: Paramedic, folder: Path) -> None:
    wrong(folder)

    said = paramedic("test", "--json")

    assert (said.code, said.err) == (1, "")
    told = json.loads(said.out)
    assert told["faults"] == []
    assert [(one["rehearsal"], one["ok"], one["line"]) for one in told["rehearsals"]] == [
        ("A restart clears the alert", True, 1),
        ("Nobody restarts the database", False, 1),
    ]
    assert told["rehearsals"][1]["simulated_seconds"] == 600.0
    (finding,) = told["rehearsals"][1]["findings"]
    assert (finding["line"], finding["section"]) == (7, "never")
    assert finding["happened"] == FAILED[2].split("happened  ")[1]


def test_json_of_a_file_with_faults(paramedic: Paramedic, folder: Path) -> None:
    (folder / "playbooks" / "bad.test.yaml").write_text(GOES_WELL.replace("by: 1m", "bye: 1m"))

    (fault,) = json.loads(paramedic("test", "--json").out)["faults"]

    assert fault == {
        "file": "playbooks/bad.test.yaml",
        "line": 8,
        "column": 6,
        "what": 'unknown key "bye"',
        "right": 'did you mean "by"?',
    }


def test_junit(paramedic: Paramedic, folder: Path) -> None:
    """Well-formed, counts that add up, and nothing in it that XML forbids, whatever a rehearsal is called."""
    name = 'Nobody restarts the <database> & "more" \\e[31m'
    text = GOES_WRONG.replace("Nobody restarts the database", json.dumps(name).replace("\\\\e", "\\e"))
    (folder / "playbooks" / "wrong.test.yaml").write_text(text)
    (folder / "playbooks" / "worse.test.yaml").write_text("rehearsal: 7\n")

    said = paramedic("test", "--junit", "out.xml")

    assert said.code == 1
    root = ElementTree.fromstring((folder / "out.xml").read_text())  # our own file
    suites = {suite.attrib["name"]: suite for suite in root}
    assert root.tag == "testsuites"
    assert [suites[f"playbooks/{each}.test.yaml"].attrib[count] for each, count in COUNTS] == ["1", "0", "1", "1", "1"]
    for suite in suites.values():
        cases = suite.findall("testcase")
        assert len(cases) == int(suite.attrib["tests"])
        assert len(suite.findall("testcase/failure")) == int(suite.attrib["failures"])
        assert len(suite.findall("testcase/error")) == int(suite.attrib["errors"])
    (failure,) = root.findall(".//failure")
    assert "happened" in (failure.text or "")
    assert root.findall(".//testcase[@name='A restart clears the alert']")


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["nowhere"], "nowhere: there is no such file or folder; name a file NAME.test.yaml, or a folder of them"),
        (["rules"], "test: there is no rehearsal; write one as playbooks/NAME.test.yaml, or name a file"),
        (["--junit", "no/such/out.xml"], "no/such/out.xml: cannot be written: No such file or directory; "),
    ],
)
def test_what_cannot_be_done_is_one_line_and_2(paramedic: Paramedic, argv: list[str], line: str) -> None:
    said = paramedic("test", *argv)

    assert said.code == 2
    assert said.err.startswith(f"paramedic: {line}")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("argv", [["--nothing"], ["-k"], ["--junit"]])
def test_wrong_usage(paramedic: Paramedic, argv: list[str]) -> None:
    said = paramedic("test", *argv)

    assert said.code == 2
    assert said.err.startswith("usage: paramedic")


def test_a_file_that_is_no_text_is_one_line_and_2(paramedic: Paramedic, folder: Path) -> None:
    (folder / "playbooks" / "restart.test.yaml").write_bytes(b"\xff\xfe\x00")

    said = paramedic("test")

    assert (said.code, said.err) == (
        2,
        "paramedic: playbooks/restart.test.yaml: this is not UTF-8; save the file as UTF-8\n",
    )
