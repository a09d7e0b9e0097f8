"""The two stores as the contract's tests see them: members that come one after the other, and all that is kept."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec

from paramedic.core.model import Episode
from paramedic.store.memory import MemoryDisk, MemoryStore
from paramedic.store.port import (
    AnswerRow,
    Batch,
    DeliveryRow,
    EffectRow,
    EventRow,
    EvidenceRow,
    ForwardedRow,
    HoldRow,
    IncidentRow,
    RejectedRow,
    Store,
    TimelineRow,
    TimerRow,
    UseRow,
)
from paramedic.store.postgres import PostgresStore
from tests.store.clock import HandClock

LEASE = 10.0  # seconds

Kept = dict[str, list[Any]]


class Stores(ABC):
    """One database, or what stands for one."""

    def __init__(self) -> None:
        self.clock = HandClock()

    @abstractmethod
    def new(self) -> Store:
        """A store that has not joined."""

    @abstractmethod
    async def kept(self) -> Kept:
        """Everything that was committed: part → its rows, in the order of their keys."""

    async def member(self, *batches: Batch) -> Store:
        """A store that has joined, and committed these."""
        store = self.new()
        await store.join()
        for batch in batches:
            await store.commit(batch)
        return store

    async def succeed(self) -> Store:
        """A new member in the place of one that seems to be gone."""
        return await self.member()

    @abstractmethod
    async def owners(self) -> dict[int, int]:
        """Shard → the member that owns it."""

    @abstractmethod
    async def gone(self, member: int) -> None:
        """Let this member's lease be over."""

    @abstractmethod
    async def beside(self, *batches: Batch) -> Store:
        """A store that has joined beside those that live, and committed these."""

    @abstractmethod
    async def close(self) -> None:
        """End everything."""


class MemoryStores(Stores):
    """Over one disk."""

    def __init__(self) -> None:
        super().__init__()
        self.disk = MemoryDisk()

    def new(self) -> MemoryStore:
        return MemoryStore(self.disk, self.clock)

    async def owners(self) -> dict[int, int]:
        return dict(self.disk.members.owners)

    async def gone(self, member: int) -> None:
        self.disk.members.all[member].dead = True

    async def beside(self, *batches: Batch) -> MemoryStore:
        store = MemoryStore(self.disk, self.clock, ttl=LEASE)
        await store.join()
        for batch in batches:
            await store.commit(batch)
        return store

    async def close(self) -> None:
        """Nothing to end."""

    async def kept(self) -> Kept:
        disk = self.disk
        return {
            "deliveries": _sorted(disk.deliveries.values(), "id"),
            "rejected": _sorted(disk.rejected.values(), "id"),
            "episodes": sorted(disk.episodes.values(), key=lambda one: (one.source, one.identity)),
            "incidents": [
                IncidentRow(**{name: getattr(row, name) for name in row.__struct_fields__} | {"new": False})
                for row in _sorted(disk.incidents.values(), "id")
            ],
            "events": _sorted((row for of in disk.events.values() for row in of.values()), "incident", "seq"),
            "timeline": _sorted((row for of in disk.timeline.values() for row in of), "incident", "seq"),
            "effects": _sorted(disk.effects.values(), "incident", "n"),
            "timers": _sorted(disk.timers.values(), "incident", "n"),
            "holds": _sorted(disk.holds.values(), "scope"),
            "uses": _sorted(disk.uses, "scope", "at", "incident", "run"),
            "evidence": _sorted(disk.evidence.values(), "digest"),
            "forwarded": _sorted(disk.forwarded.values(), "id"),
            "answers": _sorted(disk.answers.values(), "id"),
        }


def _sorted(rows: Any, *by: str) -> list[Any]:
    return sorted(rows, key=lambda row: tuple(getattr(row, name) for name in by))


