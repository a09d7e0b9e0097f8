"""The engine on a stage of its own: virtual time, a store in memory that can be told to fail, a scripted HTTP port.

`play` runs a story on a fresh stage and then checks, for every incident, promise 8 (the chain is whole) and promise 9
(folding the recorded events gives the stored state).
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import msgspec

from paramedic.clock import Clock
from paramedic.cluster.port import Kube, NoCluster
from paramedic.core.bundle import Bundle, Endpoint
from paramedic.core.decide import decide
from paramedic.core.decision import Entry
from paramedic.core.events import Event
from paramedic.core.model import Incident
from paramedic.engine.engine import Engine
from paramedic.engine.inputs import Act, Delivery
from paramedic.engine.shell import Options
from paramedic.errors import Temporary
from paramedic.intake.alertmanager import parse_body
from paramedic.plugin import Metrics, NoMetrics, Plugins, Reply, Tools
from paramedic.record.timeline import decode_entries, verify
from paramedic.rehearse.loop import START, VirtualClock, VirtualLoop, virtually
from paramedic.store.memory import MemoryDisk, MemoryStore
from paramedic.store.port import Batch, BundleRow, Committed, Doubtful
from tests.engine.texts import body, bundle_of, catalog, element, loaded, plugins

T = TypeVar("T")
LATENCY = 0.002
_events = msgspec.json.Decoder(Event)


def delivery_of(text: bytes, source: str = "default") -> Delivery:
    """A body as intake hands it on."""
    parsed = parse_body(source, text)
    return Delivery(source, text, parsed.alerts, parsed.rejected)


@dataclass(frozen=True, slots=True)
class Call:
    """One request that reached the world."""

    at: float
    endpoint: str
    method: str
    path: str
    key: str
    body: dict[str, Any]


@dataclass
class World:
    """The HTTP port of every process: remembers what arrived; `answer` may wait, raise, or reply."""

    clock: Clock
    calls: list[Call] = field(default_factory=list)
    answer: Callable[[Call], Awaitable[Reply]] | None = None

    def to(self, endpoint: str) -> list[Call]:
        """What arrived at one endpoint."""
        return [call for call in self.calls if call.endpoint == endpoint]

    def pages(self, verb: str = "trigger") -> list[Call]:
        """The pages of one verb that went out."""
        return [call for call in self.to("pager") if call.body["verb"] == verb]


@dataclass
class Port:
    """A process's way into the world. A dead process sends nothing."""

    world: World
    dead: bool = False

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
        if self.dead:
            raise Temporary("the process is gone")
        key = (headers or {}).get("Idempotency-Key", "")
        call = Call(self.world.clock.monotonic(), endpoint.name, method, path, key, json.loads(body or b"{}"))
        self.world.calls.append(call)
        return await self.world.answer(call) if self.world.answer else Reply(200, {}, b"")


@dataclass
class Noted:
    """A report that keeps what it is told: what, and the values."""

    told: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return lambda *values: self.told.append((name, values))

    def of(self, name: str) -> list[tuple[Any, ...]]:
        """The values of one kind."""
        return [values for what, values in self.told if what == name]


class StageStore(MemoryStore):
    """A memory store whose commits take time, are remembered, and can be held back or end the process."""

    def __init__(self, disk: MemoryDisk, clock: VirtualClock, took: list[Batch], ttl: float | None = None) -> None:
        super().__init__(disk, clock, ttl=ttl)
        self.took, self.time = took, clock
        self.latency = LATENCY
        self.dead = False
        self.gate: asyncio.Event | None = None
        self.on_commit: Callable[[int], None] = lambda _: None

    async def commit(self, batch: Batch) -> Committed:
        await self.time.sleep(self.latency)
        if self.gate is not None:
            await self.gate.wait()
        if self.dead:
            raise Doubtful("the process is gone")
        done = await super().commit(batch)
        self.took.append(batch)
        self.on_commit(len(self.took))
        if self.dead:
            raise Doubtful("the process was gone before the answer came")
        return done


