"""The store over PostgreSQL: membership, commits and reads put together, each on a connection of its own.

`app` makes one and hands it to the engine. After an error of `commit` the membership is over: `join` begins a new one,
and `recover` reads what the database really holds.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from importlib.resources import files

from paramedic.core.model import Episode
from paramedic.errors import ParamedicError
from paramedic.store.connect import ENGINE, connect
from paramedic.store.port import (
    AnswerRow,
    Batch,
    BundleRow,
    ClaimRow,
    Committed,
    Doubtful,
    Fenced,
    ForwardedRow,
    OpeningRow,
    Place,
    Recovered,
    ScopeRow,
    Standing,
    Switch,
)
from paramedic.store.postgres.commit import Committer
from paramedic.store.postgres.members import DatabaseClock, Membership, join
from paramedic.store.postgres.reads import Reader
from paramedic.store.postgres.recovery import recover
from paramedic.store.postgres.sharing import Sharing
from paramedic.store.queries import load

__all__ = ["PostgresStore"]

logger = logging.getLogger(__name__)


class PostgresStore:
    """`Store` over the database at `dsn`.

    `ttl` is the length of the lease, `timeout` how long a commit may take, both in seconds.
    """

    def __init__(self, dsn: str, clock: DatabaseClock, *, ttl: float = 10.0, timeout: float = 5.0) -> None:
        self._ttl = ttl
        self._dsn = dsn
        self._clock = clock
        self._timeout = timeout
        self._queries = load(files("paramedic.store") / "queries")
        self._reader = Reader(dsn, self._queries)
        self._membership: Membership | None = None
        self._committer: Committer | None = None
        self._sharing: Sharing | None = None

    async def join(self) -> int:
        """Become a member, and own the shards that nobody who lives owns. Answers the member's id.

        Waits, until cancelled, while a member of an older version lives. Raises Temporary, Permanent or Fault when the
        database cannot be used.
        """
        former = self._membership
        if former is not None:
            await former.drop()
            await self._close_connections()
        async with AsyncExitStack() as undo:
            number = former.member if former else 0
            membership = await join(self._dsn, self._clock, self._queries, ttl=self._ttl, former=number)
            undo.push_async_callback(membership.drop)
            sharing = Sharing(self._dsn, membership.member, self._queries)
            undo.push_async_callback(sharing.close)
            fenced, taken = await sharing.take_over(number)
            connection = await connect(self._dsn, ENGINE)
            undo.pop_all()
        logger.info("member %d has %d shards; fenced: %s", membership.member, len(taken), list(fenced))
        self._membership, self._sharing = membership, sharing
        self._committer = Committer(connection, membership.member, self._queries, timeout=self._timeout)
        return membership.member

    async def recover(self, *, uses_since: datetime, but: Sequence[int] = ()) -> Recovered:
        """What hangs on our shards, `but` those in memory. Raises `Fenced`, Temporary or Permanent."""
        membership, _, _ = self._joined()
        async with self._reader.session("recovering") as connection:
            return await recover(connection, self._queries, membership.member, uses_since=uses_since, but=but)

    # -- with other members -------------------------------------------------------------------------------------------

    async def standing(self) -> Standing:
        """Who lives, who is gone, and who owns what, read now."""
        return await self._joined()[2].standing()

    async def take_over(self) -> None:
        """Fence the members that are gone and own their shards, and those that nobody owns."""
        membership, _, sharing = self._joined()
        fenced, taken = await sharing.take_over(0)
        if fenced or taken:
            logger.info("member %d has taken %d shards; fenced: %s", membership.member, len(taken), list(fenced))

    async def news(self, patience: float) -> bool:
        """Wait until another member says that it has something for us (True), or `patience` seconds are over."""
        return await self._joined()[0].news(patience)

    async def forwarded(self, shards: Sequence[int], but: Sequence[int], most: int) -> Sequence[ForwardedRow]:
        """The oldest rows forwarded to these shards, without those with the ids in `but`; at most `most`."""
        return await self._joined()[2].forwarded(shards, but, most)

    async def answers(self, ids: Sequence[int]) -> Sequence[AnswerRow]:
        """The answers to these questions that are there, each given out once."""
        return await self._joined()[2].answers(ids)

    async def places(self, incidents: Iterable[int]) -> Mapping[int, Place]:
        """Where these incidents are; unknown ones are absent."""
        return await self._reader.places(incidents)

    async def storms(self, keys: Sequence[str]) -> Mapping[str, int]:
        """The incidents with these keys that are open and not resolved."""
        return await self._joined()[2].storms(keys)

    async def openings(self, since: datetime, shards: Sequence[int]) -> Sequence[OpeningRow]:
        """How many incidents have begun since a moment and are open, on these shards."""
        return await self._joined()[2].openings(since, shards)

    async def scopes(self, names: Sequence[str], since: datetime) -> Sequence[ScopeRow]:
        """These scopes as they stand, with their uses since a moment."""
        return await self._joined()[2].scopes(names, since)

    async def claim(self, claims: Sequence[ClaimRow]) -> Sequence[int]:
        """Take each claim whole if nothing it was decided by has changed; answers the `n` of those taken."""
        return await self._joined()[2].claim(claims)

    async def forget_uses(self, before: datetime, most: int) -> int:
        """Delete the oldest uses of before a moment, at most `most`; how many there were."""
        return await self._joined()[2].forget_uses(before, most)

    # -- commits and reads --------------------------------------------------------------------------------------------

    async def commit(self, batch: Batch) -> Committed:
        """Write the batch in one statement, fenced. Raises `Fenced` or `Doubtful`, and the membership is over."""
        membership, committer, _ = self._joined()
        membership.check()
        why: Fenced | Doubtful | None = Doubtful("a commit was abandoned before its answer came")
        try:
            committed = await committer.commit(batch)
            why = None
        except (Fenced, Doubtful) as error:
            why = error
            raise
        finally:
            if why is not None:
                membership.end(why)
                committer.close()
        return committed

    async def alive(self) -> bool:
        """Whether this member may still write: nobody can have stepped in yet, nor will for a quarter of the lease."""
        return self._membership is not None and await self._membership.alive()

    async def episodes(self, identities: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Episode]:
        """The latest episodes of these (source, identity) pairs; unknown ones are absent."""
        return await self._reader.episodes(identities)

    async def episodes_of(self, incident: int) -> Sequence[Episode]:
        """The open or doubted episodes of an incident."""
        return await self._reader.episodes_of(incident)

    async def open_episodes(self, alertnames: Sequence[str] | None) -> Sequence[Episode]:
        """All open episodes with one of these alertnames (None: any)."""
        return await self._reader.open_episodes(alertnames)

    async def incident_numbers(self, blocks: int) -> Sequence[range]:
        """Fresh blocks of incident numbers."""
        return await self._reader.incident_numbers(blocks)

    async def switch(self) -> Switch:
        """The switch, read now."""
        return await self._reader.switch()

    async def bundle(self, hash_: str | None) -> BundleRow | None:
        """The bundle with this hash; None: the one in force."""
        return await self._reader.bundle(hash_)

    async def adopt(self, bundle: BundleRow, expected: str | None) -> bool:
        """Keep the bundle and move the pointer from `expected` to it; False if it is elsewhere."""
        return await self._reader.adopt(bundle, expected)

    async def leave(self) -> None:
        """Give the shards up and close every connection, also when the database no longer answers."""
        try:
            if self._membership is not None:
                await self._membership.leave()
            await self._reader.close()
        except ParamedicError as error:
            logger.warning("the store was left without a word to the database: %s", error)
        finally:
            await self._close_connections()

    def _joined(self) -> tuple[Membership, Committer, Sharing]:
        if self._membership is None or self._committer is None or self._sharing is None:
            raise Doubtful("not a member yet: join first")
        return self._membership, self._committer, self._sharing

    async def _close_connections(self) -> None:
        if self._committer is not None:
            self._committer.close()
        if self._sharing is not None:
            with suppress(ParamedicError):
                await self._sharing.close()
