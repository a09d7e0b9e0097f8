"""A steady load for many minutes with autovacuum on: `python -m bench soak --minutes 60 --rate 100 [--naptime 60]`.

Every alert fires, is acted on and clears half a minute later. Each minute says how late actions were, what an alert
cost, how large tables and indexes are, and how many dead rows lie in them. Growth beyond what is kept shows there.
"""

import asyncio
import json
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from bench.database import database
from bench.load import WEBHOOK, ready
from bench.machine import resident, spent
from bench.processes import Running, serving, sink
from bench.rig.payload import webhook

_FIRES = 30.0  # seconds
_SENDERS = 32
_TABLES = ("delivery", "episode", "incident", "event", "timeline", "effect", "timer", "hold")
_SIZES = """\
select c.relname as name, pg_table_size(c.oid) as rows, pg_indexes_size(c.oid) as indexes,
  s.n_live_tup as live, s.n_dead_tup as dead, s.autovacuum_count as vacuums
from pg_class c join pg_stat_user_tables s on s.relid = c.oid where c.relname = any($1)
"""


@dataclass(slots=True)
class Sent:
    """What was sent: when each alert was due to be, and what was not accepted."""

    due: dict[str, float] = field(default_factory=dict)
    refused: int = 0


def main(minutes: float = 2.0, rate: float = 50.0, naptime: int = 60) -> None:
    """Print a line a minute."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pb-")))
        hook = stack.enter_context(sink(folder))
        server = stack.enter_context(database(folder, autovacuum_naptime=str(naptime)))
        service = stack.enter_context(serving(folder, hook, more={"PARAMEDIC_DATABASE_URL": server.url}))
        ready(service.url, time.monotonic())
        print(f"   {rate:g} alerts/s for {minutes:g} minutes, autovacuum every {naptime} s", flush=True)
        asyncio.run(_soak(service, server, hook, minutes, rate))


async def _soak(service: Running, server: Running, hook: str, minutes: float, rate: float) -> None:
    sent, waiting = Sent(), asyncio.Queue[tuple[float, bytes, str]](100_000)
    connection = await asyncpg.connect(server.url)
    senders = [asyncio.create_task(_send(service.url, waiting, sent)) for _ in range(_SENDERS)]
    feeding = asyncio.create_task(_feed(waiting, rate, minutes * 60.0))
    seen, python, postgres = 0, spent(service.pid).python, spent(server.pid).postgres
    try:
        for minute in range(1, max(1, round(minutes)) + 1):
            await asyncio.sleep(60.0 if minutes >= 1 else minutes * 60.0)
            told = await asyncio.to_thread(_executed, hook)
            late = sorted((at - sent.due[aid]) * 1e3 for aid, at in told[seen:] if aid in sent.due)
            now = spent(service.pid).python, spent(server.pid).postgres
            many = max(1, len(late))
            cost = f"CPU {(now[0] - python) / many * 1e3:.2f} + {(now[1] - postgres) / many * 1e3:.2f} ms an alert"
            python, postgres = now
            seen = len(told)
            print(
                f"   {minute:3d} min  {len(late):6d} actions  p50 {_at(late, 0.5):6.1f} p99 {_at(late, 0.99):7.1f} ms"
                f"  refused {sent.refused}  {cost}  Python {resident(service.pid)[0]:.0f} MiB",
                flush=True,
            )
            for row in await connection.fetch(_SIZES, list(_TABLES)):
                print(
                    f"            {row['name']:9} {row['rows'] / 2**20:8.1f} MiB, indexes {row['indexes'] / 2**20:7.1f}"
                    f"  live {row['live']:8d}  dead {row['dead']:7d}  vacuumed {row['vacuums']} times",
                    flush=True,
                )
        await feeding
    finally:
        for task in (feeding, *senders):
            task.cancel()
        await asyncio.gather(feeding, *senders, return_exceptions=True)
        await connection.close()


async def _feed(waiting: "asyncio.Queue[tuple[float, bytes, str]]", rate: float, seconds: float) -> None:
    """Every alert when it is due, and its end half a minute later."""
    began, fired = time.monotonic(), list[tuple[float, datetime]]()
    ended = 0
    while (now := time.monotonic()) < began + seconds:
        while len(fired) / rate <= now - began:
            due, start = began + len(fired) / rate, datetime.now(UTC)
            waiting.put_nowait((due, _body(len(fired), start, None), f"soak-{len(fired)}"))
            fired.append((due, start))
        while ended < len(fired) and fired[ended][0] + _FIRES <= now:
            waiting.put_nowait((now, _body(ended, fired[ended][1], datetime.now(UTC)), ""))
            ended += 1
        await asyncio.sleep(0.002)


def _body(n: int, start: datetime, end: datetime | None) -> bytes:
    said = webhook("soak", n, 1, status="resolved" if end else "firing")
    (alert,) = said["alerts"]
    alert["startsAt"] = (start - timedelta(seconds=1)).isoformat()
    if end is not None:
        alert["endsAt"] = end.isoformat()
    return json.dumps(said).encode()


async def _send(url: str, waiting: "asyncio.Queue[tuple[float, bytes, str]]", sent: Sent) -> None:
    """For ever: one body at a time over a kept connection."""
    place = urlsplit(url)
    head = f"POST {WEBHOOK} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/json\r\nContent-Length: "
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    while True:
        due, body, aid = await waiting.get()
        if aid:
            sent.due[aid] = due
        writer.write(head.encode() + b"%d\r\n\r\n" % len(body) + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = answer.lower().split(b"content-length:")[1].split(b"\r\n")[0]
        await reader.readexactly(int(length))
        if answer.split(b" ", 2)[1] != b"200":
            sent.refused += 1


def _executed(hook: str) -> Sequence[tuple[str, float]]:
    """Every call so far: which alert, and when (monotonic)."""
    with urllib.request.urlopen(f"{hook}/dump", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return [(aid, float(at)) for aid, at in (line.split(" ") for line in lines)]


def _at(values: Sequence[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


if __name__ == "__main__":
    main()
