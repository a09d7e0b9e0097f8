"""`paramedic check`: every fault with its place, a last line that counts, an exit code that a pipeline can use."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Said

Paramedic = Callable[..., Said]

GOOD = """\
endpoints:
  - {name: hook, url: "http://127.0.0.1:9000"}
rules:
  - {name: down, match: ['alertname="Down"'], playbook: note, with: {host: "${labels.host}"}}
---
playbook: note
params: {host: {type: string}}
target: "hosts/${params.host}"
steps:
  - http: {endpoint: hook, path: "/note/${params.host}"}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with `rules` and `playbooks` in it."""
    for name in ("PARAMEDIC_RULES", "PARAMEDIC_PLAYBOOKS", "PARAMEDIC_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    for name in ("rules", "playbooks"):
        (tmp_path / name).mkdir()
    (tmp_path / "rules" / "a.yaml").write_text(GOOD)
    return tmp_path


def test_what_is_right(paramedic: Paramedic) -> None:
    said = paramedic("check")

    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("1 file, 1 rule, 1 playbook: no faults; bundle ")


def test_what_is_wrong(paramedic: Paramedic, folder: Path) -> None:
    (folder / "rules" / "a.yaml").write_text(GOOD.replace("playbook: note,", "playbook: nota,"))
    (folder / "playbooks" / "b.yaml").write_text("playbook: p\ntarget: x\nsteps: [{htpp: {}}]\n")
    said = paramedic("check")

    assert (said.code, said.err) == (1, "")
    assert said.lines == [
        'playbooks/b.yaml:3:10: unknown action "htpp"; did you mean "http"?',
        'rules/a.yaml:4:57: there is no playbook "nota"; did you mean "note"?',
        "2 faults in 2 of 2 files; a running service keeps its last good bundle",
    ]


def test_the_folders_are_those_of_the_settings(
    paramedic: Paramedic, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "x.yaml").write_text("rulez: []\n")
    monkeypatch.setenv("PARAMEDIC_RULES", "elsewhere")

    assert paramedic("check").lines[0] == 'elsewhere/x.yaml:1:1: unknown key "rulez"; did you mean "rules"?'


def test_folders_and_files_can_be_named(paramedic: Paramedic, folder: Path) -> None:
    (folder / "more").mkdir()
    (folder / "more" / "x.yaml").write_text("people: [{name: a}]\n")
    (folder / "one.yaml").write_text("people: [{name: b}]\n")

    assert paramedic("check", "more", "one.yaml").out.startswith("2 files, 0 rules, 0 playbooks, 2 people: no faults")
    assert paramedic("check", "rules", "more").out.startswith("2 files, 1 rule, 1 playbook, 1 person: no faults")


def test_the_playbooks_folder_may_be_missing(paramedic: Paramedic, folder: Path) -> None:
    (folder / "playbooks").rmdir()

    assert paramedic("check").code == 0


def test_a_missing_folder_is_wrong(paramedic: Paramedic) -> None:
    said = paramedic("check", "nowhere")

    assert said.code == 1
    assert said.lines == [
        "nowhere: there is no such folder; make it, or name another one",
        "1 fault; a running service keeps its last good bundle",
    ]


def test_json(paramedic: Paramedic, folder: Path) -> None:
    right = json.loads(paramedic("check", "--json").out)
    (folder / "rules" / "b.yaml").write_text("rulez: []\n")
    said = paramedic("check", "--json")

    assert len(right["bundle"]) == 64
    assert (right["files"], right["faults"]) == (["rules/a.yaml"], [])
    assert said.code == 1
    assert json.loads(said.out) == {
        "bundle": None,
        "files": ["rules/a.yaml", "rules/b.yaml"],
        "faults": [
            {
                "file": "rules/b.yaml",
                "line": 1,
                "column": 1,
                "what": 'unknown key "rulez"',
                "right": 'did you mean "rules"?',
            }
        ],
    }


def test_the_bundle_is_the_one_that_a_service_would_load(paramedic: Paramedic, folder: Path) -> None:
    from paramedic.catalog.load import load
    from paramedic.plugin import discover

    loaded = load(folder / "rules", folder / "playbooks", discover())

    assert loaded.bundle is not None
    assert json.loads(paramedic("check", "--json").out)["bundle"] == loaded.bundle.hash


def test_effective(paramedic: Paramedic) -> None:
    said = paramedic("check", "--effective")

    assert said.code == 0
    assert said.out.startswith("rules:  # asked in this order; the first that matches counts\n  # rules/a.yaml:4\n")
    assert "# no mode is named, so it begins in shadow\n" in said.out
    assert "- still_firing: {}\n" in said.out


def test_effective_of_what_is_wrong_is_its_faults(paramedic: Paramedic, folder: Path) -> None:
    (folder / "rules" / "b.yaml").write_text("rulez: []\n")
    said = paramedic("check", "--effective")

    assert said.code == 1
    assert said.lines[0] == 'rules/b.yaml:1:1: unknown key "rulez"; did you mean "rules"?'


def test_sarif(paramedic: Paramedic, folder: Path) -> None:
    (folder / "rules" / "b.yaml").write_text("rulez: []\n")
    said = paramedic("check", "--sarif", "out.sarif")
    (run,) = json.loads((folder / "out.sarif").read_text())["runs"]

    assert said.code == 1
    assert said.lines[-1].startswith("1 fault in 1 of 2 files")
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "rules/b.yaml"}


def test_sarif_is_written_when_nothing_is_wrong(paramedic: Paramedic, folder: Path) -> None:
    assert paramedic("check", "--sarif", "out.sarif").code == 0
    assert json.loads((folder / "out.sarif").read_text())["runs"][0]["results"] == []


def test_sarif_that_cannot_be_written_is_wrong_usage(paramedic: Paramedic) -> None:
    said = paramedic("check", "--sarif", "nowhere/out.sarif")

    assert said.code == 2
    assert "cannot be written: No such file or directory" in said.err


def test_a_name_of_a_file_cannot_talk_to_the_terminal(paramedic: Paramedic, folder: Path) -> None:
    (folder / "rules" / "b\x1b[2J.yaml").write_text("rulez: []\n")

    assert "\x1b" not in paramedic("check").out


@pytest.mark.parametrize("argv", [["--nope"], ["--sarif"]])
def test_wrong_usage(paramedic: Paramedic, argv: list[str]) -> None:
    assert paramedic("check", *argv).code == 2
