"""What goes wrong in a rehearsal: around a commit, with the database, with a notifier."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from paramedic.core.words import Severity
from paramedic.errors import Permanent, Temporary, UnknownOutcome
from paramedic.plugin import MessageText, PageText, Tools
from paramedic.rehearse.faults import StagedStore, Weather, failing_plugins
from paramedic.rehearse.loop import VirtualClock, VirtualLoop, virtually
from paramedic.rehearse.script import Crash, Script
from paramedic.rehearse.world import SimulatedHttp, SimulatedWorld
from paramedic.store.memory import MemoryDisk, MemoryStore
from paramedic.store.port import Batch, BundleRow, DeliveryRow, Doubtful
from tests.rehearse.staged import plugins, scripted

AT = datetime(2026, 1, 5, tzinfo=UTC)


class Play:
    """A staged store over a disk, with the faults of a script."""

    def __init__(self, loop: VirtualLoop, *faults: Any, latency: float = 0.0) -> None:
        self.script: Script = scripted(faults=list(faults))
        self.clock, self.disk = VirtualClock(loop), MemoryDisk()
        self.crashes: list[Crash] = []
        self.taken: list[Batch] = []
        self.weather = Weather(self.script.faults, self.clock, self.taken.append)
        inner = MemoryStore(self.disk, self.clock)
        self.store = StagedStore(inner, self.weather, self.clock, self.crashes.append, latency)
        self.ids = iter(range(1, 1000))

    async def commit(self) -> None:
        row = DeliveryRow(next(self.ids), AT, "main", b"{}", True)
        await self.store.commit(Batch(deliveries=[row]))


@pytest.mark.parametrize(("crash", "kept"), [("before", 1), ("after", 2)])
def test_a_crash_is_before_or_after_its_commit(crash: str, kept: int) -> None:
    async def story(loop: VirtualLoop) -> None:
        play = Play(loop, {"commit": 2, "crash": crash})
        await play.store.join()
        await play.commit()
        assert not play.crashes
        with pytest.raises(Doubtful, match="killed"):
            await play.commit()
        assert len(play.crashes) == 1
        assert len(play.disk.deliveries) == len(play.taken) == kept

    virtually(story)


@pytest.mark.parametrize(("database", "kept"), [("away", 1), ("silent", 2)])
def test_a_database_is_away_or_only_silent(database: str, kept: int) -> None:
    async def story(loop: VirtualLoop) -> None:
        play = Play(loop, {"database": database, "from": "1m", "to": "2m"})
        await play.store.join()
        await play.commit()
        await play.clock.sleep(60)
        with pytest.raises(Doubtful):
            await play.commit()
        assert len(play.disk.deliveries) == len(play.taken) == kept
        await play.clock.sleep(60)
        await play.store.join()
        await play.commit()
        assert len(play.disk.deliveries) == kept + 1

    virtually(story)


READS: dict[str, Callable[[StagedStore], Any]] = {
    "join": lambda store: store.join(),
    "recover": lambda store: store.recover(uses_since=AT),
    "episodes": lambda store: store.episodes([]),
    "episodes_of": lambda store: store.episodes_of(1),
    "open_episodes": lambda store: store.open_episodes(None),
    "incident_numbers": lambda store: store.incident_numbers(1),
    "switch": lambda store: store.switch(),
    "bundle": lambda store: store.bundle(None),
    "adopt": lambda store: store.adopt(BundleRow("h", AT, b""), None),
    "alive": lambda store: store.alive(),
    "leave": lambda store: store.leave(),
}


@pytest.mark.parametrize("dead", [False, True])
@pytest.mark.parametrize("read", READS)
def test_nothing_reaches_a_database_that_is_away_and_nothing_comes_from_a_dead_process(read: str, dead: bool) -> None:
    async def story(loop: VirtualLoop) -> None:
        play = Play(loop, {"database": "away", "from": "1m", "to": "2m"})
        await play.store.join()
        await READS[read](play.store)
        play.store.dead = dead
        await play.clock.sleep(60 if not dead else 0)
        with pytest.raises(Temporary, match="gone" if dead else "cannot be reached"):
            await READS[read](play.store)

    virtually(story)


def test_a_process_that_dies_while_its_commit_is_on_the_way_has_not_committed() -> None:
    async def story(loop: VirtualLoop) -> None:
        play = Play(loop, latency=1.0)
        await play.store.join()
        loop.call_later(0.5, setattr, play.store, "dead", True)
        with pytest.raises(Doubtful):
            await play.commit()
        assert not play.disk.deliveries

    virtually(story)


@pytest.mark.parametrize(
    ("fails", "raised"), [("temporary", Temporary), ("permanent", Permanent), ("unknown", UnknownOutcome)]
)
def test_a_notifier_fails_while_it_is_said_to(fails: str, raised: type[Exception]) -> None:
    page = PageText("trigger", "INC-1/1/1", "INC-1", Severity.P1, "Down", "down", 1, "alice", "bell")

    async def story(loop: VirtualLoop) -> None:
        play = Play(loop, {"notifier": "log", "fails": fails, "from": "1m", "to": "2m"})
        found = failing_plugins(plugins(), play.script.faults, play.clock)
        log, known = found.notifiers["log"], plugins().notifiers["log"]
        assert found.notifiers["webhook"] is plugins().notifiers["webhook"]
        assert (log.name, log.dry, log.reads, log.timeout) == (known.name, known.dry, known.reads, known.timeout)
        world = SimulatedWorld(play.script.world, play.clock, lambda _: None)
        tools = Tools(http=SimulatedHttp(world))
        message = MessageText("root", "k", "INC-1", "sre", "", ("Down", "", ""), play.clock.now())
        assert await log.send(page, {}, tools) == await log.post(message, {}, tools) == "dry"
        await play.clock.sleep(60)
        with pytest.raises(raised, match="lets log fail"):
            await log.send(page, {}, tools)
        with pytest.raises(raised, match="lets log fail"):
            await log.post(message, {}, tools)
        await play.clock.sleep(60)
        assert await log.send(page, {}, tools) == "dry"

    virtually(story)
