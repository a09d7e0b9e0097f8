"""A write that was held up between its commit and its leaving: its guards are asked again first. Promise 5."""

import pytest

from paramedic.engine.gated import Asking
from paramedic.engine.shell import Options
from paramedic.errors import Temporary
from paramedic.plugin import Reply
from tests.engine.stage import Call, Stage, play
from tests.engine.test_gate import at_the_door


def test_a_write_that_stood_at_the_door_too_long_has_its_guards_asked_again_first() -> None:
    """A process that is stopped between its commit and its write, and goes on, acts by what is so by then."""

    async def story(stage: Stage) -> None:
        door, number = await at_the_door(stage)
        await stage.pass_(11.0)
        door.go_on.set()
        await stage.pass_(0.2)
        assert not stage.world.to("hook")
        assert "the guards are asked again" in " ".join(stage.told(number, "apply"))
        await stage.pass_(2.0)
        assert len(stage.told(number, "guards")) == 2
        assert len(stage.world.to("hook")) == 1

    play(story)


def test_a_write_whose_answers_would_be_too_old_at_the_door_has_its_guards_asked_before_it_leaves() -> None:
    """It has waited nine seconds for a slot: turned away at the door it would have used up one of its tries."""

    async def story(stage: Stage) -> None:
        async def answer(call: Call) -> Reply:
            await stage.clock.sleep(9.0 if call.path.endswith("first") else 0.0)
            return Reply(200, {}, b"")

        stage.world.answer = answer
        await stage.fire("first")
        second = await stage.fire("second")
        await stage.pass_(12.0)
        assert len(stage.told(second, "guards")) == 2
        assert stage.outcome(second) == "done"

    slots = {"read": 64, "write": 1, "page": 16, "message": 8}
    play(story, options=Options(jitter=float, signs=3600.0, look=3600.0, slots=slots))


def test_only_the_first_write_of_an_action_depends_on_when_the_guards_were_asked() -> None:
    """One that has begun is not stopped in the middle because it takes its time."""

    async def story(stage: Stage) -> None:
        door, number = await at_the_door(stage)
        incident = stage.incident(number)
        assert incident.run is not None
        effect = stage.engine._shell.holdings.effects[number, incident.run.effect or 0]  # type: ignore[union-attr]
        gate = stage.engine._shell.executors._gate  # type: ignore[union-attr]
        asking = Asking(gate, number, effect, stage.bundle)  # type: ignore[arg-type]
        await asking.may()
        await stage.pass_(11.0)
        await asking.may()
        with pytest.raises(Temporary, match="the guards are asked again"):
            await Asking(gate, number, effect, stage.bundle).may()  # type: ignore[arg-type]
        door.go_on.set()

    play(story)
