"""Slots and lanes: what leaves when, in which order, and what is answered in the batch itself.

Promise 7: a page is not held up by anything else that is under way.
"""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from paramedic.core.model import Verdict
from paramedic.core.words import Answer
from paramedic.engine.shell import Options
from paramedic.guards.when import When
from paramedic.plugin import Plugins, Reply, Seen, Tools
from tests.engine.stage import Call, Stage, play
from tests.engine.texts import catalog, element, plugins

CHECKED = 'verify: [{http: {endpoint: hook, path: "/up?job=${params.job}", within: 60s, every: 5s}}]'


class Held:
    """An endpoint whose answers wait until they are let go."""

    def __init__(self, stage: Stage, endpoint: str = "hook") -> None:
        self.open = asyncio.Event()
        self.inside = self.most = 0
        self._endpoint = endpoint
        stage.world.answer = self.answer

    async def answer(self, call: Call) -> Reply:
        if call.endpoint == self._endpoint:
            self.inside += 1
            self.most = max(self.most, self.inside)
            await self.open.wait()
            self.inside -= 1
        return Reply(200, {}, b"")


def options(**slots: int) -> Options:
    return Options(jitter=float, signs=3600.0, slots={"read": 64, "write": 256, "page": 16, **slots})


def test_slots_bound_the_writes_under_way_and_intents_are_committed_for_free_slots_only() -> None:
    async def story(stage: Stage) -> None:
        held = Held(stage)
        await asyncio.gather(*(stage.deliver(element(f"job-{n}")) for n in range(10)))
        await stage.pass_(5.0)
        assert held.inside == 3
        writes = [row for row in stage.disk.effects.values() if row.lane == "write"]
        assert sorted(row.intended for row in writes) == [False] * 7 + [True] * 3
        assert len(stage.disk.holds) == 3

        held.open.set()
        await stage.pass_(5.0)
        assert held.most == 3
        assert [stage.outcome(number) for number in stage.disk.incidents] == ["done"] * 10

    play(story, options=options(write=3))


def test_an_intent_says_until_when_its_call_may_be_under_way() -> None:
    async def story(stage: Stage) -> None:
        Held(stage)
        await stage.fire("api")
        await stage.pass_(0.1)
        (write,) = [row for row in stage.disk.effects.values() if row.lane == "write"]
        assert write.until is not None
        (born,) = [row for batch in stage.batches for row in batch.effects if row.n == write.n]
        assert born.intended
        assert born.until == write.until
        assert 14.0 < (write.until - stage.clock.now()).total_seconds() < 16.0  # its own ten seconds, and five

    play(story)


def test_pages_have_slots_of_their_own() -> None:
    async def story(stage: Stage) -> None:
        held = Held(stage)
        await asyncio.gather(*(stage.deliver(element(f"job-{n}")) for n in range(4)))
        await stage.pass_(10.0)
        assert held.inside == 1
        assert len(stage.world.pages()) == 4

    play(story, options=options(write=1, page=1, read=1))


def test_pages_of_one_incident_to_one_person_keep_their_order() -> None:
    """The trigger is under way when the alert resolves: its resolve waits for it."""

    async def story(stage: Stage) -> None:
        held = Held(stage, "pager")
        number = await stage.fire("api")
        await stage.pass_(1.0)
        assert [call.body["verb"] for call in stage.world.to("pager")] == ["trigger"]
        await stage.resolve("api")
        await stage.pass_(5.0)
        assert [call.body["verb"] for call in stage.world.to("pager")] == ["trigger"]
        held.open.set()
        await stage.pass_(5.0)
        assert [call.body["verb"] for call in stage.world.to("pager")] == ["trigger", "resolve"]
        assert stage.incident(number).phase == "resolved"

    play(story)


