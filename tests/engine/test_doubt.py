"""A commit in doubt, a fence, a defect, a stop: memory is dropped and read again, and nothing is lost or done twice.

Promise 1: a delivery answered is never lost. Promise 3: what is under way is not forgotten, nor written anew.
"""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Literal

import pytest

from paramedic.engine.shell import Options
from paramedic.errors import Temporary
from paramedic.plugin import Reply
from paramedic.store.memory import MemoryStore
from tests.engine.stage import Call, Stage, play
from tests.engine.texts import catalog, element

Fails = Literal["before", "after"]


def slow(stage: Stage, seconds: float, endpoint: str = "hook") -> Callable[[Call], Awaitable[Reply]]:
    """An endpoint that takes its time; all others answer at once."""

    async def answer(call: Call) -> Reply:
        if call.endpoint == endpoint:
            await stage.clock.sleep(seconds)
        return Reply(200, {}, b"")

    return answer


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_failed_commit_is_answered_temporary_to_everybody_and_nothing_opens_twice(when: Fails) -> None:
    async def story(stage: Stage) -> None:
        stage.store.fail_next(when)
        began = stage.clock.monotonic()
        flying = [asyncio.create_task(stage.deliver(element(f"job-{n}"))) for n in range(3)]
        await stage.clock.sleep(0.001)
        built = [asyncio.create_task(stage.deliver(element(f"job-{n}"))) for n in range(3)]
        answers = await asyncio.gather(*flying, *built, return_exceptions=True)

        assert [type(answer) for answer in answers] == [Temporary] * 6
        assert stage.clock.monotonic() - began < 0.1  # at once, not when their patience ends
        await stage.pass_(3.0)
        assert stage.engine.live
        for n in range(3):
            await stage.deliver(element(f"job-{n}"))
        await stage.pass_(60.0)

        assert len(stage.disk.incidents) == 3
        keys = [call.key for call in stage.world.to("hook")]
        assert len(keys) == len(set(keys)) == 3
        assert [stage.outcome(number) for number in stage.disk.incidents] == ["done"] * 3

    play(story)


def test_while_it_starts_over_everything_is_refused() -> None:
    async def story(stage: Stage) -> None:
        stage.store.fail_next("before")
        with pytest.raises(Temporary):
            await stage.deliver(element("api"))
        await stage.loop.rest()
        assert not stage.engine.live
        with pytest.raises(Temporary, match="starting over"):
            await stage.deliver(element("api"))
        with pytest.raises(Temporary):
            await stage.act(1, "ack")

    play(story)


