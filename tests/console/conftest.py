"""Fixtures of the console's tests: a connection to seed the database with, views over it, a console that serves it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from paramedic.console.history import History
from paramedic.console.views import Views
from paramedic.core.words import Mode
from paramedic.store.connect import Connection, connect
from paramedic.store.reads import Reads, open_reads
from tests.console.seed import FixedClock
from tests.console.serving import NoRows, Serving, queries, serving, serving_rows


@pytest.fixture
async def seeding(database: str) -> AsyncIterator[Connection]:
    connection = await connect(database)
    yield connection
    await connection.close()


@pytest.fixture
async def reads(database: str) -> AsyncIterator[Reads]:
    async with await open_reads(database, queries(), size=1) as opened:
        yield opened


@pytest.fixture
def views(reads: Reads) -> Views:
    return Views(reads, FixedClock(), Mode.AUTO)


@pytest.fixture
def history(reads: Reads, views: Views) -> History:
    return History(reads, views)


@pytest.fixture
async def console(database: str, tmp_path: Path) -> AsyncIterator[Serving]:
    async with serving(database, tmp_path) as running:
        yield running


@pytest.fixture
async def bare(tmp_path: Path) -> AsyncIterator[Serving]:
    """A console over no database at all, which starts in no time."""
    async with serving_rows(NoRows(), tmp_path) as running:
        yield running
