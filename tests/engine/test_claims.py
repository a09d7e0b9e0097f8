"""What runs share: targets and budgets, taken in the commit of the intent.

Promise 4: two runs never act on one target at once, whichever incidents they belong to.
"""

import asyncio
from typing import Any

import pytest

from paramedic.engine.shell import Options
from paramedic.plugin import Reply
from tests.engine.stage import Call, Stage, play
from tests.engine.texts import catalog, element


class Acting:
    """An endpoint that takes a second, and knows how many were in it at once for each target."""

    def __init__(self, stage: Stage, seconds: float = 1.0) -> None:
        self._stage, self._seconds = stage, seconds
        self.inside = self.most = 0
        self.order: list[str] = []
        stage.world.answer = self.answer

    async def answer(self, call: Call) -> Reply:
        if call.endpoint in ("hook", "raw"):
            self.order.append(call.path)
            self.inside += 1
            self.most = max(self.most, self.inside)
            await self._stage.clock.sleep(self._seconds)
            self.inside -= 1
        return Reply(200, {}, b"")


async def together(stage: Stage, *jobs: str, **labels: Any) -> None:
    """Alerts that come at the same moment, each with an incident of its own."""
    await asyncio.gather(*(stage.deliver(element(job, **labels)) for job in jobs))


@pytest.mark.parametrize("gap", [0.0, 0.003, 0.5])
def test_two_incidents_on_one_target_act_one_after_the_other(gap: float) -> None:
    async def story(stage: Stage) -> None:
        acting = Acting(stage)
        for job in ("one", "two", "three"):
            await stage.deliver(element(job, target="shared"))
            await stage.clock.sleep(gap)
        await stage.pass_(30.0)
        assert acting.most == 1
        assert len(acting.order) == 3
        assert [stage.outcome(number) for number in (1, 2, 3)] == ["done"] * 3
        assert stage.told(2, "waits") == ["target/svc/shared is held by INC-1.1"]
        assert not stage.disk.holds

    play(story)


def test_the_one_that_waits_goes_as_soon_as_the_target_is_free() -> None:
    """Nothing else happens then that would wake the turn."""

    async def story(stage: Stage) -> None:
        Acting(stage)
        await together(stage, "one", "two", target="shared")
        await stage.pass_(2.5)
        first, second = stage.world.to("hook")
        assert second.at - first.at == pytest.approx(1.0, abs=0.05)

    play(story, catalog().replace("    escalation: sre\n", ""))


def test_guards_are_asked_again_when_a_write_has_waited_long_for_its_target() -> None:
    """What they said before the wait is about another moment: meanwhile the API server is down."""

    async def story(stage: Stage) -> None:
        Acting(stage)
        await together(stage, "one", "two", target="shared")
        await stage.pass_(5.0)
        assert stage.told(2, "waits") == ["target/svc/shared is held by INC-1.1"]
        await stage.deliver(element("x", alertname="KubeAPIDown"))
        await stage.pass_(60.0)

        assert [call.path for call in stage.world.to("hook")] == ["/act?job=one"]
        assert stage.outcome(2) == "refused"
        assert not stage.disk.holds

    guard = "{not_firing: {match: ['alertname=\"KubeAPIDown\"']}}"
    play(story, catalog(guards=guard, verify="verify: [{alert_cleared: {within: 40s}}]"))


def test_a_write_that_has_waited_long_and_may_still_be_made_is_made_once() -> None:
    async def story(stage: Stage) -> None:
        Acting(stage)
        await together(stage, "one", "two", target="shared")
        await stage.pass_(120.0)

        assert [call.path for call in stage.world.to("hook")] == ["/act?job=one", "/act?job=two"]
        assert len(stage.told(2, "guards")) == 2
        assert not stage.disk.holds

    play(story, catalog(verify="verify: [{alert_cleared: {within: 40s}}]"))


def test_a_target_let_go_in_a_batch_is_taken_in_a_later_one() -> None:
    async def story(stage: Stage) -> None:
        Acting(stage)
        await together(stage, "one", "two", target="shared")
        await stage.pass_(5.0)
        taken = [n for n, batch in enumerate(stage.batches) if batch.holds]
        gone = [n for n, batch in enumerate(stage.batches) if batch.holds_gone]
        assert len(taken) == len(gone) == 2
        assert taken[0] < gone[0] < taken[1] < gone[1]

    play(story)