@pytest.mark.parametrize("over", ["resolved", "acknowledged"])
def test_a_trigger_that_nobody_needs_any_more_does_not_leave(over: str) -> None:
    async def story(stage: Stage) -> None:
        held = Held(stage, "pager")
        await stage.fire("first")  # its page keeps the only slot
        await stage.pass_(1.0)
        second = await stage.fire("second")
        await stage.pass_(1.0)
        if over == "resolved":
            await stage.resolve("second")
        else:
            await stage.act(second, "ack")
        held.open.set()
        await stage.pass_(10.0)
        assert [call.body["incident"] for call in stage.world.pages()] == ["INC-1"]
        assert f"{over} before it was sent" in " ".join(stage.told(second, "page"))
        assert all(call.body["incident"] == "INC-1" for call in stage.world.to("pager"))

    play(story, options=options(page=1))


def test_reads_need_no_intent_and_are_asked_again_after_a_crash() -> None:
    async def story(stage: Stage) -> None:
        held = Held(stage)
        number = await stage.fire("api")
        held.open.set()
        await stage.pass_(0.1)
        held.open.clear()
        await stage.pass_(6.0)
        (read,) = stage.disk.effects.values()
        assert (read.lane, read.intended) == ("read", False)

        held.open.set()
        await stage.restart()
        await stage.pass_(1.0)
        assert stage.outcome(number) == "fixed"

    async def failing_first(stage: Stage) -> None:
        answers = iter([503])

        async def answer(call: Call) -> Reply:
            return Reply(next(answers, 200) if call.method == "GET" else 200, {}, b"")

        stage.world.answer = answer
        number = await stage.fire("api")
        await stage.pass_(7.0)
        assert stage.outcome(number) == "fixed"
        assert [call.method for call in stage.world.to("hook")] == ["POST", "GET", "GET"]

    play(failing_first, catalog(verify=CHECKED))


def waiting_guard() -> Plugins:
    """The plug-ins, with a guard that says that it reads nothing, and waits all the same."""

    async def judge(self: Any, params: Any, seen: Seen, tools: Tools) -> Verdict:
        await asyncio.Event().wait()
        return Verdict("when", Answer.ALLOW, "")

    guard = type("Waiting", (When,), {"judge": judge})()
    return replace(plugins(), guards={**plugins().guards, "when": guard})


def test_a_plug_in_that_reads_nothing_and_waits_is_reported_and_does_not_stop_the_turn() -> None:
    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(1.0)
        assert stage.outcome(number) == "refused"
        assert "its plug-in waits, although it says that it reads nothing" in stage.incident(number).past[0].reason
        assert not stage.world.to("hook")

    play(story, catalog(guards='{when: "true"}'), used=waiting_guard())


@pytest.mark.parametrize(
    ("error", "reason"),
    [(ZeroDivisionError("odd"), "ZeroDivisionError: odd"), (TimeoutError(), "no answer within its time")],
)
def test_a_defect_in_a_write_is_an_unknown_outcome(error: Exception, reason: str) -> None:
    async def story(stage: Stage) -> None:
        async def answer(call: Call) -> Reply:
            if call.endpoint == "raw":
                raise error
            return Reply(200, {}, b"")

        stage.world.answer = answer
        number = await stage.fire("api")
        await stage.pass_(5.0)
        assert stage.outcome(number) == "unknown"
        assert reason in stage.incident(number).past[0].reason
        assert len(stage.world.to("raw")) == 1

    play(story, catalog("raw"))


def test_a_page_that_fails_is_tried_again_under_its_key() -> None:
    async def story(stage: Stage) -> None:
        async def answer(call: Call) -> Reply:
            pages = len(stage.world.to("pager"))
            return Reply(503 if call.endpoint == "pager" and pages < 3 else 200, {}, b"")

        stage.world.answer = answer
        await stage.fire("api")
        await stage.pass_(60.0)
        assert [call.key for call in stage.world.pages()] == ["INC-1/1/1/trigger"] * 3

    play(story)
