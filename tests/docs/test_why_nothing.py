"""The page that finds out why nothing happened, done: a service with its rules, two alerts, and its commands."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from paramedic.app import Service
from paramedic.cli.main import main
from paramedic.clock import SystemClock
from paramedic.settings import Settings
from tests.engine.texts import element
from tests.store.clock import until
from tests.test_app import send

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "find-out-why-nothing-happened.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def settings(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a service with the rules of the page, and of the commands that ask it."""
    (rules,) = [text for kind, text in BLOCKS if kind == "yaml"]
    (body,) = [text for kind, text in BLOCKS if kind == "json"]
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "page.yaml").write_text(rules)
    (tmp_path / "alert.json").write_text(body)
    monkeypatch.chdir(tmp_path)
    for name in ("PARAMEDIC_URL", "PARAMEDIC_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PARAMEDIC_DATA", str(tmp_path / "data"))
    return Settings(
        port=0,
        database_url=database,
        data=tmp_path / "data",
        rules=tmp_path / "rules",
        playbooks=tmp_path / "playbooks",
    )


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], Awaitable[str]]:
    """What a command of the page prints."""

    async def run(command: str) -> str:
        capsys.readouterr()
        code = await asyncio.to_thread(main, command.split()[1:])
        said = capsys.readouterr()
        assert code == 0, said.err
        return said.out

    return run


async def test_the_page_tells_what_is_seen(settings: Settings, say: Callable[[str], Awaitable[str]]) -> None:
    async with Service(settings, SystemClock()) as service:
        await send(service, element("cluster", alertname="KubeAPIDown"))
        await send(service, element("api", alertname="ServiceDown"))

        async def refused() -> bool:
            return "refused by" in await say("paramedic incidents show INC-1")

        await until(refused)
        said, compared = "", 0
        for kind, text in BLOCKS:
            if kind == "sh":
                said = await say(text.strip())
            elif not kind:
                lines = [" ".join(line.split()) for line in said.splitlines()]
                for line in text.splitlines():
                    assert any(" ".join(line.split()) in one for one in lines), f"{line!r} is not in:\n{said}"
                    compared += 1

    assert compared == 13


def test_every_command_of_the_page_is_one_that_was_tried() -> None:
    assert [text.strip() for kind, text in BLOCKS if kind == "sh"] == [
        "paramedic incidents",
        "paramedic incidents show INC-1",
        "paramedic explain alert.json",
    ]
