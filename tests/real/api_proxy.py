"""A proxy between the service and the API server that loses answers, or holds writes up, as a test wants it to.

It speaks plain HTTP to the service and is only for writes that count: reads and dry runs pass.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import aiohttp
from aiohttp import web

from tests.vendors.vendor import hang_up

__all__ = ["ApiProxy", "proxying"]

Mood = Literal["lost", "dropped", "held", "unanswered"]
HOP = {"connection", "content-length", "host", "transfer-encoding"}


class ApiProxy:
    """`moods` are taken one by one, one for a write: `lost` (it is done, the connection ends before the answer),
    `dropped` (the same, but it never arrived), `held` (it waits for `release`, and is not done if its sender is gone by
    then), `unanswered` (done, and never answered).

    `there` is set when a write with a mood has come so far; `writes` counts what was passed on.
    """

    def __init__(self, target: str, session: aiohttp.ClientSession) -> None:
        self.moods: list[Mood] = []
        self.there, self.release = asyncio.Event(), asyncio.Event()
        self.writes = 0
        self.url = ""
        self._target, self._session = target, session

    async def serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        counts = request.method not in ("GET", "HEAD") and "dryRun" not in request.query
        mood = self.moods.pop(0) if counts and self.moods else ""
        if mood == "dropped":
            self.there.set()
            return hang_up(request)
        if mood == "held":
            self.there.set()
            await self.release.wait()
            if request.transport is None or request.transport.is_closing():
                return web.Response()
        self.writes += counts
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP}
        async with self._session.request(
            request.method, self._target + request.raw_path, data=body, headers=headers, ssl=False
        ) as answer:
            passed = await answer.read()
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP}
            kept.pop("Content-Encoding", None)
        if mood in ("lost", "unanswered"):
            self.there.set()
        if mood == "unanswered":
            await self.release.wait()
        if mood == "lost":
            return hang_up(request)
        return web.Response(status=answer.status, body=passed, headers=kept)


@asynccontextmanager
async def proxying(target: str) -> AsyncIterator[ApiProxy]:
    """A proxy in front of this API server, for the time of the block."""
    async with aiohttp.ClientSession() as session:
        proxy = ApiProxy(target, session)
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", proxy.serve)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield proxy
        finally:
            proxy.release.set()
            await runner.cleanup()
