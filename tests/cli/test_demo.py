"""`paramedic demo --exit` ends by itself and says how it went; tests/docs tells all of its stories, and stays."""

import argparse
from pathlib import Path

import pytest

from paramedic.cli.demo import _must_be_free, _settings, _show, _summed_up, run
from paramedic.console.door import open_door
from paramedic.console.models import EntryView
from paramedic.demo import stories, teller
from paramedic.demo.stories import STORIES, Ending, Story
from paramedic.demo.teller import Telling
from paramedic.errors import Fault
from paramedic.rehearse.loop import START
from paramedic.settings import read_settings


def entry(text: str, who: str = "") -> EntryView:
    return EntryView(number=1, at=START, kind="approved", text=text, who=who)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("replicas", "code"), [(2, 0), (3, 1)])
def test_it_ends_by_itself_and_its_exit_code_says_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], replicas: int, code: int
) -> None:
    """The real thing with its shortest story, and with one that cannot end as told."""
    short = Story("Git keeps it", STORIES[3].key, "payments", STORIES[3].begins, ending(replicas))
    monkeypatch.setattr(stories, "STORIES", (short,))
    monkeypatch.setattr(teller, "_PATIENCE", 30.0 if code == 0 else 2.0)

    ended = run(argparse.Namespace(exit=True), {"PARAMEDIC_DATA": str(tmp_path)})

    told = capsys.readouterr().out
    assert ended == code
    assert "refused by owned" in told
    assert f"1 stories, {1 - code} ended as told." in told
    assert ("it did not end as told: replicas is 2, not 3" in told) is bool(code)
    assert "The console stays open" not in told


def ending(replicas: int) -> Ending:
    return Ending("assessing", 1, ("guards refused by owned",), "payments:18", replicas)


@pytest.mark.parametrize(("wrong", "chain", "code"), [("", True, 0), ("phase", True, 1), ("", False, 1)])
def test_a_story_that_went_wrong_or_a_broken_chain_is_not_a_success(
    capsys: pytest.CaptureFixture[str], wrong: str, chain: bool, code: int
) -> None:
    tellings = [Telling(STORIES[0], wrong=""), Telling(STORIES[1], wrong=wrong, chain=chain, entries=[entry("x")])]

    assert _summed_up(tellings) == code

    told = capsys.readouterr().out
    assert f"2 stories, {2 - bool(wrong)} ended as told. 1 timeline entries" in told
    assert ("A CHAIN IS BROKEN" in told) is not chain


def test_nothing_of_the_environment_reaches_another_system(tmp_path: Path) -> None:
    environment = {
        "PARAMEDIC_DATA": str(tmp_path / "data"),
        "PARAMEDIC_LISTEN": "0.0.0.0:80",
        "PARAMEDIC_WEBHOOK_TOKEN": "t",
        "PARAMEDIC_DATABASE_URL": "postgresql://elsewhere/x",
        "PARAMEDIC_PROMETHEUS_URL": "http://elsewhere:9090",
        "PARAMEDIC_CLUSTERS": "main=/elsewhere",
        "PARAMEDIC_MODE": "shadow",
        "PAGERDUTY_ROUTING_KEY": "key",
    }
    folder = tmp_path / "files"
    folder.mkdir()

    settings = _settings(read_settings(environment), folder, any_port=True)

    assert (settings.host, settings.port, settings.database_url) == ("127.0.0.1", 0, "")
    assert (settings.clusters, settings.webhook_tokens, settings.mode) == ((), (), "auto")
    assert not any(settings.value(name) for name in environment)
    assert sorted(path.name for path in (folder / "playbooks").iterdir()) == [
        "restart-workload.yaml",
        "roll-back-bad-change.yaml",
        "scale-out.yaml",
    ]


def test_another_demo_in_the_same_folder_is_left_alone(tmp_path: Path) -> None:
    _must_be_free(tmp_path / "none")
    with open_door(tmp_path), pytest.raises(Fault, match="another demo runs here"):
        _must_be_free(tmp_path)
    _must_be_free(tmp_path)


@pytest.mark.parametrize(
    ("text", "who", "shown"),
    [("POST shop/drain", "alice", "POST shop/drain (by alice)"), ("by alice", "alice", "by alice"), ("x", "", "x")],
)
def test_an_entry_says_who_did_it(text: str, who: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    _show(entry(text, who), colour=False)
    assert capsys.readouterr().out.split("approved", 1)[1].strip() == shown