TABLES: Sequence[tuple[str, type, str]] = (
    ("deliveries", DeliveryRow, "select id, at, source, body, routed from delivery order by id"),
    ("rejected", RejectedRow, "select id, at, source, reason, body from rejected order by id"),
    ("incidents", IncidentRow, "select *, false as new from incident order by id"),
    ("events", EventRow, "select incident_id as incident, seq, at, body, done from event order by 1, 2"),
    ("timeline", TimelineRow, "select incident_id as incident, seq, at, body, hash from timeline order by 1, 2"),
    (
        "effects",
        EffectRow,
        "select incident_id as incident, n, shard, lane, body, intended, until from effect order by 1, 2",
    ),
    ("timers", TimerRow, "select incident_id as incident, n, shard, due, name from timer order by 1, 2"),
    ("holds", HoldRow, 'select scope, incident_id as incident, run, at from hold order by scope collate "C"'),
    ("uses", UseRow, 'select scope, at, incident_id as incident, run from use order by scope collate "C", 2, 3, 4'),
    ("evidence", EvidenceRow, 'select digest, name, body from evidence order by digest collate "C"'),
    ("forwarded", ForwardedRow, "select id, shard, at, body from forwarded order by id"),
    ("answers", AnswerRow, "select id, at, body from answer order by id"),
)


class PostgresStores(Stores):
    """Over one database. The lease never ends by itself: `clock` stands still.

    `observed`: the same database by another way, for what happens behind the store's back.
    """

    def __init__(self, dsn: str, observed: str = "") -> None:
        super().__init__()
        self.dsn = dsn
        self._observed = observed or dsn
        self._made: list[PostgresStore] = []
        self._observer: asyncpg.Connection[asyncpg.Record] | None = None

    def new(self, *, timeout: float = 5.0) -> PostgresStore:
        store = PostgresStore(self.dsn, self.clock, ttl=LEASE, timeout=timeout)
        self._made.append(store)
        return store

    def apart(self) -> tuple[PostgresStore, HandClock]:
        """A store with a clock of its own."""
        clock = HandClock()
        store = PostgresStore(self.dsn, clock, ttl=LEASE)
        self._made.append(store)
        return store, clock

    async def succeed(self) -> Store:
        await self.run("update member set until = '-infinity'")  # as if the process slept through its lease
        return await self.member()

    async def run(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """Run a statement behind the store's back."""
        if self._observer is None:
            self._observer = await asyncpg.connect(self._observed)
        return await self._observer.fetch(sql, *arguments)

    async def cut(self, profile: str) -> None:
        """Cut the store's connections of this profile: `member` or `engine`."""
        await self.run(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and application_name = 'paramedic ' || $1",
            profile,
        )

    async def waiting(self, count: int = 1) -> bool:
        """Whether so many statements wait for a lock."""
        found = await self.run(
            "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        )
        return len(found) == count

    async def locked(self, count: int) -> bool:
        """Whether so many members' locks are held."""
        found = await self.run(
            "select from pg_locks join pg_database d on d.oid = database"
            " where datname = current_database() and locktype = 'advisory' and classid = 77"
        )
        return len(found) == count

    async def kept(self) -> Kept:
        kept = {part: [shape(**row) for row in await self.run(sql)] for part, shape, sql in TABLES}
        episodes = await self.run('select body from episode order by source, identity collate "C"')
        return kept | {"episodes": [msgspec.json.decode(row["body"], type=Episode) for row in episodes]}

    async def gone(self, member: int) -> None:
        await self.run("update member set until = '-infinity' where id = $1", member)

    async def owners(self) -> dict[int, int]:
        return {row["id"]: row["owner"] for row in await self.run("select id, owner from shard")}

    async def beside(self, *batches: Batch) -> PostgresStore:
        """One more store that has joined beside those that live, with a clock of its own."""
        store, _ = self.apart()
        await store.join()
        for batch in batches:
            await store.commit(batch)
        return store

    async def close(self) -> None:
        for store in self._made:
            await store.leave()
        if self._observer is not None:
            await self._observer.close()
