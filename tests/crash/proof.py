"""The proof of "nothing lost, nothing twice": rounds of trouble under load, and what became of every accepted alert.

    python -m tests.crash.proof --rounds 20 --alerts 5000                kill -9 in each round
    python -m tests.crash.proof --rounds 20 --alerts 5000 --members 2    one of two killed, frozen or ended in each

PostgreSQL is one of its own, with its log on the disk before it answers. Prints a line a round and one at the end; 1
when anything was lost, done twice, or told otherwise. `tests/real/test_proof.py` runs a few rounds of it.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from paramedic.clock import SystemClock
from paramedic.store.embedded.supervisor import EmbeddedPostgres
from tests.crash.record import read_record
from tests.crash.rounds import Round, rounds_on
from tests.crash.sink import sink_on_a_port
from tests.crash.tally import Tally
from tests.real.processes import Processes

__all__ = ["prove"]

FAULTS = ("kill", "freeze", "restart")
BACK = 5.0
"""Seconds within which a service is back at work after kill -9."""


async def prove(
    folder: Path, rounds: int, alerts: int, members: int, say: Callable[[str], None] = print
) -> tuple[list[Round], Tally]:
    """Do the rounds in `folder`; how each went, and what became of the alerts."""
    processes, done = Processes(folder), list[Round]()
    try:
        async with (
            EmbeddedPostgres(processes.folder / "outside", SystemClock()) as server,
            sink_on_a_port() as sink,
        ):
            settings = {"PARAMEDIC_DATABASE_URL": server.dsn}
            async with rounds_on(processes, folder, sink, members=members, **settings) as service:
                for number in range(rounds):
                    fault = FAULTS[number % len(FAULTS)] if members > 1 else "kill"
                    done.append(await service.round(number, alerts, fault))
                    say(done[-1].line())
                await service.drained()
                await service.stop()
            tally = service.judge(await read_record(server.dsn))
    finally:
        await processes.end()
    slowest = max(one.back for one in done)
    say(f"{rounds} rounds, {members} members: {tally.line()}; accepting again after {slowest:.2f} s at most")
    return done, tally


def main() -> int:
    """Do as the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.proof", description="rounds of trouble under load")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--alerts", type=int, default=5000, help="in each round")
    parser.add_argument("--members", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        _, tally = asyncio.run(
            prove(Path(folder), asked.rounds, asked.alerts, asked.members, lambda line: print(line, flush=True))
        )
    for endpoint, some in tally.tellings.items():
        for telling in some if len(some) > 1 else ():
            print(f"a timeline of {endpoint}: {telling[:1500]}")
    for name, some in tally.faults.items():
        print(f"{name}: {len(some)}, such as {', '.join(some[:5])}")
    return 1 if tally.faults or not tally.alike else 0


if __name__ == "__main__":
    sys.exit(main())
