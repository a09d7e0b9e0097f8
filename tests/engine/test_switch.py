"""The switch, thrown in another process at any stage of a run: no write starts more than a second later.

Promise 5. The first half of that second is the age at which a reading of the switch is too old (`gate.FRESH`); the
other half is for the way to the target, which takes no time here. `tests/real/test_switch.py` measures all of it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from paramedic.core.words import Mode
from paramedic.engine.gate import FRESH, said
from paramedic.errors import Temporary
from paramedic.plugin import Reply
from paramedic.store.port import Batch, Committed, Switch
from tests.engine.several import Several
from tests.engine.several import play as play_several
from tests.engine.stage import Call, Stage, play
from tests.engine.test_gate import Doorstep
from tests.engine.texts import catalog, element

FREEZE = Switch(Mode.FREEZE, who="bob", reason="the release goes wrong", version=7)
UNDO = ', undo: {path: "/undo?job=${params.job}"}'
FAILING = "verify: [{alert_cleared: {within: 20s, every: 1s}}]\n    on_failure: undo"


def starts(stage: Stage) -> list[float]:
    """When writes started."""
    return [call.at for call in stage.world.to("hook")]


@dataclass
class Failing:
    """A target that refuses the connection so often, and then works."""

    times: int
    asked: list[float] = field(default_factory=list)

    async def answer(self, call: Call) -> Reply:
        if call.endpoint == "hook":
            self.asked.append(call.at)
            if len(self.asked) <= self.times:
                raise Temporary("connection refused", delay=4.0)
        return Reply(200, {}, b"")


async def judged(stage: Stage) -> None:
    """The guards make it wait."""
    await stage.fire("api")


async def approved(stage: Stage) -> None:
    """It waits for a person, who says yes when the switch has been thrown."""
    await stage.fire("api")


async def tried_again(stage: Stage) -> None:
    """The target did not take it, and it is tried again and again."""
    stage.world.answer = Failing(10).answer
    await stage.fire("api")


async def verified(stage: Stage) -> None:
    """It did not help, and is about to be taken back."""
    await stage.fire("api")


async def queued(stage: Stage) -> None:
    """Somebody else's write is under way on the target, until after the switch has been thrown."""

    async def slow(call: Call) -> Reply:
        await stage.clock.sleep(9.0)
        return Reply(200, {}, b"")

    stage.world.answer = slow
    await stage.fire("first", target="one")
    await stage.fire("second", target="one")


STAGES: dict[str, tuple[Callable[[Stage], Awaitable[None]], str]] = {
    "before the plan": (judged, catalog(guards="still_firing: {for: 10s}")),
    "waiting for an approval": (approved, catalog(mode="approve")),
    "being tried again": (tried_again, catalog()),
    "verifying, with an undo to come": (verified, catalog(undo=UNDO, verify=FAILING)),
    "waiting for the target": (queued, catalog()),
}


@pytest.mark.parametrize("stage_of_run", STAGES)
def test_wherever_a_run_is_nothing_starts_more_than_a_second_later(stage_of_run: str) -> None:
    begin, text = STAGES[stage_of_run]

    async def story(stage: Stage, thrown: Switch | None) -> list[float]:
        await begin(stage)
        await stage.pass_(5.0)
        if thrown is not None:
            stage.disk.switch = thrown
        at = stage.clock.monotonic()
        await stage.pass_(3.0)
        if begin is approved:
            await stage.act(1, "approve", run=1)
        await stage.pass_(120.0)
        return [start - at for start in starts(stage)]

    late = [start for start in play(lambda stage: story(stage, FREEZE), text) if start > FRESH]
    assert late == []
    assert [start for start in play(lambda stage: story(stage, None), text) if start > FRESH], "it would have written"


def test_what_a_slow_commit_brings_back_is_as_old_as_its_beginning() -> None:
    """The commit saw the switch before it was thrown, and its answer came long after that."""

    async def story(stage: Stage) -> None:
        real = stage.store.commit

        async def slow(batch: Batch) -> Committed:
            committed = await real(batch)
            if batch.intents or any(row.intended for row in batch.effects):
                stage.disk.switch = FREEZE
                await stage.clock.sleep(1.5)
            return committed

        stage.store.commit = slow  # type: ignore[method-assign]
        number = await stage.fire("api")
        await stage.pass_(20.0)
        assert starts(stage) == []
        assert "nothing writes (bob: the release goes wrong)" in " ".join(stage.told(number, "run"))

    play(story)


