"""`paramedic serve` as a process that is killed, frozen and ended, one of several on one database."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from tests.real.processes import Process, Processes, free_port, until

__all__ = ["Member", "member_on"]

SERVE = (str(Path(sys.executable).with_name("paramedic")), "serve")


class Member:
    """One process, its address, and what can be done to it."""

    def __init__(self, process: Process, url: str, http: aiohttp.ClientSession) -> None:
        self.process, self.url, self._http = process, url, http

    async def start(self) -> None:
        """Start it, or start it again; back when it answers. It may still stand by, or read what there is."""
        self.process.start()
        await self.process.said(self._answers, "the first answer")

    async def ready(self) -> bool:
        """Whether it takes deliveries, by its own word."""
        return await self._status("/readyz") == 200

    async def is_ready(self) -> None:
        """Wait until it takes deliveries."""
        await self.process.said(self.ready, "the readiness")

    async def _answers(self) -> bool:
        return await self._status("/healthz") == 200

    async def _status(self, path: str) -> int:
        try:
            async with self._http.get(self.url + path) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    async def get(self, what: str, query: Mapping[str, str] | None = None) -> Any:
        """The JSON below /api/v1."""
        async with self._http.get(f"{self.url}/api/v1/{what}", params=query) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def kill(self) -> None:
        """kill -9, of the service alone: an embedded PostgreSQL stays behind."""
        os.kill(self.process.pid, signal.SIGKILL)
        await self.dead()

    async def dead(self) -> None:
        """Wait until it has ended."""

        async def over() -> bool:
            return self.process.code is not None

        await until(over, f"the end of {self.process.name}")

    def freeze(self) -> None:
        """SIGSTOP: it does nothing, and knows nothing of it."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT: it goes on in the middle of whatever it did."""
        os.kill(self.process.pid, signal.SIGCONT)


def member_on(
    processes: Processes,
    http: aiohttp.ClientSession,
    settings: Mapping[str, str],
    command: Sequence[str] = SERVE,
) -> Member:
    """A member, not started yet, on a port and a folder of its own. `settings` are its environment."""
    port = free_port()
    process = processes.new("paramedic", command, {"PARAMEDIC_LISTEN": f"127.0.0.1:{port}", **settings})
    # Not named after the port, which another one may have had: what is remembered there is about its database.
    process.environment.setdefault("PARAMEDIC_DATA", str(processes.folder / f"data-{process.name}"))
    return Member(process, f"http://127.0.0.1:{port}", http)
