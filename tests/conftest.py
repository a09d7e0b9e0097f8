"""Fixtures for every test: a PostgreSQL for the session, and a database for each test that asks."""

import gc
import os
import sys
from collections.abc import AsyncIterator, Generator, Iterator

import pytest

from paramedic.errors import Permanent
from paramedic.store.embedded import binaries
from tests.postgres import BLANK, fresh_database, shared_server

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


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays until the end: looking through it for garbage, again and again, finds none."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


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


@pytest.fixture
async def database(postgres_server: str) -> AsyncIterator[str]:
    """The URL of a database of this test's own, with all migrations applied."""
    async with fresh_database(postgres_server) as url:
        yield url


@pytest.fixture
async def blank_database(postgres_server: str) -> AsyncIterator[str]:
    """The URL of a database of this test's own with nothing in it."""
    async with fresh_database(postgres_server, BLANK) as url:
        yield url
