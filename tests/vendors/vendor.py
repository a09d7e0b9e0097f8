"""What the stand-ins of vendors share: a server on loopback, over TLS if asked, that can have its moods.

A mood is for one request: `limited` (429 with Retry-After), `broken` (500), `reset` (the connection ends before
anything took effect), `lost` (it takes effect, and the connection ends before the answer), `slow` (no answer while the
test lasts).
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

from aiohttp import web

from tests.vendors.tls import server_context

Mood = Literal["limited", "broken", "reset", "lost", "slow"]


class Vendor:
    """A stand-in. `answer` is what a kind of vendor makes of a request; `moods` are taken one by one, as they stand."""

    def __init__(self) -> None:
        self.moods: list[Mood] = []
        self.retry_after = "7"
        self.requests: list[tuple[str, Any]] = []
        self.url = ""
        self.over = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        raise AssertionError("each vendor answers for itself")

    async def serve(self, request: web.Request) -> web.StreamResponse:
        mood = self.moods.pop(0) if self.moods else ""
        if mood == "limited":
            return web.json_response({"error": "ratelimited"}, status=429, headers={"Retry-After": self.retry_after})
        if mood == "broken":
            return web.Response(status=500, text="<h1>Oops</h1>")
        if mood == "slow":
            await self.over.wait()
        if mood == "reset":
            return hang_up(request)
        response = await self.answer(request)
        return hang_up(request) if mood == "lost" else response


def hang_up(request: web.Request) -> web.StreamResponse:
    """End the connection with a RST."""
    transport = request.transport
    assert transport is not None
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    return web.Response()


@contextlib.asynccontextmanager
async def serving(vendor: Vendor, tls: Path | None = None) -> AsyncIterator[None]:
    """Serve for the time of the block. `tls`: over TLS, with its files in this folder."""
    app = web.Application(client_max_size=4 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", vendor.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    context = server_context(tls) if tls is not None else None
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    vendor.url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield
    finally:
        vendor.over.set()
        await runner.cleanup()
