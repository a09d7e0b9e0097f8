"""The stage of a simulation: a rehearsal's, with several processes, and everything that goes wrong between them.

It plays a plan and tells what can be seen from outside: deliveries and their answers, commits, what reaches the world,
what is said to people. Who listens judges it; nothing here does.
"""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

from paramedic.engine.engine import Engine
from paramedic.engine.inputs import Delivery
from paramedic.engine.shell import Options
from paramedic.errors import Fault, Temporary
from paramedic.intake.alertmanager import parse_body
from paramedic.plugin import Tools
from paramedic.rehearse.clusters import StagedKube
from paramedic.rehearse.loop import VirtualLoop
from paramedic.rehearse.people import People
from paramedic.rehearse.ports import SimulatedChanges, SimulatedMetrics
from paramedic.rehearse.script import Happens
from paramedic.rehearse.stage import Stage
from paramedic.rehearse.witness import Happened
from paramedic.rehearse.world import Request
from paramedic.store.port import Batch, BundleRow
from tests.simulation import estate, shop
from tests.simulation.deliveries import torn, without_the_last
from tests.simulation.listening import Folding, Listener, TellingWorld, Written
from tests.simulation.membership import LEASE, Owners, ProcessStore
from tests.simulation.notices import Notice, told_plugins
from tests.simulation.plan import Plan
from tests.simulation.processes import BEAT, Life, LocalClock, Outside, Process, ProcessHttp, ProcessKube

__all__ = ["Replicas"]

_DAY = 86_400.0

_LOOKS = 20.0
"""Seconds between two looks at other members that nobody asked for."""


