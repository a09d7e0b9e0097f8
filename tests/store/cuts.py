"""What becomes of an operation whose connection is lost: at every request that it sends, on both sides of it.

For PostgreSQL a dry run says how many requests there are; the model is ordered to fail before and after. Then the same
is asked of both: the caller is told, the store holds all of it or nothing, and whoever comes next goes on from there.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, get_args

import pytest

from paramedic.store.memory import MemoryStore
from paramedic.store.port import Batch, Doubtful, Fenced, Store
from tests.postgres import Databases
from tests.store import rows
from tests.store.operations import Operation, before
from tests.store.stores import MemoryStores, PostgresStores, Stores
from tests.store.wire import When, Wires, wired

World = dict[str, Any]
WHENS = get_args(When)


@dataclass(frozen=True)
class Fate:
    """What a cut came to: whether it is `done`; None if nothing of it can be seen."""

    number: int
    when: When
    done: bool | None


class Trials(ABC):
    """Empty stores, one after another, and how their next operation is made to fail."""

    @abstractmethod
    def stores(self) -> AbstractAsyncContextManager[Stores]:
        """Stores with nothing in them."""

    @abstractmethod
    def sent(self) -> int:
        """How many requests have been sent to the present stores."""

    @abstractmethod
    def order(self, store: Store, operation: Operation, number: int, when: When) -> None:
        """Let this operation fail around its request of this number."""

    @abstractmethod
    def failed(self) -> bool:
        """Whether what was ordered has happened."""


class PostgresTrials(Trials):
    """Every connection goes through a wire."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._wires = Wires("")

    @asynccontextmanager
    async def stores(self) -> AsyncIterator[Stores]:
        async with self._databases.lend() as direct, wired(direct) as (through, self._wires):
            stores = PostgresStores(through, observed=direct)
            try:
                yield stores
            finally:
                await stores.close()

    def sent(self) -> int:
        return self._wires.count

    def order(self, store: Store, operation: Operation, number: int, when: When) -> None:
        self._wires.cut(number, when)

    def failed(self) -> bool:
        return self._wires.whole


class MemoryTrials(Trials):
    """The model sends nothing: what it does is as one request."""

    @asynccontextmanager
    async def stores(self) -> AsyncIterator[Stores]:
        self._sent = 0
        yield MemoryStores()

    def sent(self) -> int:
        self._sent += 1
        return self._sent

    def order(self, store: Store, operation: Operation, number: int, when: When) -> None:
        assert isinstance(store, MemoryStore)
        store.fail_next(when, operation.of)
        self._store = store

    def failed(self) -> bool:
        return not self._store.failing


async def seen(stores: Stores) -> World:
    """All that is kept, and who owns what."""
    world: World = {**await stores.kept(), "owners": await stores.owners()}
    if isinstance(stores, PostgresStores):
        for table in ("bundle", "pointer", "scope", "switch"):
            world[table] = [tuple(row) for row in await stores.run(f"select * from {table} order by 1")]
        world["fenced"] = [row[0] for row in await stores.run("select id from member where fenced order by 1")]
    elif isinstance(stores, MemoryStores):
        disk = stores.disk
        world |= {"bundle": dict(disk.bundles), "pointer": disk.pointer, "scope": dict(disk.scopes)}
        world |= {"switch": disk.switch, "fenced": [one.id for one in disk.members.all.values() if one.fenced]}
    return world


async def prepared(stores: Stores, operation: Operation) -> Store:
    """Who is going to do it."""
    if operation.beside:
        await stores.beside(before())
        second = await stores.beside()
        await stores.gone(1)
        return second
    return await stores.member(before()) if operation.joined else stores.new()


async def fates(trials: Trials, operation: Operation) -> list[Fate]:
    """Cut it everywhere, and look what came of it. Fails where a promise does not hold."""
    async with trials.stores() as stores:
        store = await prepared(stores, operation)
        was, sent = await seen(stores), trials.sent()
        await operation.do(store)
        requests, becomes = trials.sent() - sent, await seen(stores)
    assert (was != becomes) is operation.writes
    return [await cut(trials, operation, number, when, was, becomes) for number in range(requests) for when in WHENS]


async def cut(trials: Trials, operation: Operation, number: int, when: When, was: World, becomes: World) -> Fate:
    """Cut it there."""
    async with trials.stores() as stores:
        store = await prepared(stores, operation)
        trials.order(store, operation, number, when)
        if operation.raises is None:
            await operation.do(store)
        else:
            with pytest.raises(operation.raises):
                await operation.do(store)
        assert trials.failed(), "it was over before it was cut"
        now = await seen(stores)
        assert now in (was, becomes), {part: now[part] for part in now if now[part] not in (was[part], becomes[part])}
        done = now == becomes if operation.writes else None
        await goes_on(stores, store, operation)
        await is_succeeded(stores, operation, becomes, repeat=operation.repeats and not done)
    return Fate(number, when, done)


async def goes_on(stores: Stores, store: Store, operation: Operation) -> None:
    """The member is over, or does what it did again."""
    if operation.ends:
        assert not await store.alive()
        with pytest.raises((Doubtful, Fenced)):
            await store.commit(Batch())
    elif operation.of == "join":
        await store.join()
        await store.commit(Batch())
    elif not operation.writes:
        await operation.do(store)


async def is_succeeded(stores: Stores, operation: Operation, becomes: World, *, repeat: bool) -> None:
    """Somebody new owns everything; what was not done it does, as if nobody had tried."""
    successor = await stores.succeed()
    assert len(set((await stores.owners()).values())) == 1
    await successor.recover(uses_since=rows.NOW)
    if repeat:
        await operation.do(successor)
    kept = await stores.kept()
    assert kept == {part: becomes[part] for part in kept}
    await successor.commit(Batch())


async def fates_in_postgresql(server: str, operation: Operation) -> list[Fate]:
    """Cut it everywhere, in databases of its own."""
    databases = Databases(server)
    try:
        return await fates(PostgresTrials(databases), operation)
    finally:
        await databases.close()


def assert_whole(found: list[Fate]) -> None:
    """There is one request before which nothing is done, and after which everything is."""
    done = [fate.done for fate in found]
    assert done
    if None in done:
        assert set(done) == {None}
    else:
        first = done.index(True)
        assert done == [number >= first for number in range(len(done))]
        assert found[first].when == "after"
