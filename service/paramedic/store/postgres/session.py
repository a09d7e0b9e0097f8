"""One connection that is opened when it is first needed, and anew after an error: for one user at a time.

`reads` and `sharing` have one each, so that neither waits for the commits, nor for the other.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from paramedic.store.connect import Connection, Profile, connect, translated

__all__ = ["Session"]


class Session:
    """See the module."""

    def __init__(self, dsn: str, profile: Profile) -> None:
        self._dsn, self._profile = dsn, profile
        self._connection: Connection | None = None
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def open(self, doing: str) -> AsyncIterator[Connection]:
        """The connection, for one user at a time. It does not outlive an error or a cancellation."""
        async with self._turn:
            if self._connection is None or self._connection.is_closed():
                self._connection = await connect(self._dsn, self._profile)
            connection, done = self._connection, False
            try:
                with translated(doing):
                    yield connection
                done = True
            finally:
                if not done:
                    connection.terminate()

    async def close(self) -> None:
        """Close the connection; the next use opens another one."""
        async with self._turn:
            if self._connection is not None and not self._connection.is_closed():
                with translated("closing a connection"):
                    await self._connection.close(timeout=2.0)
