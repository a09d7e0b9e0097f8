"""A process that dies at any commit: the next one finds everything, and nothing is done under a second key.

Promise 3: an outcome that cannot be known is never blindly repeated. Promise 6: every timer fires once.
"""

import asyncio

import pytest

from paramedic.engine.shell import Options
from paramedic.plugin import Reply
from tests.engine.stage import Call, Stage, play
from tests.engine.test_doubt import slow
from tests.engine.texts import bundle_of, catalog, element

CHECKED = 'verify: [{http: {endpoint: hook, path: "/up", within: 60s, every: 5s}}]'
COMMITS = 8


async def alert_until_taken(stage: Stage) -> None:
    """What Alertmanager does: send again until it is answered."""
    while True:
        try:
            async with asyncio.timeout(5.0):
                await stage.deliver(element("api"))
        except Exception:
            await stage.clock.sleep(1.0)
        else:
            return


async def with_a_crash(stage: Stage, commit: int, *, down: float = 1.0) -> None:
    """Tell the story of one alert, with kill -9 right after the n-th commit has reached the disk."""
    crashed = asyncio.Event()

    def at_commit(count: int) -> None:
        if count == commit:
            stage.kill()
            crashed.set()

    stage.store.on_commit = at_commit
    sending = asyncio.create_task(alert_until_taken(stage))
    done = asyncio.create_task(crashed.wait())
    await asyncio.wait([done], timeout=30.0)
    done.cancel()
    if crashed.is_set():
        await stage.clock.sleep(down)
        await stage.restart()
    await sending
    await stage.pass_(180.0)


@pytest.mark.parametrize("down", [0.1, 60.0])
@pytest.mark.parametrize("endpoint", ["hook", "raw"])
@pytest.mark.parametrize("commit", range(1, COMMITS))
def test_killed_after_any_commit_it_ends_as_if_nothing_had_been_or_a_person_decides(
    commit: int, endpoint: str, down: float
) -> None:
    async def story(stage: Stage) -> None:
        await with_a_crash(stage, commit, down=down)
        calls = [call for call in stage.world.to(endpoint) if call.method == "POST"]
        (number,) = stage.disk.incidents
        assert {call.key for call in calls} <= {f"INC-{number}/1/1/1"}
        assert len(stage.incident(number).past) == 1
        if endpoint == "raw":
            assert len(calls) <= 1
        if stage.outcome(number) == "unknown":
            assert endpoint == "raw"
            assert any("nobody can say whether" in call.body["text"] for call in stage.world.pages())
        else:
            assert stage.outcome(number) == "fixed"
            assert calls
        assert not stage.disk.effects
        assert not stage.disk.todo
        assert not stage.disk.holds
        assert stage.world.pages()

    play(story, catalog(endpoint, verify=CHECKED))


@pytest.mark.parametrize("endpoint", ["hook", "raw"])
def test_an_intended_write_waits_until_its_call_can_no_longer_be_under_way(endpoint: str) -> None:
    async def story(stage: Stage) -> None:
        stage.world.answer = slow(stage, 9.0, endpoint)
        number = await stage.fire("api")
        await stage.pass_(1.0)
        (sent,) = stage.world.to(endpoint)
        await stage.restart()
        await stage.pass_(12.0)
        assert len(stage.world.to(endpoint)) == 1
        assert stage.outcome(number) == "-"

        await stage.pass_(30.0)
        again = stage.world.to(endpoint)[1:]
        if endpoint == "hook":
            assert [call.key for call in again] == [sent.key]
            assert again[0].at - sent.at > 15.0
            assert stage.outcome(number) == "done"
        else:
            assert again == []
            assert stage.outcome(number) == "unknown"
            assert stage.incident(number).past[0].reason == "the process that wrote is gone"

    play(story, catalog(endpoint))


def test_a_page_whose_answer_is_not_known_is_sent_again_under_its_key() -> None:
    async def story(stage: Stage) -> None:
        stage.world.answer = slow(stage, 5.0, "pager")
        number = await stage.fire("api")
        await stage.pass_(2.5)
        assert len(stage.world.pages()) == 1
        await stage.restart()
        stage.world.answer = None
        await stage.pass_(60.0)
        first, second = stage.world.pages()
        assert first.key == second.key
        assert second.at - first.at > 25.0
        assert "sent again under the same key" in " ".join(stage.told(number, "page"))

        await stage.resolve("api")
        await stage.pass_(5.0)
        assert len(stage.world.pages("resolve")) == 1  # the channel is free again

    play(story)


