"""`paramedic serve` as its user meets it: one line when it serves, one line when it cannot, and a clean end.

Starting is what takes time, so one story shows all that a real process is needed for; `tests/test_app.py` has the rest.
"""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from paramedic.cli.main import main
from tests.crash.members import SERVE, Member, member_on
from tests.crash.texts import write_catalog
from tests.real.processes import Process, Processes, until


@pytest.fixture
async def processes(tmp_path: Path) -> AsyncIterator[Processes]:
    started = Processes(tmp_path)
    try:
        yield started
    finally:
        await started.end()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10.0)) as session:
        yield session


async def ended(process: Process) -> int:
    """Its exit code, once it has ended."""

    async def over() -> bool:
        return process.code is not None

    await until(over, "its end")
    assert process.code is not None
    return process.code


def again(processes: Processes, service: Member, **settings: str) -> Process:
    """A second `serve` with the same settings but these."""
    environment = {**service.process.environment, **settings}
    return processes.new("second", SERVE, environment)


def running(folder: Path) -> list[int]:
    """Processes whose command line names this folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and entry.name != str(os.getpid()):
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(folder) in words:
                found.append(int(entry.name))
    return found


async def changed(service: Member, rules: Path, http: aiohttp.ClientSession) -> None:
    """Change the rules, say so by SIGHUP, and wait until the new bundle is in force."""

    async def bundle() -> str:
        async with http.get(f"{service.url}/readyz") as answer:
            return str((await answer.json())["bundle"])

    first = await bundle()
    rules.write_text(rules.read_text().replace("timeout: 1s", "timeout: 2s"))
    os.kill(service.process.pid, signal.SIGHUP)

    async def another() -> bool:
        return await bundle() != first

    await service.process.said(another, "the new bundle")


async def test_it_serves_with_a_database_of_its_own_and_leaves_no_process_behind(
    processes: Processes, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    folder = processes.folder / "data"
    files = write_catalog(tmp_path, "http://127.0.0.1:9")
    service = member_on(processes, http, {**files, "PARAMEDIC_DATA": str(folder)})
    await service.start()
    await service.is_ready()
    line = service.process.output().splitlines()[-1]
    assert f"paramedic serves on {service.url}; database {folder} (PostgreSQL 18" in service.process.output(), line
    assert running(folder)

    second = again(processes, service, PARAMEDIC_LISTEN="127.0.0.1:0")
    second.start()
    assert await ended(second) == 1
    (said,) = [one for one in second.output().splitlines() if one.startswith("paramedic: ")]
    assert str(service.process.pid) in said  # who has it

    await changed(service, tmp_path / "rules" / "crash.yaml", http)
    assert await service.process.stop(signal.SIGTERM) == 0
    assert running(folder) == []
    assert "Traceback" not in service.process.output()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"PARAMEDIC_LISTEN": "0.0.0.0:8080"},
            "0.0.0.0 can be reached from other machines, and no PARAMEDIC_WEBHOOK_TOKEN is set",
        ),
        ({"PARAMEDIC_LISTEN": "[::]:8080"}, "can be reached from other machines"),
        ({"PARAMEDIC_LISTEN": "8080"}, '"8080" is not HOST:PORT'),
        ({"PARAMEDIC_MODE": "fast"}, '"fast" is not a mode'),
    ],
)
def test_wrong_settings_are_said_before_anything_starts(
    settings: dict[str, str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from paramedic.cli.main import main

    monkeypatch.setenv("PARAMEDIC_DATA", str(tmp_path / "data"))
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert main(["serve"]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_a_bad_catalog_is_said_with_its_place(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Promise 10. There is no last good one in a new database."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "all.yaml").write_text("rules:\n  - {name: a, match: [x=y], playbook: nowhere}\n")
    (tmp_path / "playbooks").mkdir()
    for name, value in {
        "LISTEN": "127.0.0.1:0",
        "RULES": str(tmp_path / "rules"),
        "PLAYBOOKS": str(tmp_path / "playbooks"),
        "DATA": str(tmp_path / "data"),
        "DATABASE_URL": database,
    }.items():
        monkeypatch.setenv(f"PARAMEDIC_{name}", value)
    assert main(["serve"]) == 2
    said = capsys.readouterr().err
    assert "paramedic: rules/all.yaml:2:" in said
    assert "Traceback" not in said