def test_a_switch_thrown_while_the_lease_is_renewed_is_seen() -> None:
    async def story(stage: Stage) -> None:
        async def alive() -> bool:
            stage.disk.switch = FREEZE
            await stage.clock.sleep(1.5)
            return True

        stage.store.alive = alive  # type: ignore[method-assign]
        await stage.fire("api")
        await stage.pass_(20.0)
        assert starts(stage) == []

    play(story)


def test_a_read_of_the_switch_is_as_old_as_its_question() -> None:
    """The answer took so long that it proves nothing any more; the next one is asked for before anything is written."""

    async def story(stage: Stage) -> None:
        before, asked = stage.disk.switch, []

        async def slow() -> Switch:
            asked.append(stage.clock.monotonic())
            if len(asked) > 1:
                return stage.disk.switch
            stage.disk.switch = FREEZE
            await stage.clock.sleep(1.5)
            return before

        door = Doorstep(stage)
        await stage.fire("api")
        await stage.pass_(2.0)
        stage.store.switch = slow  # type: ignore[method-assign]
        door.go_on.set()
        await stage.pass_(20.0)
        assert starts(stage) == []
        assert len(asked) >= 1

    play(story)


def test_a_switch_that_can_only_be_read_slowly_counts_as_freeze() -> None:
    async def story(stage: Stage) -> None:
        slow_until = stage.clock.monotonic() + 30.0

        async def slow() -> Switch:
            if stage.clock.monotonic() < slow_until:
                await stage.clock.sleep(1.5)
            return stage.disk.switch

        door = Doorstep(stage)
        number = await stage.fire("api")
        await stage.pass_(2.0)
        stage.store.switch = slow  # type: ignore[method-assign]
        door.go_on.set()
        await stage.pass_(2.0)
        assert starts(stage) == []
        assert "could not be read in time, which counts as freeze" in " ".join(stage.told(number, "apply"))

    play(story)


def test_back_at_auto_it_goes_on() -> None:
    async def story(stage: Stage) -> None:
        await stage.engine.set_switch(Mode.FREEZE, who="alice", reason="", until=None)
        await stage.fire("one")
        await stage.pass_(10.0)
        assert starts(stage) == []
        await stage.engine.set_switch(Mode.AUTO, who="alice", reason="", until=None)
        await stage.fire("two")
        await stage.pass_(5.0)
        assert [call.path for call in stage.world.to("hook")] == ["/act?job=two"]

    play(story)


def test_a_refusal_says_who_has_set_the_switch_and_why_until_it_lapses() -> None:
    async def story(stage: Stage) -> None:
        until = stage.clock.now() + timedelta(minutes=2)
        await stage.engine.set_switch(Mode.OFF, who="alice", reason="release 42", until=until)
        first = await stage.fire("one")
        await stage.pass_(10.0)
        assert stage.told(first, "refused") == ["act: the mode is off (alice: release 42)"]
        assert "the mode is off (alice: release 42)" in stage.world.pages()[0].body["text"]

        await stage.pass_(120.0)
        second = await stage.fire("two")
        await stage.pass_(10.0)
        assert stage.outcome(second) == "done"
        assert all(not getattr(row, "switch", "") for row in stage.disk.events[second].values())

    play(story)


def test_a_reason_is_one_line_and_not_long() -> None:
    assert said(Switch(Mode.OFF, who="alice", reason="a\nb" * 200)).startswith("alice: a ba b")
    assert len(said(Switch(Mode.OFF, who="alice", reason="x" * 500))) == 120
    assert said(Switch(Mode.OFF, who="alice")) == "alice"


def test_thrown_at_one_member_it_holds_for_all() -> None:
    async def story(several: Several) -> None:
        stages = await several.grow(3)
        await stages[0].engine.set_switch(Mode.FREEZE, who="alice", reason="stop", until=None)
        thrown = stages[0].clock.monotonic()
        for stage in stages:
            for job in several.of(stage, 5):
                await stage.deliver(element(job, starts=stage.clock.now()))
        await stages[0].pass_(30.0)
        assert [start for start in starts(stages[0]) if start > thrown + FRESH] == []
        assert len(stages[0].disk.incidents) == 15

    play_several(story)
