"""Intake on a real server with an engine that does as the test says. Shared by the tests that speak HTTP."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from paramedic.clock import SystemClock
from paramedic.core.bundle import Bundle, Source
from paramedic.core.matching import RuleIndex
from paramedic.errors import Temporary
from paramedic.intake import probes, server, webhook
from paramedic.intake.auth import Authenticator
from paramedic.intake.delivery import Delivery
from paramedic.intake.webhook import Limits
from paramedic.settings import Settings
from paramedic.telemetry import Telemetry

PATH = "/api/v1/alertmanager"
QUICK = Limits(read=0.3, commit=0.2)
"""Deadlines short enough to be waited for in a test."""


def bundle_of(*sources: Source) -> Bundle:
    """A bundle with these sources and nothing else."""
    return Bundle(
        hash="4f1c9a",
        rules=RuleIndex(()),
        sources={source.name: source for source in sources},
        services=(),
        playbooks={},
        people={},
        policies={},
        windows={},
        endpoints={},
    )


@dataclass
class Desk:
    """The engine's part. `fails` is raised, `hangs` never answers; what came is kept either way."""

    live: bool = True
    fails: BaseException | None = None
    hangs: bool = False
    deliveries: list[Delivery] = field(default_factory=list)
    bodies: list[tuple[str, str, bytes]] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    free: asyncio.Event = field(default_factory=asyncio.Event)

    async def deliver(self, delivery: Delivery) -> int:
        self.deliveries.append(delivery)
        await self._behave()
        return 68_719_476_736 + len(self.deliveries)

    async def reject(self, source: str, reason: str, body: bytes) -> None:
        self.bodies.append((source, reason, body))
        await self._behave()

    async def _behave(self) -> None:
        self.arrived.set()
        if self.fails is not None:
            raise self.fails
        if self.hangs:
            await self.free.wait()


@dataclass
class Served:
    """A running server, and a client that speaks to it."""

    desk: Desk
    telemetry: Telemetry
    session: aiohttp.ClientSession
    port: int

    async def post(self, body: bytes, **headers: str) -> "Reply":
        """POST a body to the webhook."""
        return await self.ask(
            "POST", PATH, data=io.BytesIO(body), headers={n.replace("_", "-"): v for n, v in headers.items()}
        )

    async def ask(self, method: str, path: str, **options: Any) -> "Reply":
        async with self.session.request(method, f"http://127.0.0.1:{self.port}{path}", **options) as response:
            return Reply(response.status, dict(response.headers), await response.read())

    async def raw(self, *parts: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection on which these bytes were sent, for requests that no client would make."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for part in parts:
            writer.write(part)
        await writer.drain()
        return reader, writer

    def counted(self, name: str, **labels: str) -> float:
        """The value of a metric."""
        return self.telemetry.registry.get_sample_value(name, labels) or 0.0


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


@asynccontextmanager
async def serving(
    desk: Desk | None = None,
    *,
    tokens: tuple[str, ...] = (),
    sources: tuple[Source, ...] = (),
    limits: Limits | None = None,
    bundle: Callable[[], Bundle | None] | None = None,
    **environment: str,
) -> AsyncIterator[Served]:
    """A server on a free port of this machine, with what it needs behind it."""
    desk, telemetry, loaded = desk or Desk(), Telemetry(), bundle_of(*sources)
    current = bundle or (lambda: loaded)
    authenticator = Authenticator(Settings(webhook_tokens=tokens, environment=environment), current)
    app = web.Application()
    app.add_routes(webhook.routes(desk, authenticator, telemetry, SystemClock(), current, limits=limits))
    app.add_routes(probes.routes(desk, telemetry, current))
    runner = server.runner(app, linger=0.05)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            yield Served(desk, telemetry, session, runner.addresses[0][1])
    finally:
        desk.free.set()
        await runner.cleanup()


NOT_NOW = Temporary("the backlog is over its bound", delay=2.4)
