"""An HTTP endpoint in the test's own process that keeps what it is sent: a pager, or a target that shows its keys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

__all__ = ["Receiver", "Request", "receiving"]


@dataclass(frozen=True)
class Request:
    """One request: its path with the query, its Idempotency-Key, its JSON body."""

    path: str
    key: str
    body: Any


@dataclass
class Receiver:
    """Where to send, and what has come so far."""

    url: str = ""
    requests: list[Request] = field(default_factory=list)

    def pages(self, verb: str) -> list[dict[str, Any]]:
        """The bodies of the pages with this verb."""
        return [one.body for one in self.requests if one.body.get("verb") == verb]


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver on a free port, until the context ends."""
    receiver = Receiver()

    async def take(request: web.Request) -> web.Response:
        key = request.headers.get("Idempotency-Key", "")
        receiver.requests.append(Request(request.path_qs, key, await request.json()))
        return web.json_response({"taken": True})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield receiver
    finally:
        await runner.cleanup()
