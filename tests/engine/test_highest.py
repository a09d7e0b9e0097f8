"""A database that lacks what this process knows to have happened: nothing writes until a person opens the switch."""

import copy

import pytest

from paramedic.core.positions import Position
from paramedic.core.words import Mode
from paramedic.engine.engine import Engine
from paramedic.engine.highest import Highest
from paramedic.engine.shell import Options
from paramedic.errors import Fault, Temporary
from paramedic.intake.alertmanager import parse_body
from paramedic.plugin import Tools
from paramedic.store.memory.positions import MemoryPositions
from tests.engine.stage import Port, Stage, StageStore, play

SIGNS = Options(jitter=float, signs=5.0)


class Remembered:
    """Stands for the file: outlives processes and disks. `broken` is what reading or writing it says."""

    def __init__(self) -> None:
        self.position: Position | None = None
        self.unreadable = ""
        self.full = False

    async def read(self) -> Position | None:
        if self.unreadable:
            raise Fault("position.json", self.unreadable)
        return self.position

    async def write(self, position: Position) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        self.position, self.unreadable = position, ""


class Positions(MemoryPositions):
    """As a process reaches them: one that is dead writes nothing more."""

    def __init__(self, stage: Stage, store: StageStore) -> None:
        super().__init__(stage.disk, stage.clock)
        self.store = store

    async def mark(self, who: str, mark: int) -> Position:
        if self.store.dead:
            raise Temporary("the process is gone")
        return await super().mark(who, mark)


def process(stage: Stage, kept: Remembered) -> None:
    """The stage's next process remembers in `kept`."""
    store, port = StageStore(stage.disk, stage.clock, stage.batches), Port(stage.world)
    tools = Tools(http=port, kube=stage.kube, metrics=stage.metrics)
    stage.store, stage.port = store, port
    stage.engine = Engine(
        store,
        stage.plugins,
        tools,
        tools,
        stage.clock,
        stage.options,
        stage.report,
        parse=lambda source, text: parse_body(source, text).alerts,
        load=lambda row: stage.bundles[row.hash],
        highest=Highest(Positions(stage, store), kept, stage.clock),
    )


def mode(stage: Stage) -> Mode:
    """The switch as stored."""
    return stage.disk.switch.mode


def live(stage: Stage) -> bool:
    """Whether the process serves."""
    return stage.engine.live


async def begin(stage: Stage, kept: Remembered) -> None:
    """End the process that there is, and start one that remembers in `kept`."""
    stage.kill()
    process(stage, kept)
    await stage.start()
    await stage.pass_(0.1)
    assert stage.engine.live


async def backed_up(stage: Stage, kept: Remembered) -> None:
    """A process has served, a backup was made, and it has served on; now the backup is put back."""
    await begin(stage, kept)
    await stage.pass_(20.0)
    backup = copy.deepcopy(stage.disk)
    await stage.fire("api")
    await stage.pass_(20.0)
    assert len(stage.world.to("hook")) == 1
    stage.kill()
    stage.disk = backup


def test_a_first_start_and_restarts_are_nothing_special() -> None:
    async def story(stage: Stage) -> None:
        kept = Remembered()
        await begin(stage, kept)
        assert kept.position is not None
        assert kept.position.mark == 1
        await stage.pass_(11.0)
        assert kept.position.mark == 3  # with the vital signs
        await begin(stage, kept)
        await stage.fire("api")
        await stage.pass_(5.0)
        await stage.stop()
        assert mode(stage) is Mode.AUTO
        assert len(stage.world.to("hook")) == 1
        assert kept.position.wal == stage.disk.written  # also what was committed at the very end

    play(story, options=SIGNS, start=False)


def test_a_backup_that_is_put_back_starts_in_freeze_until_a_person_opens_it() -> None:
    async def story(stage: Stage) -> None:
        kept = Remembered()
        await backed_up(stage, kept)
        known = kept.position
        await begin(stage, kept)
        switch = stage.disk.switch
        assert (switch.mode, switch.who, switch.until) == (Mode.FREEZE, "paramedic", None)
        assert "was at" in switch.reason
        assert "opens the switch" in switch.reason

        number = await stage.fire("api")
        await stage.pass_(60.0)
        assert len(stage.world.to("hook")) == 1
        assert any("the mode is freeze" in text for text in stage.told(number, "refused"))
        assert stage.world.pages()
        assert kept.position == known  # whoever goes back to the right one finds it known

        await begin(stage, kept)  # also after a restart, and it is not frozen again
        assert stage.disk.switch == switch

        await stage.engine.set_switch(Mode.AUTO, who="alice", reason="looked at it", until=None)
        await stage.pass_(6.0)
        assert kept.position is not None
        assert known is not None
        assert kept.position.mark > known.mark
        await begin(stage, kept)
        assert mode(stage) is Mode.AUTO
        await stage.fire("other")
        await stage.pass_(5.0)
        assert [call.path for call in stage.world.to("hook")] == ["/act?job=api", "/act?job=other"]

    play(story, options=SIGNS, start=False, verified=False)


