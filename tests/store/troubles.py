"""What PostgreSQL may refuse a commit with, provoked behind the store's back; the model is ordered to fail instead.

Each stands around one commit of `rows.full()` over `rows.before()`: it is refused, and nothing of it is written.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg

from paramedic.store.connect import Connection
from paramedic.store.memory import MemoryStore
from paramedic.store.port import Store
from tests.store.clock import background, until
from tests.store.stores import PostgresStores, Stores

__all__ = ["SETTINGS", "TROUBLES", "set_up", "states", "troubled"]

Trouble = Callable[[PostgresStores], AbstractAsyncContextManager[None]]

# What the database is set to before the store connects.
SETTINGS: Mapping[str, tuple[str, str]] = {
    "lock timeout": ("lock_timeout", "60ms"),
    "statement timeout": ("statement_timeout", "1s"),  # of all that the store asks, so there must be room for a join
    "deadlock": ("deadlock_timeout", "20ms"),
    "serialization": ("default_transaction_isolation", "repeatable read"),
}

# What the database is to say.
STATES_OF_OTHERS: Mapping[str, set[str]] = {
    "lock timeout": {"55P03"},
    "statement timeout": {"57014"},
    "deadlock": {"40P01"},
    "serialization": {"40001"},
    "cancelled": {"57014"},
    "terminated": {"57P01", "08003"},  # or the end of the connection is seen first
}

# What a trigger answers with, and when: at the row, or at the end of the transaction.
STATES: Mapping[str, tuple[str, bool]] = {
    "disk full": ("53100", False),
    "out of memory": ("53200", False),
    "read only": ("25006", False),
    "internal error": ("XX000", False),
    "corrupted": ("XX001", False),
    "server ends": ("57P01", False),
    "statement not completed": ("40003", False),
    "deadlock at the commit": ("40P01", True),
    "serialization at the commit": ("40001", True),
    "broken rule at the commit": ("23514", True),
}


@asynccontextmanager
async def in_the_way(stores: PostgresStores) -> AsyncIterator[Connection]:
    """A second session, which has changed incident 1 and not said so yet: the commit will wait for it."""
    other = await asyncpg.connect(stores.dsn, server_settings={"deadlock_timeout": "60s", "lock_timeout": "0"})
    try:
        await other.execute("begin; set local statement_timeout = 0; update incident set title = title where id = 1")
        yield other
    finally:
        await other.close()


@asynccontextmanager
async def held_up(stores: PostgresStores) -> AsyncIterator[None]:
    """It waits, and no longer than the database is set to."""
    async with in_the_way(stores):
        yield


@asynccontextmanager
async def overtaken(stores: PostgresStores) -> AsyncIterator[None]:
    """It waits, and what it waits for has changed what it was going to change."""
    async with in_the_way(stores) as other, background(_then(stores, other, "commit")):
        yield


@asynccontextmanager
async def entangled(stores: PostgresStores) -> AsyncIterator[None]:
    """It stops in the middle, until somebody waits for it; then it waits for that one.

    Who closes the circle looks for it first, and is the one that is ended.
    """
    await stores.run(
        "create function trouble() returns trigger language plpgsql as $$ begin"
        " perform pg_advisory_xact_lock(5); perform from migration for update; return new; end $$"
    )
    await stores.run("create trigger trouble before insert on timeline for each row execute function trouble()")
    await stores.run("select pg_advisory_lock(5)")
    other = await asyncpg.connect(stores.dsn, server_settings={"deadlock_timeout": "60s"})
    try:
        await other.execute("begin; select from migration for update")
        async with background(_entangle(stores, other)):
            yield
    finally:
        await other.close()
    await stores.run("drop trigger trouble on timeline")


async def _entangle(stores: PostgresStores, other: Connection) -> None:
    await until(stores.waiting)
    async with background(other.execute("select from member for update")) as waits:
        await until(lambda: stores.waiting(2))
        await stores.run("select pg_advisory_unlock(5)")
        await waits  # until the commit has been ended, and lets go


async def _then(stores: PostgresStores, other: Connection, statement: str) -> None:
    await until(stores.waiting)
    await other.execute(statement)


def ended_by(function: str) -> Trouble:
    """It waits, and an administrator has had enough of it."""

    @asynccontextmanager
    async def ended(stores: PostgresStores) -> AsyncIterator[None]:
        async with in_the_way(stores) as other, background(_administrate(stores, other, function)):
            yield

    return ended


async def _administrate(stores: PostgresStores, other: Connection, function: str) -> None:
    await until(stores.waiting)
    await other.execute(
        f"select {function}(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    )


def answering(state: str, *, late: bool) -> Trouble:
    """The database answers with this SQLSTATE."""
    when = "create constraint trigger trouble after insert on timeline deferrable initially deferred"
    if not late:
        when = "create trigger trouble before insert on timeline"

    @asynccontextmanager
    async def answer(stores: PostgresStores) -> AsyncIterator[None]:
        await stores.run(
            "create function trouble() returns trigger language plpgsql as"
            f" $$ begin raise exception 'trouble' using errcode = '{state}'; end $$"
        )
        await stores.run(f"{when} for each row execute function trouble()")
        yield
        await stores.run("drop trigger trouble on timeline")

    return answer


def states(name: str) -> set[str]:
    """The SQLSTATEs of which this trouble has one."""
    return STATES_OF_OTHERS.get(name) or {STATES[name][0]}


TROUBLES: Mapping[str, Trouble] = {
    "lock timeout": held_up,
    "statement timeout": held_up,
    "deadlock": entangled,
    "serialization": overtaken,
    "cancelled": ended_by("pg_cancel_backend"),
    "terminated": ended_by("pg_terminate_backend"),
    **{name: answering(state, late=late) for name, (state, late) in STATES.items()},
}


async def set_up(stores: Stores, name: str) -> None:
    """What must be so before anybody connects."""
    if isinstance(stores, PostgresStores) and name in SETTINGS:
        setting, value = SETTINGS[name]
        database = (await stores.run("select current_database()"))[0][0]
        await stores.run(f"alter database {database} set {setting} = '{value}'")


@asynccontextmanager
async def troubled(stores: Stores, store: Store, name: str) -> AsyncIterator[None]:
    """The next commit of this store is refused."""
    if isinstance(stores, PostgresStores):
        async with asyncio.timeout(20), TROUBLES[name](stores):
            yield
    else:
        assert isinstance(store, MemoryStore)
        store.fail_next("before")
        yield
