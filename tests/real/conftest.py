"""Fixtures for tests against real processes, each with its own ports and folders; all are ended with their test.

What a failed test's processes said is shown with it. With CI=true a skip is a failure, and the summary counts the skips
even when there are none.
"""

import os
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.real.alertmanager import Alertmanagers
from tests.real.control_plane import ControlPlane, running
from tests.real.databases import Database
from tests.real.processes import Processes
from tests.real.receiver import Receiver, receiving
from tests.real.services import Services
from tests.real.sinks import Sink, start_sink

REQUEST_TIME = 30.0  # seconds


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """The test's own connections."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=REQUEST_TIME)) as session:
        yield session


@pytest.fixture
async def processes(tmp_path: Path) -> AsyncIterator[Processes]:
    """Whatever the test starts."""
    started = Processes(tmp_path)
    try:
        yield started
    finally:
        await started.end()


@pytest.fixture
async def sink(processes: Processes, http: aiohttp.ClientSession) -> Sink:
    """A running sink: what is executed is counted there."""
    return await start_sink(processes, http)


@pytest.fixture
def serve(processes: Processes, tmp_path: Path, http: aiohttp.ClientSession) -> Services:
    """Starts services: `service = await serve(Catalog(sink.url))`."""
    return Services(processes, tmp_path, http)


@pytest.fixture
def alertmanager(processes: Processes, tmp_path: Path, http: aiohttp.ClientSession) -> Alertmanagers:
    """Starts Alertmanagers: `monitor = await alertmanager(service.url)`, or `.twins(service.url)`."""
    return Alertmanagers(processes, tmp_path, http)


@pytest.fixture
async def outside(processes: Processes) -> AsyncIterator[Database]:
    """A PostgreSQL that the test may stop; a service uses it by PARAMEDIC_DATABASE_URL."""
    async with Database(processes.folder / "outside") as one:
        yield one


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """The session's Kubernetes control plane; each test makes namespaces of its own in it."""
    with running(tmp_path_factory.mktemp("control-plane")) as one:
        yield one


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """An endpoint that keeps what it is sent."""
    async with receiving() as one:
        yield one


def in_ci() -> bool:
    """Whether nothing may be left out."""
    return os.environ.get("CI", "").lower() in ("1", "true")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """A skip is a failure in CI; a failure brings what the processes have said."""
    report: pytest.TestReport = (yield).get_result()
    if report.skipped and in_ci():
        report.outcome, report.longrepr = "failed", f"CI=true, and nothing may be skipped: {report.longrepr}"
    started = getattr(item, "funcargs", {}).get("processes")
    if report.failed and isinstance(started, Processes):
        report.sections += [(f"the last words of {name}", words) for name, words in started.told()]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A module that was skipped as a whole never came to be a test; it is a failure too."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if in_ci() and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Count the skips even when there are none."""
    count = {kind: len(terminalreporter.stats.get(kind, ())) for kind in ("passed", "failed", "error", "skipped")}
    failed = count["failed"] + count["error"]
    terminalreporter.write_line(f"tests/real: {count['passed']} passed, {failed} failed, {count['skipped']} skipped")