def test_the_most_urgent_one_goes_first() -> None:
    async def story(stage: Stage) -> None:
        acting = Acting(stage)
        await stage.deliver(element("first", target="shared"))
        await stage.pass_(0.1)
        await stage.deliver(element("minor", target="shared", severity="info"))
        await stage.deliver(element("usual", target="shared", severity="warning"))
        await stage.deliver(element("worst", target="shared", severity="critical"))
        await stage.pass_(30.0)
        assert acting.order == [f"/act?job={job}" for job in ("first", "worst", "usual", "minor")]

    play(story)


def test_different_targets_are_acted_on_at_once() -> None:
    async def story(stage: Stage) -> None:
        acting = Acting(stage)
        await together(stage, "one", "two", "three")
        await stage.pass_(5.0)
        assert acting.most == 3

    play(story)


def test_a_run_holds_its_target_until_it_has_been_verified() -> None:
    async def story(stage: Stage) -> None:
        Acting(stage, 0.1)
        await together(stage, "one", "two", target="shared")
        await stage.pass_(5.0)
        assert [call.path for call in stage.world.to("hook")] == ["/act?job=one"]
        assert stage.disk.holds["target/svc/shared"].incident == 1
        await stage.resolve("one", target="shared")
        await stage.pass_(5.0)
        assert stage.outcome(1) == "fixed"
        assert stage.disk.holds["target/svc/shared"].incident == 2
        assert [call.path for call in stage.world.to("hook")] == ["/act?job=one", "/act?job=two"]

    play(story, catalog(verify="verify: [{alert_cleared: {within: 60s}}]"))


def test_waiting_longer_than_five_minutes_hands_over() -> None:
    async def story(stage: Stage) -> None:
        Acting(stage, 0.1)
        await together(stage, "one", "two", target="shared")
        await stage.pass_(310.0)
        assert "waited 5m for what another run holds" in " ".join(str(entry) for entry in stage.entries(2))
        assert any("waited 5m for what another run holds" in call.body["text"] for call in stage.world.pages())

    play(story, catalog(verify="verify: [{alert_cleared: {within: 10m}}]"))


BUDGET = "{budget: {max: 2, per: 1h, across: all}}"


def test_a_budget_is_all_used_up_by_runs_judged_at_once_and_the_last_waits_as_if_judged_later() -> None:
    """All three guards allow: none has acted yet. The claim in the intent's commit is what counts."""

    async def story(stage: Stage) -> None:
        acting = Acting(stage)
        await together(stage, "one", "two", "three")
        await stage.pass_(20.0)
        assert len(acting.order) == 2
        assert [stage.outcome(number) for number in (1, 2, 3)] == ["done", "done", "-"]
        assert [told.partition(" until")[0] for told in stage.told(3, "waits")] == ["budget/3600s/all/ is used up"]
        assert not stage.disk.holds  # all or nothing: the run that waits holds not even its own target
        assert len(stage.disk.uses) == 2

    play(story, catalog(guards=BUDGET))


def test_a_used_budget_is_still_used_after_minutes_and_after_a_restart() -> None:
    """The vital signs forget what no window reaches any more, and nothing else."""

    async def story(stage: Stage) -> None:
        Acting(stage, 0.1)
        await together(stage, "one", "two")
        await stage.pass_(600.0)
        await stage.deliver(element("three"))
        await stage.pass_(20.0)
        assert len(stage.world.to("hook")) == 2
        await stage.restart()
        await stage.pass_(600.0)
        await stage.deliver(element("four"))
        await stage.pass_(20.0)
        assert len(stage.world.to("hook")) == 2
        await stage.pass_(3000.0)  # an hour after the first two there is room for those that waited
        assert len(stage.world.to("hook")) == 4

    play(story, catalog(guards=BUDGET), options=Options(jitter=float, signs=5.0))


def test_a_blocked_write_is_still_blocked_after_a_crash_and_then_goes() -> None:
    async def story(stage: Stage) -> None:
        acting = Acting(stage, 8.0)
        await together(stage, "one", "two", target="shared")
        await stage.pass_(1.0)
        await stage.restart()
        await stage.pass_(2.0)
        assert len(acting.order) == 1
        assert stage.disk.holds["target/svc/shared"].incident == 1
        await stage.pass_(60.0)
        assert [call.key for call in stage.world.to("hook")] == ["INC-1/1/1/1", "INC-1/1/1/1", "INC-2/1/1/1"]
        assert [stage.outcome(number) for number in (1, 2)] == ["done", "done"]
        assert stage.told(2, "waits") == ["target/svc/shared is held by INC-1.1"]

    play(story)
