"""What several live members share: people who ask any of them, the switch, targets, budgets, and what guards see.

Promises 4, 5 and 11.
"""

import asyncio
from collections import Counter

import pytest

from paramedic.core.words import Mode
from paramedic.engine.acts import Conflict, NotFound
from paramedic.errors import Temporary
from paramedic.plugin import Reply
from tests.engine.several import Several, acted, fire, play
from tests.engine.stage import Call
from tests.engine.texts import catalog, element

BUDGET = "budget: {max: 3, per: 30m, across: all}"

# -- people ------------------------------------------------------------------------------------------------------------


def test_a_person_may_ask_any_member() -> None:
    async def story(several: Several) -> None:
        first, second = await several.grow(2)
        (job,) = several.of(second)
        await fire(first, job)
        await first.pass_(1.0)
        (number,) = first.disk.incidents

        assert await first.act(number, "ack") == f"INC-{number}: ack by alice"
        with pytest.raises(Conflict, match="acknowledged already by alice"):
            await first.act(number, "ack", who="bob")
        with pytest.raises(Conflict, match="acknowledged already by alice"):
            await second.act(number, "ack", who="bob")
        assert (await first.act(number, "close")).startswith(f"INC-{number}: close by alice; 1 alert of it still fires")
        with pytest.raises(NotFound):
            await first.act(9999, "ack")
        await first.pass_(1.0)
        assert not first.disk.answers
        assert not first.disk.forwarded
        assert not first.disk.live, "its alerts are followed no more"

    play(story)


def test_two_people_at_two_members_are_told_who_was_first() -> None:
    async def story(several: Several) -> None:
        first, second = await several.grow(2)
        (job,) = several.of(second)
        await fire(second, job)
        await first.pass_(1.0)
        (number,) = first.disk.incidents

        answers = await asyncio.gather(
            first.act(number, "ack", who="bob"), second.act(number, "ack"), return_exceptions=True
        )

        assert sum(isinstance(one, str) for one in answers) == 1
        assert sum(isinstance(one, Conflict) for one in answers) == 1

    play(story)


def test_a_question_to_a_member_that_does_not_answer_ends_in_time() -> None:
    async def story(several: Several) -> None:
        first, second = await several.grow(2)
        (job,) = several.of(second)
        await fire(second, job)
        await first.pass_(1.0)
        (number,) = first.disk.incidents
        second.store.gate = asyncio.Event()  # it neither answers, nor may it be replaced yet

        with pytest.raises(Temporary):
            await first.act(number, "ack")

    play(story)


def test_the_switch_is_everybodys() -> None:
    async def story(several: Several) -> None:
        first, second = await several.grow(2)
        await second.engine.set_switch(Mode.SHADOW, who="alice", reason="", until=None)
        await first.engine.set_switch(Mode.OFF, who="bob", reason="", until=None)
        assert first.disk.switch.version == 2
        await first.pass_(1.0)

        for stage in (first, second):
            await fire(stage, *several.of(stage))
        await first.pass_(2.0)
        assert not acted(several)
        assert {stage.store.member for stage in several.stages} == {1, 2}, "nobody had to start over"

    play(story)


# -- what is shared ----------------------------------------------------------------------------------------------------


def test_two_members_never_act_on_one_target_at_once() -> None:
    """Promise 4. Who waits goes on when the other is done."""

    async def story(several: Several) -> None:
        first, second = await several.grow(2)
        under_way: list[str] = []

        async def answer(call: Call) -> Reply:
            if call.endpoint != "hook":
                return Reply(200, {}, b"")
            assert not under_way, f"{call.path} while {under_way}"
            under_way.append(call.path)
            await first.clock.sleep(3.0)
            under_way.remove(call.path)
            return Reply(200, {}, b"")

        first.world.answer = answer
        jobs = [*several.of(first, 3), *several.of(second, 3)]
        await asyncio.gather(*(fire(first, job, target="one") for job in jobs))
        await first.pass_(60.0)

        assert sorted(acted(several).values()) == [1] * 6
        assert {first.outcome(number) for number in first.disk.incidents} == {"done"}
        assert not first.disk.holds

    play(story)


def test_a_budget_is_one_for_all_members() -> None:
    async def story(several: Several) -> None:
        stages = await several.grow(3)
        jobs = [job for stage in stages for job in several.of(stage, 8)]
        await asyncio.gather(*(fire(stages[n % 3], job) for n, job in enumerate(jobs)))
        await stages[0].pass_(30.0)

        assert sum(acted(several).values()) == 3
        outcomes = Counter(stages[0].outcome(number) for number in stages[0].disk.incidents)
        assert outcomes["done"] == 3
        assert outcomes["refused"] + outcomes["-"] == len(jobs) - 3

    play(story, catalog(guards=BUDGET))


def test_a_guard_hears_of_what_fires_at_another_member() -> None:
    async def story(several: Several) -> None:
        first, second = await several.grow(2)
        await second.deliver(element("x", alertname="ClusterDown"), element("y", alertname="ClusterDown"))
        await first.pass_(2.0)

        for stage in (first, second):
            await fire(stage, *several.of(stage))
        await first.pass_(2.0)

        assert not acted(several)
        assert [first.outcome(number) for number in first.disk.incidents] == ["refused", "refused"]

    play(story, catalog(guards="not_firing: {match: ['alertname=\"ClusterDown\"']}"))
