"""A rush: deliveries come faster than they can be decided beside each other, so they are kept and answered first.

Promise 1: what was answered is in the journal, and is decided. Promise 2: in whatever order, one episode opens once.
"""

import asyncio

import pytest

from paramedic.core.words import Mode
from paramedic.engine.inputs import Input
from paramedic.engine.shell import Options
from paramedic.plugin import Reply
from paramedic.rehearse.loop import VirtualClock
from paramedic.store.port import Batch
from tests.engine.stage import Call, Stage, play
from tests.engine.texts import catalog, element

CALM = Options(jitter=float, signs=3600.0, look=3600.0)
UNTREATED = catalog(rule="mode: off\n    storm: off")


async def senders(stage: Stage, count: int, seconds: float) -> int:
    """So many who send their next delivery as soon as the last one is answered; how many they sent."""
    sent, began = 0, stage.clock.monotonic()

    async def one(who: int) -> None:
        nonlocal sent
        while stage.clock.monotonic() - began < seconds:
            sent += 1
            await stage.deliver(element(f"job-{who}-{sent}"))

    await asyncio.gather(*(one(who) for who in range(count)))
    return sent


def kept(batches: list[Batch]) -> list[int]:
    """Deliveries that were journalled without being decided."""
    return [row.id for batch in batches for row in batch.deliveries if not row.routed]


def decided(stage: Stage) -> list[float]:
    """Seconds after the start at which each incident opened."""
    began = min(row.at for batch in stage.batches for row in batch.deliveries)
    return [(row.opened_at - began).total_seconds() for _, row in sorted(stage.disk.incidents.items())]


def test_many_at_once_are_kept_in_one_commit_and_decided_in_the_next_ones() -> None:
    async def story(stage: Stage) -> None:
        answered = await asyncio.gather(*(stage.deliver(element(f"job-{n}")) for n in range(40)))
        assert len(kept(stage.batches)) == len(answered) == 40
        first = next(n for n, batch in enumerate(stage.batches) if kept([batch]))
        assert len(stage.batches[first].deliveries) == 40
        assert stage.batches[first] == Batch(deliveries=stage.batches[first].deliveries)

        await stage.pass_(20.0)
        assert sorted(number for batch in stage.batches for number in batch.routed) == sorted(answered)
        assert not stage.disk.todo
        assert len(stage.disk.incidents) == len(stage.world.to("hook")) == 40

    play(story, options=CALM)


def test_those_who_were_answered_together_are_waited_for_but_not_for_long() -> None:
    """The first to send again finds nothing decided yet; when nobody sends any more, that begins within 20 ms."""

    async def story(stage: Stage) -> None:
        await asyncio.gather(*(stage.deliver(element(f"first-{n}")) for n in range(40)))
        await stage.deliver(element("second"))
        assert len(kept(stage.batches)) == 41
        assert not stage.disk.incidents
        began = stage.clock.monotonic()
        while stage.disk.todo:
            await stage.clock.sleep(0.001)
        assert stage.clock.monotonic() - began < 0.05

    play(story, UNTREATED, options=CALM)


def test_it_takes_many_to_begin_a_rush_and_few_to_go_on_with_it() -> None:
    """Who is answered in a small group sends in a small group again: deciding in between keeps everybody waiting."""

    async def story(stage: Stage) -> None:
        stage.store.latency = 0.01
        await asyncio.gather(*(stage.deliver(element(f"first-{n}")) for n in range(40)))
        sent = await senders(stage, 4, 0.3)
        assert sent > 80
        assert not stage.disk.incidents
        await stage.pass_(5.0)
        assert len(stage.disk.incidents) == 40 + sent

    play(story, UNTREATED, options=CALM)


def test_after_a_second_what_waits_is_decided_though_the_rush_goes_on() -> None:
    async def story(stage: Stage) -> None:
        stage.store.latency = 0.05
        sent = await senders(stage, 12, 2.0)
        opened = decided(stage)
        assert 0.9 < opened[0] < 1.2
        assert len([one for one in opened if one < 1.5]) > 200  # what came in the first second
        await stage.pass_(5.0)
        assert not stage.disk.todo
        assert len(stage.disk.incidents) == sent

    play(story, UNTREATED, options=CALM)


def test_who_throws_the_switch_does_not_wait_for_a_rush_to_end() -> None:
    """People come before all that alerts bring, however much of it waits (promise 5: it stops at once)."""

    async def story(stage: Stage) -> None:
        stage.store.latency = 0.02
        rush = asyncio.create_task(senders(stage, 60, 1.5))
        await stage.clock.sleep(0.5)
        assert stage.disk.todo
        assert not stage.disk.incidents
        began = stage.clock.monotonic()
        moved = await stage.engine.set_switch(Mode.FREEZE, who="alice", reason="too much", until=None)
        assert moved.mode is Mode.FREEZE
        assert stage.clock.monotonic() - began < 0.1
        assert stage.disk.todo, "the rush goes on behind it"
        await rush

    play(story, UNTREATED, options=CALM)


def test_deciding_begins_before_the_backlog_is_full() -> None:
    """A rush alone never has a delivery refused."""

    async def story(stage: Stage) -> None:
        sent = await senders(stage, 10, 0.5)
        assert sent > 200
        assert kept(stage.batches)

    play(story, UNTREATED, options=Options(jitter=float, signs=3600.0, look=3600.0, backlog=60))


