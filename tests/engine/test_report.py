"""What the engine tells about itself: each thing once, after it is durable; and the vital signs every few seconds."""

import asyncio

import pytest

from paramedic.core.words import Mode, Outcome, Severity
from paramedic.engine.shell import Options
from paramedic.errors import UnknownOutcome
from paramedic.plugin import Reply
from tests.engine.stage import Call, Stage, play
from tests.engine.texts import catalog, element

SIGNS = Options(jitter=float, signs=5.0)


def test_a_treated_alert_is_told_part_by_part() -> None:
    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(1.0)
        told = stage.report.of
        assert told("guard_answered") == [("still_firing", "allow")]
        ((action, outcome, seconds),) = told("step_ended")
        assert (action, outcome) == ("http", "done")
        assert 0.0 <= seconds < 0.1
        assert told("run_ended") == [("act", Outcome.DONE)]
        assert told("paged") == [("sent",)]
        assert {one for incidents, _ in told("committed") for one in incidents} == {number}
        assert len(told("committed")) == len(stage.batches)

    play(story, catalog(guards="{still_firing: {}}"))


def test_what_failed_is_told_as_what_it_was() -> None:
    async def story(stage: Stage) -> None:
        async def answer(call: Call) -> Reply:
            if call.endpoint == "raw":
                raise UnknownOutcome("no answer")
            return Reply(404, {}, b"")

        stage.world.answer = answer
        await stage.fire("api")
        await stage.pass_(1.0)
        assert [outcome for _, outcome, _ in stage.report.of("step_ended")] == ["unknown"]
        assert {outcome for (outcome,) in stage.report.of("paged")} == {"failed"}
        assert stage.report.of("run_ended") == [("act", Outcome.UNKNOWN)]

    play(story, catalog("raw"))


def test_a_timer_tells_how_late_it_fired() -> None:
    async def story(stage: Stage) -> None:
        await stage.fire("api")
        await stage.pass_(1.0)
        stage.kill()
        await stage.pass_(1000.0)
        await stage.restart()
        await stage.pass_(1.0)
        (late,) = [late for (late,) in stage.report.of("timer_fired") if late > 60.0]
        assert late == pytest.approx(700.0, abs=1.0)

    play(story)


def test_vital_signs() -> None:
    async def story(stage: Stage) -> None:
        blocked = asyncio.Event()

        async def answer(call: Call) -> Reply:
            if call.endpoint == "hook":
                await blocked.wait()
            return Reply(200, {}, b"")

        stage.world.answer = answer
        await stage.deliver(element("one", severity="critical"))
        await stage.deliver(element("two", severity="warning"))
        await stage.deliver(element("two", severity="warning", instance="b"))
        await stage.engine.set_switch(Mode.SHADOW, who="alice", reason="", until=None)
        await stage.pass_(11.0)
        told = stage.report.of
        assert told("open_incidents")[-1] == ({Severity.P1: 1, Severity.P2: 1},)
        assert told("open_episodes")[-1] == (3,)
        assert told("unknown_outcomes")[-1] == (0,)
        assert told("mode")[-1] == (Mode.SHADOW,)
        waiting = {lane: (count, oldest) for lane, count, oldest in told("waiting")[-4:]}
        assert waiting["page"] == waiting["read"] == waiting["message"] == (0, 0.0)
        assert waiting["write"][0] == 1
        assert 9.0 < waiting["write"][1] < 11.0

        blocked.set()
        await stage.pass_(6.0)
        assert told("waiting")[-3] == ("write", 0, 0.0)

    options = Options(jitter=float, signs=5.0, slots={"read": 1, "write": 1, "page": 4})
    play(story, options=options)


def test_an_outcome_that_nobody_knows_is_counted_while_its_incident_is_open() -> None:
    async def story(stage: Stage) -> None:
        async def answer(call: Call) -> Reply:
            if call.endpoint == "raw":
                raise UnknownOutcome("no answer")
            return Reply(200, {}, b"")

        stage.world.answer = answer
        await stage.fire("api")
        await stage.pass_(6.0)
        assert stage.report.of("unknown_outcomes")[-1] == (1,)
        await stage.restart()
        await stage.pass_(6.0)
        assert stage.report.of("unknown_outcomes")[-1] == (1,)
        await stage.resolve("api")
        await stage.pass_(3600.0)
        assert stage.report.of("unknown_outcomes")[-1] == (0,)

    play(story, catalog("raw"), options=SIGNS)


def test_a_defect_is_counted_where_it_was_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.engine.test_parked import Defect, parked

    Defect(monkeypatch)

    async def story(stage: Stage) -> None:
        await parked(stage)
        assert stage.report.of("failed") == [("decide",)]

    play(story)
