"""How far PostgreSQL has come, over a connection of its own: read when a member joins, marked while it lives.

`app` makes one and hands it to the engine's `Highest`. Nothing here is fenced: a mark proves only that it was written.
"""

from collections.abc import Mapping
from typing import Any

import asyncpg

from paramedic.core.positions import Found, Position
from paramedic.store.connect import Connection
from paramedic.store.postgres.reads import Reader
from paramedic.store.queries import Query

__all__ = ["PositionTable"]

_WITHHELD = (asyncpg.InsufficientPrivilegeError, asyncpg.FeatureNotSupportedError, asyncpg.UndefinedFunctionError)
"""What those say who rent databases out and do not let everything be asked."""


class PositionTable:
    """Positions of the database at `dsn`. Every call raises `Temporary` when it is away, and may be repeated."""

    def __init__(self, dsn: str, queries: Mapping[str, Query]) -> None:
        self._reader = Reader(dsn, queries)
        self._queries = queries

    async def find(self, who: str) -> Found:
        """How the database is now, and what it holds of ours."""
        query = self._queries["position_find"]
        async with self._reader.session("reading how far the database is") as connection:
            system, wal = await self._system(connection), await self._wal(connection)
            (row,) = await connection.fetch(query.text, *query.arguments(who=who, system=system))
        return Found(system=system, wal=wal, **row)

    async def mark(self, who: str, mark: int) -> Position:
        """Write our next mark; what is to be remembered."""
        query = self._queries["position_mark"]
        async with self._reader.session("marking how far the database is") as connection:
            (row,) = await connection.fetch(query.text, *query.arguments(who=who, mark=mark))
            system, wal = await self._system(connection), await self._wal(connection)
        return Position(who=who, system=system, wal=wal, **row)

    async def froze(self, who: str) -> None:
        """Note that this database was frozen, so that the next process that finds the same need not do so again."""
        query = self._queries["position_froze"]
        async with self._reader.session("noting the freeze") as connection:
            system = await self._system(connection)
            await connection.execute(query.text, *query.arguments(who=who, system=system))

    async def close(self) -> None:
        """Close the connection, if there is one."""
        await self._reader.close()

    async def _system(self, connection: Connection) -> str:
        """The name of the database system; empty where we may not ask for it."""
        return str(await self._if_allowed(connection, "position_system") or "")

    async def _wal(self, connection: Connection) -> int:
        """How much of the server's log is on its disk; 0 where we may not ask for it."""
        return int(await self._if_allowed(connection, "position_wal") or 0)

    async def _if_allowed(self, connection: Connection, name: str) -> Any:
        try:
            return await connection.fetchval(self._queries[name].text)
        except _WITHHELD:
            return None
