"""The turn: what one batch holds, how batches overlap, and what happens to deliveries that come too fast.

Promise 1: a delivery answered is never lost. Promise 2: one episode opens once.
"""

import asyncio
from datetime import timedelta

import pytest

from paramedic.core.events import Acted
from paramedic.core.words import Mode
from paramedic.engine.holdings import decode
from paramedic.engine.inputs import Rejected
from paramedic.engine.shell import Options
from paramedic.engine.work import Work
from paramedic.errors import Temporary
from paramedic.record.timeline import decode_entries
from paramedic.rehearse.loop import START
from tests.engine.stage import Stage, delivery_of, play
from tests.engine.texts import body, catalog, element


def test_an_alert_is_journalled_decided_and_acted_on_and_each_step_is_one_commit() -> None:
    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(1.0)

        first, *others = stage.batches
        assert [row.routed for row in first.deliveries] == [True]
        assert [row.id for row in first.incidents] == [number]
        assert len(first.events) == 4  # opened, seen, and the answers of guards and plan in the same batch
        assert first.episodes
        (told,) = first.timeline  # what was decided at one moment is one row, hashed and sent once
        assert [entry.kind for entry in decode_entries(told.body)] == ["incident", "alert", "guards", "plan", "page"]
        assert told.at == first.events[0].at
        assert {row.lane for row in first.effects} == {"write", "page"}
        assert first.timers
        (write,), (page,) = ([row for row in first.effects if row.lane == lane] for lane in ("write", "page"))
        assert write.intended  # there was a slot and nothing stood against it: the write leaves with this commit
        assert [row.scope for row in first.holds] == ["target/svc/api"]
        assert not page.intended  # it leaves with the next commit, which names it
        assert [(n, effect) for n, effect, _ in others[0].intents] == [(number, page.n)]
        assert [call.path for call in stage.world.to("hook")] == ["/act?job=api"]
        assert stage.world.to("hook")[0].key == f"INC-{number}/1/1/1"
        assert stage.outcome(number) == "done"
        assert not stage.disk.effects
        assert not stage.disk.holds

    play(story)


def test_what_happens_at_different_moments_stands_in_different_rows() -> None:
    """Also within one batch: each entry is shown under the moment at which it was decided (promise 8)."""

    async def story(stage: Stage) -> None:
        number, later = await stage.fire("api"), stage.clock.now() + timedelta(seconds=5)
        holdings = stage.engine._shell.holdings  # type: ignore[union-attr]
        work = Work(holdings, lambda hash_: stage.bundles[hash_], stage.report, stage.clock.now(), Mode.AUTO)
        work.fold(number, Acted(stage.clock.now(), Mode.AUTO, "alice", "note", text="first"))
        work.fold(number, Acted(later, Mode.AUTO, "alice", "note", text="second"))
        work.fold(number, Acted(later, Mode.AUTO, "alice", "note", text="third"))
        work.close()

        told = [[entry.text for entry in decode_entries(row.body)] for row in work.batch.timeline]
        assert told == [["first"], ["second", "third"]]
        assert [row.at for row in work.batch.timeline] == [stage.clock.now(), later]
        assert work.batch.timeline[1].seq == work.batch.timeline[0].seq + 1

    play(story, verified=False)


def test_a_delivery_is_answered_only_after_its_commit() -> None:
    async def story(stage: Stage) -> None:
        stage.store.gate = asyncio.Event()
        waiting = asyncio.create_task(stage.deliver(element("api")))
        await stage.pass_(1.0)
        assert not waiting.done()
        assert not stage.disk.deliveries

        stage.store.gate.set()
        assert await waiting in stage.disk.deliveries

    play(story)


def test_everything_that_waits_goes_into_one_commit_at_most_256_inputs() -> None:
    async def story(stage: Stage) -> None:
        stage.store.gate = asyncio.Event()
        first = asyncio.create_task(stage.deliver(element("first")))
        await stage.pass_(0.01)
        others = [asyncio.create_task(stage.deliver(element(f"job-{n}"))) for n in range(300)]
        await stage.pass_(0.01)  # one batch is built while the first is in flight
        stage.store.gate.set()
        await asyncio.gather(first, *others)

        sizes = [len(batch.deliveries) for batch in stage.batches if batch.deliveries]
        assert sizes[0] == 1
        assert max(sizes) == 256
        assert sum(sizes) == 301

    play(story, catalog(rule="mode: off"), options=Options(jitter=float, late=60.0, rush=1000))


