"""Fixtures of the commands' tests: `paramedic` runs a command line in this process, `service` is one to talk to."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from paramedic.cli.main import main
from paramedic.store.connect import Connection, connect
from tests.console.serving import NoRows, Serving, serving, serving_rows


@dataclass(frozen=True)
class Said:
    """What a command line came to."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines on standard output."""
        return self.out.splitlines()


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A command owns its process and sets up its logs; here it runs inside another."""
    root = logging.getLogger()
    handlers, level, disabled = root.handlers[:], root.level, root.manager.disable
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.disable(disabled)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine, and a folder without a service."""
    for name in ("PARAMEDIC_URL", "PARAMEDIC_TOKEN", "PARAMEDIC_TOKENS_FILE", "PARAMEDIC_LISTEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PARAMEDIC_DATA", str(tmp_path / "data"))


@pytest.fixture
def paramedic(environment: None, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run a command line."""

    def run(*argv: str) -> Said:
        capsys.readouterr()
        try:
            code = main(argv)
        except SystemExit as left:
            code = int(left.code or 0)
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return run


@pytest.fixture
def ask(paramedic: Callable[..., Said]) -> Callable[..., Any]:
    """Run a command line beside a service of this very process."""

    async def run(*argv: str) -> Said:
        return await asyncio.to_thread(paramedic, *argv)

    return run


@pytest.fixture
async def service(database: str, tmp_path: Path) -> AsyncIterator[Serving]:
    async with serving(database, tmp_path) as running:
        yield running


@pytest.fixture
async def bare(tmp_path: Path) -> AsyncIterator[Serving]:
    """A service without a database, for tests that do not get as far as to one."""
    async with serving_rows(NoRows(), tmp_path) as running:
        yield running


@pytest.fixture
async def seeding(database: str) -> AsyncIterator[Connection]:
    connection = await connect(database)
    yield connection
    await connection.close()
