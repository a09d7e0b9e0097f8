"""A stage that is watched: every body may be delivered twice, late and out of order, and promises are checked after
every commit and every request. A broken one raises `Broken` with its number and what was seen."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

import msgspec

from paramedic.core.bundle import Endpoint
from paramedic.core.events import AlertsSeen, Event, TimerFired
from paramedic.core.model import Alert, Past, Run
from paramedic.core.words import Mode
from paramedic.engine.holdings import decode
from paramedic.errors import Fault
from paramedic.intake.alertmanager import parse_body
from paramedic.plugin import Reply
from paramedic.record.timeline import verify
from paramedic.rehearse.loop import VirtualLoop, virtually
from paramedic.rehearse.scenery import Answer, EndpointWorld
from paramedic.rehearse.script import Happens, Script
from paramedic.rehearse.stage import Played, Stage
from paramedic.rehearse.world import Request, SimulatedWorld
from paramedic.store.port import Batch
from tests.rehearse.staged import bundle, plugins
from tests.simulation import shop
from tests.simulation.scenario import QUIET, RULES, TROUBLE

_EVENT: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


class Broken(AssertionError):
    """A promise was broken."""

    def __init__(self, number: int, seen: str) -> None:
        super().__init__(f"promise {number}: {seen}")
        self.number = number


class WatchedWorld(SimulatedWorld):
    """Tells about each request at the moment when it arrives."""

    arrived: Callable[[Request], None]

    def _arrive(self, endpoint: Endpoint, spec: EndpointWorld, answer: Answer, request: Request) -> Reply:
        reply = super()._arrive(endpoint, spec, answer, request)
        self.arrived(self.requests[-1])
        return reply


class Watched(Stage):
    """See the module."""

    def __init__(self, loop: VirtualLoop, script: Script, seed: int) -> None:
        dice = Random(seed + 1_000_000)
        latency = dice.choice((0.0, 0.002, 0.05, 0.4))
        super().__init__(
            loop,
            script,
            bundle(RULES + shop.RULES),
            plugins(),
            latency=latency,
            jitter=lambda seconds: seconds * (0.5 + dice.random()),
        )
        self.world = WatchedWorld(script.world, self.clock, self._bring_about)
        self.world.arrived = self._write
        self._dice = dice
        self.accepted: list[Alert] = []
        self.fired: set[tuple[str, str, Any]] = set()
        self.asked: dict[tuple[int, int], float] = {}
        self.timers: Counter[tuple[int, int]] = Counter()
        self.closed_since: float | None = None
        self.frozen_since: float | None = None
        for cluster in self.clusters.named.values():
            shop.watch(cluster, self._changed)

    async def _happen(self, step: Happens) -> None:
        with suppress(Fault):  # what was to end may have been ended by then, by what the service did
            await super()._happen(step)

    # -- trouble on the way in ----------------------------------------------------------------------------------------

    async def _deliver(self, source: str, body: bytes) -> None:
        alerts = parse_body(source, body).alerts
        self.fired |= {(one.source, one.identity, one.starts_at) for one in alerts if one.firing}
        await super()._deliver(source, body)
        self.accepted += [one for one in alerts if one.firing]
        if self.clock.monotonic() < TROUBLE and self._dice.random() < 0.3:
            # A twin delivers the same: at once, a moment later, or when it has long been over.
            late = self._dice.choice((0.0, 0.003, 5.0, 130.0, 1000.0))
            self._agenda.after(late, partial(self._alertmanager.persist, source, body))

    # -- promises -----------------------------------------------------------------------------------------------------

    def _took(self, batch: Batch) -> None:
        super()._took(batch)
        for row in batch.incidents:
            folded = self.witness.incidents.get(row.id)
            if folded != decode(row.state):
                self._broken(9, f"INC-{row.id} folds to {folded}\nand is stored as {decode(row.state)}")
            rows = [(one.at, one.body, one.hash) for one in self.disk.timeline.get(row.id, [])]
            if not verify(row.id, rows, row.head):
                self._broken(8, f"INC-{row.id}: the chain does not verify")
        for happened in batch.events:
            event = _EVENT.decode(happened.body)
            if happened.done and isinstance(event, TimerFired):
                self._timer(happened.incident, event.n)
        for effect in batch.effects:
            self.asked[effect.incident, effect.n] = self.clock.monotonic()
        if batch.switch is not None:
            closed = Mode(batch.switch.mode).rank <= Mode.OFF.rank
            self.closed_since = (self.closed_since or self.clock.monotonic()) if closed else None
            frozen = Mode(batch.switch.mode) is Mode.FREEZE
            self.frozen_since = (self.frozen_since or self.clock.monotonic()) if frozen else None

    def _broken(self, number: int, seen: str) -> None:
        """End the play: raised here, it would only be one more defect that the engine starts over after."""

        async def end() -> None:
            raise Broken(number, seen)

        self._agenda.after(0.0, end)

    def _timer(self, incident: int, number: int) -> None:
        self.timers[incident, number] += 1
        if self.timers[incident, number] > 1:
            self._broken(6, f"timer {number} of INC-{incident} fired twice")

    def _write(self, request: Request) -> None:
        """A request has arrived; `bell` is where pages go, and a GET changes nothing."""
        if request.method != "POST" or request.endpoint == "bell":
            return
        mine = [one for one in self.world.requests if one.endpoint == request.endpoint and one.method == "POST"]
        step = request.key.rsplit("/", 1)[0]
        undo = "/unpoke" in request.path
        same = [one for one in mine if one.key.rsplit("/", 1)[0] == step and ("/unpoke" in one.path) is undo]
        if request.endpoint == "bare" and len(same) > 1:
            self._broken(3, f"{request.path} reached an endpoint that knows no keys {len(same)} times for step {step}")
        if len({one.key for one in same}) > 1:
            self._broken(3, f"step {step} was sent under {sorted({one.key for one in same})}")
        if self.closed_since is not None and request.at > self.closed_since + 2.0 and not undo:
            self._broken(5, f"{request.path} at {request.at}, while the switch is closed since {self.closed_since}")
        incident, run = request.key.split("/")[:2]
        target = "target/shop/" + request.path.split("job=")[1]
        hold = self.disk.holds.get(target)
        if hold is None or (f"INC-{hold.incident}", str(hold.run)) != (incident, run):
            self._broken(4, f"{request.path} under {request.key}, and {target} is held by {hold}")

    def _changed(self, name: str, key: str, times: int) -> None:
        """A change of ours on the cluster has taken effect, under this key so often by now."""
        if times > 1:
            self._broken(3, f"{name} was changed {times} times under {key}")
        now, remedy = self.clock.monotonic(), key.count("/") == 3
        since = self.closed_since if remedy else self.frozen_since
        if since is not None and now > since + 2.0:
            self._broken(5, f"{name} was changed under {key} at {now}, while the switch is closed since {since}")
        hold = self.disk.holds.get(f"target/main/shop/deployment/{name}")
        if hold is None or f"INC-{hold.incident}" != key.split("/", maxsplit=1)[0]:
            self._broken(4, f"{name} was changed under {key}, and is held by {hold}")

    # -- at rest ------------------------------------------------------------------------------------------------------

    def at_rest(self) -> None:
        """What must hold when the trouble has long been over."""
        self._nothing_lost()
        self._nothing_twice()
        self._nothing_stuck()

    def _nothing_lost(self) -> None:
        if self.disk.todo or self.disk.inbox:
            raise Broken(1, f"left over: {len(self.disk.todo)} deliveries, {len(self.disk.inbox)} events")
        for alert in self.accepted:
            episode = self.disk.episodes.get((alert.source, alert.identity))
            if episode is None or episode.incident is None or episode.incident not in self.disk.incidents:
                raise Broken(1, f"{alert.labels} was accepted, and is {episode}")

    def _nothing_twice(self) -> None:
        events = [_EVENT.decode(row.body) for rows in self.disk.events.values() for row in rows.values()]
        opened = sum(event.opened for event in events if isinstance(event, AlertsSeen))
        if opened > len(self.fired):
            raise Broken(2, f"{opened} episodes were opened, and {len(self.fired)} began")
        for incident in self.witness.incidents.values():
            ran: list[Past | Run] = [*incident.past, *([incident.run] if incident.run is not None else [])]
            treated = [one for one in ran if one.treats]
            runs = Counter((one.playbook, one.target, one.recurrence) for one in treated)
            if runs and max(runs.values()) > 1:
                raise Broken(2, f"{incident.ref} has run {runs.most_common(1)}")

    def _nothing_stuck(self) -> None:
        long_ago = self.clock.now() - timedelta(seconds=10)
        overdue = [timer for timer in self.disk.timers.values() if timer.due <= long_ago]
        if overdue:
            raise Broken(6, f"overdue: {overdue}")
        waiting = [one for one in self.disk.effects.values() if self.asked[one.incident, one.n] < TROUBLE + QUIET / 2]
        if waiting:
            raise Broken(6, f"effects that nobody carries out: {waiting}")
        for incident in self.witness.incidents.values():
            if incident.temporaries and not incident.firing.open and self.closed_since is None:
                raise Broken(6, f"{incident.ref}: never taken back: {incident.temporaries}")
            if incident.parked:
                raise Broken(9, f"{incident.ref} is parked: {incident.parked}")
            if incident.run is not None and not incident.timers.keys() & {
                "again",
                "approval",
                "retry",
                "check",
                "held",
            }:
                raise Broken(6, f"{incident.ref}: its run waits for nothing: {incident.run}")
            if incident.firing.open and incident.paging.policy and not incident.paging.level:
                raise Broken(7, f"{incident.ref} fires, and nobody was paged")
        held = {(hold.incident, hold.run) for hold in self.disk.holds.values()}
        active = {(one.id, one.run.n) for one in self.witness.incidents.values() if one.run is not None}
        if not held <= active:
            raise Broken(4, f"held by runs that are over: {held - active}")


def simulate(script: Script, seed: int) -> Watched:
    """Play a scenario under watch; returns the stage as it was left. Raises `Broken`."""
    stages: list[Watched] = []

    async def play(loop: VirtualLoop) -> Played:
        stage = Watched(loop, script, seed)
        stages.append(stage)
        return await stage.play()

    played = virtually(play)
    stages[0].at_rest()
    if played.defects:
        raise Broken(9, f"a defect: {played.defects}")
    return stages[0]
