"""One member against two on one database: the same load in turns, spread over both, on the same cores.

Each member is a process of its own. Half of what one of them is told is at home with the other and crosses over.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench.act import calls
from bench.database import database
from bench.load import WEBHOOK, Load, drive, ready, settled
from bench.machine import spent
from bench.processes import Running, serving, sink

_ROUNDS = 3
_BODIES = 1500  # of each half of the load
_SPREAD = 30.0  # seconds until the shards are spread


@dataclass(frozen=True, slots=True)
class Crowd:
    """Members on a server of their own."""

    members: Sequence[Running]
    server: Running


@dataclass(frozen=True, slots=True)
class Done:
    """Actions a second, and CPU in seconds an alert: of the members together, and of their server."""

    rate: float
    python: float
    postgres: float


def main() -> None:
    """Print both, and two over one."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pb-")))
        hook = stack.enter_context(sink(folder))
        crowds = {many: stack.enter_context(_crowd(folder, hook, many)) for many in (1, 2)}
        found: dict[int, list[Done]] = {many: [] for many in crowds}
        for n in range(-1, _ROUNDS):  # the first warms up
            for many, crowd in crowds.items():
                done = _measured(crowd, hook, folder, f"m{many}{'w' if n < 0 else n}", 150 if n < 0 else _BODIES)
                if n >= 0:
                    found[many].append(done)
                    print(f"   {many} member{'s' if many > 1 else ' '} {_line(done)}", flush=True)
        one, two = (statistics.median(done.rate for done in found[many]) for many in (1, 2))
        dear = [min(done.python + done.postgres for done in found[many]) for many in (1, 2)]
        print(f"   two : one {two / one:.2f} of the actions/s (aim: 1), {dear[1] / dear[0]:.2f} of the CPU", flush=True)


def _line(done: Done) -> str:
    return f"{done.rate:6.0f} actions/s   CPU {done.python * 1e3:.2f} + {done.postgres * 1e3:.2f} ms an alert"


@contextmanager
def _crowd(folder: Path, hook: str, many: int) -> Iterator[Crowd]:
    with ExitStack() as stack:
        place = folder / f"of{many}"
        place.mkdir()
        server = stack.enter_context(database(place))
        members = []
        for n in range(many):
            own = place / f"member{n}"
            own.mkdir()
            more = {"PARAMEDIC_DATABASE_URL": server.url}
            members.append(stack.enter_context(serving(own, hook, more=more)))
        for member in members:
            ready(member.url, time.monotonic())
        asyncio.run(_spread(server.url, many))
        yield Crowd(members, server)


async def _spread(dsn: str, many: int) -> None:
    """Wait until that many members own as many shards each."""
    connection = await asyncpg.connect(dsn)
    try:
        end, found = time.monotonic() + _SPREAD, []
        while time.monotonic() < end:
            rows = await connection.fetch("select count(*) as n from shard where owner is not null group by owner")
            found = sorted(row["n"] for row in rows)
            if len(found) == many and found[-1] - found[0] <= 1 and sum(found) == 64:
                return
            await asyncio.sleep(0.1)
        raise RuntimeError(f"the shards are not spread over {many} members after {_SPREAD:.0f} s: {found}")
    finally:
        await connection.close()


def _measured(crowd: Crowd, hook: str, folder: Path, run: str, bodies: int) -> Done:
    """Half of the load to each member (both halves to the only one), until all of it is executed."""
    before, earlier, log = _used(crowd), calls(hook), folder / f"{run}.log"
    loads = [Load(f"{run}{half}", bodies, concurrency=32, seconds=30) for half in "ab"]
    urls = [crowd.members[n % len(crowd.members)].url + WEBHOOK for n in range(2)]
    with ThreadPoolExecutor(2) as both:
        sent = sum(done["sent"] for done in both.map(drive, urls, loads, [log] * 2))
    found = settled(hook, log, earlier + sent)
    if found["accepted_not_executed"] or found["dups"]:
        print(f"   lost {found['accepted_not_executed']}, twice {found['dups']}", flush=True)
    executed = max(1, found["executed_distinct"])
    python, postgres = (now - then for now, then in zip(_used(crowd), before, strict=True))
    return Done(found["actions_per_s_from_first_send"], python / executed, postgres / executed)


def _used(crowd: Crowd) -> tuple[float, float]:
    """CPU seconds of the members, and of the server's processes."""
    return sum(spent(one.pid).python for one in crowd.members), spent(crowd.server.pid).postgres


if __name__ == "__main__":
    main()