class Replicas(Stage):
    """See the module."""

    def __init__(self, loop: VirtualLoop, plan: Plan) -> None:
        dice = Random(plan.seed + 1_000_000)
        super().__init__(
            loop,
            plan.script,
            estate.bundle("1"),
            estate.plugins(),
            jitter=lambda seconds: seconds * (0.5 + dice.random()),
        )
        self.plan, self.listener, self.latency = plan, Listener(), plan.latency
        self.witness = Folding(self.script.clock.start, estate.bundles().__getitem__)
        self.witness.listeners.append(self._people())
        self.world = TellingWorld(self.script.world, self.clock, self._bring_about)
        self.world.told = self._arrived
        self.outside = Outside(self._write_leaves)
        self.processes = [
            Process(number, LocalClock(loop, self.script.clock.start)) for number in range(plan.processes)
        ]
        self.disk.members.owners = Owners(self.disk.members.owners, self.clock)
        self.members_of: dict[Process, set[int]] = {}  # the members that each process has been
        self._plugins = told_plugins(self._plugins, plan.trouble, self.clock, self._noticed)
        self._newest = "1"
        self._numbered = {
            what: {one[what]: one for one in plan.trouble if what in one} for what in ("commit", "write", "delivery")
        }
        self._counted = dict.fromkeys(self._numbered, 0)
        for cluster in self.clusters.named.values():
            shop.watch(cluster, self._changed)

    def _people(self) -> Callable[[Happened], None]:
        return People(self.script.world.people, self._put_off_act).told

    # -- processes ----------------------------------------------------------------------------------------------------

    async def _start(self) -> None:
        for version in estate.VERSIONS:
            self.disk.bundles[estate.bundle(version).hash] = BundleRow(
                estate.bundle(version).hash, self.clock.now(), b""
            )
        for trouble in self.plan.trouble:
            self._arrange(trouble)
        for process in self.processes:
            await self._begin(process)

    async def _begin(self, process: Process) -> None:
        store: Any = ProcessStore(self.disk, process, self, self.clock)
        http = ProcessHttp(self.world, process, self.outside)
        kube = StagedKube(ProcessKube(self.clusters.named, self.clock, process, self.outside), self.clock)
        metrics = SimulatedMetrics(self._measured, self.clock)
        changes = SimulatedChanges(self.script.world.changes, self.clock, self.script.clock.start)
        tools = Tools(http=http, kube=kube.shared, metrics=metrics, changes=changes, wait=self.clock.sleep)
        engine = Engine(
            store,
            self._plugins,
            tools,
            tools,
            process.clock,
            Options(signs=_DAY, jitter=self._jitter, batch=self.plan.batch),
            self._defects,
            parse=lambda source, body: parse_body(source, body).alerts,
            load=lambda row: estate.bundles()[row.hash],
        )
        await engine.adopt(estate.bundle(self._newest))
        task = self._group.create_task(engine.run())
        process.life = Life(engine, store, http, metrics, changes, kube, task)
        process.speak()
        self._stir(0.1)
        self._processes.append(process.life)  # type: ignore[arg-type]

    def crash(self, process: Process, down: float) -> None:
        """Kill a process; it is back after `down`."""
        life, process.life = process.life, None
        if life is None:
            return
        life.kill()
        process.fall_silent()
        self._stir(0.3)
        if process.paused:
            process.resume()
        self._agenda.after(0.0, partial(life.bury, self.clock))
        self._agenda.after(down, partial(self._begin, process))

    def pause(self, process: Process, seconds: float) -> None:
        """Stop a process for a while."""
        if process.life is None or process.paused:
            return
        process.pause()
        self._stir(LEASE + 0.3)

        async def resume() -> None:
            if process.paused:
                process.resume()

        self._agenda.after(seconds, resume)

    def patience(self) -> float:
        """Seconds after which a member looks at the others by itself: seldom, once nothing befalls them any more."""
        if len(self.processes) == 1:
            return _DAY
        return _LOOKS if self.clock.monotonic() < self.plan.calm + 60.0 else 15 * _LOOKS

    def _stir(self, seconds: float) -> None:
        """Something has become of a process: the others look in so many seconds."""

        async def look() -> None:
            for member in self.disk.members.writing:
                member.news.set()

        self._agenda.after(seconds, look)

    def owns(self, process: Process, incident: int, within: float) -> bool:
        """Whether the incident's shard is this process's, or was so many seconds ago."""
        owners: Any = self.disk.members.owners
        shard = self.disk.incidents[incident].shard
        mine = self.members_of.get(process, set())
        return owners[shard] in mine or owners.was(shard, self.clock.monotonic() - within) in mine

    def stop(self, why: Exception) -> None:
        """End the play at once, with this error."""

        async def end() -> None:
            raise why

        self._agenda.after(0.0, end)

    # -- trouble ------------------------------------------------------------------------------------------------------

    def _arrange(self, trouble: dict[str, Any]) -> None:
        if "skew" in trouble and trouble["process"] < len(self.processes):
            self.processes[trouble["process"]].clock.offset = timedelta(seconds=trouble["skew"])
        elif "reload" in trouble:
            for process in self.processes:
                self._agenda.after(trouble["at"] + 0.7 * process.number, partial(self._reload, process, trouble))
        elif "process" in trouble and trouble["process"] < len(self.processes):
            self._agenda.after(trouble["at"], partial(self._befall, self.processes[trouble["process"]], trouble))

    async def _befall(self, process: Process, trouble: dict[str, Any]) -> None:
        if "crash" in trouble:
            self.crash(process, trouble["crash"])
        elif "pause" in trouble:
            self.pause(process, trouble["pause"])
        elif "jump" in trouble:
            before, process.clock.offset = process.clock.offset, timedelta(seconds=trouble["jump"])
            await self.clock.sleep(BEAT)
            process.clock.offset = before
        elif "cut" in trouble:
            process.cut_off = True
            process.fall_silent()
            self._stir(LEASE + 0.3)
            await self.clock.sleep(trouble["cut"])
            process.cut_off = False
            process.speak()

    async def _reload(self, process: Process, trouble: dict[str, Any]) -> None:
        self._newest = trouble["reload"]
        while process.life is not None:  # one that begins later begins with the newest
            try:
                await process.life.engine.adopt(estate.bundle(trouble["reload"]))
            except Temporary:
                await self.clock.sleep(1.0)
            else:
                return

    def after(self, seconds: float, action: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do something in so many seconds, unless it is over by then."""
        self._agenda.after(seconds, action)

    def database(self) -> str:
        """How the database is."""
        return self._weather.database()

    def _next(self, what: str) -> dict[str, Any]:
        """The trouble of the next of them, if there is any."""
        self._counted[what] += 1
        return self._numbered[what].get(self._counted[what], {})

    def befalls(self, process: Process) -> dict[str, Any]:
        """The trouble of the next commit."""
        return self._next("commit")

    async def _write_leaves(self, process: Process) -> Callable[[], None]:
        trouble = self._next("write")
        if "pause" in trouble:
            self.pause(process, trouble["pause"])
            await process.awake()
        if trouble.get("crash") == "before":
            self.crash(process, trouble["down"])
        return partial(self.crash, process, trouble["down"]) if trouble.get("crash") == "after" else _nothing

    # -- what is seen -------------------------------------------------------------------------------------------------

    def committed(self, process: Process, batch: Batch, member: int) -> None:
        """The store has taken a batch: who listens is told before people react."""
        self.members_of.setdefault(process, set()).add(member)
        self.witness.take(batch.events)
        self.listener.committed(process, batch)

    def _arrived(self, request: Request) -> None:
        if request.method != "GET":
            outside, about = self.outside, (request.endpoint, request.path, request.key, request.did)
            self.listener.written(Written(request.at, outside.writer, *about, outside.late))

    def _noticed(self, notice: Notice) -> None:
        self.listener.noticed(notice)

    def _changed(self, name: str, key: str) -> None:
        now, outside = self.clock.monotonic(), self.outside
        self.listener.written(Written(now, outside.writer, "cluster", name, key, True, outside.late))

    # -- deliveries ---------------------------------------------------------------------------------------------------

    async def _deliver(self, source: str, body: bytes) -> None:
        """One try of a delivery, with what befalls it on the way."""
        trouble = self._next("delivery")
        goes, after = trouble.get("goes"), trouble.get("after", 0.0)
        if goes == "lost":
            return
        if goes == "late":
            await self.clock.sleep(after)
        if goes == "cut":
            body = without_the_last(body)
        if goes == "torn":
            await self._reject(source, torn(body))
            return
        await self._to(self._one_that_serves(), source, body)
        if goes == "twice":
            self._agenda.after(after, partial(self._alertmanager.persist, source, body))

    def _one_that_serves(self) -> Process:
        """Which process the network sends this delivery to."""
        start = self._counted["delivery"]
        order = [self.processes[(start + n) % len(self.processes)] for n in range(len(self.processes))]
        return next((one for one in order if one.serves), order[0])

    async def _to(self, process: Process, source: str, body: bytes) -> None:
        life = process.life
        if life is None:
            raise Temporary("the connection was refused: the process is gone")
        if process.paused:
            raise Temporary("no answer")
        parsed = parse_body(source, body)
        self.listener.sent(source, parsed.alerts)
        number = await life.engine.deliver(Delivery(source, body, parsed.alerts, parsed.rejected))
        if life is not process.life or process.paused:
            raise Temporary("the connection was lost before the answer came")
        self.listener.accepted(number, source, body, parsed.alerts)

    async def _reject(self, source: str, body: bytes) -> None:
        """What is no body at all is kept, and answered 400, which Alertmanager does not repeat."""
        life = self._one_that_serves().life
        try:
            parse_body(source, body)
        except Fault as fault:
            if life is not None:
                await life.engine.reject(source, str(fault), body)

    async def _happen(self, step: Happens) -> None:
        try:
            await super()._happen(step)
        except Fault:
            return  # what was to end may have been ended by then, by what the service did

    async def _insist(self, ask: Callable[[Engine], Any]) -> Any:
        """Ask the service until it can answer: people try again when it is away for a moment."""
        while True:
            for process in self.processes:
                if process.life is not None and process.serves:
                    try:
                        return await ask(process.life.engine)
                    except Temporary:
                        continue
            await self.clock.sleep(1.0)


def _nothing() -> None:
    """Nothing befalls it."""
