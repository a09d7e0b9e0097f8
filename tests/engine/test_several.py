"""Several live members: shards spread and handed over, input forwarded, claims shared; nothing lost, nothing twice."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from paramedic.core.claims import LONGEST
from paramedic.errors import Temporary
from paramedic.plugin import Reply
from paramedic.store.port import UseRow
from tests.engine.several import LEASE, Several, acted, fire, play
from tests.engine.stage import Call
from tests.engine.texts import catalog, element

BUDGET = "budget: {max: 3, per: 30m, across: all}"


@pytest.mark.parametrize("count", [2, 3])
def test_shards_are_spread_over_the_living(count: int) -> None:
    async def story(several: Several) -> None:
        stages = await several.grow(count)

        owned = [several.shards(stage) for stage in stages]
        assert sorted(shard for shards in owned for shard in shards) == list(range(64))
        assert max(map(len, owned)) - min(map(len, owned)) <= 1

    play(story)


def test_what_is_at_home_elsewhere_is_dealt_with_there() -> None:
    """Promises 1 and 2: answered by who took it in, decided by who owns it, done once."""

    async def story(several: Several) -> None:
        first, second = await several.grow(2)
        (here,), (there,) = several.of(first), several.of(second)

        await first.deliver(element(here), element(there))
        await first.pass_(1.0)

        assert acted(several) == {f"/act?job={here}": 1, f"/act?job={there}": 1}
        rows = first.disk.incidents.values()
        assert {row.key.split('"')[1]: row.shard in several.shards(first) for row in rows} == {here: True, there: False}
        assert not first.disk.forwarded

    play(story)


def test_twins_that_tell_different_members_open_one_episode() -> None:
    """Promise 2."""

    async def story(several: Several) -> None:
        first, second, third = await several.grow(3)
        jobs = [job for stage in (first, second, third) for job in several.of(stage, 3)]
        for job in jobs:
            await asyncio.gather(*(fire(stage, job) for stage in (first, second, third)))
        await first.pass_(2.0)

        assert acted(several) == Counter(f"/act?job={job}" for job in jobs)
        assert len(first.disk.incidents) == len(jobs)
        assert all(episode.count == 1 for episode in first.disk.episodes.values())

    play(story)


def test_an_end_finds_its_beginning_whoever_is_told() -> None:
    async def story(several: Several) -> None:
        first, second = await several.grow(2)
        (job,) = several.of(second)
        await fire(first, job)
        await first.pass_(1.0)

        await first.resolve(job)
        await first.pass_(1.0)

        (row,) = first.disk.incidents.values()
        assert row.phase == "resolved"

    play(story)


def test_an_alert_that_no_rule_wants_is_kept_once() -> None:
    async def story(several: Several) -> None:
        first, second = await several.grow(2)
        for n in range(8):
            await asyncio.gather(*(stage.deliver(element(f"x{n}", alertname="Unknown")) for stage in (first, second)))
        await first.pass_(1.0)

        assert len(first.disk.episodes) == 8
        assert not first.disk.incidents
        assert {stage.store.member for stage in several.stages} == {1, 2}, "nobody had to start over"

    play(story)


def test_a_dead_members_shards_are_taken_over_within_a_second() -> None:
    async def story(several: Several) -> None:
        first, second = await several.grow(2)
        (job,) = several.of(second)
        second.store.latency = 5.0  # what it has accepted is not committed yet
        with pytest.raises(Temporary):
            await fire(second, job)
        second.kill()
        died = first.clock.monotonic()

        await fire(first, job)  # Alertmanager's other instance
        while not acted(several):
            await first.pass_(0.05)

        assert first.clock.monotonic() - died <= 1.0
        assert len(several.shards(first)) == 64
        assert acted(several) == {f"/act?job={job}": 1}

    play(story)


def test_what_a_dead_member_was_doing_is_finished_by_the_living() -> None:
    """Promise 3: under the same key, once the call can no longer be under way."""

    async def story(several: Several) -> None:
        first, second = await several.grow(2)
        (job,) = several.of(second)
        hanging = asyncio.Event()

        async def answer(call: Call) -> Reply:
            await hanging.wait()
            return Reply(200, {}, b"")

        first.world.answer = answer
        await fire(first, job)
        await first.pass_(1.0)
        assert acted(several) == {f"/act?job={job}": 1}
        second.kill()
        hanging.set()
        await first.pass_(60.0)

        (number,) = first.disk.incidents
        assert first.outcome(number) == "done"
        assert len({call.key for call in first.world.to("hook")}) == 1

    play(story)


def test_who_comes_back_is_given_shards_again() -> None:
    async def story(several: Several) -> None:
        _, second = await several.grow(2)
        second.kill()
        await several.settled(1)

        await several.join()
        await several.settled(2)

    play(story)


def test_a_shard_is_not_handed_over_while_a_write_of_it_is_under_way() -> None:
    """Promise 3. Everything else of it goes on meanwhile."""

    async def story(several: Several) -> None:
        (first,) = await several.grow(1)
        jobs = [f"job{n}" for n in range(20)]
        hanging = asyncio.Event()

        async def answer(call: Call) -> Reply:
            await hanging.wait()
            return Reply(200, {}, b"")

        first.world.answer = answer
        await first.deliver(*(element(job) for job in jobs))
        await first.pass_(1.0)
        busy = {row.shard for row in first.disk.incidents.values()}

        await several.join()
        await first.pass_(3.0)
        assert busy <= set(several.shards(first))

        hanging.set()
        await several.settled(2)
        await first.pass_(5.0)
        assert acted(several) == Counter(f"/act?job={job}" for job in jobs)
        assert {first.outcome(number) for number in first.disk.incidents} == {"done"}

    play(story)


def test_members_come_and_go_under_load_and_every_alert_is_acted_on_once() -> None:
    """Promises 1 to 3, while each step is told to whoever lives."""

    async def story(several: Several) -> None:
        told: list[str] = []

        async def tell(count: int) -> None:
            for _ in range(count):
                job = f"job{len(told)}"
                told.append(job)
                living = [stage for stage in several.stages if not stage.store.dead]
                stage = living[len(told) % len(living)]
                while True:
                    try:
                        await fire(stage, job)
                        break
                    except Temporary:
                        await stage.pass_(0.1)
                await stage.pass_(0.01)

        await several.grow(1)
        await tell(30)
        await several.join()
        await tell(60)
        await several.join()
        await tell(60)
        await several.stages[0].stop()
        several.stages[0].store.dead = True
        await tell(60)
        several.stages[1].kill()
        await tell(60)
        await several.join()
        await tell(60)
        last = several.stages[-1]
        await last.pass_(60.0)

        assert {path.split("=")[1] for path in acted(several)} == set(told)
        keys = Counter(call.path for call in {(call.path, call.key): call for call in last.world.to("hook")}.values())
        assert max(keys.values()) == 1, "done under a second key"
        assert {last.outcome(number) for number in last.disk.incidents} == {"done"}
        assert not last.disk.forwarded
        assert not last.disk.effects
        assert not last.disk.holds

    play(story, catalog(rule="storm: off"))


def test_what_a_member_learns_too_late_goes_to_whoever_has_the_incident() -> None:
    """Promise 3: it stood still past its lease with a call under way; the living asked nobody twice, and a person."""

    async def story(several: Several) -> None:
        first, second = await several.grow(2)
        (job,) = several.of(second)
        hanging = asyncio.Event()

        async def answer(call: Call) -> Reply:
            if call.endpoint == "raw":
                await hanging.wait()
            return Reply(200, {}, b"")

        first.world.answer = answer
        await fire(first, job)
        await first.pass_(1.0)
        assert len(first.world.to("raw")) == 1
        (number,) = first.disk.incidents

        second.store.gate = asyncio.Event()  # it stands still: it commits nothing, and renews nothing
        second.store.pause()
        hanging.set()
        await first.pass_(LEASE + 30.0)
        assert len(several.shards(first)) == 64
        assert first.outcome(number) == "unknown"

        second.store.gate.set()
        await several.settled(2)
        await first.pass_(5.0)
        (said,) = first.told(number, "late")
        assert "it was done" in said
        assert "by then nobody could say whether it took effect" in said
        assert len(first.world.to("raw")) == 1
        assert not first.disk.forwarded

    play(story, catalog("raw"))


def test_uses_that_no_budget_reaches_any_more_are_deleted() -> None:
    """More of them than at once, and not one that still counts."""

    async def story(several: Several) -> None:
        (stage,) = await several.grow(1)
        old, young = (stage.clock.now() - LONGEST + timedelta(minutes=minutes) for minutes in (30, 90))
        for n in range(5000):
            stage.disk.uses[UseRow("budget/x", old, n, 1)] = None
        kept = UseRow("budget/x", young, 1, 1)
        stage.disk.uses[kept] = None
        await stage.pass_(3500.0)
        assert len(stage.disk.uses) == 5001, "it is done once an hour"

        await stage.pass_(110.0)
        assert list(stage.disk.uses) == [kept]

    play(story)
