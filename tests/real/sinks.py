"""The rig's action sink as a process of its own: it counts what was executed, by id."""

import sys
from collections import Counter

import aiohttp

from tests.real.processes import ROOT, Process, Processes, free_port, until

__all__ = ["Sink", "start_sink"]


class Sink:
    """A running sink."""

    def __init__(self, process: Process, port: int, http: aiohttp.ClientSession) -> None:
        self.process, self.port, self._http = process, port, http
        self.url = f"http://127.0.0.1:{port}"

    async def text(self, path: str) -> str:
        """What it answers at `path`: /stats or /dump."""
        async with self._http.get(self.url + path) as answer:
            return await answer.text()

    async def executed(self) -> Counter[str]:
        """How often each id was executed."""
        return Counter(line.split()[0] for line in (await self.text("/dump")).splitlines())

    async def has(self, *ids: str, times: int = 1) -> None:
        """Wait until each of these ids was executed at least so many times."""

        async def enough() -> bool:
            executed = await self.executed()
            return all(executed[one] >= times for one in ids)

        await until(enough, f"{', '.join(ids)} to be executed {times} times")

    async def ready(self) -> bool:
        """Whether it listens."""
        try:
            return "calls" in await self.text("/stats")
        except aiohttp.ClientError:
            return False


async def start_sink(processes: Processes, http: aiohttp.ClientSession) -> Sink:
    """A sink that listens."""
    port = free_port()
    process = processes.new("sink", [sys.executable, str(ROOT / "bench" / "rig" / "sink.py"), "--port", str(port)])
    process.start()
    sink = Sink(process, port, http)
    await process.said(sink.ready, "the readiness")
    return sink