@pytest.mark.parametrize("endpoint", ["hook", "raw"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("commit", range(1, 6))
def test_each_commit_may_fail_and_the_write_happens_once(commit: int, when: Fails, endpoint: str) -> None:
    """Promise 3: also for a target that protects itself by nothing; the process itself knows what it did."""

    async def story(stage: Stage) -> None:
        def fail(taken: int) -> None:
            if taken == commit - 1:
                stage.store.fail_next(when)

        fail(0)
        stage.store.on_commit = fail
        try:
            await stage.deliver(element("api"))
        except Temporary:
            await stage.pass_(5.0)
            await stage.deliver(element("api"))
        await stage.pass_(120.0)

        (last,) = stage.disk.incidents
        # The intent is there, and whether the call has left is not known: that a person has to decide.
        unknown = (endpoint, commit, when) == ("raw", 2, "after")
        assert [call.key for call in stage.world.to(endpoint)] == ([] if unknown else [f"INC-{last}/1/1/1"])
        assert stage.outcome(last) == ("unknown" if unknown else "done")
        assert len(stage.incident(last).past) == 1
        levels = ["1", "2"] if unknown else ["1"]
        assert sorted(call.body["dedup_key"] for call in stage.world.pages()) == [
            f"INC-{last}/1/{level}" for level in levels
        ]

    play(story, catalog(endpoint))


def test_a_result_that_comes_while_it_starts_over_is_known_afterwards() -> None:
    """The write of a target without protection was under way when a commit failed: its answer is not lost."""

    async def story(stage: Stage) -> None:
        stage.world.answer = slow(stage, 4.0, "raw")
        await stage.deliver(element("api"))
        await stage.pass_(1.0)
        assert len(stage.world.to("raw")) == 1
        stage.store.fail_next("before")
        with pytest.raises(Temporary):
            await stage.deliver(element("other"))
        await stage.pass_(60.0)
        assert stage.outcome(1) == "done"
        assert len(stage.world.to("raw")) == 1
        assert not stage.told(1, "unknown")

    play(story, catalog("raw"))


def test_a_clean_stop_commits_what_is_under_way() -> None:
    async def story(stage: Stage) -> None:
        stage.world.answer = slow(stage, 4.0, "raw")
        await stage.deliver(element("api"))
        await stage.pass_(1.0)
        began = stage.clock.monotonic()
        await stage.stop()
        assert stage.clock.monotonic() - began == pytest.approx(3.0, abs=0.1)
        assert stage.outcome(1) == "done"
        assert not stage.disk.effects

        await stage.restart()
        await stage.pass_(60.0)
        assert len(stage.world.to("raw")) == 1

    play(story, catalog("raw"))


def test_a_stop_lets_the_commit_in_flight_and_the_batch_behind_it_land() -> None:
    async def story(stage: Stage) -> None:
        stage.store.latency = 0.5
        one = asyncio.create_task(stage.deliver(element("one")))
        await stage.clock.sleep(0.1)
        two = asyncio.create_task(stage.deliver(element("two")))
        await stage.clock.sleep(0.1)
        await stage.stop()
        assert {await one, await two} == set(stage.disk.deliveries)
        assert len(stage.disk.incidents) == 2

    play(story)


def test_a_stop_while_a_commit_fails_is_still_a_stop() -> None:
    async def story(stage: Stage) -> None:
        stage.store.fail_next("before")
        stage.store.latency = 0.5
        one = asyncio.create_task(stage.deliver(element("one")))
        await stage.clock.sleep(0.1)
        await stage.stop()
        with pytest.raises(Temporary):
            await one
        assert not stage.disk.deliveries

    play(story)


def test_what_does_not_end_is_cut_off_after_half_a_minute() -> None:
    async def story(stage: Stage) -> None:
        stage.world.answer = slow(stage, 3600.0, "raw")
        await stage.deliver(element("api"))
        await stage.pass_(0.1)
        began = stage.clock.monotonic()
        await stage.stop()
        assert stage.clock.monotonic() - began == pytest.approx(10.0, abs=0.2)  # the endpoint's own time is shorter
        assert stage.outcome(1) == "unknown"

    play(story, catalog("raw"))


def test_fenced_by_another_member_it_joins_again() -> None:
    async def story(stage: Stage) -> None:
        await stage.deliver(element("one"))
        await MemoryStore(stage.disk, stage.clock).join()
        with pytest.raises(Temporary):
            await stage.deliver(element("two"))
        assert "two" not in str(stage.disk.incidents)

        await stage.pass_(3.0)
        await stage.deliver(element("two"))
        await stage.pass_(1.0)
        assert stage.disk.members.count == 3
        assert [stage.outcome(number) for number in stage.disk.incidents] == ["done", "done"]

    play(story)


def test_a_defect_of_the_turn_starts_over_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from paramedic.engine.work import Work

    broken = {"on": False}
    real = Work.close

    def close(self: Work) -> None:
        if broken["on"]:
            broken["on"] = False
            raise ZeroDivisionError("a defect")
        real(self)

    monkeypatch.setattr(Work, "close", close)

    async def story(stage: Stage) -> None:
        await stage.deliver(element("one"))
        broken["on"] = True
        with pytest.raises(Temporary):
            await stage.deliver(element("two"))
        await stage.pass_(3.0)
        await stage.deliver(element("two"))
        await stage.pass_(1.0)
        assert [stage.outcome(number) for number in stage.disk.incidents] == ["done", "done"]

    play(story)


def test_waits_between_attempts_grow_and_begin_anew_after_good_service() -> None:
    async def story(stage: Stage) -> None:
        joins: list[float] = []
        join = stage.store.join

        async def failing() -> int:
            joins.append(stage.clock.monotonic())
            if 1 < len(joins) < 9:
                raise Temporary("the database is away")
            return await join()

        stage.store.join = failing  # type: ignore[method-assign]
        await stage.start()
        stage.store.fail_next("before")
        with pytest.raises(Temporary):
            await stage.deliver(element("api"))
        await stage.pass_(60.0)
        gaps = [round(later - sooner, 1) for sooner, later in pairwise(joins)]
        assert gaps == [0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0, 5.0]
        assert stage.engine.live

        stage.store.fail_next("before")
        with pytest.raises(Temporary):
            await stage.deliver(element("api"))
        failed = stage.clock.monotonic()
        await stage.pass_(60.0)
        assert joins[-1] - failed == pytest.approx(0.4, abs=0.01)
        assert stage.engine.live

    play(story, start=False)


@pytest.mark.parametrize("when", ["before", "after"])
def test_doubtful_commits_between_good_ones_do_not_add_up(when: Fails) -> None:
    """However many there are, it is away for as long as after the first one."""

    async def story(stage: Stage) -> None:
        for n in range(8):
            stage.store.fail_next(when)
            with pytest.raises(Temporary):
                await stage.deliver(element(f"doubtful-{n}"))
            failed = stage.clock.monotonic()
            await stage.clock.sleep(0.1)
            while not stage.engine.live:
                await stage.clock.sleep(0.01)
            assert stage.clock.monotonic() - failed == pytest.approx(0.4, abs=0.05)
            await stage.deliver(element(f"good-{n}"))

    play(story)


def test_a_defect_that_comes_back_is_met_less_and_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time a commit has succeeded before it; still nobody reads everything again twice a second for ever."""
    from paramedic.engine.work import Work

    raised: list[float] = []
    real = Work.close

    async def story(stage: Stage) -> None:
        def close(self: Work) -> None:
            if any("poison" in incident.now.title for incident in self.touched.values()):
                raised.append(stage.clock.monotonic())
                raise ZeroDivisionError("a defect")
            real(self)

        monkeypatch.setattr(Work, "close", close)
        while len(raised) < 6:
            try:
                await stage.deliver(element("good"))
                await stage.deliver(element("poison"))
            except Temporary:
                await stage.clock.sleep(0.01)
        assert raised[-1] - raised[-2] > 5.0

    play(story)


def test_a_store_that_cannot_be_read_is_answered_temporary_at_once() -> None:
    async def story(stage: Stage) -> None:
        async def episodes(_: object) -> None:
            raise Temporary("the database is away")

        stage.store.episodes = episodes  # type: ignore[assignment, method-assign]
        began = stage.clock.monotonic()
        with pytest.raises(Temporary, match="starting over"):
            await stage.deliver(element("api"))
        assert stage.clock.monotonic() - began < 0.1

    play(story, options=Options(jitter=float))
