"""The process ends at every step of a story, at rest and in the middle of a commit: the outcome is the same.

Promise 1: what was answered is not lost. Promise 3: a key that was sent is not sent under another name.
"""

from contextlib import suppress

import pytest

from paramedic.engine.shell import Options
from paramedic.errors import Temporary
from tests.engine.stage import Stage, delivery_of, play
from tests.engine.texts import body
from tests.scenario.stories import STORIES, Story
from tests.scenario.telling import (
    APART,
    TOGETHER,
    Came,
    Post,
    came,
    firing,
    left_behind,
    pages,
    post,
    resolved,
    tell,
    until,
)

BRISK = Options(jitter=lambda seconds: seconds / 10, signs=3600.0, look=3600.0)
REST = 3 * 3600.0
EVERY = [pytest.param(story, id=name) for name, story in STORIES.items()]


async def persist(stage: Stage, one: Post) -> None:
    """Deliver as Alertmanager does: until it is taken."""
    await until(stage, one.at)
    for _ in range(20):
        with suppress(Temporary):
            await stage.engine.deliver(delivery_of(body(*one.alerts)))
            return
        await stage.pass_(1.0)
    raise AssertionError("not taken within 20 s")


def distinct(result: Came) -> Came:
    """An outcome with each key once: a crash may repeat a request, under the same key."""
    return Came(
        result.opened,
        result.open,
        result.incidents,
        result.active,
        tuple(sorted(set(result.keys))),
        tuple(sorted(set(result.pages))),
    )


@pytest.mark.parametrize("story", EVERY)
def test_ended_at_rest_before_every_delivery(story: Story) -> None:
    posts, expected = story

    async def told(stage: Stage) -> None:
        for one in posts:
            await stage.restart()
            await tell(stage, one)
            await stage.pass_(0.5)  # what follows has been answered
        await stage.restart()
        await until(stage, REST)
        assert came(stage) == expected
        assert left_behind(stage) == []

    play(told, APART)


@pytest.mark.parametrize("step", range(5))
@pytest.mark.parametrize("story", EVERY)
def test_ended_right_behind_one_answer(story: Story, step: int) -> None:
    """The delivery is answered, and nothing that follows from it has left yet."""
    posts, expected = story

    async def told(stage: Stage) -> None:
        for place, one in enumerate(posts):
            await persist(stage, one)
            if place == step:
                await stage.restart()
        await until(stage, REST)
        assert distinct(came(stage)) == distinct(expected)
        assert not stage.disk.open
        assert left_behind(stage) == []

    play(told, APART)


@pytest.mark.parametrize("commit", range(1, 15))
def test_ended_in_every_commit(commit: int) -> None:
    """The commit has happened and its answer has not: the delivery is sent again, the effects are looked at again."""
    posts, expected = STORIES["ends and fires again within the quiet time"]

    async def told(stage: Stage) -> None:
        def end(taken: int) -> None:
            if taken == commit:
                stage.kill()

        stage.store.on_commit = end
        for one in posts:
            if stage.store.dead:
                await stage.restart()
            with suppress(Temporary):
                await until(stage, one.at)
                await stage.engine.deliver(delivery_of(body(*one.alerts)))
                await stage.pass_(5.0)
            if stage.store.dead:
                await stage.restart()
                await persist(stage, Post(one.at + 10.0, one.alerts))
        await until(stage, REST)
        assert distinct(came(stage)) == distinct(expected)
        assert left_behind(stage) == []

    play(told, APART, options=BRISK)


def test_ended_again_and_again_while_a_group_is_treated() -> None:
    """Ended every 20 s for as long as it takes: each target is treated under its one key."""
    group = post(1.0, *(firing(n, 0.0) for n in range(5)))

    async def told(stage: Stage) -> None:
        await tell(stage, group)
        for _ in range(10):
            await stage.restart()
            await stage.pass_(20.0)
        assert set(came(stage).keys) == {f"INC-1/{run}/1/1" for run in range(1, 6)}
        assert [past.outcome for past in stage.incident(1).past] == ["done"] * 5
        await persist(stage, post(300.0, *(resolved(n, 0.0, 290.0) for n in range(5))))
        await until(stage, REST)
        assert not stage.disk.open
        assert left_behind(stage) == []

    play(told, TOGETHER)


def test_ended_while_an_alert_expires_and_while_a_doubt_waits() -> None:
    """Timers outlive the process: what came due meanwhile is taken up, and its lateness is told."""

    async def told(stage: Stage) -> None:
        await tell(stage, post(5.0, firing(1, 0.0)), post(12.0, resolved(1, 0.0, 10.0)), post(22.0, firing(1, 0.0)))
        stage.kill()
        await until(stage, 400.0)
        await stage.restart()
        await until(stage, 420.0)
        assert came(stage).open == 1
        assert came(stage).pages == ("INC-1/1/1", "INC-1/2/1")

        stage.kill()
        await until(stage, 86_400.0)
        await stage.restart()
        await until(stage, 90_000.0)
        assert came(stage).open == 0
        assert not stage.disk.open
        assert left_behind(stage) == []

    play(told, APART)


def test_a_level_that_came_due_while_it_was_ended_is_paged_once() -> None:
    """Promise 6: an outage neither fires all levels at once nor stops the climb."""
    catalog = APART.replace("{after: 5m, page: [bob]}", "{after: 5m, page: [bob]}, {after: 10m, page: [alice]}")

    async def told(stage: Stage) -> None:
        await tell(stage, post(1.0, firing(1, 0.0)))
        await until(stage, 10.0)
        stage.kill()
        await until(stage, 3600.0)
        await stage.restart()
        await until(stage, 3610.0)
        assert came(stage).pages == pages(1, levels=2)
        assert any("late" in text for text in stage.told(1, "timer"))
        await until(stage, 3610.0 + 420.0)
        assert came(stage).pages == pages(1, levels=3)

    play(told, catalog)
