"""An incident that this version cannot decide is parked and paged; the others go on, and nothing of it is lost."""

from typing import Any

import pytest

from paramedic.core.decide import decide as decide_
from paramedic.core.events import Acted, AlertsSeen, Parked
from tests.engine.stage import Stage, play
from tests.engine.texts import catalog, element


class Defect:
    """Makes `decide` raise for an incident, while it is on. `for_parked`: also for being parked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, note: str = "boom", for_parked: bool = False) -> None:
        self.on = True

        def decide(incident: Any, event: Any, bundle: Any) -> Any:
            fatal = (isinstance(event, Acted) and event.text == note) or (isinstance(event, Parked) and for_parked)
            if self.on and fatal:
                raise ZeroDivisionError("a defect of decide")
            return decide_(incident, event, bundle)

        monkeypatch.setattr("paramedic.engine.work.decide", decide)


async def parked(stage: Stage) -> int:
    """An incident whose note could not be decided."""
    number = await stage.fire("api")
    await stage.pass_(1.0)
    answer = await stage.act(number, "note", text="boom")
    assert "kept until this incident can be decided again" in answer
    return number


def test_it_is_parked_and_paged_and_keeps_what_happens_while_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    Defect(monkeypatch)

    async def story(stage: Stage) -> None:
        number = await parked(stage)
        await stage.pass_(1.0)
        assert "a defect of decide" in stage.incident(number).parked
        assert "a defect of Paramedic" in stage.world.pages()[-1].body["text"]

        before = stage.entries(number)
        await stage.resolve("api")
        await stage.act(number, "ack")
        await stage.pass_(600.0)
        assert stage.entries(number) == before
        kept = [row for row in stage.disk.events[number].values() if not row.done]
        assert len(kept) >= 3
        assert all(row.seq < 0 for row in kept)

        other = await stage.fire("other")
        await stage.pass_(1.0)
        assert stage.outcome(other) == "done"

    play(story)


def test_a_version_that_can_decide_takes_it_up_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    defect = Defect(monkeypatch)

    async def story(stage: Stage) -> None:
        number = await parked(stage)
        await stage.resolve("api")
        assert stage.incident(number).firing.open == 1

        defect.on = False
        await stage.restart()
        await stage.pass_(1.0)
        incident = stage.incident(number)
        assert incident.parked == ""
        assert incident.phase == "resolved"
        assert stage.told(number, "note") == ["boom"]
        assert stage.told(number, "parked")[-1] == "this version can decide again"
        assert not stage.disk.inbox

    play(story)


def test_if_it_raises_again_it_is_kept_again_and_all_behind_it_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    defect = Defect(monkeypatch)

    async def story(stage: Stage) -> None:
        number = await parked(stage)
        await stage.act(number, "note", text="second")
        await stage.act(number, "note", text="third")
        for _ in range(2):
            await stage.restart()
            await stage.pass_(1.0)
            assert stage.incident(number).parked
            assert str(stage.disk.inbox).count("acted") == 3
            assert stage.engine.live

        defect.on = False
        await stage.restart()
        await stage.pass_(1.0)
        assert stage.told(number, "note") == ["boom", "second", "third"]

    play(story)


def test_what_cannot_even_be_parked_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    defect = Defect(monkeypatch, for_parked=True)

    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.act(number, "note", text="boom")
        other = await stage.fire("other")
        await stage.pass_(1.0)
        assert stage.outcome(other) == "done"
        assert stage.engine.live

        defect.on = False
        await stage.restart()
        await stage.pass_(1.0)
        assert stage.told(number, "note") == ["boom"]
        assert stage.outcome(number) == "done"

    play(story)


def test_closing_a_parked_incident_closes_it_once_it_can_be_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    defect = Defect(monkeypatch)

    async def story(stage: Stage) -> None:
        number = await parked(stage)
        assert "kept until" in await stage.act(number, "close", who="bob")
        assert not stage.disk.live

        defect.on = False
        await stage.restart()
        await stage.pass_(1.0)
        assert stage.incident(number).phase == "resolved"
        assert stage.incident(number).fixed_by == "closed by hand"

    play(story)


def test_an_answer_for_a_parked_incident_is_kept_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The write of its run comes back while it is parked: after the restart that counts, and nothing is sent again."""
    defect = Defect(monkeypatch)

    async def story(stage: Stage) -> None:
        from tests.engine.test_doubt import slow

        stage.world.answer = slow(stage, 2.0, "raw")
        number = await stage.fire("api")
        await stage.pass_(0.5)
        await stage.act(number, "note", text="boom")
        await stage.pass_(5.0)
        assert stage.incident(number).run is not None

        defect.on = False
        await stage.restart()
        await stage.pass_(60.0)
        assert stage.outcome(number) == "done"
        assert len(stage.world.to("raw")) == 1
        assert not stage.told(number, "unknown")

    play(story, catalog("raw"))


def test_an_event_for_an_incident_that_is_over_harms_nobody() -> None:
    """A share of a delivery never meets one, whatever came before it in the batch; a direct fold would."""

    async def story(stage: Stage) -> None:
        from datetime import UTC, datetime

        from paramedic.core.words import Mode
        from paramedic.engine.holdings import Holdings
        from paramedic.engine.work import Work

        one = Work(Holdings(), lambda hash_: stage.bundles[hash_], stage.report, stage.clock.now(), Mode.AUTO)
        assert one.fold(77, AlertsSeen(datetime(2026, 1, 1, tzinfo=UTC), Mode.AUTO, "delivery", closed=1)) == ()
        assert one.empty
        await stage.deliver(element("api"))

    play(story)
