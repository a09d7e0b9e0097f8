"""Two members, and many incidents of each over what they share, also when one dies in the middle (promise 4)."""

import asyncio
from contextlib import suppress

import pytest

from paramedic.errors import ParamedicError
from tests.engine import several
from tests.engine.fifty import CONCURRENT, DOMAIN, ONE_TARGET, watched
from tests.engine.several import LEASE, Several
from tests.engine.texts import element


@pytest.mark.parametrize(
    ("text", "at_once"), [(ONE_TARGET, 1), (DOMAIN, 1), (CONCURRENT, 3)], ids=["target", "domain", "concurrent"]
)
def test_two_members_keep_to_it_together(text: str, at_once: int) -> None:
    """Promise 4, over twenty-five incidents of each."""

    async def story(both: Several) -> None:
        first, second = await both.grow(2)
        watch = watched(first)
        jobs = [*both.of(first, 25), *both.of(second, 25)]
        await asyncio.gather(
            *(stage.deliver(element(job)) for stage, job in zip([first, second] * 25, jobs, strict=True))
        )
        await first.pass_(150.0)

        assert watch.most == at_once
        assert sorted(watch.order) == sorted(jobs)
        assert {first.outcome(number) for number in first.disk.incidents} == {"done"}
        assert not first.disk.holds

    several.play(story, text)


@pytest.mark.parametrize("text", [DOMAIN, CONCURRENT], ids=["domain", "concurrent"])
def test_what_a_member_held_that_died_is_taken_over_with_its_run(text: str) -> None:
    async def story(both: Several) -> None:
        first, second = await both.grow(2)
        watch = watched(first, 2.0)
        jobs = [*both.of(first, 3), *both.of(second, 3)]
        for job in jobs[3:]:
            await second.deliver(element(job))
        await first.pass_(1.0)
        most = watch.most
        second.kill()
        watch.inside.clear()
        for job in jobs[:3]:
            with suppress(ParamedicError):
                await first.deliver(element(job))
        await first.pass_(LEASE + 60.0)

        assert watch.most == most
        assert set(watch.order) == set(jobs)
        assert {first.outcome(number) for number in first.disk.incidents} == {"done"}
        assert not first.disk.holds

    several.play(story, text)
