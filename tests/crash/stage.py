"""The stage of a story: the rehearsal's, on which each process dies where it is told to, and the next one comes up.

Those who send and those who act try again as they do in every rehearsal. `lived` plays a story.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest import mock

import msgspec

from paramedic.core.bundle import Bundle
from paramedic.core.decide import decide
from paramedic.core.events import Event
from paramedic.core.model import Incident
from paramedic.core.positions import Position
from paramedic.core.words import Once
from paramedic.engine.engine import Engine
from paramedic.engine.highest import Highest
from paramedic.engine.holdings import decode
from paramedic.record.timeline import decode_entries, verify
from paramedic.rehearse.cluster import SimulatedKube
from paramedic.rehearse.clusters import StagedClusters, StagedKube
from paramedic.rehearse.loop import VirtualLoop, virtually
from paramedic.rehearse.script import Crash
from paramedic.rehearse.stage import Played, Stage
from paramedic.store.memory import MemoryStore
from paramedic.store.memory.positions import MemoryPositions
from tests.crash.came import Came, Sent
from tests.crash.lives import LIFE, Kill, Life
from tests.crash.stories import Story
from tests.crash.world import LivedWorld
from tests.rehearse.staged import plugins

__all__ = ["lived"]

_events = msgspec.json.Decoder(Event)
LEASE = 10.0
LOOK = 1.0  # seconds between two looks at the other members, where there are some
LEFT = ("effects", "holds", "todo", "inbox")


class Slow(StagedClusters):
    """Clusters whose answers take so long."""

    latency: float

    def kube(self) -> StagedKube:
        return StagedKube(SimulatedKube(self.named, self._clock, latency=self.latency), self._clock)


class LivedStage(Stage):
    """See the module. The first process dies at the first of `kills`, and so on; `down` seconds lie between."""

    def __init__(self, loop: VirtualLoop, story: Story, kills: Sequence[Kill], down: float) -> None:
        super().__init__(loop, story.script, story.bundle, plugins())
        if story.beside.latency:
            self.clusters = slow = Slow(story.script.world, story.script.faults, self.clock)
            slow.latency = story.beside.latency
        self.world = self.lived = LivedWorld(story.script.world, self.clock, self._bring_about)
        self.lived.posts = []
        self.lives: list[Life] = []
        self.flying: set[Once] = set()
        self._story, self._kills, self._down = story, kills, down
        lost = Position("lived", 7, self.disk.system, 10_000, self.clock.now())
        self._kept = Remembered(lost if story.beside.restored else None)

    async def _start(self) -> None:
        number = len(self.lives)
        life = Life(self._kills[number] if number < len(self._kills) else None, self._dies, self._meanwhile)
        self.lives.append(life)
        await self._up(life)
        if number == 0 and self._story.beside.neighbour is not None:
            self._agenda.after(self._story.beside.neighbour[0], self._neighbour)

    async def _up(self, life: Life | None) -> None:
        """Start a process in this life; without one it cannot be killed."""
        before = LIFE.set(life)
        parts: dict[str, Any] = {"Engine": Engine}
        if self._story.beside.neighbour is not None:
            parts |= {"MemoryStore": partial(MemoryStore, ttl=LEASE), "_DAY": LOOK}
        if self._story.beside.restored:
            highest = Highest(MemoryPositions(self.disk, self.clock), self._kept, self.clock)
            parts["Engine"] = partial(Engine, highest=highest)
        try:
            with mock.patch.multiple("paramedic.rehearse.stage", **parts):
                await super()._start()
        finally:
            LIFE.reset(before)

    async def _neighbour(self) -> None:
        """Another member comes, takes its part of the shards, and dies."""
        came, goes = self._story.beside.neighbour or (0.0, 0.0)
        ours = self._swap(None)
        await self._up(None)
        other = self._swap(ours)
        await self.clock.sleep(goes - came)
        if other is not None:
            _end(other)
            await other.bury(self.clock)

    def _swap(self, process: Any) -> Any:
        before, self._process = self._process, process
        return before

    def _dies(self) -> None:
        for row in self.disk.effects.values():
            run = decode(self.disk.incidents[row.incident].state).run
            if row.intended and row.lane == "write" and run is not None:
                self.flying.add(run.once)
        if self._process is not None:  # else it is being stopped, and `_stop` sees to what follows
            _end(self._process)
            self._crashed(Crash(crash=True, at=self.clock.monotonic(), down=self._down))

    async def _perform(self) -> None:
        beside = self._story.beside
        if beside.stops is not None:
            self._agenda.after(beside.stops, self._stop)
        if isinstance(beside.adopts, float):
            self._agenda.after(beside.adopts, self._adopt)
        await super()._perform()

    async def _stop(self) -> None:
        """SIGTERM, and started again. It may be killed while it stops."""
        process, life, self._process = self._process, self.lives[-1], None
        if process is not None:
            process.task.cancel()
            await asyncio.wait([process.task])
            if life.dead:
                _end(process)
                await self.clock.sleep(self._down)
            await self._start()

    async def _adopt(self) -> None:
        """Another version of the bundle is in force from now on."""
        self.bundle = self._story.other
        if self._process is not None:
            before = LIFE.set(self.lives[-1])
            try:
                await self._process.engine.adopt(self.bundle)
            finally:
                LIFE.reset(before)

    def _meanwhile(self, point: str) -> None:
        """What happens beside, when a point is passed for the first time."""
        hand, adopts = self._story.beside.hand, self._story.beside.adopts
        if sum(life.passed.count(point) for life in self.lives) > 1:
            return
        if hand is not None and hand[0] == point:
            self.clusters.lay_hand(hand[1], self.clock.monotonic())
        if adopts == point:
            with suppress(StopIteration):
                self._adopt().send(None)

    def verify(self, bundles: Mapping[str, Bundle]) -> None:
        """Promises 8 and 9, for every incident there is."""
        for number, row in self.disk.incidents.items():
            lines = [(one.at, one.body, one.hash) for one in self.disk.timeline[number]]
            assert verify(number, lines, row.head), f"INC-{number}: the chain is broken"
            folded: Incident | None = None
            for _, event in sorted(self.disk.events[number].items()):
                folded = decide(folded, _events.decode(event.body), bundles[decode(row.state).bundle]).incident
            assert folded == decode(row.state), f"INC-{number} is not what its events make of it"


@dataclass
class Remembered:
    """What a process knows of the database, outside of it."""

    position: Position | None

    async def read(self) -> Position | None:
        return self.position

    async def write(self, position: Position) -> None:
        self.position = position


def _end(process: Any) -> None:
    """It is dead, and its connections with it."""
    process.kill()
    process.store._inner.die()


def lived(story: Story, kills: Sequence[Kill] = (), down: float = 0.2) -> Came:
    """Play the story with these kills."""
    stages: list[LivedStage] = []

    async def play(loop: Any) -> Played:
        stages.append(LivedStage(loop, story, kills, down))
        return await stages[0].play()

    played = virtually(play)
    assert not played.defects, played.defects
    (stage,) = stages
    stage.verify({one.hash: one for one in (story.bundle, story.other)})
    rows = stage.disk.timeline.items()
    return Came(
        tuple(tuple(life.passed) for life in stage.lives),
        sum(life.dead for life in stage.lives),
        {number: decode(row.state) for number, row in stage.disk.incidents.items()},
        {number: [entry for line in lines for entry in decode_entries(line.body)] for number, lines in rows},
        [Sent(one.endpoint, one.method, one.path, one.key, one.did) for one in stage.world.requests],
        stage.lived.messages(),
        {name: len(getattr(stage.disk, name)) for name in LEFT},
        frozenset(stage.flying),
    )
