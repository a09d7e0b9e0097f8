"""A PostgreSQL outside the service, that a test stops and starts while the service runs."""

from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from paramedic.clock import SystemClock
from paramedic.store.embedded.supervisor import EmbeddedPostgres

__all__ = ["Database"]


class Database:
    """The embedded server's programs as a database of somebody else's: `url` is the same after each start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = AsyncExitStack()
        self.url = ""

    async def start(self) -> None:
        """Start it; it takes connections."""
        server = await self._stack.enter_async_context(EmbeddedPostgres(self._folder, SystemClock()))
        self.url = server.dsn

    async def stop(self) -> None:
        """A fast shutdown: every connection is cut."""
        await self._stack.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()
