"""Reading for people: the named queries of views.sql over a small pool of their own, never in the engine's way.

The app opens it and hands it to `console.views` as its `Rows`. Connections are read-only and every statement has a
limit, so a heavy question from a person cannot hold up a commit.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import Any

from paramedic.store.connect import Pool, Profile, open_pool, translated
from paramedic.store.queries import Query

__all__ = ["READS", "Reads", "open_reads"]

LIMIT = 4.0  # seconds a statement may take; the server ends it
PATIENCE = 2.0  # seconds to wait for a free connection

READS = Profile(
    "paramedic views",
    MappingProxyType({"default_transaction_read_only": "on", "statement_timeout": f"{LIMIT:g}s"}),
    statement_timeout=LIMIT + 1,
)


class Reads:
    """Named queries, each on whichever connection is free. Close it, or use it as a context manager."""

    def __init__(self, pool: Pool, queries: Mapping[str, Query]) -> None:
        self._pool = pool
        self._queries = queries

    async def fetch(self, name: str, /, **values: object) -> Sequence[Mapping[str, Any]]:
        """All rows of the query `name`. Raises Temporary when the database is slow, busy or away."""
        query = self._queries[name]
        with translated(f"reading {name.replace('_', ' ')}"):
            async with self._pool.acquire(timeout=PATIENCE) as connection:
                rows = await connection.fetch(query.text, *query.arguments(**values))
        return [dict(row) for row in rows]

    async def close(self) -> None:
        """Close the connections; what is still being read is cut off."""
        self._pool.terminate()

    async def __aenter__(self) -> "Reads":
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self.close()


async def open_reads(dsn: str, queries: Mapping[str, Query], *, size: int = 4) -> Reads:
    """Reads over at most `size` connections. Raises as `open_pool` does."""
    return Reads(await open_pool(dsn, READS, size=size), queries)
