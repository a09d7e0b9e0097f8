"""A process that stood still for longer than its lease: what it knows of its last calls is recorded when it is back.

Promise 3: nothing is done again, and where what it knows contradicts what another one concluded, a person hears both.
"""

import asyncio
import logging

import pytest

from tests.engine.stage import Stage, play
from tests.engine.test_doubt import Fails, slow
from tests.engine.texts import catalog


class Away:
    """The stage's first process, set aside with its store, while another one takes its place."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.store, self.port, self.engine, self.task = stage.store, stage.port, stage.engine, stage.task
        self.gate = self.store.gate = asyncio.Event()

    async def replaced(self) -> None:
        """Another process takes over."""
        stage = self.stage
        stage.store, stage.port, stage.engine = stage._process()
        await stage.start()

    async def back(self) -> None:
        """The other one is gone, and the first one wakes up."""
        stage = self.stage
        stage.kill()
        stage.store, stage.port, stage.engine, stage.task = self.store, self.port, self.engine, self.task
        self.gate.set()
        self.store.gate = None
        await stage.pass_(5.0)
        assert stage.engine.live


async def settled_without(stage: Stage, endpoint: str, *, after: float = 40.0) -> tuple[int, Away]:
    """A process has called `endpoint` and has its answer, but no commit of that; another one has settled the effect."""
    stage.world.answer = slow(stage, 4.0, endpoint)
    number = await stage.fire("api")
    await stage.pass_(1.0)
    assert len(stage.world.to(endpoint)) == 1
    away = Away(stage)
    await stage.pass_(6.0)
    stage.world.answer = None
    await away.replaced()
    await stage.pass_(after)
    return number, away


def test_what_nobody_could_say_is_told_when_it_is_known_after_all() -> None:
    async def story(stage: Stage) -> None:
        number, away = await settled_without(stage, "raw")
        assert stage.outcome(number) == "unknown"
        pages = len(stage.world.pages())

        await away.back()
        (said,) = stage.told(number, "late")
        assert "it was done" in said
        assert "by then nobody could say whether it took effect" in said
        assert "now its process says: it was done" in stage.world.pages()[pages].body["text"]
        assert len(stage.world.to("raw")) == 1

        await stage.restart()
        await stage.pass_(60.0)
        assert len(stage.told(number, "late")) == 1

    play(story, catalog("raw"))


def test_what_was_done_again_under_the_same_key_is_recorded_and_wakes_nobody() -> None:
    async def story(stage: Stage) -> None:
        number, away = await settled_without(stage, "hook")
        assert stage.outcome(number) == "done"
        pages = len(stage.world.pages())

        await away.back()
        (said,) = stage.told(number, "late")
        assert "by then it had been done under the same key" in said
        assert {call.key for call in stage.world.to("hook")} == {f"INC-{number}/1/1/1"}
        assert len(stage.world.pages()) == pages

    play(story, catalog("hook"))


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_commit_in_doubt_records_it_once(when: Fails) -> None:
    async def story(stage: Stage) -> None:
        number, away = await settled_without(stage, "raw")
        pages = len(stage.world.pages())

        away.store.fail_next(when)  # the commit that records it: the one before it is fenced
        await away.back()
        await stage.pass_(30.0)
        assert len(stage.told(number, "late")) == 1
        assert len({call.body["dedup_key"] for call in stage.world.pages()[pages:]}) == 1

    play(story, catalog("raw"))


def test_of_a_closed_incident_it_is_logged_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    async def story(stage: Stage) -> None:
        number, away = await settled_without(stage, "raw")
        await stage.resolve("api")
        await stage.pass_(3600.0)
        assert not stage.incident(number).open
        await away.back()
        assert stage.told(number, "late") == []
        assert ("late",) in stage.report.of("failed")

    with caplog.at_level(logging.ERROR):
        play(story, catalog("raw"))
    assert "learned too late, of an incident that is not open here: INC-1: the write INC-1/1/1/1" in caplog.text


def test_a_process_that_ends_before_it_is_a_member_again_leaves_it_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def story(stage: Stage) -> None:
        _, away = await settled_without(stage, "raw")

        async def stands_by() -> int:
            await asyncio.Event().wait()
            return 0

        away.store.join = stands_by  # type: ignore[method-assign]
        away.store.gate = None
        away.gate.set()
        await stage.pass_(30.0)
        assert away.task is not None
        away.task.cancel()
        await stage.loop.rest()

    with caplog.at_level(logging.ERROR):
        play(story, catalog("raw"))
    assert "learned too late, and not recorded: INC-1: the write INC-1/1/1/1 (effect" in caplog.text
    assert ": done: " in caplog.text


def test_a_read_is_not_worth_a_word() -> None:
    async def story(stage: Stage) -> None:
        stage.world.answer = slow(stage, 4.0, "hook")
        number = await stage.fire("api")
        await stage.pass_(5.0)
        away = Away(stage)
        await away.replaced()
        await stage.pass_(30.0)
        await away.back()
        assert stage.told(number, "late") == []

    play(story, catalog("raw", verify='verify: [{http: {endpoint: hook, path: "/up", within: 60s, every: 5s}}]'))