class Stage:
    """One disk, one world, and the lives of a process on them."""

    def __init__(
        self,
        loop: VirtualLoop,
        text: str,
        options: Options | None = None,
        used: Plugins | None = None,
        kube: Kube | None = None,
        ttl: float | None = None,
    ) -> None:
        self.ttl = ttl
        self.loop, self.clock, self.kube = loop, VirtualClock(loop), kube or NoCluster()
        self.metrics: Metrics = NoMetrics()
        self.disk, self.world = MemoryDisk(), World(self.clock)
        self.batches: list[Batch] = []
        self.options = options or Options(jitter=float, signs=3600.0, look=3600.0)
        self.bundle = bundle_of(text) if used is None else loaded(text, used)
        self.bundles = {self.bundle.hash: self.bundle}
        self.plugins = used or plugins()
        self.report = Noted()
        self.store, self.port, self.engine = self._process()
        self.task: asyncio.Task[None] | None = None

    def _process(self) -> tuple[StageStore, Port, Engine]:
        store, port = StageStore(self.disk, self.clock, self.batches, self.ttl), Port(self.world)
        tools = Tools(http=port, kube=self.kube, metrics=self.metrics)
        engine = Engine(
            store,
            self.plugins,
            tools,
            tools,
            self.clock,
            self.options,
            self.report,
            parse=lambda source, text: parse_body(source, text).alerts,
            load=lambda row: self.bundles[row.hash],
        )
        return store, port, engine

    async def start(self) -> None:
        """Start the process, and wait until it serves and rests."""
        await self.adopt(self.bundle)
        self.task = self.loop.create_task(self.engine.run())
        await self.loop.rest()

    async def adopt(self, bundle: Bundle) -> None:
        """As `app` does: keep the bundle, then have the engine use it."""
        self.bundles[bundle.hash] = bundle
        row = BundleRow(bundle.hash, self.clock.now(), b"")
        assert await self.store.adopt(row, self.disk.pointer)
        await self.engine.adopt(bundle)

    def kill(self) -> None:
        """End the process as kill -9 does: nothing that it still does reaches anything."""
        self.store.dead = self.port.dead = True
        self.store.die()
        if self.task is not None:
            self.task.cancel()

    async def restart(self) -> None:
        """A new process on the same disk."""
        self.kill()
        self.store, self.port, self.engine = self._process()
        await self.start()

    async def stop(self) -> None:
        """End the process as a signal does."""
        assert self.task is not None
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task
        self.task = None

    async def pass_(self, seconds: float) -> None:
        """Let time pass, and everything happen that is due by then."""
        await self.clock.sleep(seconds)
        await self.loop.rest()

    # -- what comes in ------------------------------------------------------------------------------------------------

    async def deliver(self, *elements: Mapping[str, Any], source: str = "default") -> int:
        """Deliver these elements in one body; the delivery's id."""
        return await self.engine.deliver(delivery_of(body(*elements), source))

    async def fire(self, job: str, **labels: Any) -> int:
        """An alert begins to fire; the number of its incident."""
        await self.deliver(element(job, starts=self.clock.now(), **labels))
        return max(number for number, row in self.disk.incidents.items() if row.open)

    async def resolve(self, job: str, **labels: Any) -> None:
        """It is over."""
        await self.deliver(element(job, starts=START, ends=self.clock.now() + timedelta(seconds=1), **labels))

    async def act(self, incident: int, what: str, *, who: str = "alice", run: int | None = None, text: str = "") -> str:
        """A person's act."""
        return await self.engine.act(incident, Act(who, what, run, text))

    # -- what is kept -------------------------------------------------------------------------------------------------

    def incident(self, number: int) -> Incident:
        """An incident as stored."""
        return msgspec.json.decode(self.disk.incidents[number].state, type=Incident)

    def outcome(self, number: int) -> str:
        """How its last run ended; `-` while none has."""
        past = self.incident(number).past
        return str(past[-1].outcome) if past else "-"

    def entries(self, number: int) -> Sequence[Entry]:
        """Its timeline."""
        return [entry for row in self.disk.timeline[number] for entry in decode_entries(row.body)]

    def told(self, number: int, kind: str) -> list[str]:
        """The texts of one kind of entry."""
        return [entry.text for entry in self.entries(number) if entry.kind == kind]

    def verify(self) -> None:
        """Promises 8 and 9, for every incident there is."""
        for number, row in self.disk.incidents.items():
            rows = [(one.at, one.body, one.hash) for one in self.disk.timeline[number]]
            assert verify(number, rows, row.head)
            incident: Incident | None = None
            for seq in sorted(seq for seq in self.disk.events[number] if seq > 0):
                event = _events.decode(self.disk.events[number][seq].body)
                hash_ = incident.bundle if incident is not None else getattr(event, "bundle", "")
                incident = decide(incident, event, self.bundles[hash_]).incident
            assert incident == self.incident(number), f"INC-{number}"


def play(
    story: Callable[[Stage], Awaitable[T]],
    text: str = "",
    *,
    options: Options | None = None,
    used: Plugins | None = None,
    kube: Kube | None = None,
    start: bool = True,
    verified: bool = True,
) -> T:
    """Tell a story on a fresh stage, and check what it left."""

    async def told(loop: VirtualLoop) -> T:
        stage = Stage(loop, text or catalog(), options, used, kube)
        if start:
            await stage.start()
        result = await story(stage)
        if verified:
            stage.verify()
        stage.kill()
        return result

    return virtually(told)
