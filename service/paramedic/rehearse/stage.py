"""The stage of one rehearsal: the real engine over a simulated world, in virtual time. `rehearse` asks for a play.

It starts the process under test (engine, store, ports), kills and restarts it where the script says so, lets happen
what the script says when, and returns what the witness saw. Everything it starts has ended when it returns.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeVar, assert_never

from paramedic.core.bundle import Bundle
from paramedic.core.model import Alert, Incident
from paramedic.core.words import Stage as RunStage
from paramedic.engine.engine import Engine
from paramedic.engine.inputs import Act, Delivery
from paramedic.engine.shell import Options
from paramedic.errors import Fault, Temporary
from paramedic.intake.alertmanager import parse_body
from paramedic.plugin import Plugins, Tools
from paramedic.rehearse.agenda import Agenda
from paramedic.rehearse.alertmanager import SimulatedAlertmanager
from paramedic.rehearse.cluster.spec import Following
from paramedic.rehearse.clusters import StagedClusters, StagedKube
from paramedic.rehearse.compare import fits
from paramedic.rehearse.defects import Defects
from paramedic.rehearse.faults import StagedStore, Weather, failing_plugins
from paramedic.rehearse.loop import VirtualClock, VirtualLoop
from paramedic.rehearse.moments import say_moment
from paramedic.rehearse.people import People
from paramedic.rehearse.ports import SimulatedAlerts, SimulatedChanges, SimulatedMetrics
from paramedic.rehearse.scenery import Consequence
from paramedic.rehearse.script import (
    Alerting,
    Clustered,
    Crash,
    Happens,
    Personal,
    Repeating,
    Resolving,
    Script,
    Switching,
)
from paramedic.rehearse.witness import Happened, Witness
from paramedic.rehearse.world import SimulatedHttp, SimulatedWorld
from paramedic.store.memory import MemoryDisk, MemoryStore
from paramedic.store.port import Batch, BundleRow

__all__ = ["Played", "Stage"]

T = TypeVar("T")

_DAY = 86_400.0

_LATENCY = 0.002
"""Virtual seconds that a commit takes."""


@dataclass(frozen=True, slots=True, repr=False)  # asyncio would print all of it into a message that nobody reads
class Played:
    """What came of a rehearsal: what happened, in order, until its end; and defects of the service met on the way."""

    happened: Sequence[Happened]
    defects: Sequence[str]
    seconds: float


@dataclass(slots=True)
class _Process:
    """One life of the process under test."""

    engine: Engine
    store: StagedStore
    http: SimulatedHttp
    metrics: SimulatedMetrics
    changes: SimulatedChanges
    alerts: SimulatedAlerts
    kube: StagedKube
    task: asyncio.Task[None]

    def kill(self) -> None:
        """End it as kill -9 does: nothing that it still does reaches anything."""
        self.store.dead = self.http.dead = self.metrics.dead = self.changes.dead = self.alerts.dead = True
        self.kube.die()

    async def bury(self, clock: VirtualClock) -> None:
        """See that its task ends, once it has found out that nothing reaches anything any more."""
        while not self.task.done():
            await clock.sleep(1.0)
            self.task.cancel()
        await self.kube.close()


class Stage:
    """One rehearsal on its own loop.

    `latency` is how long a commit takes, in virtual seconds. `jitter` changes the waits between tries; by default they
    stay as they are, so that everything happens at the same moments each time.
    """

    def __init__(
        self,
        loop: VirtualLoop,
        script: Script,
        bundle: Bundle,
        plugins: Plugins,
        *,
        latency: float = _LATENCY,
        jitter: Callable[[float], float] = float,
    ) -> None:
        self.script, self.bundle = script, bundle
        self.clock = VirtualClock(loop, script.clock.start)
        self.disk = MemoryDisk()
        self.clusters = StagedClusters(script.world, script.faults, self.clock)
        self.world = SimulatedWorld(script.world, self.clock, self._bring_about)
        self.witness = Witness(script.clock.start, lambda _: bundle)
        self._loop, self._latency, self._jitter = loop, latency, jitter
        self._plugins = failing_plugins(plugins, script.faults, self.clock)
        self._weather = Weather(script.faults, self.clock, self._took)
        self._defects = Defects()
        self._process: _Process | None = None
        self._processes: list[_Process] = []
        self.witness.listeners.append(People(script.world.people, self._put_off_act).told)

    async def play(self) -> Played:
        """Play the script to its end. Raises `Fault` where the script asks for what cannot be."""
        async with asyncio.TaskGroup() as group:
            self._agenda = Agenda(group, self.clock)
            self._alertmanager = SimulatedAlertmanager(
                self.clock, self._agenda, self._deliver, self._repeats, self.script.world.silences
            )
            self._group = group
            try:
                await self._start()
                await self._perform()
                happened, seconds = tuple(self.witness.happened), self.clock.monotonic()
            finally:
                await self._end()
        return Played(happened, tuple(self._defects.found), seconds)

    async def _perform(self) -> None:
        """Let everything happen at its moment, in the order of the file, each before the next begins."""
        for fault in self.script.faults:
            if isinstance(fault, Crash) and fault.at is not None:
                self._agenda.after(fault.at, partial(self._killed, fault))
        followers = self.clusters.followers(self._fires, self._ends, self.world.note)
        if followers is not None:
            self._agenda.after(0.0, followers.watch)
        for step in sorted(self.script.when, key=lambda step: step.at):
            await self.clock.sleep(step.at - self.clock.monotonic())
            await self._happen(step)
            await self._loop.rest()
        await self.clock.sleep(self.script.end - self.clock.monotonic())
        await self._loop.rest()

    async def _end(self) -> None:
        """Nothing goes on: whatever was started has ended when this returns, also after something went wrong."""
        self._agenda.clear()
        for process in self._processes:
            process.kill()
            await process.bury(self.clock)

    # -- the process under test ---------------------------------------------------------------------------------------

    async def _start(self) -> None:
        inner = MemoryStore(self.disk, self.clock)
        await inner.adopt(BundleRow(self.bundle.hash, self.clock.now(), b""), self.disk.pointer)
        store = StagedStore(inner, self._weather, self.clock, self._crashed, self._latency)
        http, kube = SimulatedHttp(self.world), self.clusters.kube()
        metrics = SimulatedMetrics(self._measured, self.clock)
        changes = SimulatedChanges(self.script.world.changes, self.clock, self.script.clock.start)
        alerts = SimulatedAlerts(self._alertmanager.standing, lambda name: bool(self.bundle.source(name).instances))
        tools = Tools(http, kube.shared, metrics, changes, alerts, wait=self.clock.sleep)
        engine = Engine(
            store,
            self._plugins,
            tools,
            tools,
            self.clock,
            Options(mode=self.script.world.mode, signs=_DAY, look=_DAY, jitter=self._jitter),
            self._defects,
            parse=_parse,
            load=lambda _: self.bundle,
        )
        await engine.adopt(self.bundle)
        self._process = _Process(
            engine, store, http, metrics, changes, alerts, kube, self._group.create_task(engine.run())
        )
        self._processes.append(self._process)

    def _crashed(self, crash: Crash) -> None:
        if self._process is not None:
            self._process.kill()
            self._agenda.after(0.0, partial(self._process.bury, self.clock))
            self._process = None
            self._agenda.after(crash.down, self._start)

    async def _killed(self, crash: Crash) -> None:
        self._crashed(crash)

    def _took(self, batch: Batch) -> None:
        self.witness.take(batch.events)

    async def _deliver(self, source: str, body: bytes) -> None:
        process = self._process
        if process is None:
            raise Temporary("the connection was refused: the process is gone")
        parsed = parse_body(source, body)
        await process.engine.deliver(Delivery(source, body, parsed.alerts, parsed.rejected))

    # -- what happens -------------------------------------------------------------------------------------------------

    async def _happen(self, step: Happens) -> None:
        match step:
            case Alerting():
                self._alert(step)
            case Resolving():
                if not self._alertmanager.resolve(step.resolved):
                    raise _nothing_fires(step.resolved, step.at)
            case Repeating():
                if not self._alertmanager.repeat(step.repeat):
                    raise _nothing_fires(step.repeat, step.at)
            case Personal():
                self._by_hand(step)
            case Switching():
                self._agenda.after(0.0, partial(self._switch, step))
            case Clustered():
                self.clusters.lay_hand(step.cluster, step.at)
            case _:
                assert_never(step)

    def _alert(self, step: Alerting) -> None:
        labels = step.alert if isinstance(step.alert, tuple) else (step.alert,)
        source = step.source or self._source()
        started = None if step.started is None else self.script.clock.start + timedelta(seconds=step.started)
        self._alertmanager.fire(source, labels, step.annotations, started)

    def _measured(self, name: str, ago: float) -> float | None:
        return self.world.value(name, self.clock.monotonic() - ago)

    def _fires(self, alert: Following) -> None:
        self._alertmanager.fire(alert.source or self._source(), [alert.alert], alert.annotations)

    def _ends(self, alert: Following) -> None:
        self._alertmanager.resolve(alert.alert)

    def _source(self) -> str:
        """Where an alert comes from that does not say so: the one source declared, else the default one."""
        declared = [name for name in self.bundle.sources if name != "default"]
        return declared[0] if len(declared) == 1 else "default"

    def _repeats(self, source: str) -> float:
        return self.bundle.source(source).repeat if self.script.world.repeats else 0.0

    def _bring_about(self, consequence: Consequence) -> None:
        self._agenda.after(consequence.after, partial(self._consequence, consequence))

    async def _consequence(self, consequence: Consequence) -> None:
        if consequence.resolves:
            self._alertmanager.resolve(consequence.resolves)
        if consequence.fires:
            self._alertmanager.fire(self._source(), [consequence.fires], {})

    async def _switch(self, step: Switching) -> None:
        until = None if step.for_ is None else self.clock.now() + timedelta(seconds=step.for_)
        await self._insist(lambda engine: engine.set_switch(step.switch, who=step.who, reason=step.reason, until=until))

    # -- people -------------------------------------------------------------------------------------------------------

    def _by_hand(self, step: Personal) -> None:
        act = step.person
        incident = self._meant(act.does, act.of)
        if incident is None:
            raise Fault(
                f"at {say_moment(step.at)}",
                f'there is no open incident for {act.name} to {act.does} whose title fits "{act.of}"',
                "see `of`, and what the alerts opened by then",
            )
        until = None if act.for_ is None else self.clock.now() + timedelta(seconds=act.for_)
        run = incident.run.n if incident.run is not None else incident.runs
        about = run if act.does in ("approve", "deny", "cancel") else None
        self._agenda.after(0.0, partial(self._act, incident.id, Act(act.name, act.does, about, act.text, until)))

    def _meant(self, does: str, of: str) -> Incident | None:
        """The newest open incident that fits; of those, one that waits for an approval if that is what it is about."""
        known: Mapping[int, Incident] = self.witness.incidents
        fitting = [one for one in known.values() if one.open and fits(of, one.title)]
        if does in ("approve", "deny"):
            waiting = [one for one in fitting if one.run is not None and one.run.stage is RunStage.APPROVAL]
            fitting = waiting or fitting
        return max(fitting, key=lambda one: one.id, default=None)

    def _put_off_act(self, seconds: float, who: str, what: str, about: Happened) -> None:
        run = about.facts["run"] if about.kind == "approval" else None
        self._agenda.after(seconds, partial(self._act, about.incident, Act(who, what, run)))

    async def _act(self, incident: int, act: Act) -> None:
        try:
            answer = await self._insist(lambda engine: engine.act(incident, act))
        except Fault as fault:
            answer = str(fault)
        facts = {"kind": "answer", "text": answer, "who": act.who, "note": act.what}
        title = self.witness.incidents[incident].title
        said = f"answer to {act.who}'s {act.what}: {answer}"
        self.witness.happened.append(Happened(self.clock.monotonic(), "entry", incident, title, facts, said))

    async def _insist(self, ask: Callable[[Engine], Awaitable[T]]) -> T:
        """Ask the service until it can answer: people try again when it is away for a moment."""
        while True:
            process = self._process
            if process is not None:
                with suppress(Temporary):
                    return await ask(process.engine)
            await self.clock.sleep(1.0)


def _parse(source: str, body: bytes) -> Sequence[Alert]:
    return parse_body(source, body).alerts


def _nothing_fires(which: str | Mapping[str, str], at: float) -> Fault:
    name = which if isinstance(which, str) else " ".join(f'{name}="{value}"' for name, value in which.items())
    return Fault(f"at {say_moment(at)}", f"no alert {name} fires at that moment", "name one that an earlier step fires")
