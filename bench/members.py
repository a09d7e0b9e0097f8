"""One member against two on one database: the same loads in turns, spread over both, on the same cores.

Each member is a process of its own. Half of what one of them is told is at home with the other and crosses over. The
rig's null peer (parses, answers and calls, keeps nothing) takes the same closed load in the same rounds.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from bench.act import calls
from bench.database import database
from bench.load import WEBHOOK, Load, drive, ready, settled
from bench.machine import spent
from bench.processes import EVERY, Running, null_peer, serving, sink

_ROUNDS = 3
_BODIES = 1500  # of each half of the load
_SPREAD = 30.0  # seconds until the shards are spread
_RATE, _SECONDS = 1500, 10  # the steady load


@dataclass(frozen=True, slots=True)
class Crowd:
    """Members on a server of their own; the null peer has none."""

    members: Sequence[Running]
    server: Running | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """Actions a second, times until the action (ms), and CPU in seconds an alert: of the members, of their server."""

    rate: float
    p50: float
    p99: float
    python: float
    postgres: float


def main() -> None:
    """Print all, and two over one."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pb-")))
        hook = stack.enter_context(sink(folder))
        crowds = {"null": Crowd([stack.enter_context(null_peer(folder, hook))])}
        crowds |= {name: stack.enter_context(crowd(folder, hook, many)) for name, many in (("one", 1), ("two", 2))}

        def measured(name: str, label: str, **about: float) -> Done:
            loads = [_half(f"{name}{label}{half}", **about) for half in "ab"]
            done = _measured(crowds[name], hook, folder, loads)
            if label != "w":
                print(f"   {name:4} {_line(done)}", flush=True)
            return done

        found: dict[str, list[Done]] = {name: [] for name in crowds}
        for n in range(-1, _ROUNDS):  # the first warms up
            for name, rounds in found.items():
                done = measured(name, "w" if n < 0 else str(n), bodies=150 if n < 0 else _BODIES)
                if n >= 0:
                    rounds.append(done)
        print(f"   at {_RATE}/s:", flush=True)
        for name in ("one", "two"):
            measured(name, "s", bodies=_RATE * _SECONDS // 2, rate=_RATE / 2)
        _print_ratios(found)


def _half(run: str, *, bodies: float, rate: float = 0.0) -> Load:
    if rate:
        return Load(run, int(bodies), rate=rate, seconds=_SECONDS + 2)
    return Load(run, int(bodies), concurrency=32, seconds=30)


def _print_ratios(found: Mapping[str, Sequence[Done]]) -> None:
    null, one, two = (statistics.median(done.rate for done in found[name]) for name in ("null", "one", "two"))
    dear = [min(done.python + done.postgres for done in found[name]) for name in ("one", "two")]
    print(f"   two : one {two / one:.2f} of the actions/s (aim: 1), {dear[1] / dear[0]:.2f} of the CPU", flush=True)
    print(f"   of the null peer's actions/s: one {one / null:.2f}, two {two / null:.2f} (aim: 0.1)", flush=True)


def _line(done: Done) -> str:
    times = f"p50 {done.p50:7.1f}  p99 {done.p99:7.1f} ms"
    return f"{done.rate:6.0f} actions/s  {times}  CPU {done.python * 1e3:.2f} + {done.postgres * 1e3:.2f} ms an alert"


@contextmanager
def crowd(folder: Path, hook: str, many: int, *, match: str = EVERY) -> Iterator[Crowd]:
    """So many members on a server of their own, once the shards are spread over them."""
    with ExitStack() as stack:
        place = folder / f"of{many}"
        place.mkdir()
        server = stack.enter_context(database(place))
        members = []
        for n in range(many):
            own = place / f"member{n}"
            own.mkdir()
            more = {"PARAMEDIC_DATABASE_URL": server.url}
            members.append(stack.enter_context(serving(own, hook, match=match, more=more)))
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


def _measured(of: Crowd, hook: str, folder: Path, loads: Sequence[Load]) -> Done:
    """Half of the load to each member (both halves to the only one), until all of it is executed."""
    before, earlier, log = used(of), calls(hook), folder / f"{loads[0].run}.log"
    urls = [of.members[n % len(of.members)].url + WEBHOOK for n in range(2)]
    with ThreadPoolExecutor(2) as both:
        sent = sum(done["sent"] for done in both.map(drive, urls, loads, [log] * 2))
    found = settled(hook, log, earlier + sent)
    if found["accepted_not_executed"] or found["dups"] or found["accepted"] < sent:
        print(f"   lost {found['accepted_not_executed']}, twice {found['dups']}, refused {sent - found['accepted']}")
    executed = max(1, found["executed_distinct"])
    python, postgres = (now - then for now, then in zip(used(of), before, strict=True))
    ms: dict[str, Any] = found["action_latency_ms"]
    rate = found["actions_per_s_from_first_send"]
    return Done(rate, ms["p50"] or 0.0, ms["p99"] or 0.0, python / executed, postgres / executed)


def used(of: Crowd) -> tuple[float, float]:
    """CPU seconds of the members, and of the database: of their server, or of the one that a single one started."""
    each = [spent(one.pid) for one in of.members]
    server = spent(of.server.pid).postgres if of.server else 0.0
    return sum(one.python for one in each), server + sum(one.postgres for one in each)


if __name__ == "__main__":
    main()
