"""A pair of Alertmanagers: everything comes twice, in any order and late, and ends as if it had come once.

Promise 2: however often, by however many twins, in whatever order and however late, one episode opens once.
"""

import asyncio

import pytest

from tests.engine.stage import Stage, delivery_of, play
from tests.engine.texts import body
from tests.scenario.stories import STORIES, Story
from tests.scenario.telling import (
    APART,
    Came,
    Post,
    came,
    doubled,
    firing,
    keys,
    left_behind,
    pages,
    post,
    resolved,
    tell,
    until,
)

EVERY = [pytest.param(story, id=name) for name, story in STORIES.items()]
REST = 3 * 3600.0
"""Seconds after which every story has come to rest: the quiet time is over."""


def told(posts: list[Post], expected: Came) -> None:
    """Tell it to its end and compare; then nothing is left of it."""

    async def story(stage: Stage) -> None:
        await tell(stage, *posts)
        await until(stage, REST)
        assert came(stage) == expected
        assert not stage.disk.open
        assert left_behind(stage) == []

    play(story, APART)


@pytest.mark.parametrize("story", EVERY)
def test_one_alone(story: Story) -> None:
    told(*story)


@pytest.mark.parametrize("story", EVERY)
def test_two_at_the_same_moment(story: Story) -> None:
    posts, expected = story
    told(doubled(posts), expected)


@pytest.mark.parametrize("story", EVERY)
def test_two_and_one_is_seventeen_seconds_late(story: Story) -> None:
    """The peer timeout of 15 s and two of network: what a twin sends when it believes the other one has failed."""
    posts, expected = story
    told(doubled(posts, late=17.0), expected)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("story", EVERY)
def test_two_in_jittered_order(story: Story, seed: int) -> None:
    posts, expected = story
    told(doubled(posts, jitter=25.0, seed=seed), expected)


@pytest.mark.parametrize("story", EVERY)
def test_two_of_which_one_is_later_than_the_next_thing_that_happens(story: Story) -> None:
    """75 s late: the twin fires after the end, which is doubted and then answered by the twin's own end."""
    posts, expected = story
    told(doubled(posts, late=75.0), expected)


@pytest.mark.parametrize("story", EVERY)
def test_a_second_integration_sends_everything_ten_times(story: Story) -> None:
    posts, expected = story
    told([one for one in posts for _ in range(10)], expected)


def test_the_twin_delivers_while_the_first_ones_commit_is_in_flight() -> None:
    """Both are in one batch, or in two that overlap: still one episode and one key."""

    async def story(stage: Stage) -> None:
        stage.store.latency = 0.3
        delivery = delivery_of(body(firing(1, 0.0)))
        await asyncio.gather(*(stage.engine.deliver(delivery) for _ in range(8)))
        await until(stage, 60.0)
        assert came(stage) == Came(1, 1, 1, 1, keys=keys(1), pages=pages(1))
        assert len(stage.disk.deliveries) == 8

    play(story, APART)


def test_the_twins_echo_is_doubted_and_its_own_end_answers() -> None:
    """17 s late: after the end the twin still says that it fires. It says itself that it is over."""

    async def story(stage: Stage) -> None:
        await tell(stage, post(5.0, firing(1, 0.0)), post(12.0, resolved(1, 0.0, 10.0)), post(22.0, firing(1, 0.0)))
        assert stage.incident(1).phase == "resolved"
        assert stage.incident(1).firing.doubted == 1
        await tell(stage, post(29.0, resolved(1, 0.0, 10.0)))
        assert stage.incident(1).firing.doubted == 0
        await until(stage, REST)
        assert came(stage) == Came(1, 0, 1, 0, keys=keys(1), pages=pages(1))
        assert stage.told(1, "alert") == [
            "X is firing",
            "X resolved",
            "X fires with a start before its last end: an echo or a refire; known in 2m",
            "X was an echo: it is over",
        ]

    play(story, APART)


def test_a_doubt_that_nobody_answers_is_reopened_and_paged_and_starts_no_run() -> None:
    async def story(stage: Stage) -> None:
        await tell(stage, post(5.0, firing(1, 0.0)), post(12.0, resolved(1, 0.0, 10.0)), post(22.0, firing(1, 0.0)))
        await until(stage, 22.0 + 119.0)
        assert came(stage) == Came(1, 0, 1, 0, keys=keys(1), pages=pages(1))
        await until(stage, 22.0 + 121.0)
        await until(stage, 22.0 + 130.0)
        assert came(stage) == Came(1, 1, 1, 1, keys=keys(1), pages=("INC-1/1/1", "INC-1/2/1"))
        assert stage.told(1, "alert")[-1] == "X is taken as firing again: nobody could say that it was an echo"
        assert stage.incident(1).run is None

        await tell(stage, post(300.0, resolved(1, 0.0, 290.0)))
        await until(stage, REST)
        assert not stage.disk.open
        assert left_behind(stage) == []

    play(story, APART)


def test_after_an_unanswered_doubt_a_later_end_is_still_heard_and_an_old_one_is_not() -> None:
    """The twin's end comes after two minutes: it is as old as the end we know, so it closes nothing any more."""

    async def story(stage: Stage) -> None:
        await tell(stage, post(5.0, firing(1, 0.0)), post(12.0, resolved(1, 0.0, 10.0)), post(22.0, firing(1, 0.0)))
        await tell(stage, post(200.0, resolved(1, 0.0, 10.0)))
        assert came(stage).open == 1
        await tell(stage, post(210.0, resolved(1, 0.0, 205.0)))
        assert came(stage).open == 0

    play(story, APART)


def test_twins_as_two_sources_are_two_alerts() -> None:
    """Only instances of one source are twins: another source's alert is another one, with an incident of its own."""

    async def story(stage: Stage) -> None:
        for source in ("one", "two", "one", "two"):
            await stage.engine.deliver(delivery_of(body(firing(1, 0.0)), source))
        await until(stage, 60.0)
        assert came(stage).opened == 2
        assert {row.source for row in stage.disk.incidents.values()} == {"one", "two"}

    sources = "sources: [{name: one, token: ONE}, {name: two, token: TWO}]\n"
    play(story, sources + APART)
