"""`paramedic explain`: a body as Alertmanager sends it, rule by rule; it writes nothing."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from paramedic.errors import Temporary
from tests.cli.conftest import Said
from tests.console.serving import Serving
from tests.engine.texts import bundle_of, catalog

Paramedic = Callable[..., Said]

CATALOG = """\
endpoints:
  - {name: hook, url: "http://127.0.0.1:9000"}
rules:
  - {name: other, match: ['alertname="Other"'], playbook: note, with: {host: a}}
  - {name: down, match: ['alertname="Down"'], playbook: note, with: {host: "${labels.host}"}}
---
playbook: note
mode: auto
params: {host: {type: string}}
target: "hosts/${params.host}"
steps:
  - http: {endpoint: hook, path: "/note/${params.host}"}
"""


def alert(**changes: Any) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": {"alertname": "Down", "host": "web-1"},
        "annotations": {},
        "startsAt": "2026-05-12T09:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "",
        "fingerprint": "0",
        **changes,
    }


def body(*alerts: dict[str, Any]) -> str:
    return json.dumps(
        {
            "version": "4",
            "groupKey": "{}",
            "truncatedAlerts": 0,
            "status": "firing",
            "receiver": "r",
            "groupLabels": {},
            "commonLabels": {},
            "commonAnnotations": {},
            "externalURL": "http://am",
            "alerts": list(alerts),
        }
    )


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with rules and a body in it."""
    for name in ("PARAMEDIC_RULES", "PARAMEDIC_PLAYBOOKS", "PARAMEDIC_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text(CATALOG)
    (tmp_path / "alert.json").write_text(body(alert()))
    return tmp_path


def test_one_alert(paramedic: Paramedic) -> None:
    said = paramedic("explain", "alert.json")

    assert (said.code, said.err) == (0, "")
    assert said.lines == [
        'alert Down {host="web-1"} from source default',
        "rule  down (rules/a.yaml:5) → playbook note, P2, no policy",
        '      other said no: alertname="Other" (it is "Down")',
        "mode  auto (at most auto, rule -, playbook auto)",
        said.lines[4],
        "with  host='web-1'",
        "on    hosts/web-1",
        "asks  still_firing",
        said.lines[8],
        "then  http",
    ]
    assert said.lines[4].startswith("opens default{")
    assert said.lines[8].startswith("      they were not asked now: no service is running with PARAMEDIC_DATA=")


def test_who_wants_no_service_asks_none(paramedic: Paramedic) -> None:
    said = paramedic("explain", "alert.json", "--offline")

    assert said.lines[8] == "      they were not asked now: the service was not to be asked"


def test_the_source_can_be_named(paramedic: Paramedic) -> None:
    assert paramedic("explain", "alert.json", "--source", "main").lines[0].endswith("from source main")


def test_the_mode_of_the_settings_is_the_limit(paramedic: Paramedic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAMEDIC_MODE", "shadow")

    assert "mode  shadow (at most shadow, rule -, playbook auto)" in paramedic("explain", "alert.json").lines


def test_several_alerts_stand_apart(paramedic: Paramedic, folder: Path) -> None:
    other = alert(labels={"alertname": "Other"}, status="resolved", endsAt="2026-05-12T10:00:00Z")
    (folder / "alert.json").write_text(body(alert(), other))
    said = paramedic("explain", "alert.json")

    assert said.out.count("\n\n") == 1
    assert said.lines[-1] == "then  its episode closes, if one is open; nothing is started"


def test_standard_input(paramedic: Paramedic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(body(alert()).encode())))

    assert paramedic("explain", "-").lines[0].startswith("alert Down")


def test_json(paramedic: Paramedic) -> None:
    (found,) = json.loads(paramedic("explain", "alert.json", "--json").out)

    assert (found["rule"]["name"], found["params"], found["target"]) == ("down", {"host": "web-1"}, "hosts/web-1")
    assert found["mode"] == "auto"
    assert found["guards"] == [{"guard": "still_firing", "asked": "first"}]
    assert found["unheard"].startswith("no service is running")
    assert "lines" not in found


def test_an_element_that_is_no_alert_is_said_and_the_rest_goes_on(paramedic: Paramedic, folder: Path) -> None:
    (folder / "alert.json").write_text(body(alert(), {"status": "odd"}))
    said = paramedic("explain", "alert.json")

    assert said.code == 1
    assert said.lines[0].startswith("alert Down")
    assert "alerts[1]" in said.err


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": "3", "alerts": []}'])
def test_what_is_no_body_is_wrong_usage(paramedic: Paramedic, folder: Path, text: str) -> None:
    (folder / "alert.json").write_text(text)
    said = paramedic("explain", "alert.json")

    assert said.code == 2
    assert len(said.err.splitlines()) == 1


def test_a_file_that_is_not_there(paramedic: Paramedic) -> None:
    said = paramedic("explain", "nowhere.json")

    assert said.code == 2
    assert "nowhere.json: cannot be read: No such file or directory" in said.err


def test_without_a_bundle_nothing_can_be_explained(paramedic: Paramedic, folder: Path) -> None:
    (folder / "playbooks").mkdir()
    (folder / "playbooks" / "b.yaml").write_text("rulez: []\n")
    said = paramedic("explain", "alert.json")

    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("the files here count, because no service is running with PARAMEDIC_DATA=")
    assert said.err.splitlines()[1:] == [
        'playbooks/b.yaml:1:1: unknown key "rulez"; did you mean "rules"?',
        "1 fault in 1 of 2 files; a running service keeps its last good bundle",
    ]


def test_it_writes_nothing(paramedic: Paramedic, folder: Path) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*"))
    paramedic("explain", "alert.json")

    assert sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*")) == before


# -- beside a service -------------------------------------------------------------------------------------------------


async def test_a_service_that_runs_is_asked(ask: Any, bare: Serving, folder: Path) -> None:
    """By its own bundle: what the files here say is not in force."""
    bare.catalog.bundle = bundle_of(catalog())
    (folder / "rules" / "a.yaml").write_text("rulez: []\n")
    (folder / "alert.json").write_text(body(alert(labels={"alertname": "Down", "job": "api"})))

    said = await ask("explain", "alert.json", "--source", "main")

    assert (said.code, said.err) == (0, "")
    assert said.lines[:2] == [
        'alert Down {job="api"} from source main',
        "rule  down (catalog.yaml:11) → playbook act, P2, policy sre",
    ]
    assert not any("not asked now" in line for line in said.lines)


async def test_its_json_is_that_of_the_service(ask: Any, bare: Serving, folder: Path) -> None:
    bare.catalog.bundle = bundle_of(catalog())
    (folder / "alert.json").write_text(body(alert(labels={"alertname": "Down", "job": "api"})))

    (found,) = json.loads((await ask("explain", "alert.json", "--json")).out)

    assert (found["playbook"], found["unheard"]) == ("act", "")


async def test_what_a_service_sends_cannot_tell_the_terminal_what_to_do(ask: Any, bare: Serving, folder: Path) -> None:
    bare.catalog.bundle = bundle_of(catalog())
    bare.engine.raises = Temporary("gone\x1b[2J\u202e")
    (folder / "alert.json").write_text(body(alert(labels={"alertname": "Down", "job": "api"})))

    said = await ask("explain", "alert.json")

    assert all(line.isprintable() for line in said.lines)
    assert "      they were not asked now: gone [2J" in said.lines


async def test_a_refusal_of_the_service_is_passed_on(ask: Any, bare: Serving, folder: Path) -> None:
    (folder / "alert.json").write_text("{")
    said = await ask("explain", "alert.json")

    assert said.code == 2
    assert len(said.err.splitlines()) == 1


async def test_more_than_can_be_explained_at_once_is_said(ask: Any, bare: Serving, folder: Path) -> None:
    bare.catalog.bundle = bundle_of(catalog())
    many = [alert(labels={"alertname": "Down", "job": f"j{n}"}) for n in range(22)]
    (folder / "alert.json").write_text(body(*many))

    said = await ask("explain", "alert.json")

    assert (said.code, said.err) == (1, "2 more alerts were left out: explain them by themselves\n")
