"""Wires between a store and PostgreSQL, one for each connection; one of them is cut around the n-th request of all.

It knows as much of the protocol as that takes. What a client asks ends with the first message of a connection, with a
simple query or with a `Sync`; the server says `ReadyForQuery` when it is done with it, which for a write outside a
transaction means that it is committed.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, quote, urlsplit

from tests.postgres import quick_folder

ENDS = b"QS"  # a simple query, a Sync
DONE = b"Z"  # ReadyForQuery
PASSWORD = b"R"  # without what it is asked with, a connection is never opened

When = Literal["before", "after"]


@dataclass
class Cut:
    """Around which request: before the server has it, or after it is done and before its answer comes."""

    number: int
    when: When


class Wires:
    """Counts the requests of all connections together, in the order in which they come."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._tasks: set[asyncio.Task[None]] = set()
        self._cut: Cut | None = None
        self.count = 0

    def cut(self, ahead: int, when: When) -> None:
        """Cut the wire of the request that is so many ahead (0: the next) around it. Once; then all is well again."""
        self._cut = Cut(self.count + ahead, when)

    @property
    def whole(self) -> bool:
        """Whether no cut was ordered that has not been made."""
        return self._cut is None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        back, forth = await asyncio.open_unix_connection(self._server)
        lost = asyncio.Event()
        pumps = [
            asyncio.ensure_future(self._asks(reader, forth, lost)),
            asyncio.ensure_future(self._answers(back, writer, lost)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:  # whichever side has gone, the other one goes too
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for line in (writer, forth):
                line.transport.abort()

    async def _asks(self, reader: asyncio.StreamReader, forth: asyncio.StreamWriter, lost: asyncio.Event) -> None:
        first = True
        while True:
            kind, message = await read_message(reader, first=first)
            if first or kind in ENDS:
                number, self.count = self.count, self.count + 1
                if self._cut is not None and number == self._cut.number:
                    cut, self._cut = self._cut, None
                    if cut.when == "before":
                        return
                    lost.set()
            first = False
            forth.write(message)
            await forth.drain()

    async def _answers(self, back: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: asyncio.Event) -> None:
        while True:
            kind, message = await read_message(back, first=False)
            if not lost.is_set() or kind == PASSWORD:
                writer.write(message)
            if lost.is_set() and kind == DONE:
                return

    async def end(self) -> None:
        """End every connection."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def read_message(reader: asyncio.StreamReader, *, first: bool) -> tuple[bytes, bytes]:
    """The next message: its kind (none for the first of a client) and all of it."""
    kind = b"" if first else await reader.readexactly(1)
    length = await reader.readexactly(4)
    return kind, kind + length + await reader.readexactly(int.from_bytes(length) - 4)


@asynccontextmanager
async def wired(dsn: str) -> AsyncIterator[tuple[str, Wires]]:
    """The URL of the same database through wires, and the wires."""
    folder = parse_qs(urlsplit(dsn).query)["host"][0]
    async with AsyncExitStack() as stack:
        here = stack.enter_context(quick_folder())
        wires = Wires(f"{folder}/.s.PGSQL.5432")
        served = await asyncio.start_unix_server(wires.serve, here / ".s.PGSQL.5432")
        stack.push_async_callback(wires.end)
        stack.callback(served.close)
        yield dsn.replace(quote(folder, safe=""), quote(str(here), safe="")), wires
