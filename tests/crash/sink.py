"""What is acted upon: two endpoints on a port of their own, one that deduplicates keys and one that does not."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from paramedic.clock import SystemClock

__all__ = ["Sink", "sink_on_a_port"]

LATE = 1.5  # seconds; the rounds' endpoints wait for one


class Sink:
    """Remembers the keys under which each id was asked for, by endpoint; an answer takes `takes` seconds.

    `moods` is how the first call for an id goes wrong, one id after the other: `late` (the answer takes longer than
    anybody waits), `unavailable` (503), `reset` (no answer, the connection is gone), or not at all.
    """

    def __init__(self, takes: float) -> None:
        self.url = ""
        self.calls: dict[str, dict[str, list[str]]] = {"hook": defaultdict(list), "raw": defaultdict(list)}
        self.count = 0
        self.takes = takes
        self.moods: Sequence[str] = ("",)
        self._changed = asyncio.Event()
        self._clock = SystemClock()

    async def act(self, request: web.Request) -> web.Response:
        """One action."""
        calls = self.calls[request.match_info["endpoint"]]
        calls[request.query["id"]].append(request.headers["Idempotency-Key"])
        mood = self.moods[len(calls) % len(self.moods)] if len(calls[request.query["id"]]) == 1 else ""
        self.count += 1
        self._changed.set()
        await self._clock.sleep(LATE if mood == "late" else self.takes)
        if mood == "reset" and request.transport is not None:
            request.transport.abort()
        if mood == "unavailable":
            return web.Response(status=503)
        return web.Response(text="done")

    async def until(self, enough: Callable[[], bool], seconds: float) -> bool:
        """Wait until this is so; False if it is not within so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                while not enough():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return enough()
        return True


@asynccontextmanager
async def sink_on_a_port(takes: float = 0.02) -> AsyncIterator[Sink]:
    """A sink that listens."""
    sink = Sink(takes)
    app = web.Application()
    app.add_routes([web.post("/{endpoint}/act", sink.act)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        host, port = runner.addresses[0][:2]
        sink.url = f"http://{host}:{port}"
        yield sink
    finally:
        await runner.cleanup()
