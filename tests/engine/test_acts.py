"""What people do: acts on incidents and their runs, and the switch. Answered once it is durable, in words."""

import asyncio
from datetime import timedelta

import pytest

from paramedic.core.words import Mode
from paramedic.engine.inputs import Act, Conflict, NotFound
from paramedic.errors import Temporary
from tests.engine.stage import Stage, play
from tests.engine.texts import catalog, element


def test_each_act_is_answered_in_words_and_recorded() -> None:
    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(5.0)
        assert await stage.act(number, "note", text="looking") == f"INC-{number}: note by alice"
        assert await stage.act(number, "escalate") == f"INC-{number}: escalate by alice"
        await stage.pass_(5.0)
        assert await stage.act(number, "ack", who="bob") == f"INC-{number}: ack by bob"
        assert await stage.act(number, "take", who="bob") == f"INC-{number}: take by bob"
        await stage.pass_(5.0)
        incident = stage.incident(number)
        assert (incident.owner, incident.paging.acked_by) == ("bob", "bob")
        assert [call.body["to"] for call in stage.world.pages()] == ["alice", "bob"]
        assert stage.told(number, "note") == ["looking"]

    play(story)


def test_an_act_waits_for_its_commit() -> None:
    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(5.0)
        stage.store.gate = asyncio.Event()
        asked = asyncio.create_task(stage.act(number, "ack"))
        await stage.pass_(1.0)
        assert not asked.done()
        stage.store.gate.set()
        await asked
        assert stage.incident(number).paging.acked_by == "alice"

    play(story)


def test_what_is_not_there_is_not_found() -> None:
    async def story(stage: Stage) -> None:
        with pytest.raises(NotFound, match="INC-77: is not open"):
            await stage.act(77, "ack")
        assert not stage.batches

    play(story)


def test_what_stands_against_an_act_is_said_and_leaves_no_trace() -> None:
    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(5.0)
        await stage.act(number, "ack", who="bob")
        before = stage.entries(number)
        with pytest.raises(Conflict, match="was acknowledged already by bob"):
            await stage.act(number, "ack")
        with pytest.raises(Conflict, match="was decided already: done"):
            await stage.act(number, "approve", run=1)
        with pytest.raises(Conflict, match="has no run 9"):
            await stage.act(number, "cancel", run=9)
        await stage.pass_(1.0)
        assert stage.entries(number) == before

    play(story)


def test_two_people_who_decide_at_the_same_moment_decide_once() -> None:
    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(5.0)
        answers = await asyncio.gather(
            stage.act(number, "approve", who="alice", run=1),
            stage.act(number, "deny", who="bob", run=1),
            return_exceptions=True,
        )
        assert [type(answer) for answer in answers] == [str, Conflict]
        await stage.pass_(5.0)
        assert stage.outcome(number) == "done"
        assert len(stage.world.to("hook")) == 1

    play(story, catalog(mode="approve"))


def test_denied_is_not_written() -> None:
    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(5.0)
        await stage.act(number, "deny", run=1, text="not now")
        await stage.pass_(5.0)
        assert stage.outcome(number) == "denied"
        assert stage.incident(number).past[0].reason == "denied by alice: not now"
        assert not stage.world.to("hook")

    play(story, catalog(mode="approve"))


def test_closing_closes_the_episodes_also_those_in_flight() -> None:
    async def story(stage: Stage) -> None:
        number = await stage.fire("api", instance="one")
        await stage.pass_(5.0)
        second = asyncio.create_task(stage.deliver(element("api", instance="two")))
        await stage.clock.sleep(0.001)
        await stage.act(number, "close")
        await second
        await stage.pass_(5.0)
        assert stage.incident(number).phase == "resolved"
        assert stage.incident(number).firing.open == 0
        assert not stage.disk.live

    play(story)


def test_an_alert_that_still_fires_after_closing_goes_on_in_the_same_incident_without_a_run() -> None:
    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(5.0)
        await stage.act(number, "close")
        await stage.deliver(element("api"))
        await stage.pass_(5.0)
        assert stage.incident(number).phase != "resolved"
        assert len(stage.incident(number).past) == 1

    play(story)


def test_snoozed_until_and_paged_again_afterwards() -> None:
    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(5.0)
        until = stage.clock.now() + timedelta(hours=1)
        await stage.engine.act(number, Act("alice", "snooze", until=until))
        await stage.pass_(3599.0)
        assert len(stage.world.pages()) == 1
        await stage.pass_(10.0)
        assert len(stage.world.pages()) == 2

    play(story)


def test_the_switch_is_moved_durably_and_survives_a_restart() -> None:
    async def story(stage: Stage) -> None:
        until = stage.clock.now() + timedelta(hours=2)
        moved = await stage.engine.set_switch(Mode.OFF, who="alice", reason="release", until=until)
        assert (moved.mode, moved.who, moved.reason, moved.until, moved.version) == (
            Mode.OFF,
            "alice",
            "release",
            until,
            1,
        )
        assert stage.disk.switch == moved
        await stage.restart()
        number = await stage.fire("api")
        await stage.pass_(5.0)
        assert not stage.world.to("hook")
        assert "the mode is off" in " ".join(stage.told(number, "refused"))

    play(story)


def test_moves_one_after_the_other_and_at_once_all_count() -> None:
    async def story(stage: Stage) -> None:
        wanted = [Mode.OFF, Mode.SHADOW, Mode.FREEZE]
        await asyncio.gather(*(stage.engine.set_switch(mode, who="alice", reason="", until=None) for mode in wanted))
        assert stage.disk.switch.mode is Mode.FREEZE
        assert stage.engine.live

    play(story)


def test_a_switch_that_somebody_else_moved_meanwhile_is_not_overwritten() -> None:
    async def story(stage: Stage) -> None:
        from paramedic.store.port import Switch

        stage.disk.switch = Switch(Mode.FREEZE, who="bob", version=1)
        with pytest.raises(Temporary):
            await stage.engine.set_switch(Mode.AUTO, who="alice", reason="", until=None)
        assert stage.disk.switch.who == "bob"
        await stage.pass_(3.0)
        moved = await stage.engine.set_switch(Mode.AUTO, who="alice", reason="", until=None)
        assert moved.version == 2

    play(story)
