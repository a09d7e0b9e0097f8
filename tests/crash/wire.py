"""The wire between a service and its PostgreSQL: cut in the middle of a commit, before or after it arrived, or slow.

It stands in a socket's folder of its own, and understands as much of the protocol as it takes to tell a commit from
other statements: what was prepared under which name, and which of these is carried out.
"""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, quote, urlsplit

__all__ = ["Wire", "wired"]

MARK = b"as whole"
"""What the text of a commit holds, and of no other statement: it counts its rows."""


class Wire:
    """`cut` says what happens to the next commit."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.cut: Literal["", "before", "after"] = ""
        self.cuts: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the service."""
        try:
            there, back = await asyncio.open_unix_connection(self.target)
        except OSError:
            writer.transport.abort()
            return
        connection = Connection(self, reader, writer, there, back)
        await connection.run()


class Connection:
    """Both directions of one connection."""

    def __init__(
        self,
        wire: Wire,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        there: asyncio.StreamReader,
        back: asyncio.StreamWriter,
    ) -> None:
        self._wire, self._reader, self._writer, self._there, self._back = wire, reader, writer, there, back
        self._commits: set[bytes] = set()
        self._lost = False
        self._committing = False

    async def run(self) -> None:
        """Until either side ends, or it is cut."""
        ways = [asyncio.ensure_future(way) for way in (self._forth(), self._home())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._writer.transport.abort()
            self._back.transport.abort()

    async def _forth(self) -> None:
        """What the service sends, message by message; the first has no kind."""
        kind = b""
        while True:
            head = await self._reader.readexactly(4)
            body = await self._reader.readexactly(struct.unpack("!I", head)[0] - 4)
            if self._is_commit(kind, body):
                self._committing = True
                if self._wire.cut:
                    self._wire.cuts.append(self._wire.cut)
                    self._lost, self._wire.cut = True, ""
                    if self._wire.cuts[-1] == "before":
                        return
            self._back.write(kind + head + body)
            await self._back.drain()
            kind = await self._reader.readexactly(1)

    def _is_commit(self, kind: bytes, body: bytes) -> bool:
        """Whether this carries a commit out: a Bind of a statement that a Parse has named."""
        if kind == b"P":
            name, text, *_ = body.split(b"\0", 2)
            if MARK in text:
                self._commits.add(name)
        return kind == b"B" and body.split(b"\0", 2)[1] in self._commits

    async def _home(self) -> None:
        """What PostgreSQL answers: it has done by then what it was asked."""
        while data := await self._there.read(65536):
            if self._lost:
                return
            self._committing = False
            self._writer.write(data)
            await self._writer.drain()


@asynccontextmanager
async def wired(dsn: str, folder: Path) -> AsyncIterator[tuple[Wire, str]]:
    """A wire to the PostgreSQL at `dsn`, and the URL by which a service uses it. `folder` takes the socket."""
    query = parse_qs(urlsplit(dsn).query)
    name = f".s.PGSQL.{query['port'][0]}"
    wire = Wire(f"{query['host'][0]}/{name}")
    folder.mkdir()
    server = await asyncio.start_unix_server(wire.serve, folder / name)
    async with server:
        yield wire, dsn.replace(quote(query["host"][0], safe=""), quote(str(folder), safe=""))
