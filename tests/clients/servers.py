"""Small servers on loopback that behave as badly as the test wants: each connection is handed to a script."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from paramedic.core.bundle import Endpoint


@dataclass
class Request:
    """A request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Peer:
    """One connection, as its script sees it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    server: "Server"

    async def take(self) -> Request | None:
        """The next request, noted by the server; None once the client has gone."""
        try:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        first, *lines = head.rstrip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        request = Request(method, target, headers, body)
        self.server.requests.append(request)
        self.server.arrived.set()
        return request

    def say(self, raw: bytes) -> None:
        """Send these bytes as they are."""
        self.writer.write(raw)

    def answer(self, status: int = 200, body: bytes = b"ok", **headers: str) -> None:
        """Send a whole answer; `_` in a header's name stands for `-`."""
        extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        self.say(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body)

    def reset(self) -> None:
        """End the connection with a RST instead of a FIN."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Script = Callable[[Peer], Awaitable[None]]


@dataclass
class Server:
    """What came in. `quiet` is never set: waiting for it is a server that has nothing to say."""

    port: int = 0
    connections: int = 0
    requests: list[Request] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    quiet: asyncio.Event = field(default_factory=asyncio.Event)

    def endpoint(self, *, idempotent: bool = False, token: str = "", path: str = "") -> Endpoint:
        """An endpoint of the catalog that leads here."""
        return Endpoint("hook", f"http://127.0.0.1:{self.port}{path}", token=token, idempotent=idempotent, timeout=5.0)


async def always_ok(peer: Peer) -> None:
    """Answer every request of the connection with 200."""
    while await peer.take() is not None:
        peer.answer()


@contextlib.asynccontextmanager
async def serving(script: Script = always_ok) -> AsyncIterator[Server]:
    """A server for the time of the block; all its connections end with it."""
    server = Server()
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        server.connections += 1
        try:
            await script(Peer(reader, writer, server))
        except asyncio.CancelledError:
            pass
        finally:
            tasks.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    listener = await asyncio.start_server(connected, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def unused_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