def test_back_on_the_right_database_it_goes_on() -> None:
    async def story(stage: Stage) -> None:
        kept = Remembered()
        await begin(stage, kept)
        await stage.pass_(20.0)
        right = stage.disk
        wrong = copy.deepcopy(right)
        wrong.system = "another"
        stage.kill()
        stage.disk = wrong
        await begin(stage, kept)
        assert "another database system (another) than at" in stage.disk.switch.reason
        await stage.pass_(20.0)

        stage.kill()
        stage.disk = right
        await begin(stage, kept)
        assert mode(stage) is Mode.AUTO

    play(story, options=SIGNS, start=False)


def test_a_promoted_replica_goes_on() -> None:
    async def story(stage: Stage) -> None:
        kept = Remembered()
        await begin(stage, kept)
        await stage.pass_(20.0)
        stage.kill()
        stage.disk = copy.deepcopy(stage.disk)
        stage.disk.written += 7
        await begin(stage, kept)
        assert mode(stage) is Mode.AUTO

    play(story, options=SIGNS, start=False)


def test_the_second_replica_does_not_freeze_what_a_person_has_opened_for_the_first() -> None:
    async def story(stage: Stage) -> None:
        first, second = Remembered(), Remembered()
        await begin(stage, second)
        await stage.pass_(20.0)
        await backed_up(stage, first)
        stage.disk.reached.clear()  # older than both
        await begin(stage, first)
        assert mode(stage) is Mode.FREEZE
        await stage.engine.set_switch(Mode.AUTO, who="alice", reason="looked at it", until=None)
        await stage.pass_(6.0)

        await begin(stage, second)
        assert mode(stage) is Mode.AUTO
        await stage.pass_(6.0)
        await begin(stage, second)
        assert mode(stage) is Mode.AUTO

    play(story, options=SIGNS, start=False, verified=False)


def test_a_file_that_cannot_be_read_counts_as_a_database_that_is_not_known() -> None:
    async def story(stage: Stage) -> None:
        kept = Remembered()
        await begin(stage, kept)
        kept.unreadable = "is not JSON"
        await begin(stage, kept)
        assert "position.json: is not JSON" in stage.disk.switch.reason
        await stage.engine.set_switch(Mode.AUTO, who="alice", reason="looked at it", until=None)
        await stage.pass_(6.0)
        await begin(stage, kept)
        assert mode(stage) is Mode.AUTO

    play(story, options=SIGNS, start=False)


def test_what_cannot_be_kept_does_not_keep_it_from_serving() -> None:
    async def story(stage: Stage) -> None:
        kept = Remembered()
        kept.full = True
        await begin(stage, kept)
        number = await stage.fire("api")
        await stage.pass_(20.0)
        assert stage.outcome(number) == "done"
        assert kept.position is None
        kept.full = False
        await stage.pass_(5.0)
        assert kept.position is not None

    play(story, options=SIGNS, start=False)


def test_a_freeze_that_cannot_be_committed_keeps_it_from_serving() -> None:
    async def story(stage: Stage) -> None:
        kept = Remembered()
        await backed_up(stage, kept)
        process(stage, kept)
        stage.store.fail_next("before")
        await stage.adopt(stage.bundle)
        stage.task = stage.loop.create_task(stage.engine.run())
        await stage.loop.rest()
        assert not live(stage)
        with pytest.raises(Temporary):
            await stage.fire("other")
        await stage.pass_(5.0)
        assert live(stage)
        assert mode(stage) is Mode.FREEZE

    play(story, options=SIGNS, start=False, verified=False)


def test_a_person_s_freeze_that_lapses_does_not_stand_for_ours() -> None:
    async def story(stage: Stage) -> None:
        kept = Remembered()
        await begin(stage, kept)
        await stage.engine.set_switch(Mode.FREEZE, who="alice", reason="maintenance", until=None)
        await stage.pass_(20.0)
        stage.kill()
        stage.disk = copy.deepcopy(stage.disk)
        stage.disk.system = "another"
        await begin(stage, kept)
        assert stage.disk.switch.who == "paramedic"

    play(story, options=SIGNS, start=False)


def test_a_database_that_says_nothing_does_not_hold_up_who_stops() -> None:
    async def story(stage: Stage) -> None:
        kept = Remembered()
        await begin(stage, kept)

        async def silent(position: Position) -> None:
            await stage.clock.sleep(3600.0)

        kept.write = silent  # type: ignore[method-assign]
        began = stage.clock.monotonic()
        await stage.stop()
        assert stage.clock.monotonic() - began < 3.0

    play(story, options=SIGNS, start=False)
