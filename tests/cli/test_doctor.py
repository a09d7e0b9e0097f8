"""`paramedic doctor`: a line for each thing, what to do under each that is wrong, and an exit code that says which."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from paramedic.cli.output import WIDTH, width
from tests.cli.conftest import Said

RULES = """\
sources: [{name: main, instances: ["http://127.0.0.1:1"]}]
endpoints: [{name: hook, url: "http://127.0.0.1:1", token: HOOK_TOKEN}]
"""
NAMES = ("KUBECONFIG", "PARAMEDIC_CLUSTERS", "PARAMEDIC_PROMETHEUS_URL", "PARAMEDIC_DATABASE_URL", "HOOK_TOKEN")


@pytest.fixture
def doctor(paramedic: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Run the command on these rules."""
    for name in (*NAMES, "SLACK_BOT_TOKEN", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PARAMEDIC_RULES", str(tmp_path / "rules"))
    monkeypatch.setenv("PARAMEDIC_PLAYBOOKS", str(tmp_path / "none"))
    (tmp_path / "rules").mkdir()

    def run(rules: str, *options: str) -> Said:
        (tmp_path / "rules" / "all.yaml").write_text(rules)
        return paramedic("doctor", *options)

    return run


def test_nothing_wrong_exits_0(doctor: Callable[..., Said]) -> None:
    said = doctor("rules: []\n")

    assert said.code == 0
    assert said.lines[0] == "catalog      ok    1 files without faults"
    assert ", 0 wrong; paramedic " in said.lines[-1]
    assert not any("WRONG" in line for line in said.lines)


def test_something_wrong_exits_1_and_says_what_to_do(doctor: Callable[..., Said]) -> None:
    said = doctor(RULES)
    at = next(n for n, line in enumerate(said.lines) if line.startswith("endpoint     WRONG"))

    assert said.code == 1
    assert said.lines[at] == "endpoint     WRONG hook: HOOK_TOKEN is not set, so that nothing can be sent there"
    assert said.lines[at + 1] == "                   → set HOOK_TOKEN or HOOK_TOKEN_FILE"
    assert any(line.startswith("alertmanager WRONG main http://127.0.0.1:1: ") for line in said.lines)
    assert ", 2 wrong; " in said.lines[-1]


def test_it_fits_the_terminal_without_colour(doctor: Callable[..., Said]) -> None:
    said = doctor(RULES)

    assert all(width(line) <= WIDTH for line in said.lines)
    assert "\x1b" not in said.out


def test_json_says_the_same(doctor: Callable[..., Said]) -> None:
    said = doctor(RULES, "--json")
    document = json.loads(said.out)

    assert said.code == 1
    assert document["wrong"] == sum(each["state"] == "wrong" for each in document["findings"]) == 2
    assert {each["system"] for each in document["findings"]} >= {"catalog", "database", "alertmanager", "prometheus"}
    assert all(each["right"] for each in document["findings"] if each["state"] == "wrong")


def test_wrong_usage_exits_2(doctor: Callable[..., Said], monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor("rules: []\n", "--surplus").code == 2
    assert doctor("rules: []\n", "--namespace", "Not/A Name").code == 2
    monkeypatch.setenv("PARAMEDIC_LISTEN", "nowhere")
    assert doctor("rules: []\n").code == 2


def test_what_comes_back_is_no_instruction_to_the_terminal(doctor: Callable[..., Said]) -> None:
    said = doctor('sources: [{name: "main", instances: ["http://127.0.0.1:1"], token: "A_TOKEN"}]\nrule\u202es: []\n')

    assert said.code == 1
    assert "\u202e" not in said.out
