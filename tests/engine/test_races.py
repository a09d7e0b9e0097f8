"""Fifty incidents at once over whatever is shared: one target, a budget, a failure domain, so many at a time.

Promise 4 holds, all are served that may be, in the order of severity and then of age; and nobody waits for ever.
"""

import asyncio
from collections import Counter

import pytest

from paramedic.engine.shell import Options
from paramedic.plugin import Reply
from tests.engine.fifty import BUDGET, CONCURRENT, DOMAIN, FIFTY, ONE_TARGET, all_fire, in_order, severity, watched
from tests.engine.stage import Call, Stage, play
from tests.engine.texts import catalog, element


@pytest.mark.parametrize(
    ("text", "at_once"), [(ONE_TARGET, 1), (DOMAIN, 1), (CONCURRENT, 3)], ids=["target", "domain", "concurrent"]
)
def test_fifty_act_so_many_at_a_time_the_most_urgent_first_and_nobody_is_left(text: str, at_once: int) -> None:
    """Promise 4."""

    async def story(stage: Stage) -> None:
        watch = watched(stage)
        await all_fire(stage)
        await stage.pass_(60.0)

        assert watch.most == at_once
        assert sorted(watch.order) == FIFTY
        assert in_order(watch.order, first=at_once)
        assert {stage.outcome(number) for number in stage.disk.incidents} == {"done"}
        assert not stage.disk.holds

    play(story, text)


@pytest.mark.parametrize("text", [ONE_TARGET, DOMAIN, CONCURRENT], ids=["target", "domain", "concurrent"])
def test_what_comes_meanwhile_waits_behind_what_is_more_urgent_and_before_what_is_less(text: str) -> None:
    async def story(stage: Stage) -> None:
        watch = watched(stage, 1.0)
        await asyncio.gather(*(stage.deliver(element(f"first{n}", severity="info")) for n in range(3)))
        await stage.pass_(0.1)
        for job, how in (("minor", "info"), ("worst", "critical"), ("usual", "warning"), ("worse", "critical")):
            await stage.deliver(element(job, severity=how))
        await stage.pass_(30.0)

        later = [job for job in watch.order if not job.startswith("first")]
        assert later == ["worst", "worse", "usual", "minor"]

    play(story, text)


def test_a_slot_that_is_free_is_taken_at_once_and_a_waiting_one_as_soon_as_any_is() -> None:
    """Whichever of the slots it is: the second one ends first."""

    async def story(stage: Stage) -> None:
        times = {"a": 9.0, "b": 1.0, "c": 5.0, "d": 0.5}
        began: dict[str, float] = {}

        async def answer(call: Call) -> Reply:
            if call.endpoint == "hook":
                job = call.path.partition("=")[2]
                began[job] = stage.clock.monotonic()
                await stage.clock.sleep(times[job])
            return Reply(200, {}, b"")

        stage.world.answer = answer
        for job in times:
            await stage.deliver(element(job))
        await stage.pass_(20.0)

        assert began["c"] - began["a"] < 0.1
        assert began["d"] - began["b"] == pytest.approx(1.0, abs=0.1)
        assert stage.told(4, "waits") == ["concurrent/all/ is held by INC-1.1 and 2 more"]

    play(story, CONCURRENT)


def test_who_waits_for_our_own_runs_is_not_let_try_again_and_again() -> None:
    """That is for what other members hold: nobody tells us when they let go."""

    async def story(stage: Stage) -> None:
        watched(stage, 5.0)
        for n in range(5):
            await stage.deliver(element(f"job{n}"))
        await stage.pass_(1.0)
        shell = stage.engine._shell
        assert shell is not None
        assert len(shell.holdings.blocked) == 2

        assert not shell.holdings.try_foreign()
        shell.holdings.ledger.hold("slot/2/concurrent/all/", 99, 1)
        assert shell.holdings.try_foreign()
        assert not shell.holdings.blocked

    play(story, CONCURRENT)


def test_a_budget_of_three_is_used_three_times_in_its_time_and_then_three_times_more() -> None:
    """The others wait as long as a run may."""

    async def story(stage: Stage) -> None:
        watch = watched(stage)
        await all_fire(stage)
        await stage.pass_(60.0)

        assert len(watch.order) == 3
        assert len(stage.disk.uses) == 3
        assert Counter(stage.outcome(number) for number in stage.disk.incidents) == {"done": 3, "-": 47}
        assert not stage.disk.holds
        reasons = [stage.incident(number).paging.reason for number in stage.disk.incidents]
        assert sum("is used up until" in reason for reason in reasons) == 47

        await stage.pass_(1500.0)
        assert len(watch.order) == 6
        await stage.pass_(1500.0)
        outcomes = Counter(stage.outcome(number) for number in stage.disk.incidents)
        assert outcomes == {"done": 9, "refused": 41}

    play(story, catalog(guards="{budget: {max: 3, per: 25m, across: all}}"))


