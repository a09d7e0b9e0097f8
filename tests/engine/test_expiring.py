"""A change for a time, on a cluster: taken back once, whatever dies meanwhile, and never over another change."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from paramedic.cluster.resources import Place
from paramedic.core.words import Mode
from paramedic.errors import UnknownOutcome
from tests.cluster.held import HeldCluster
from tests.engine.growing import API, HPA, api, edit, growing, rules, shop
from tests.engine.stage import Stage, play

Tale = Callable[[Stage, HeldCluster, int], Awaitable[None]]
LASTS = 600


def tell(tale: Tale, *, mode: str = "auto") -> None:
    """Api was grown for ten minutes, and the alert has cleared; at the end nothing is held or waits."""
    cluster = shop()

    async def story(stage: Stage) -> None:
        number = await stage.fire("api", target=API)
        await stage.pass_(5.0)
        assert (stage.outcome(number), api(cluster)["replicas"]) == ("done", 6)
        await stage.resolve("api", target=API)
        await stage.pass_(5.0)
        await tale(stage, cluster, number)
        assert not stage.disk.holds
        assert not stage.disk.effects

    play(story, rules(mode, lasts=LASTS), used=growing(), kube=cluster)


async def freeze(stage: Stage, mode: Mode = Mode.FREEZE) -> None:
    await stage.engine.set_switch(mode, who="alice", reason="test", until=None)


def test_it_is_taken_back_when_its_time_is_over_and_then_the_incident_closes() -> None:
    async def tale(stage: Stage, cluster: HeldCluster, number: int) -> None:
        await stage.pass_(LASTS - 20.0)
        assert (api(cluster)["replicas"], stage.incident(number).open) == (6, True)
        await stage.pass_(20.0)

        assert (api(cluster)["replicas"], api(cluster)["run"]) == (3, f"INC-{number}/1/1/1/expire")
        assert stage.incident(number).past[-1].reason == "its time was over; taken back: 3 replicas"
        await stage.pass_(900.0)
        assert not stage.incident(number).open
        assert len(stage.world.pages()) == 1

    tell(tale)


@pytest.mark.parametrize("mode", [Mode.OFF, Mode.SHADOW, Mode.APPROVE])
def test_it_goes_on_in_every_mode_but_freeze(mode: Mode) -> None:
    async def tale(stage: Stage, cluster: HeldCluster, number: int) -> None:
        await freeze(stage, mode)
        await stage.pass_(LASTS + 10.0)
        assert api(cluster)["replicas"] == 3

    tell(tale)


def test_in_freeze_it_stays_a_person_is_paged_and_it_is_taken_back_afterwards() -> None:
    async def tale(stage: Stage, cluster: HeldCluster, number: int) -> None:
        await freeze(stage)
        before = len(stage.world.pages())
        await stage.pass_(LASTS + 600.0)
        assert api(cluster)["replicas"] == 6
        (page,) = stage.world.pages()[before:]
        assert "a temporary change is still there: deployment/api.shop from 3 to 6" in page.body["text"]

        await freeze(stage, Mode.AUTO)
        await stage.pass_(70.0)
        assert api(cluster)["replicas"] == 3
        assert stage.world.pages("resolve")[-1].body["dedup_key"] == page.body["dedup_key"]

    tell(tale)


def test_a_switch_thrown_between_intent_and_write_stops_it_too() -> None:
    async def tale(stage: Stage, cluster: HeldCluster, number: int) -> None:
        performer = stage.engine._performer
        real = performer._apply

        async def apply(*args):  # type: ignore[no-untyped-def]
            await freeze(stage)
            return await real(*args)

        performer._apply = apply  # type: ignore[method-assign]
        await stage.pass_(LASTS + 30.0)
        assert api(cluster)["replicas"] == 6
        assert stage.incident(number).past[-1].outcome == "refused"
        assert "the switch is at freeze" in stage.world.pages()[-1].body["text"]
        assert len(stage.incident(number).temporaries) == 1

    tell(tale)


def test_an_alert_that_comes_back_between_intent_and_write_stops_it() -> None:
    """What was to be taken back may be what helped (promise 5)."""

    async def tale(stage: Stage, cluster: HeldCluster, number: int) -> None:
        performer = stage.engine._performer
        real = performer._apply

        async def apply(*args):  # type: ignore[no-untyped-def]
            performer._apply = real  # type: ignore[method-assign]
            await stage.fire("api", target=API)
            return await real(*args)

        performer._apply = apply  # type: ignore[method-assign]
        await stage.pass_(LASTS + 10.0)
        assert api(cluster)["replicas"] == 6
        expired = next(one for one in stage.incident(number).past if one.purpose == "expire")
        assert (expired.outcome, expired.reason) == ("refused", "the alert fires again")
        assert len(stage.incident(number).temporaries) == 1
        assert not any("still there" in page.body["text"] for page in stage.world.pages())

    tell(tale)


def test_an_alert_that_comes_back_keeps_it() -> None:
    async def tale(stage: Stage, cluster: HeldCluster, number: int) -> None:
        await stage.pass_(LASTS - 60.0)
        await stage.fire("api", target=API)
        await stage.pass_(300.0)
        assert api(cluster)["replicas"] == 6
        await stage.resolve("api", target=API)
        await stage.pass_(110.0)
        assert api(cluster)["replicas"] == 6
        await stage.pass_(20.0)
        assert api(cluster)["replicas"] == 3

    tell(tale)


def test_what_somebody_changed_since_is_left_alone_and_nobody_is_woken() -> None:
    async def tale(stage: Stage, cluster: HeldCluster, number: int) -> None:
        edit(cluster, replicas=5)
        await stage.pass_(LASTS + 10.0)
        assert api(cluster)["replicas"] == 5
        past = stage.incident(number).past[-1]
        assert past.reason == "somebody changed it since, so it is left as it is: replicas is 5, not 6"
        assert len(stage.world.pages()) == 1

    tell(tale)


def test_it_waits_for_whoever_holds_the_target() -> None:
    """Promise 4, also for what is taken back."""

    async def tale(stage: Stage, cluster: HeldCluster, number: int) -> None:
        async def slowly(call: str, place: Place) -> None:
            if call == "patch":
                await stage.clock.sleep(5.0)

        cluster.before = slowly
        await stage.pass_(LASTS - 12.0)
        edit(cluster, replicas=7)
        other = await stage.fire("other", target=HPA)
        await stage.pass_(5.0)
        assert stage.told(number, "waits") == [f"target/{API} is held by INC-{other}.1"]
        assert (stage.outcome(other), len(cluster.of("patch"))) == ("-", 2)

        await stage.pass_(10.0)
        assert stage.outcome(other) == "done"
        assert (stage.incident(number).past[-1].purpose, stage.outcome(number)) == ("expire", "done")

    tell(tale)


def test_what_a_person_keeps_while_it_waits_for_the_target_is_not_taken_back_when_that_is_free() -> None:
    async def tale(stage: Stage, cluster: HeldCluster, number: int) -> None:
        async def slowly(call: str, place: Place) -> None:
            if call == "patch":
                await stage.clock.sleep(5.0)

        cluster.before = slowly
        await stage.pass_(LASTS - 12.0)
        edit(cluster, replicas=7)
        other = await stage.fire("other", target=HPA)
        await stage.pass_(5.0)
        assert stage.told(number, "waits") == [f"target/{API} is held by INC-{other}.1"]
        before = len(cluster.of("patch"))
        await stage.act(number, "cancel", run=2)
        await stage.pass_(30.0)

        assert (stage.outcome(number), stage.outcome(other)) == ("cancelled", "done")
        assert stage.told(number, "expire")[-1] == "not written: the run was stopped: cancelled by alice"
        assert len(cluster.of("patch")) == before
        assert stage.incident(number).temporaries == ()

    tell(tale)


@pytest.mark.parametrize("down", [0.1, 60.0])
@pytest.mark.parametrize("commit", range(1, 5))
def test_killed_after_any_commit_it_is_taken_back_once(commit: int, down: float) -> None:
    async def tale(stage: Stage, cluster: HeldCluster, number: int) -> None:
        first = len(stage.batches)
        stage.store.on_commit = lambda count: stage.kill() if count == first + commit else None
        await stage.pass_(LASTS + 10.0)
        await stage.clock.sleep(down)
        await stage.restart()
        await stage.pass_(120.0)

        assert (api(cluster)["replicas"], api(cluster)["run"]) == (3, f"INC-{number}/1/1/1/expire")
        assert api(cluster)["metadata"]["generation"] == 3
        assert not stage.incident(number).temporaries

    tell(tale)


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_around_the_write_it_is_taken_back_once(when: str) -> None:
    async def tale(stage: Stage, cluster: HeldCluster, number: int) -> None:
        async def dies(call: str, place: Place) -> None:
            if call == "patch":
                setattr(cluster, when, calm)
                stage.kill()
                await asyncio.Event().wait()

        calm = cluster.before
        setattr(cluster, when, dies)
        await stage.pass_(LASTS + 10.0)
        await stage.restart()
        await stage.pass_(60.0)

        assert (api(cluster)["replicas"], api(cluster)["metadata"]["generation"]) == (3, 3)
        assert stage.incident(number).past[-1].outcome == "done"
        assert len(stage.told(number, "observe")) == 1

    tell(tale)


def test_an_answer_that_is_lost_is_looked_for() -> None:
    async def tale(stage: Stage, cluster: HeldCluster, number: int) -> None:
        async def lost(call: str, place: Place) -> None:
            raise UnknownOutcome("the connection was reset")

        cluster.after = lost
        await stage.pass_(LASTS + 30.0)

        assert (api(cluster)["replicas"], api(cluster)["metadata"]["generation"]) == (3, 3)
        assert stage.incident(number).past[-1].outcome == "done"

    tell(tale)
