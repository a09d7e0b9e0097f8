"""An alert that comes back: within the quiet time the same incident goes on; fixed too often, a person is told instead.

Also a storm of incidents, and what several alerts of one target share (promise 4).
"""

import pytest

from paramedic.plugin import Reply
from tests.engine.stage import Call, Stage, play
from tests.scenario.telling import (
    APART,
    EXEMPT,
    TOGETHER,
    Came,
    Post,
    came,
    firing,
    keys,
    left_behind,
    pages,
    post,
    resolved,
    tell,
    until,
)

LIMITED = APART.replace("defaults: none", "defaults: none\nrecurrence: {max: 2, within: 1h}")


def rounds(count: int, every: float = 300.0) -> list[Post]:
    """An alert that fires for 60 s, again and again."""
    posts: list[Post] = []
    for n in range(count):
        began = n * every
        posts += [post(began + 10.0, firing(1, began)), post(began + 70.0, resolved(1, began, began + 60.0))]
    return posts


def test_back_within_the_quiet_time_is_the_same_incident_and_a_run_of_its_own() -> None:
    async def story(stage: Stage) -> None:
        await tell(stage, *rounds(2))
        assert came(stage) == Came(2, 0, 1, 0, keys=keys(1, runs=2), pages=("INC-1/1/1", "INC-1/2/1"))
        assert stage.incident(1).recurrence == 1
        assert stage.told(1, "reopened") == ["the alert came back within the quiet time; the same incident goes on"]

    play(story, APART)


@pytest.mark.parametrize(("gap", "incidents"), [(14.9 * 60, 1), (15.1 * 60, 2)])
def test_the_quiet_time_is_a_quarter_of_an_hour(gap: float, incidents: int) -> None:
    async def story(stage: Stage) -> None:
        back = 70.0 + gap
        await tell(stage, *rounds(1), post(back, firing(1, back - 1.0)))
        await until(stage, back + 60.0)
        assert came(stage).incidents == incidents
        assert len(came(stage).keys) == 2
        if incidents == 2:
            assert stage.incident(2).previous == 1

    play(story, APART)


def test_fixed_three_times_is_the_end_of_treating_and_a_person_is_told() -> None:
    """Two fixes an hour are allowed: the third time nothing is done, with the reason on the page."""

    async def story(stage: Stage) -> None:
        await tell(stage, *rounds(4))
        assert came(stage).keys == keys(1, runs=2)
        assert came(stage).opened == 4
        assert came(stage).pages == tuple(f"INC-1/{generation}/1" for generation in range(1, 5))
        texts = [call.body["text"] for call in stage.world.pages()]
        why = "not treated: fixed 2 times within 1h: treating it again would not help"
        assert [why in text for text in texts] == [False, False, True, True]
        assert stage.told(1, "refused") == [f"act: {why.removeprefix('not treated: ')}"] * 2

    play(story, LIMITED)


def test_an_hour_later_it_may_be_treated_again() -> None:
    """Fixed at 70 s and 370 s: by 3,910 s only one fix is younger than an hour."""

    async def story(stage: Stage) -> None:
        await tell(stage, *rounds(15))
        assert [round(call.at) for call in stage.world.to("hook")] == [10, 310, 3910, 4210]

    play(story, LIMITED)


def test_a_storm_of_five_hundred_incidents() -> None:
    """50 groups of ten within five seconds: each alert an incident, treated and paged once, and all of them end."""
    count = 500
    groups = [tuple(firing(n, 0.0) for n in range(first, first + 10)) for first in range(0, count, 10)]

    async def story(stage: Stage) -> None:
        await tell(stage, *(Post(1.0 + n * 0.1, group) for n, group in enumerate(groups)))
        await until(stage, 60.0)
        now = came(stage)
        assert (now.opened, now.open, now.incidents, now.active) == (count, count, count, count)
        assert sorted(now.keys) == sorted(keys(*range(1, count + 1)))
        assert sorted(now.pages) == sorted(pages(*range(1, count + 1)))
        assert not stage.disk.holds

        await tell(stage, Post(100.0, tuple(resolved(n, 0.0, 90.0) for n in range(count))))
        await until(stage, 1100.0)
        assert len(stage.world.pages("resolve")) == count
        assert not stage.disk.open
        assert left_behind(stage) == []

    play(story, EXEMPT, verified=False)


def test_two_incidents_of_one_target_write_one_after_the_other() -> None:
    """Promise 4: the second waits for the first one's write to come back, whichever incident it belongs to."""
    catalog = APART.replace("incident: [i]", "incident: [i, job]")

    async def story(stage: Stage) -> None:
        under_way: list[str] = []

        async def slowly(call: Call) -> Reply:
            if call.endpoint == "hook":
                assert under_way == []
                under_way.append(call.key)
                await stage.clock.sleep(4.0)
                under_way.remove(call.key)
            return Reply(200, {}, b"")

        stage.world.answer = slowly
        await tell(stage, post(1.0, *(firing(1, 0.0, job=f"j{n}") for n in range(5))))
        await until(stage, 60.0)
        assert came(stage).incidents == 5
        assert sorted(came(stage).keys) == sorted(keys(1, 2, 3, 4, 5))

    play(story, catalog)


def test_members_of_a_group_that_flap_each_on_their_own() -> None:
    """Three members, each comes and goes at its own pace: the incident lasts as long as one fires."""
    posts = []
    for n in range(12):
        i, at = n % 3, 10.0 + n * 60.0
        posts.append(post(at, firing(i, at - 1.0)))
        posts.append(post(at + 100.0, resolved(i, at - 1.0, at + 99.0)))
    posts.sort(key=lambda one: one.at)

    async def story(stage: Stage) -> None:
        await tell(stage, *posts)
        await until(stage, 3 * 3600.0)
        assert came(stage).opened == 12
        assert came(stage).incidents == 1
        assert stage.incident(1).firing.total == 12
        assert stage.incident(1).recurrence == 0
        assert came(stage).keys == keys(1, runs=3)
        assert left_behind(stage) == []

    play(story, TOGETHER)