@pytest.mark.parametrize("every", [0.0017, 0.01])
def test_at_a_steady_pace_each_is_decided_in_the_commit_that_keeps_it(every: float) -> None:
    async def story(stage: Stage) -> None:
        waiting = []
        for n in range(60):
            waiting.append(asyncio.create_task(stage.deliver(element(f"job-{n}"))))
            await stage.clock.sleep(every)
        await asyncio.gather(*waiting)
        assert kept(stage.batches) == []
        assert len(stage.disk.incidents) == 60

    play(story, UNTREATED, options=CALM)


def test_a_rush_that_ends_at_a_steady_pace_ends_within_a_few_commits() -> None:
    """Else alerts at some hundreds a second would wait for a second after each hiccup."""

    async def story(stage: Stage) -> None:
        waiting = [asyncio.create_task(stage.deliver(element(f"rush-{n}"))) for n in range(200)]
        for n in range(100):
            await stage.clock.sleep(0.0017)
            waiting.append(asyncio.create_task(stage.deliver(element(f"job-{n}"))))
        await asyncio.gather(*waiting)
        assert 200 <= len(kept(stage.batches)) < 206

    play(story, UNTREATED, options=CALM)


@pytest.fixture
def slow_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each input takes 30 ms to fold."""
    from paramedic.engine.folds import Folds

    passed = {"by folding": 0.0}
    real, now = Folds.fold, VirtualClock.monotonic

    def fold(self: Folds, one: Input) -> None:
        passed["by folding"] += 0.03
        real(self, one)

    def monotonic(self: VirtualClock) -> float:
        return now(self) + passed["by folding"]

    monkeypatch.setattr(Folds, "fold", fold)
    monkeypatch.setattr(VirtualClock, "monotonic", monotonic)


@pytest.mark.usefixtures("slow_folds")
def test_what_effects_came_to_is_committed_whole_at_a_stop() -> None:
    """There is no next turn that it could be left to."""

    async def story(stage: Stage) -> None:
        async def answer(call: Call) -> Reply:
            await stage.clock.sleep(1.0 if call.endpoint == "hook" else 0.0)
            return Reply(200, {}, b"")

        stage.world.answer = answer
        await asyncio.gather(*(stage.deliver(element(f"job-{n}")) for n in range(20)))
        while len(stage.world.to("hook")) < 20:
            await stage.clock.sleep(0.01)
        await stage.stop()
        assert len(stage.disk.incidents) == 20
        assert {stage.outcome(number) for number in stage.disk.incidents} == {"done"}

    play(story, options=Options(jitter=float, signs=3600.0, look=3600.0, patience=60.0))


@pytest.mark.usefixtures("slow_folds")
def test_a_turn_that_takes_far_too_long_leaves_the_rest_to_the_next_ones() -> None:
    """Whoever waits for an answer, or for the lease, would wait for all of it. What effects came to is left as well."""

    async def story(stage: Stage) -> None:
        at_once = [asyncio.create_task(stage.deliver(element(f"job-{n}"))) for n in range(60)]
        await asyncio.gather(*at_once)
        await stage.pass_(60.0)
        turns = [len(batch.routed) + len([row for row in batch.deliveries if row.routed]) for batch in stage.batches]
        assert max(turns) == 7
        assert not stage.disk.todo
        assert len(stage.disk.incidents) == len(stage.world.to("hook")) == 60
        assert {stage.outcome(number) for number in stage.disk.incidents} == {"done"}
        committed = len(stage.batches)
        await stage.stop()
        assert len(stage.batches) == committed  # nothing is taken for unsettled any more

    play(story, options=Options(jitter=float, signs=3600.0, look=3600.0, patience=60.0))


def test_a_slow_commit_does_not_end_a_rush() -> None:
    async def story(stage: Stage) -> None:
        stage.store.latency = 0.1
        rush = [asyncio.create_task(stage.deliver(element(f"first-{n}"))) for n in range(20)]
        await stage.clock.sleep(0.05)
        other = asyncio.create_task(stage.engine.reject("default", "not JSON", b"{"))  # wakes the turn
        await asyncio.gather(*rush)
        await stage.deliver(element("second"))
        assert not stage.disk.incidents
        await other

    play(story, UNTREATED, options=CALM)


def test_the_next_rush_is_kept_first_as_well() -> None:
    async def story(stage: Stage) -> None:
        for rush in range(3):
            await asyncio.gather(*(stage.deliver(element(f"job-{rush}-{n}")) for n in range(20)))
            await stage.pass_(5.0)
        assert len(kept(stage.batches)) == 60

    play(story, UNTREATED, options=CALM)


def test_an_alert_and_its_end_in_one_rush_are_decided_in_the_order_they_came() -> None:
    async def story(stage: Stage) -> None:
        others = [asyncio.create_task(stage.deliver(element(f"job-{n}"))) for n in range(20)]
        await asyncio.gather(stage.deliver(element("api")), stage.resolve("api"), *others)
        await stage.pass_(5.0)
        (api,) = [number for number, row in stage.disk.incidents.items() if row.title == "Down api"]
        assert stage.incident(api).phase == "resolved"
        assert stage.incident(api).firing.total == 1

    play(story, options=CALM)


def test_killed_in_a_rush_the_next_process_decides_what_was_answered() -> None:
    async def story(stage: Stage) -> None:
        await asyncio.gather(*(stage.deliver(element(f"job-{n}")) for n in range(20)))
        assert len(stage.disk.todo) == 20
        await stage.restart()
        await stage.pass_(20.0)
        assert not stage.disk.todo
        assert len(stage.disk.incidents) == len({call.key for call in stage.world.to("hook")}) == 20

    play(story, options=CALM)