def test_an_effect_that_is_over_by_the_time_it_counts_as_lost_is_left_alone() -> None:
    async def story(stage: Stage) -> None:
        stage.world.answer = slow(stage, 9.0, "pager")
        number = await stage.fire("api")
        await stage.pass_(2.5)
        await stage.restart()
        stage.world.answer = None
        await stage.resolve("api")
        await stage.pass_(3600.0)
        assert not stage.incident(number).open
        assert stage.engine.live
        assert not stage.disk.effects

    play(story)


def test_deliveries_that_were_only_journalled_are_routed_once() -> None:
    async def story(stage: Stage) -> None:
        stage.store.latency = 0.2
        await asyncio.gather(*(stage.deliver(element(f"job-{n}")) for n in range(20)))
        assert stage.disk.todo
        await stage.restart()
        await stage.pass_(30.0)
        assert not stage.disk.todo
        assert all(row.routed for row in stage.disk.deliveries.values())
        assert len(stage.disk.incidents) == 20
        await stage.restart()
        await stage.pass_(30.0)
        assert len(stage.disk.incidents) == len({call.key for call in stage.world.to("hook")}) == 20

    play(story, options=Options(jitter=float, batch=3))


def test_timers_are_restored_fire_once_and_say_how_late_they_are() -> None:
    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(10.0)
        assert "climb" in stage.incident(number).timers
        stage.kill()
        await stage.pass_(400.0)  # the second level was due after five minutes
        await stage.restart()
        await stage.pass_(5.0)
        assert [call.body["to"] for call in stage.world.pages()] == ["alice", "bob"]
        (late,) = stage.told(number, "timer")
        assert late.startswith('the timer "climb" fired 1')
        assert not any(name == "climb" for name in stage.incident(number).timers)

        await stage.restart()
        await stage.pass_(600.0)
        assert len(stage.world.pages()) == 2

    play(story)


def test_a_timer_that_is_not_due_fires_at_its_moment_after_a_restart() -> None:
    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(10.0)
        due = stage.incident(number).timers["climb"].due
        await stage.restart()
        await stage.pass_((due - stage.clock.now()).total_seconds() - 1.0)
        assert len(stage.world.pages()) == 1
        await stage.pass_(2.0)
        assert len(stage.world.pages()) == 2
        assert stage.told(number, "timer") == []

    play(story)


def test_holds_and_uses_are_restored() -> None:
    async def story(stage: Stage) -> None:
        number = await stage.fire("one", target="shared")
        await stage.pass_(5.0)
        await stage.restart()
        assert stage.disk.holds["target/svc/shared"].incident == number
        second = await stage.fire("two", target="shared")
        await stage.pass_(5.0)
        assert len(stage.world.to("hook")) == 1
        assert any("used in the last" in text for text in stage.told(second, "guards"))

    guards = "{budget: {max: 1, per: 1h, across: all}}"
    play(story, catalog(guards=guards, verify="verify: [{alert_cleared: {within: 10m}}]"))


def test_a_bundle_that_is_gone_is_said_and_waited_for() -> None:
    async def story(stage: Stage) -> None:
        await stage.fire("api")
        hash_ = stage.bundle.hash
        row = stage.disk.bundles.pop(hash_)
        stage.kill()
        stage.bundle = bundle_of(catalog(rule="mode: off"))
        stage.store, stage.port, stage.engine = stage._process()
        await stage.start()
        assert not stage.engine.live
        stage.disk.bundles[hash_] = row
        await stage.pass_(20.0)
        assert stage.engine.live

    play(story)


def test_an_answer_that_comes_after_death_reaches_nobody() -> None:
    async def story(stage: Stage) -> None:
        async def answer(call: Call) -> Reply:
            await stage.clock.sleep(3.0)
            return Reply(200, {}, b"")

        stage.world.answer = answer
        await stage.fire("api")
        await stage.pass_(1.0)
        stage.kill()
        commits = len(stage.batches)
        await stage.pass_(10.0)
        assert len(stage.batches) == commits

    play(story)
