"""A storm over several members: counted by all, begun by one, held back and let go by each, and nobody too early."""

from collections.abc import Sequence

from paramedic.core.sharing import shard_of
from tests.engine.several import Several, acted, play
from tests.engine.stage import Stage
from tests.engine.test_storm import COOL, KEY, TEXT, burst, children, paged, parents
from tests.engine.texts import element


def spread(several: Several, stages: Sequence[Stage], count: int) -> list[tuple[Stage, str]]:
    """So many jobs at home with each, and who is told."""
    return [(stage, job) for stage in stages for job in several.of(stage, count)]


def test_a_storm_that_only_all_together_see_begins_within_a_second() -> None:
    """Four new incidents with each of three members: none has more than five."""

    async def story(several: Several) -> None:
        stages = await several.grow(3)
        for stage, job in spread(several, stages, 4):
            await stage.deliver(element(job, starts=stage.clock.now()))
        await stages[0].pass_(1.5)

        assert len(parents(stages[0])) == 1
        for stage in stages:
            await stage.deliver(element(several.of(stage, 5)[-1], starts=stage.clock.now()))
        await stages[0].pass_(30.0)
        assert len(children(stages[0])) == 3
        assert paged(stages[0]).count(parents(stages[0])[0]) == 1
        storming = stages[0].incident(parents(stages[0])[0]).storming
        assert storming is not None
        assert storming.children == 3

    play(story, TEXT)


def test_all_members_hold_back_and_let_go_together() -> None:
    async def story(several: Several) -> None:
        stages = await several.grow(3)
        owner = next(stage for stage in stages if shard_of(KEY) in several.shards(stage))
        for job in several.of(owner, 8):
            await owner.deliver(element(job, starts=owner.clock.now()))
        await owner.pass_(1.5)
        (parent,) = parents(owner)
        for stage, job in spread(several, [one for one in stages if one is not owner], 6):
            await stage.deliver(element(job, starts=stage.clock.now()))
        await owner.pass_(30.0)
        assert len(children(owner)) == 15
        assert sum(acted(several).values()) == 5

        await owner.pass_(COOL + 15 * 60.0)
        assert owner.incident(parent).open is False
        assert children(owner) == []
        assert sorted(acted(several).values()) == [1] * 20
        assert not owner.disk.forwarded

    play(story, TEXT)


def test_the_parents_member_dies_and_the_storm_goes_on() -> None:
    async def story(several: Several) -> None:
        stages = await several.grow(2)
        owner = next(stage for stage in stages if shard_of(KEY) in several.shards(stage))
        (other,) = [stage for stage in stages if stage is not owner]
        for stage, job in spread(several, stages, 10):
            await stage.deliver(element(job, starts=stage.clock.now()))
            await stage.pass_(0.2)
        held, acts = children(other), sum(acted(several).values())
        assert len(held) >= 10
        owner.kill()
        await other.pass_(60.0)

        assert children(other) == held
        assert sum(acted(several).values()) == acts
        await other.pass_(COOL + 15 * 60.0)
        assert children(other) == []
        assert len(acted(several)) == 20

    play(story, TEXT)


def test_members_come_and_nobody_is_let_go_too_early() -> None:
    async def story(several: Several) -> None:
        first = await several.join()
        await burst(first, 0, 20)
        await first.pass_(2.0)
        held = children(first)
        for count in (2, 3):
            await several.join()
            await several.settled(count)
            await first.pass_(5.0)
            assert children(first) == held
        assert [timer for number in held for timer in first.incident(number).timers if timer == "storm"] == []
        several.stages[1].kill()
        await first.pass_(COOL + 12 * 60.0)
        assert children(first) == []
        assert len(acted(several)) == 20

    play(story, TEXT)