def test_a_commit_is_in_flight_while_the_next_batch_is_built() -> None:
    """The second delivery is folded before the first one's commit is back: its commit follows at once."""

    async def story(stage: Stage) -> None:
        stage.store.latency = 1.0
        began = stage.clock.monotonic()
        one = asyncio.create_task(stage.deliver(element("one")))
        await stage.clock.sleep(0.5)
        two = asyncio.create_task(stage.deliver(element("two")))
        await asyncio.gather(one, two)
        assert stage.clock.monotonic() - began == pytest.approx(2.0)

    play(story, options=Options(jitter=float, late=60.0, patience=10.0))


@pytest.mark.parametrize("gap", [0.0, 0.001, 0.003])
def test_twins_in_consecutive_batches_open_one_episode(gap: float) -> None:
    """Promise 2: the read of the second batch comes before the first one's commit, which is laid over it."""

    async def story(stage: Stage) -> None:
        one = asyncio.create_task(stage.deliver(element("api")))
        await stage.clock.sleep(gap)
        await asyncio.gather(one, stage.deliver(element("api")), stage.deliver(element("api")))
        await stage.pass_(5.0)

        (incident,) = stage.disk.incidents
        assert stage.incident(incident).firing.total == 1
        assert len(stage.world.to("hook")) == 1
        assert len(stage.disk.deliveries) == 3

    play(story)


def test_a_resolve_behind_its_alert_in_flight_closes_its_episode() -> None:
    async def story(stage: Stage) -> None:
        one = asyncio.create_task(stage.deliver(element("api")))
        await stage.clock.sleep(0.001)
        await asyncio.gather(one, stage.resolve("api"))
        await stage.pass_(5.0)
        assert stage.incident(1).phase == "resolved"
        assert not stage.disk.live

    play(story)


def test_a_late_delivery_is_journalled_alone_answered_and_routed_once() -> None:
    async def story(stage: Stage) -> None:
        stage.store.latency = 0.2
        waiting = [asyncio.create_task(stage.deliver(element(f"job-{n}"))) for n in range(40)]
        await asyncio.gather(*waiting)
        journalled = [row.id for batch in stage.batches for row in batch.deliveries if not row.routed]
        assert journalled
        await stage.pass_(20.0)

        marked = [number for batch in stage.batches for number in batch.routed]
        assert sorted(marked) == sorted(journalled)
        assert not stage.disk.todo
        assert len(stage.disk.incidents) == len(stage.world.to("hook")) == 40

    play(story, options=Options(jitter=float, batch=4))


def test_beyond_its_bound_the_backlog_is_refused_at_once() -> None:
    async def story(stage: Stage) -> None:
        stage.store.gate = asyncio.Event()
        waiting = [asyncio.create_task(stage.deliver(element("first")))]
        await stage.pass_(0.01)
        waiting += [asyncio.create_task(stage.deliver(element("second")))]
        await stage.pass_(0.01)  # built, and waits for the commit in flight
        waiting += [asyncio.create_task(stage.deliver(element(f"job-{n}"))) for n in range(5)]
        await stage.loop.rest()
        assert stage.engine.backlog == 5

        with pytest.raises(Temporary, match="5 deliveries wait already") as refused:
            await stage.deliver(element("one-too-many"))
        assert refused.value.delay == 2.0
        stage.store.gate.set()
        await asyncio.gather(*waiting)
        assert len(stage.disk.deliveries) == 7

    play(story, options=Options(jitter=float, backlog=5))


def test_a_commit_of_two_seconds_is_answered_temporary_and_kept_all_the_same() -> None:
    async def story(stage: Stage) -> None:
        stage.store.latency = 3.0
        with pytest.raises(Temporary, match="the store is slow"):
            await stage.deliver(element("api"))
        assert stage.clock.monotonic() < 2.5
        await stage.pass_(10.0)
        stage.store.latency = 0.01
        await stage.deliver(element("api"))  # Alertmanager sends it again
        assert len(stage.disk.deliveries) == 2
        assert len(stage.disk.incidents) == 1

    play(story, options=Options(jitter=float, patience=2.0, late=60.0))