@pytest.mark.parametrize("endpoint", ["hook", "raw"])
def test_of_those_that_come_together_the_most_urgent_use_up_a_budget(endpoint: str) -> None:
    """In one delivery, the least urgent first."""

    async def story(stage: Stage) -> None:
        watch = watched(stage)
        least_urgent_first = sorted(FIFTY, key=severity, reverse=True)
        await stage.deliver(*(element(job, severity=severity(job)) for job in least_urgent_first))
        await stage.pass_(60.0)

        assert {severity(job) for job in watch.order} == {"critical"}
        assert len(watch.order) == 3

    play(story, BUDGET.replace("endpoint: hook", f"endpoint: {endpoint}"))


def test_of_those_that_wait_for_a_budget_the_most_urgent_use_it_when_it_is_free_again() -> None:
    async def story(stage: Stage) -> None:
        watch = watched(stage)
        for n in range(3):
            await stage.deliver(element(f"first{n}"))
        await stage.pass_(5.0)
        for job in ("minor", "usual", "worst"):
            how = {"minor": "info", "usual": "warning", "worst": "critical"}[job]
            await stage.deliver(element(job, severity=how))
        for n in range(3):
            await stage.deliver(element(f"info{n}", severity="info"))
        await stage.pass_(3600.0)

        assert watch.order[3:] == ["worst", "usual", "minor"]

    play(story, BUDGET)


def test_a_budget_is_free_again_at_the_edge_of_its_window_and_not_a_second_earlier() -> None:
    async def story(stage: Stage) -> None:
        watch = watched(stage)
        for job in ("one", "two", "three"):
            await stage.deliver(element(job))
            await stage.pass_(10.0)
        await stage.pass_(3569.0)  # a second before the first use is an hour old
        await stage.deliver(element("four"))
        await stage.pass_(0.9)
        assert watch.order == ["one", "two", "three"]
        await stage.pass_(0.3)
        assert watch.order == ["one", "two", "three", "four"]
        await stage.deliver(element("five"))
        await stage.pass_(8.5)
        assert len(watch.order) == 4, "the second use is still within the hour"
        await stage.pass_(2.0)
        assert watch.order[-1] == "five"

    play(story, BUDGET)


def test_whoever_is_over_before_its_turn_lets_the_next_one_in() -> None:
    """Nobody is stuck behind one that does not want it any more."""

    async def story(stage: Stage) -> None:
        watch = watched(stage, 2.0)
        for job in ("one", "two", "three"):
            await stage.deliver(element(job))
        await stage.pass_(0.5)
        await stage.resolve("two")
        await stage.pass_(10.0)

        assert watch.order == ["one", "three"]
        assert not stage.disk.holds

    play(story, DOMAIN)


@pytest.mark.parametrize("text", [ONE_TARGET, DOMAIN, CONCURRENT], ids=["target", "domain", "concurrent"])
def test_what_a_process_held_that_died_is_its_runs_and_ends_with_them(text: str) -> None:
    """The reservation outlives the process; nobody else takes it; and when its run has ended the others go on."""

    async def story(stage: Stage) -> None:
        watch = watched(stage, 3.0)
        for n in range(6):
            await stage.deliver(element(f"job{n}"))
        await stage.pass_(1.0)
        held, acting = dict(stage.disk.holds), len(watch.inside)
        await stage.restart()
        assert {scope: held[scope] for scope in held if "target" not in scope} == {
            scope: hold for scope, hold in stage.disk.holds.items() if scope in held and "target" not in scope
        }
        watch.inside.clear()  # the calls of the one that died went nowhere any more
        watch.most = 0
        await stage.pass_(60.0)

        assert watch.most == acting
        assert {stage.outcome(number) for number in stage.disk.incidents} == {"done"}
        assert set(watch.order[acting:]) == {f"job{n}" for n in range(6)}
        assert not stage.disk.holds

    play(story, text)


def test_writes_that_need_nothing_shared_are_not_kept_back_by_fifty_that_wait() -> None:
    """Also where there are fewer slots than writes that wait in vain."""

    async def story(stage: Stage) -> None:
        watch = watched(stage, 5.0)
        await all_fire(stage)
        await stage.pass_(5.5)  # the first has ended, and all who waited for it have been let try
        await stage.deliver(element("alone"))
        await stage.pass_(1.0)

        assert len(watch.order) == 3
        assert watch.order[-1] == "alone"

    text = catalog("raw").replace(
        'target: "svc/${params.target}"', "target: \"svc/${params.job == 'alone' ? 'alone' : 'one'}\""
    )
    play(story, text, options=Options(jitter=float, signs=3600.0, look=3600.0, slots={**Options().slots, "write": 4}))
