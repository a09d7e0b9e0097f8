"""Runs on a cluster: one name for a target, planned anew when it changed, written once, asked before each write.

Promises 2 to 5, with an action that compares and a cluster that holds objects.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from paramedic.cluster.resources import Place
from paramedic.core.words import Mode
from paramedic.errors import Refused, Temporary, UnknownOutcome
from tests.cluster.held import HeldCluster
from tests.engine.growing import API, HPA, POD, api, edit, growing, rules, shop
from tests.engine.stage import Stage, play

Tale = Callable[[Stage, HeldCluster], Awaitable[None]]


def tell(tale: Tale, text: str = "", cluster: HeldCluster | None = None) -> None:
    """A story on a cluster, at whose end nothing is held or waits."""
    held = cluster or shop()

    async def story(stage: Stage) -> None:
        await tale(stage, held)
        assert not stage.disk.holds
        assert not stage.disk.effects

    play(story, text or rules(), used=growing(), kube=held)


def writes(cluster: HeldCluster) -> list[str]:
    return [str(place) for place in cluster.of("patch")]


def test_what_an_alert_calls_by_its_pod_is_treated_as_its_deployment() -> None:
    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        number = await stage.fire("api", target=POD)
        await stage.pass_(5.0)

        assert (stage.outcome(number), api(cluster)["replicas"]) == ("done", 6)
        assert api(cluster)["run"] == f"INC-{number}/1/1/1"
        past = stage.incident(number).past[0]
        assert (past.target, past.named) == (API, POD)
        assert stage.told(number, "target") == [f"{POD} is {API}"]

    tell(tale)


def test_two_incidents_meet_on_one_target_whatever_they_call_it() -> None:
    """Promise 4: the second waits for what the first holds, and then finds nothing to do."""

    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        async def slowly(call: str, place: Place) -> None:
            if call == "patch":
                await stage.clock.sleep(3.0)

        cluster.before = slowly
        first = await stage.fire("one", target=POD)
        await stage.pass_(0.5)
        assert list(stage.disk.holds) == [f"target/{API}"]
        second = await stage.fire("two", target=HPA)
        await stage.pass_(1.0)
        assert stage.told(second, "waits") == [f"target/{API} is held by INC-{first}.1"]
        await stage.pass_(20.0)
        assert (stage.outcome(first), stage.outcome(second)) == ("done", "done")
        assert [stage.incident(number).past[0].target for number in (first, second)] == [API, API]
        assert api(cluster)["replicas"] == 6

    tell(tale)


def test_a_second_name_in_one_incident_starts_no_second_run() -> None:
    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        number = await stage.fire("api", target=POD)
        await stage.pass_(1.0)
        await stage.fire("api", target=HPA)
        await stage.pass_(5.0)

        reasons = [one.reason for one in stage.incident(number).past]
        assert reasons[1:] == [f"the same target as INC-{number}.1"]
        assert len(writes(cluster)) == 1

    tell(tale)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("main/shop/../deployment/api", "target: 'main/shop/../deployment/api' is not CLUSTER/NAMESPACE/KIND/NAME"),
        ("main/shop/deployment/..", "target: '..' is not the name of an object"),
        ("main/\u0455hop/deployment/api", r"target: the namespace '\u0455hop' is not a name"),
        ("main/shop/secret/api", 'target: there is no kind "secret"'),
        ("other/shop/deployment/api", "target: there is no cluster 'other'; known: main"),
        ("main/shop/deployment/web", "target: there is no deployment/web.shop on main"),
        ("api", "target: 'api' is not CLUSTER/NAMESPACE/KIND/NAME"),
    ],
)
def test_what_is_no_target_is_refused_with_the_field_and_people_are_told(target: str, reason: str) -> None:
    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        number = await stage.fire("api", target=target)
        await stage.pass_(5.0)

        past = stage.incident(number).past[0]
        assert past.outcome == "refused"
        assert past.reason.startswith(reason)
        assert f"not treated: {reason}" in stage.world.pages()[0].body["text"]
        assert writes(cluster) == []

    tell(tale)


def test_a_cluster_that_is_away_for_a_moment_is_asked_again() -> None:
    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        async def away(call: str, place: Place) -> None:
            if stage.clock.monotonic() < 0.5:
                raise Temporary("not reached")

        cluster.before = away
        number = await stage.fire("api", target=POD)
        await stage.pass_(10.0)
        assert stage.outcome(number) == "done"
        assert stage.told(number, "target")[0] == "try 1 of 3 failed: not reached"

    tell(tale)


def test_a_cluster_that_never_answers_is_given_up() -> None:
    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        async def silent(call: str, place: Place) -> None:
            await stage.clock.sleep(3600.0)

        cluster.before = silent
        number = await stage.fire("api", target=POD)
        await stage.pass_(120.0)
        past = stage.incident(number).past[0]
        assert (past.outcome, past.reason, len(cluster.called)) == ("refused", "no answer within its time", 3)

    tell(tale)


def test_what_somebody_edits_between_plan_and_write_is_planned_anew() -> None:
    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        async def meanwhile(call: str, place: Place) -> None:
            if call == "patch" and api(cluster)["replicas"] == 3:
                edit(cluster, replicas=4)

        cluster.before = meanwhile
        number = await stage.fire("api", target=POD)
        await stage.pass_(10.0)

        assert (stage.outcome(number), api(cluster)["replicas"]) == ("done", 6)
        assert api(cluster)["run"] == f"INC-{number}/1/1/2"
        assert stage.told(number, "plan") == ["deployment/api.shop from 3 to 6", "deployment/api.shop from 4 to 6"]
        assert "planned anew: replicas is 4, not 3" in stage.told(number, "changed")[0]

    tell(tale)


def test_what_never_rests_is_left_after_three_attempts() -> None:
    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        async def meanwhile(call: str, place: Place) -> None:
            if call == "patch":
                edit(cluster, replicas=api(cluster)["replicas"] + 1)

        cluster.before = meanwhile
        number = await stage.fire("api", target=API)
        await stage.pass_(30.0)

        assert (stage.outcome(number), len(writes(cluster))) == ("failed", 3)
        assert "run" not in api(cluster)

    tell(tale)


@pytest.mark.parametrize("down", [0.1, 60.0])
@pytest.mark.parametrize("commit", range(1, 9))
def test_killed_after_any_commit_it_is_written_once(commit: int, down: float) -> None:
    """Promise 3: between name, plan, intent and result. The target is looked at, under the same attempt."""

    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        stage.store.on_commit = lambda count: stage.kill() if count == commit else None
        sent = asyncio.create_task(stage.fire("api", target=POD))
        await stage.pass_(20.0)
        await stage.clock.sleep(down)
        await stage.restart()
        if not stage.disk.incidents:
            await stage.fire("api", target=POD)
        await stage.pass_(120.0)
        sent.cancel()

        (number,) = stage.disk.incidents
        assert (stage.outcome(number), api(cluster)["replicas"]) == ("done", 6)
        assert api(cluster)["run"] == f"INC-{number}/1/1/1"
        assert api(cluster)["metadata"]["generation"] == 2

    tell(tale)


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_around_the_write_it_is_written_once(when: str) -> None:
    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        async def dies(call: str, place: Place) -> None:
            if call == "patch":
                setattr(cluster, when, calm)
                stage.kill()
                await stage.clock.sleep(3600.0)

        calm = cluster.before
        setattr(cluster, when, dies)
        number = await stage.fire("api", target=POD)
        await stage.pass_(5.0)
        await stage.restart()
        await stage.pass_(60.0)

        assert (stage.outcome(number), api(cluster)["replicas"]) == ("done", 6)
        assert api(cluster)["metadata"]["generation"] == 2
        assert stage.told(number, "observe") == [
            "the write is in effect" if when == "after" else "the write is not in effect"
        ]

    tell(tale)


def test_an_answer_that_is_lost_changes_nothing_twice() -> None:
    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        async def lost(call: str, place: Place) -> None:
            raise UnknownOutcome("the connection was reset")

        cluster.after = lost
        number = await stage.fire("api", target=API)
        await stage.pass_(10.0)

        assert (stage.outcome(number), api(cluster)["metadata"]["generation"]) == ("done", 2)

    tell(tale)


def test_each_of_several_writes_asks_and_what_is_stopped_between_them_says_what_was_done() -> None:
    """Promise 5."""

    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        async def frozen(call: str, place: Place) -> None:
            await stage.engine.set_switch(Mode.FREEZE, who="alice", reason="enough", until=None)

        cluster.after = frozen
        number = await stage.fire("api", target=API)
        await stage.pass_(10.0)

        past = stage.incident(number).past[0]
        assert (past.outcome, past.acted) == ("failed", True)
        assert (
            past.reason == "halted: the switch is at freeze: nothing writes (alice: enough); done by then: 6 replicas"
        )
        assert (api(cluster)["replicas"], "done" in api(cluster)) == (6, False)
        assert "halted" in stage.world.pages()[-1].body["text"]

    tell(tale, rules(twice=True))


def test_both_writes_are_made_where_nothing_speaks_against_it() -> None:
    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        number = await stage.fire("api", target=API)
        await stage.pass_(10.0)

        assert (stage.outcome(number), api(cluster)["done"], len(writes(cluster))) == ("done", True, 2)

    tell(tale, rules(twice=True))


@pytest.mark.parametrize(
    ("most", "outcome", "reason"),
    [
        ("off", "refused", "the mode is off, which is the most that the target allows"),
        ("shadow", "shadowed", "it would have done: deployment/api.shop from 3 to 6"),
    ],
)
def test_a_target_may_lower_the_mode(most: str, outcome: str, reason: str) -> None:
    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        edit(cluster, mode=most)
        number = await stage.fire("api", target=API)
        await stage.pass_(5.0)

        past = stage.incident(number).past[0]
        assert (past.outcome, past.reason, writes(cluster)) == (outcome, reason, [])

    tell(tale)


def test_a_target_that_asks_for_approvals_gets_them() -> None:
    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        edit(cluster, mode="approve")
        number = await stage.fire("api", target=API)
        await stage.pass_(5.0)
        assert writes(cluster) == []
        await stage.act(number, "approve", run=1)
        await stage.pass_(5.0)
        assert (stage.outcome(number), api(cluster)["replicas"]) == ("done", 6)

    tell(tale)


def test_the_gate_asks_what_the_target_allows_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were it forgotten when the plan was judged, nothing would be written all the same."""

    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        edit(cluster, mode="shadow")
        number = await stage.fire("api", target=API)
        await stage.pass_(5.0)
        assert stage.incident(number).past[0].reason == "the mode is shadow by now"
        assert writes(cluster) == []

    monkeypatch.setattr("paramedic.core.treatment.mode_of_run", lambda *_: Mode.AUTO)
    tell(tale)


def test_reading_and_trying_out_ask_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans, guards and dry runs may look at the cluster in every mode."""

    async def no(*_: Any, **__: Any) -> None:
        raise Refused("no")

    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        number = await stage.fire("api", target=API)
        await stage.pass_(5.0)
        assert (stage.outcome(number), stage.incident(number).past[0].reason) == ("refused", "no")
        assert {call for call, _ in cluster.called} == {"get", "dry_run"}

    monkeypatch.setattr("paramedic.engine.gate.Gate.ask", no)
    tell(tale)