def test_a_bad_body_and_bad_elements_are_kept_with_their_reason() -> None:
    async def story(stage: Stage) -> None:
        await stage.engine.reject("default", "not JSON", b"{")
        delivery = delivery_of(body(element("api"), {"status": "firing"}))
        await stage.engine.deliver(delivery)

        kept = [(row.reason, row.body) for row in stage.disk.rejected.values()]
        assert kept[0] == ("not JSON", b"{")
        assert [Rejected(*row) for row in kept[1:]] == list(delivery.rejected)
        assert len(stage.disk.incidents) == 1

    play(story)


def test_nothing_to_do_is_no_commit() -> None:
    async def story(stage: Stage) -> None:
        await stage.pass_(3600.0)
        assert stage.batches == []

    play(story, options=Options(jitter=float))


def test_alerts_that_no_rule_wants_are_kept_and_open_nothing() -> None:
    async def story(stage: Stage) -> None:
        await stage.deliver(element("api", alertname="Other"))
        assert not stage.disk.incidents
        assert len(stage.disk.deliveries) == 1
        assert [one.incident for one in stage.disk.episodes.values()] == [None]

    play(story)


def test_a_delivery_that_cannot_be_routed_is_kept_and_the_rest_of_the_batch_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from paramedic.core.routing import route as real

    broken = {"on": True}

    def route(alerts, *rest):  # type: ignore[no-untyped-def]
        if broken["on"] and any(alert.labels["job"] == "poison" for alert in alerts):
            raise ZeroDivisionError("a defect")
        return real(alerts, *rest)

    monkeypatch.setattr("paramedic.engine.folds.route", route)

    async def story(stage: Stage) -> None:
        poison, good = await asyncio.gather(stage.deliver(element("poison")), stage.deliver(element("good")))
        assert list(stage.disk.todo) == [poison]
        assert good in stage.disk.deliveries
        assert [row.title for row in stage.disk.incidents.values()] == ["Down good"]

        broken["on"] = False
        await stage.restart()
        await stage.pass_(1.0)
        assert not stage.disk.todo
        assert len(stage.world.to("hook")) == 2

    play(story)


def test_an_incident_that_cannot_be_opened_leaves_its_delivery_to_be_routed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from paramedic.core.decide import decide as real
    from paramedic.core.events import Opened

    broken = {"on": True}

    def decide(incident, event, bundle):  # type: ignore[no-untyped-def]
        if broken["on"] and isinstance(event, Opened) and "poison" in event.title:
            raise ZeroDivisionError("a defect")
        return real(incident, event, bundle)

    monkeypatch.setattr("paramedic.engine.work.decide", decide)

    async def story(stage: Stage) -> None:
        delivery = await stage.deliver(element("poison"), element("good"))
        await stage.pass_(1.0)
        assert list(stage.disk.todo) == [delivery]
        assert [call.path for call in stage.world.to("hook")] == ["/act?job=good"]
        assert stage.engine.live

        broken["on"] = False
        await stage.restart()
        await stage.pass_(1.0)
        assert not stage.disk.todo
        assert sorted(call.path for call in stage.world.to("hook")) == ["/act?job=good", "/act?job=poison"]

    play(story)


def test_times_in_events_are_the_moment_of_the_fold() -> None:
    async def story(stage: Stage) -> None:
        await stage.pass_(10.0)
        number = await stage.fire("api")
        assert (stage.incident(number).opened_at - START).total_seconds() == pytest.approx(10.0, abs=0.01)

    play(story)


def test_what_memory_has_of_an_incident_is_what_its_stored_state_says() -> None:
    """It is not read again from what was just written, so it had better be the same."""

    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        assert stage.engine._shell is not None
        holdings = stage.engine._shell.holdings
        for seconds in (0.0, 1.0, 301.0):
            await stage.pass_(seconds)
            assert holdings.incident(number) == decode(holdings.incidents[number].state)

    play(story)


def test_timers_are_taken_even_one_input_at_a_time() -> None:
    """Promise 6."""

    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(301.0)
        assert stage.incident(number).paging.level == 2

    play(story, catalog(rule="mode: off"), options=Options(jitter=float, signs=3600.0, look=3600.0, batch=1))
