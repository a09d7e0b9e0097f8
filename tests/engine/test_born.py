"""Intents that are born with their effect: the write leaves with the commit that asks for it, where it may.

Promise 3: the intent is committed before the call leaves, and an outcome that cannot be known is never blindly
repeated. Promise 4: what it claims is taken in the same commit.
"""

import asyncio

import pytest

from paramedic.engine.shell import Options
from paramedic.errors import Temporary
from paramedic.plugin import Reply
from tests.engine.stage import Call, Stage, play
from tests.engine.texts import catalog, element


def writes(stage: Stage) -> list[tuple[int, bool]]:
    """The writes in the order in which they were asked for: by which commit, and whether it was their intent too."""
    return [
        (place, row.intended)
        for place, batch in enumerate(stage.batches)
        for row in batch.effects
        if row.lane == "write"
    ]


def test_a_write_that_may_leave_needs_one_commit_only() -> None:
    async def story(stage: Stage) -> None:
        committed: list[int] = []

        async def answer(call: Call) -> Reply:
            committed.append(len(stage.batches))
            return Reply(200, {}, b"")

        stage.world.answer = answer
        await stage.fire("api")
        await stage.pass_(1.0)
        assert writes(stage) == [(0, True)]
        assert committed[0] == 1
        assert not any(n == row.n for row in stage.batches[0].effects for _, n, _ in stage.batches[0].intents)

    play(story)


def test_nothing_leaves_while_its_commit_is_under_way() -> None:
    async def story(stage: Stage) -> None:
        stage.store.gate = asyncio.Event()
        waiting = asyncio.create_task(stage.deliver(element("api")))
        await stage.pass_(1.0)
        assert not stage.world.calls

        stage.store.gate.set()
        await waiting
        await stage.pass_(1.0)
        assert len(stage.world.to("hook")) == 1

    play(story)


def test_what_nothing_keeps_from_happening_twice_leaves_with_a_commit_of_its_own() -> None:
    """A first commit in doubt then leaves a write that has not left, and not one that a person must look after."""

    async def story(stage: Stage) -> None:
        await stage.fire("api")
        await stage.pass_(1.0)
        assert writes(stage) == [(0, False)]
        assert [n for batch in stage.batches[1:] for _, n, _ in batch.intents]

    play(story, catalog("raw"))


@pytest.mark.parametrize("slots", [1, 2])
def test_only_as_many_are_born_as_slots_are_free(slots: int) -> None:
    async def story(stage: Stage) -> None:
        stage.store.gate = asyncio.Event()
        first = asyncio.create_task(stage.deliver(element("job-0")))
        await stage.pass_(0.1)
        others = [asyncio.create_task(stage.deliver(element(f"job-{n}"))) for n in range(1, 5)]
        await stage.pass_(0.1)
        stage.store.gate.set()
        await asyncio.gather(first, *others)
        await stage.pass_(5.0)
        assert [born for _, born in writes(stage)] == [True] * slots + [False] * (5 - slots)
        assert len(stage.world.to("hook")) == 5

    play(story, options=Options(jitter=float, signs=3600.0, slots={"read": 64, "write": slots, "page": 16}))


def test_what_has_waited_longer_leaves_first() -> None:
    """A write with a free slot at the moment of its birth, and older ones that wait for it too."""

    async def story(stage: Stage) -> None:
        async def answer(call: Call) -> Reply:
            await stage.clock.sleep(1.0)
            return Reply(200, {}, b"")

        stage.world.answer = answer
        for n in range(4):
            await stage.deliver(element(f"job-{n}"))
            await stage.clock.sleep(0.4)
        await stage.pass_(10.0)
        assert [call.path[-1] for call in stage.world.to("hook")] == ["0", "1", "2", "3"]

    play(story, options=Options(jitter=float, signs=3600.0, slots={"read": 64, "write": 1, "page": 16}))


def test_two_of_one_batch_on_one_target_are_not_both_born() -> None:
    async def story(stage: Stage) -> None:
        await asyncio.gather(*(stage.deliver(element(job, target="shared")) for job in ("one", "two")))
        await stage.pass_(10.0)
        assert sorted(born for _, born in writes(stage)) == [False, True]
        assert stage.told(2, "waits") == ["target/svc/shared is held by INC-1.1"]
        assert [stage.outcome(number) for number in (1, 2)] == ["done", "done"]

    play(story)


def test_ended_between_its_birth_and_its_call_it_is_sent_once_more_under_its_key() -> None:
    async def story(stage: Stage) -> None:
        stage.store.on_commit = lambda taken: stage.kill() if taken == 1 else None
        with pytest.raises(Temporary):
            await stage.deliver(element("api"))
        await stage.restart()
        await stage.deliver(element("api"))
        await stage.pass_(60.0)
        assert [call.key for call in stage.world.to("hook")] == ["INC-1/1/1/1"]
        assert stage.outcome(1) == "done"

    play(story)
