"""The simulated shop: services that are down until somebody restarts them. Nothing outside this process is touched."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from aiohttp import web

from paramedic.clock import Clock

__all__ = ["Shop"]

_RECOVERY = 1.0
"""Seconds from a restart until a service answers again."""


class Shop:
    """`POST /restart?service=`, `POST /drain?service=`, `GET /health?service=` on loopback.

    `healed` is called with the service's name once it answers again. Services in `hopeless` never do.
    """

    def __init__(self, clock: Clock, healed: Callable[[str], None], hopeless: frozenset[str]) -> None:
        self._clock, self._healed, self._hopeless = clock, healed, hopeless
        self._up: set[str] = set()
        self._keys: set[str] = set()
        self._tasks = asyncio.TaskGroup()
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes(
            [
                web.post("/restart", self._restart),
                web.post("/drain", self._restart),
                web.get("/health", self._health),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        await self._tasks.__aexit__(None, None, None)

    async def _restart(self, request: web.Request) -> web.Response:
        """Do it once for each key, as the endpoint promises."""
        service, key = request.query.get("service", ""), request.headers.get("Idempotency-Key", "")
        if key not in self._keys:
            self._keys.add(key)
            if service not in self._hopeless:
                self._tasks.create_task(self._come_up(service))
        return web.json_response({"restarting": service})

    async def _come_up(self, service: str) -> None:
        await self._clock.sleep(_RECOVERY)
        self._up.add(service)
        self._healed(service)

    async def _health(self, request: web.Request) -> web.Response:
        service = request.query.get("service", "")
        up = service in self._up
        return web.json_response({"service": service, "up": up}, status=200 if up else 503)
