"""A process that is to stop takes nothing more at once; what is under way has the grace, and the rest is handed over.

Promise 1: what comes meanwhile is refused, so that it is sent again. Promise 3: what was cut off is not done blindly
again.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import pytest

from paramedic.core.model import Episode
from paramedic.engine.shell import Options
from paramedic.errors import Temporary
from tests.engine.stage import Stage, play
from tests.engine.test_doubt import slow
from tests.engine.texts import catalog, element

SHORT = Options(jitter=float, signs=3600.0, grace=3.0)


async def drained(stage: Stage) -> float:
    """Stop the process as `app` does; how long that took."""
    began = stage.clock.monotonic()
    stage.engine.drain()
    await stage.stop()
    return stage.clock.monotonic() - began


def test_it_is_not_live_at_once_and_refuses_while_its_last_commits_land() -> None:
    async def story(stage: Stage) -> None:
        stage.store.latency = 4.0
        early = asyncio.create_task(stage.deliver(element("early")))
        await stage.clock.sleep(0.1)
        stage.engine.drain()
        stopping = asyncio.create_task(stage.stop())
        assert not stage.engine.live
        with pytest.raises(Temporary, match="about to stop"):
            await stage.deliver(element("late"))
        with pytest.raises(Temporary, match="about to stop"):
            await stage.act(1, "ack")
        assert not stopping.done()
        await stopping
        with pytest.raises(Temporary):  # it has waited for two seconds; it is kept all the same
            await early
        assert len(stage.disk.deliveries) == 1

    play(story, options=SHORT)


def test_what_ends_within_the_grace_is_committed() -> None:
    async def story(stage: Stage) -> None:
        stage.world.answer = slow(stage, 2.5, "raw")
        await stage.fire("api")
        await stage.pass_(0.1)
        assert await drained(stage) == pytest.approx(2.4, abs=0.1)
        assert stage.outcome(1) == "done"
        assert not stage.disk.effects
        await stage.restart()
        await stage.pass_(60.0)
        assert len(stage.world.to("raw")) == 1

    play(story, catalog("raw"), options=SHORT)


@pytest.mark.parametrize("endpoint", ["hook", "raw"])
def test_what_does_not_is_cut_off_and_taken_for_interrupted_by_whoever_comes_next(endpoint: str) -> None:
    async def story(stage: Stage) -> None:
        stage.world.answer = slow(stage, 9.0, endpoint)
        await stage.fire("api")
        await stage.pass_(0.1)
        assert await drained(stage) == pytest.approx(3.0, abs=0.1)
        (effect,) = [row for row in stage.disk.effects.values() if row.lane == "write"]
        assert effect.intended
        assert stage.outcome(1) == "-"

        stage.world.answer = None
        await stage.restart()
        await stage.pass_(60.0)
        keys = [call.key for call in stage.world.to(endpoint)]
        if endpoint == "hook":
            assert keys == ["INC-1/1/1/1"] * 2
            assert stage.outcome(1) == "done"
        else:
            assert keys == ["INC-1/1/1/1"]
            assert stage.outcome(1) == "unknown"
            assert stage.incident(1).past[0].reason == "the process that wrote is gone"
            assert any("nobody can say whether" in call.body["text"] for call in stage.world.pages())

    play(story, catalog(endpoint), options=SHORT)


@pytest.mark.parametrize("endpoint", ["hook", "raw"])
def test_a_result_that_was_taken_and_not_yet_decided_upon_is_committed(endpoint: str) -> None:
    """The turn is ended while it reads for the alerts that it took together with the result."""

    async def story(stage: Stage) -> None:
        stage.world.answer = slow(stage, 2.5, endpoint)
        await stage.fire("api")
        await stage.pass_(2.0)
        episodes, reads = stage.store.episodes, 0

        async def slowly(identities: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Episode]:
            nonlocal reads
            reads += 1
            await stage.clock.sleep(1.0)
            return await episodes(identities)

        stage.store.episodes = slowly  # type: ignore[method-assign]
        early = asyncio.create_task(stage.deliver(element("early")))
        await stage.clock.sleep(0.3)
        late = asyncio.create_task(stage.deliver(element("late")))
        await stage.clock.sleep(1.2)
        assert reads == 2
        assert stage.outcome(1) == "-"
        await drained(stage)
        await early
        with pytest.raises(Temporary):
            await late
        assert stage.outcome(1) == "done"
        await stage.restart()
        await stage.pass_(60.0)
        assert [call.key for call in stage.world.to(endpoint)].count("INC-1/1/1/1") == 1

    play(story, catalog(endpoint), options=replace(SHORT, late=60.0))


def test_the_grace_counts_from_the_signal_not_from_when_the_last_commit_has_landed() -> None:
    async def story(stage: Stage) -> None:
        stage.world.answer = slow(stage, 9.0, "raw")
        await stage.fire("api")
        await stage.pass_(0.1)
        stage.store.latency = 2.0
        sent = asyncio.create_task(stage.deliver(element("other")))
        await stage.clock.sleep(0.1)
        assert await drained(stage) == pytest.approx(3.0, abs=0.15)
        with pytest.raises(Temporary):
            await sent

    play(story, catalog("raw"), options=SHORT)


def test_starting_over_is_not_stopping() -> None:
    """A process that goes on can wait for its calls as long as they take."""

    async def story(stage: Stage) -> None:
        stage.world.answer = slow(stage, 9.0, "raw")
        await stage.fire("api")
        await stage.pass_(0.1)
        stage.store.fail_next("before")
        with pytest.raises(Temporary, match="not committed"):
            await stage.deliver(element("other"))
        await stage.pass_(30.0)
        assert stage.engine.live
        assert stage.outcome(1) == "done"

    play(story, catalog("raw"), options=SHORT)
