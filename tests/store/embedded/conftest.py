"""Fixtures for the embedded PostgreSQL: a folder in memory, and a data folder whose database is made already."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from paramedic.errors import Permanent
from paramedic.store.embedded import account, binaries, cluster
from paramedic.store.embedded.folder import held
from tests.postgres import FAST, quick_folder


@pytest.fixture
def room() -> Iterator[Path]:
    """An empty folder on whatever is fast here."""
    with quick_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def made() -> Iterator[Path]:
    """A data folder with a database that was never started; to be copied, not to be used."""
    try:
        programs = binaries.find()
    except Permanent as missing:
        pytest.skip(f"{missing} (here: make setup)")

    async def make(path: Path) -> None:
        with held(path) as folder:
            user, reached = await account.choose(folder, programs)
            await cluster.make(folder, user, reached, FAST)

    with quick_folder() as folder:
        asyncio.run(make(folder / "data"))
        yield folder / "data"


@pytest.fixture
def data(room: Path, made: Path) -> Path:
    """A data folder of this test's own, with a database that no server has run on yet."""
    subprocess.run(["cp", "-a", made, room / "data"], check=True)  # a thousand files: half of what Python takes
    return room / "data"
