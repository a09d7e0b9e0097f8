"""Fixtures for what is committed and read back: the stores, alone and as one."""

from collections.abc import AsyncIterator

import pytest

from paramedic.store.port import Store
from tests.store.stores import MemoryStores, PostgresStores, Stores


@pytest.fixture(params=["memory", "postgres"])
def made(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        return MemoryStores()
    return PostgresStores(request.getfixturevalue("database"))


@pytest.fixture
async def stores(made: Stores) -> AsyncIterator[Stores]:
    """Either store, empty; every test that asks for it runs against both."""
    yield made
    await made.close()


@pytest.fixture
async def store(stores: Stores) -> Store:
    """A member of either store."""
    return await stores.member()


@pytest.fixture
async def postgres(database: str) -> AsyncIterator[PostgresStores]:
    """The store over PostgreSQL, empty."""
    made = PostgresStores(database)
    yield made
    await made.close()
