"""Fixtures for every test: a PostgreSQL for the session, and a database for each test that asks."""

import gc
import os
import sys
from collections.abc import AsyncIterator, Generator, Iterator

import pytest
import pytest_asyncio
from _pytest.runner import runtestprotocol

from paramedic.errors import Permanent
from paramedic.store.embedded import binaries
from tests.compiled import compile_share
from tests.postgres import BLANK, MEMORY, Databases, fresh_database, in_memory, shared_server

WORTH_TELLING = 0.5  # seconds
OURS_ALONE = ("KUBECONFIG", "KUBERNETES_SERVICE_HOST")


def pytest_configure() -> None:
    """No test, and nothing that a test starts, finds the cluster of whoever runs the tests.

    And what is compiled is kept, even where the environment says otherwise: else every worker compiles every test
    anew (seven seconds each), and every process that a test starts the whole service.
    """
    for name in OURS_ALONE:
        os.environ.pop(name, None)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    if in_memory(programs=True):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))  # some thousand small files: a disk takes seconds


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """What is collected stays until the end: looking through it for garbage, again and again, finds none."""
    gc.disable()
    try:
        compile_share(session.config)
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)  # as often as Python looks by itself, it takes a tenth of all tests' time


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Of several workers each tells how every test went, and not how it was made ready and cleared away if all is well.

    Else telling takes as long as half of the tests.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return None
    for report in runtestprotocol(item, log=False, nextitem=nextitem):
        if report.when == "call" or not report.passed or report.duration > WORTH_TELLING:
            item.ihook.pytest_runtest_logreport(report=report)
    return True


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the session's PostgreSQL, one for all workers."""
    try:
        binaries.find()
    except Permanent as missing:
        pytest.skip(f"{missing} (here: make setup)")
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    with shared_server(base / "postgres") as url:
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def databases(postgres_server: str) -> AsyncIterator[Databases]:
    """The databases of this worker."""
    kept = Databases(postgres_server)
    yield kept
    await kept.close()


@pytest_asyncio.fixture(loop_scope="session")
async def database(databases: Databases) -> AsyncIterator[str]:
    """The URL of a database of this test's own, with all migrations applied and nothing else in it."""
    async with databases.lend() as url:
        yield url


@pytest.fixture
async def new_database(postgres_server: str) -> AsyncIterator[str]:
    """The same, never used before: for a test that looks at the tables' files, or fills them."""
    async with fresh_database(postgres_server) as url:
        yield url


@pytest.fixture
async def blank_database(postgres_server: str) -> AsyncIterator[str]:
    """The URL of a database of this test's own with nothing in it."""
    async with fresh_database(postgres_server, BLANK) as url:
        yield url
