"""Membership: how a process becomes one that may write, proves that it lives, and learns that it may no longer.

The store joins before it recovers. The protocol is in `queries/members.sql`: a lock held by a connection says "my
process lives", a row with a lease says "and it is not asleep", and the row's `fenced` ends every commit of a member
that lost.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol

from paramedic.clock import Clock, jittered
from paramedic.errors import ParamedicError
from paramedic.store.connect import Connection, Profile, connect, translated
from paramedic.store.port import Doubtful, Fenced
from paramedic.store.queries import Query

__all__ = ["DatabaseClock", "Membership", "join"]

logger = logging.getLogger(__name__)

# A process that stops in the middle of its takeover must not keep the others out.
HOLDER = Profile(
    "paramedic member",
    MappingProxyType({"idle_in_transaction_session_timeout": "5s"}),
    statement_timeout=10.0,
)


class DatabaseClock(Clock, Protocol):
    """A clock that can be moved onto the database's."""

    def local(self) -> datetime:
        """The present moment on this machine's own clock."""
        ...

    def adjust(self, offset: timedelta) -> None:
        """Take over the difference between the database's clock and this machine's."""
        ...


class Membership:
    """One membership. Its connection holds the lock and carries the heartbeat; both end with it."""

    def __init__(
        self, connection: Connection, member: int, clock: DatabaseClock, queries: Mapping[str, Query], ttl: float
    ) -> None:
        self.member = member
        self.deadline = 0.0  # on the clock's monotonic scale: until then nobody steps in
        self._connection = connection
        self._clock = clock
        self._queries = queries
        self._ttl = ttl
        self._offset = timedelta()
        self._ended: Fenced | Doubtful | None = None
        self._renewing = asyncio.Lock()
        self._heart: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    async def enter(self, former: int) -> Sequence[int]:
        """Become a member, and begin the heartbeat; or answer who lives and shares with nobody, and do nothing.

        `former` is the member that this process itself has given up (0: none). Raises Temporary or Permanent.
        """
        enter = self._queries["member_enter"]
        with translated("joining"):
            async with self._connection.transaction():
                await self._connection.execute(self._queries["takeover_begin"].text)
                alone = await self._connection.fetch(self._queries["members_alone"].text, former)
                if alone:
                    return [row["id"] for row in alone]
                before, sent = self._clock.local(), self._clock.monotonic()
                arguments = enter.arguments(member=self.member, ttl=timedelta(seconds=self._ttl))
                now = await self._connection.fetchval(enter.text, *arguments)
            await self._connection.add_listener("paramedic", self._told)
        self._renewed(sent, before, now)
        self._heart = asyncio.create_task(self._beat(), name=f"heartbeat of member {self.member}")
        return []

    def _told(self, *_: object) -> None:
        self._news.set()

    async def news(self, patience: float) -> bool:
        """Wait until another member has told us to look (True), or `patience` seconds are over."""
        waiting = asyncio.ensure_future(self._news.wait())
        pause = asyncio.ensure_future(self._clock.sleep(patience))
        try:
            await asyncio.wait([waiting, pause], return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            pause.cancel()
            await asyncio.gather(waiting, pause, return_exceptions=True)
        told = self._news.is_set()
        self._news.clear()
        return told

    def check(self) -> None:
        """Raises `Fenced` or `Doubtful` when the membership is known to be over."""
        if self._ended is not None:
            raise type(self._ended)(*self._ended.args)
        if self._connection.is_closed():
            raise self.end(Doubtful(f"member {self.member} has lost the connection that holds its lock"))

    def end(self, why: Fenced | Doubtful) -> Fenced | Doubtful:
        """End it at once, without a word to the database: the connection closes, and so the lock is free."""
        if self._ended is None:
            self._ended = why
            self.deadline = 0.0
            self._connection.terminate()
        return why

    async def alive(self) -> bool:
        """Whether a quarter of the lease is left, or could be had just now."""
        try:
            self.check()
            if self.deadline - self._clock.monotonic() < self._ttl / 4:
                await self.renew()
        except (Fenced, Doubtful):
            return False
        return True

    async def renew(self) -> None:
        """Prolong the lease now. Raises `Fenced` when another member has stepped in, `Doubtful` when nobody answers."""
        async with self._renewing:
            self.check()
            query = self._queries["member_renew"]
            arguments = query.arguments(member=self.member, ttl=timedelta(seconds=self._ttl))
            before, sent = self._clock.local(), self._clock.monotonic()
            try:
                with translated("renewing the lease"):
                    # An answer after the deadline would be worth nothing.
                    patience = max(self.deadline - sent, self._ttl / 4)
                    now = await self._connection.fetchval(query.text, *arguments, timeout=patience)
            except ParamedicError as error:
                raise self.end(Doubtful(f"member {self.member}: {error}")) from error
            if now is None:
                raise self.end(Fenced(f"member {self.member} has been fenced: another one has taken over"))
            self._renewed(sent, before, now)

    def _renewed(self, sent: float, before: datetime, now: datetime) -> None:
        """The database has answered `now` to what was sent at `sent` (monotonic), `before` (this machine's time).

        The answer was made somewhere between the sending and this moment, so the clocks differ by something between two
        bounds. The offset in use is moved only when it lies outside them: a slow answer does not make time jump.
        """
        self.deadline = sent + self._ttl
        offset = min(max(self._offset, now - self._clock.local()), now - before)
        if offset != self._offset:
            self._offset = offset
            self._clock.adjust(offset)

    async def _beat(self) -> None:
        """Four renewals to a lease, until the membership is over."""
        try:
            while True:
                await self._clock.sleep(self._ttl / 4)
                await self.renew()
        except (Fenced, Doubtful) as error:
            logger.warning("the heartbeat stops: %s", error)
        except Exception as error:
            logger.exception("the heartbeat failed")
            self.end(Doubtful(f"member {self.member}: the heartbeat failed: {error!r}"))

    async def leave(self) -> None:
        """Give the membership up, so that the next member need not wait. Raises Temporary or Permanent."""
        await self._stop()
        query = self._queries["member_leave"]
        try:
            if self._ended is None:
                with translated("leaving"):
                    await self._connection.execute(query.text, *query.arguments(member=self.member))
                    await self._connection.execute(self._queries["members_told"].text)
                    await self._connection.close(timeout=2.0)
        finally:
            self.end(Fenced(f"member {self.member} has left"))

    async def drop(self) -> None:
        """Give the membership up without asking the database."""
        self.end(Doubtful(f"member {self.member} was given up"))
        await self._stop()

    async def _stop(self) -> None:
        if self._heart is not None:
            self._heart.cancel()
            await asyncio.wait([self._heart], timeout=5.0)


async def join(
    dsn: str, clock: DatabaseClock, queries: Mapping[str, Query], *, ttl: float, former: int = 0
) -> Membership:
    """Become a member; wait, until cancelled, while one of an older version lives, which shares with nobody.

    `ttl` is the length of the lease in seconds. Raises Temporary, Permanent or Fault when the database cannot be used.
    """
    with ExitStack() as undo:
        connection = await connect(dsn, HOLDER)
        undo.callback(connection.terminate)
        with translated("joining"):
            member = await connection.fetchval(queries["member_number"].text)
            await connection.execute(queries["member_lock"].text, member)
        membership = Membership(connection, member, clock, queries, ttl)
        known: Sequence[int] = []
        while living := await membership.enter(former):
            if living != known:
                logger.info("member %d stands by: member %s shares with nobody", member, ", ".join(map(str, living)))
            known = living
            await clock.sleep(jittered(ttl / 4))
        undo.pop_all()
    return membership
