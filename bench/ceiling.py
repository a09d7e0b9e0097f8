"""The machine's ceiling: a bare aiohttp handler that answers once a group commit has kept the body, and nothing else.

`accept` and `act` run it as a process of its own: `python -m bench.ceiling FOLDER [HOOK]`. PostgreSQL, its settings and
the table are the service's; nothing is authenticated, checked, routed or decided. With HOOK an alert becomes a request.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import msgspec
from aiohttp import web

from paramedic.clock import SystemClock
from paramedic.store.connect import ENGINE, connect
from paramedic.store.embedded.supervisor import EmbeddedPostgres
from paramedic.store.migrate import migrate, read_migrations

_KEEP = (
    "insert into delivery (id, at, source, body, routed) "
    "select u.* from unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::bytea[], $5::boolean[]) u"
)
_BATCH = 256
_CALLERS = 256


class Journal:
    """Bodies that wait; one commit at a time takes all of them."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]", hook: str) -> None:
        self._connection, self._clock, self._hook = connection, SystemClock(), hook
        self._waiting: asyncio.Queue[tuple[bytes, asyncio.Future[int]]] = asyncio.Queue(100_000)
        self._calls: asyncio.Queue[str] = asyncio.Queue(1_000_000)
        self._number = 0

    async def handle(self, request: web.Request) -> web.Response:
        """Take one body."""
        body = await request.read()
        kept: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((body, kept))
        number = await kept
        if self._hook:
            for alert in msgspec.json.decode(body)["alerts"]:
                self._calls.put_nowait(alert["labels"]["aid"])
        return web.Response(body=b'{"delivery":%d}' % number, content_type="application/json")

    async def commit(self) -> None:
        """For ever: what waits, in one statement."""
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < _BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            first, now = self._number + 1, self._clock.now()
            self._number += len(batch)
            numbers = list(range(first, self._number + 1))
            many = len(batch)
            bodies = [body for body, _ in batch]
            await self._connection.execute(_KEEP, numbers, [now] * many, ["main"] * many, bodies, [True] * many)
            for number, (_, kept) in zip(numbers, batch, strict=True):
                if not kept.done():
                    kept.set_result(number)

    async def call(self, session: aiohttp.ClientSession) -> None:
        """For ever: one request an alert."""
        while True:
            aid = await self._calls.get()
            key = {"Idempotency-Key": aid}
            async with session.post(f"{self._hook}/act?id={aid}", json={"id": aid}, headers=key) as reply:
                await reply.read()


async def serve(folder: Path, hook: str) -> None:
    """Until it is ended."""
    async with EmbeddedPostgres(folder, SystemClock()) as server:
        plain = await connect(server.dsn)
        await migrate(plain, read_migrations())
        await plain.close()
        journal = Journal(await connect(server.dsn, ENGINE), hook)
        app = web.Application()
        app.router.add_post("/api/v1/alertmanager", journal.handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_CALLERS)) as session:
            work: list[Any] = [journal.commit(), *(journal.call(session) for _ in range(_CALLERS if hook else 0))]
            print(f"ready http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
            await asyncio.gather(*work)


def main() -> None:
    """Serve until SIGTERM, and take the database down with it."""
    folder, *hook = sys.argv[1:]

    async def run() -> None:
        task = asyncio.current_task()
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(15, task.cancel)
        await serve(Path(folder), hook[0] if hook else "")

    try:
        asyncio.run(run())
    except asyncio.CancelledError:
        sys.exit(0)


if __name__ == "__main__":
    main()
