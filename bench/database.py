"""A PostgreSQL for several processes: `python -m bench.database FOLDER [NAME=VALUE ...]`, with the service's settings.

`members` and `soak` run it as a process of its own, so that its CPU time can be told from everybody's.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.processes import Running, running
from paramedic.clock import SystemClock
from paramedic.store.embedded.cluster import Tuning
from paramedic.store.embedded.supervisor import EmbeddedPostgres

__all__ = ["database"]


@contextmanager
def database(folder: Path, **settings: str) -> Iterator[Running]:
    """A server with these settings beside the service's own; its `url` is what PARAMEDIC_DATABASE_URL takes."""
    command = [sys.executable, "-m", "bench.database", str(folder / "server")]
    command += [f"{name}={value}" for name, value in settings.items()]
    with running(command, r"ready (\S+)", folder / "database.log", {}) as server:
        yield server


async def _serve(folder: Path, settings: dict[str, str]) -> None:
    """Until it is ended."""
    async with EmbeddedPostgres(folder, SystemClock(), tuning=Tuning(settings)) as server:
        print(f"ready {server.dsn}", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Serve until SIGTERM."""
    folder, *settings = sys.argv[1:]

    async def run() -> None:
        task = asyncio.current_task()
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(15, task.cancel)
        await _serve(Path(folder), dict(one.split("=", 1) for one in settings))

    try:
        asyncio.run(run())
    except asyncio.CancelledError:
        sys.exit(0)


if __name__ == "__main__":
    main()
