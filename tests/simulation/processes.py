"""One of the processes of a simulation: its clock, its ports, its lives. It can be killed, stopped, cut off, misled.

A stopped process does what SIGSTOP does: nothing of it reaches anything until it is resumed, and then all of it does.
What has left before takes its course. The stage owns them; what goes wrong is told by `plan`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from paramedic.core.bundle import Endpoint
from paramedic.engine.engine import Engine
from paramedic.errors import Temporary
from paramedic.plugin import Reply
from paramedic.rehearse.cluster import SimulatedKube
from paramedic.rehearse.cluster.faults import Request as KubeRequest
from paramedic.rehearse.clusters import StagedKube
from paramedic.rehearse.loop import VirtualClock
from paramedic.rehearse.ports import SimulatedChanges, SimulatedMetrics
from paramedic.rehearse.world import SimulatedHttp, SimulatedWorld

__all__ = ["BEAT", "Life", "LocalClock", "Outside", "Process", "ProcessHttp", "ProcessKube"]

BEAT = 2.5
"""Seconds between two heartbeats, which put a process's clock right."""


class LocalClock(VirtualClock):
    """The clock of one process: as far from the database's as its last heartbeat did not notice."""

    offset = timedelta()

    def now(self) -> Any:
        return super().now() + self.offset


class Process:
    """A process, through all its lives."""

    def __init__(self, number: int, clock: LocalClock) -> None:
        self.number, self.clock = number, clock
        self.life: Life | None = None
        self.paused = self.cut_off = False
        self.silent_since: float | None = None  # since when no heartbeat of it has reached the database
        self.pauses = 0
        self._resumed = asyncio.Event()
        self._resumed.set()

    @property
    def serves(self) -> bool:
        """Whether it answers requests."""
        return self.life is not None and not self.paused and self.life.engine.live

    async def awake(self) -> None:
        """Return when it is not stopped."""
        while self.paused:
            await self._resumed.wait()

    def pause(self) -> None:
        """Stop it."""
        self.paused = True
        self.pauses += 1
        self._resumed.clear()
        self.fall_silent()

    def resume(self) -> None:
        """Let it go on."""
        self.paused = False
        self._resumed.set()
        self.speak()

    def fall_silent(self) -> None:
        """Its heartbeats do not reach the database any more."""
        if self.silent_since is None:
            self.silent_since = self.clock.monotonic()
            if self.life is not None:
                self.life.store.inner.pause()

    def speak(self) -> None:
        """They do again, if nothing else keeps them from it."""
        if not self.paused and not self.cut_off:
            self.silent_since = None
            if self.life is not None:
                self.life.store.inner.wake()


@dataclass(slots=True, eq=False)
class Life:
    """One life of a process."""

    engine: Engine
    store: Any
    http: SimulatedHttp
    metrics: SimulatedMetrics
    changes: SimulatedChanges
    kube: StagedKube
    task: "asyncio.Task[None]"

    def kill(self) -> None:
        """End it as kill -9 does: nothing that it still does reaches anything."""
        self.store.dead = self.http.dead = self.metrics.dead = self.changes.dead = True
        self.kube.die()

    async def bury(self, clock: VirtualClock) -> None:
        """See that its task ends, once it has found out that nothing reaches anything any more."""
        while not self.task.done():
            await clock.sleep(1.0)
            self.task.cancel()
        await self.kube.close()


class Outside:
    """What the world is told of the writes of all processes: who makes one, and what befalls whoever does."""

    def __init__(self, around: Callable[[Process], Awaitable[Callable[[], None]]]) -> None:
        self._around = around
        self.writer: Process | None = None
        self.late = False  # it was about to leave when its process was stopped

    async def before(self, process: Process) -> Callable[[], None]:
        """A write is about to leave. Returns what is to be called when it arrives."""
        pauses = process.pauses - process.paused
        await process.awake()
        then = await self._around(process)

        def arrives() -> None:
            self.writer, self.late = process, process.pauses > pauses
            asyncio.get_running_loop().call_soon(then)  # before anything else happens

        return arrives


class ProcessHttp(SimulatedHttp):
    """The HTTP port of one life of a process."""

    def __init__(self, world: SimulatedWorld, process: Process, outside: Outside) -> None:
        super().__init__(world)
        self.process, self._outside = process, outside

    async def request(
        self,
        endpoint: Endpoint,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float,
    ) -> Reply:
        if method == "GET" or self.dead:
            await self.process.awake()
            return await super().request(endpoint, method, path, headers=headers, body=body, timeout=timeout)
        about = {"headers": headers, "body": body, "timeout": timeout}
        reply: Reply = await _whatever_becomes_of_it(self._write(endpoint, method, path, about))
        await self.process.awake()
        if self.dead:
            raise Temporary("the process is gone")
        return reply

    async def _write(self, endpoint: Endpoint, method: str, path: str, about: dict[str, Any]) -> Reply:
        arrives = await self._outside.before(self.process)
        if self.dead:
            raise Temporary("the process is gone")
        arrives()  # at once, if at all
        return await super().request(endpoint, method, path, **about)


class ProcessKube(SimulatedKube):
    """The port to clusters of one life of a process."""

    def __init__(self, clusters: Any, clock: VirtualClock, process: Process, outside: Outside) -> None:
        super().__init__(clusters, clock)
        self.process, self._outside = process, outside

    async def _ask(self, request: KubeRequest, timeout: float, answer: Callable[[Any], Any]) -> Any:
        if not request.writes or request.dry_run or self.dead:
            await self.process.awake()
            return await super()._ask(request, timeout, answer)
        answered = await _whatever_becomes_of_it(self._write(request, timeout, answer))
        await self.process.awake()
        self._reach()
        return answered

    async def _write(self, request: KubeRequest, timeout: float, answer: Callable[[Any], Any]) -> Any:
        arrives = await self._outside.before(self.process)

        def write(site: Any) -> Any:
            arrives()
            return answer(site)

        return await super()._ask(request, timeout, write)


async def _whatever_becomes_of_it(write: Coroutine[Any, Any, Any]) -> Any:
    """A write goes on although whoever waits for it gives up: one that was stopped as it left is not called back."""
    sending = asyncio.ensure_future(write)
    sending.add_done_callback(lambda done: None if done.cancelled() else done.exception())
    return await asyncio.shield(sending)
