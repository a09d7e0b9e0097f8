"""What would be decided now: every guard is asked, the first write planned, and nothing at all is left of it."""

import copy
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from paramedic.catalog.explain import Heard, explain, explained_lines
from paramedic.cluster.resources import Place
from paramedic.core.words import Answer, Mode
from paramedic.engine.explaining import DEADLINE
from paramedic.errors import Temporary
from paramedic.intake.alertmanager import parse_body
from tests.cluster.held import HeldCluster
from tests.engine.growing import API, POD, growing, rules, shop
from tests.engine.stage import Stage, play
from tests.engine.texts import body, catalog, element

Tale = Callable[[Stage, HeldCluster], Awaitable[None]]


async def heard(stage: Stage, job: str = "api", *, over: bool = False, **labels: str) -> Heard | None:
    """What is heard about an alert that has been firing for three minutes."""
    began = stage.clock.now() - timedelta(minutes=3)
    given = element(job, starts=began, ends=stage.clock.now() if over else None, **labels)
    (alert,) = parse_body("default", body(given)).alerts
    return await stage.engine.hear(explain(alert, stage.bundle), stage.bundle)


async def surely(stage: Stage, **labels: str) -> Heard:
    found = await heard(stage, "api", over=False, **labels)
    assert found is not None
    return found


def said(found: Heard) -> list[tuple[str, str]]:
    return [(guard.kind, f"{verdict.answer}: {verdict.reason}" if verdict else "") for guard, verdict in found.answers]


def on_cluster(tale: Tale, text: str = "") -> None:
    held = shop()

    async def story(stage: Stage) -> None:
        await tale(stage, held)

    play(story, text or rules(), used=growing(), kube=held)


def test_every_guard_is_asked_also_where_one_denies() -> None:
    """Who asks wants to know everything that stands against it."""

    async def story(stage: Stage) -> None:
        found = await surely(stage)
        assert said(found) == [
            ("still_firing", "deny: firing for 3m only, 5m is wanted"),
            ("cooldown", "allow: not used in the last 15m"),
            ("not_firing", 'allow: nothing fires that matches alertname="KubeAPIDown"'),
        ]
        assert found.plan.startswith("POST hook/act?job=api") or found.plan

    guards = "{still_firing: {for: 5m}}, {cooldown: {for: 15m}}, {not_firing: {match: ['alertname=\"KubeAPIDown\"']}}"
    play(story, catalog(guards=guards))


def test_nothing_is_left_of_it() -> None:
    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        before = copy.deepcopy(cluster.objects)
        commits, told = len(stage.batches), len(stage.report.told)

        await surely(stage, target=POD)
        await stage.pass_(5.0)

        assert cluster.objects == before
        assert not stage.disk.incidents
        assert len(stage.batches) == commits
        assert not [what for what, _ in stage.report.told[told:] if what == "guard_answered"]
        assert stage.world.calls == []

    on_cluster(tale)


def test_the_target_is_known_by_its_one_name_and_the_write_is_planned() -> None:
    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        found = await surely(stage, target=POD)

        assert found.target == API
        assert said(found) == [("still_firing", "allow: firing for 3m"), ("small", "allow: 3 replicas")]
        assert found.answers[1][1] is not None
        assert found.answers[1][1].seen == {"replicas": 3}
        assert found.plan == "deployment/api.shop from 3 to 6"

    on_cluster(tale)


def test_the_mode_is_that_of_all_four_places() -> None:
    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        cluster.put(API, {"replicas": 3, "mode": "approve"})
        assert (await surely(stage, target=API)).modes == {
            "global": Mode.AUTO,
            "playbook": Mode.AUTO,
            "target": Mode.APPROVE,
        }
        await stage.engine.set_switch(Mode.SHADOW, who="alice", reason="", until=None)
        assert (await surely(stage, target=API)).modes["global"] is Mode.SHADOW

    on_cluster(tale)


def test_a_target_that_is_not_found_is_said_and_nobody_is_asked() -> None:
    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        found = await surely(stage, target="main/shop/deployment/gone")

        assert found.fault == "target: there is no deployment/gone.shop on main"
        assert [verdict for _, verdict in found.answers] == [None, None]

    on_cluster(tale)


def test_what_another_run_uses_and_holds_counts() -> None:
    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(2.0)
        found = await surely(stage)

        assert found.joins == f"INC-{number}"
        assert dict(said(found))["cooldown"].startswith("deny: used ")

    play(story, catalog(guards="{cooldown: {for: 15m}}"))


@pytest.mark.parametrize("labels", [{"alertname": "Else"}, {"over": True}])
def test_where_no_run_would_be_started_nobody_is_asked(labels: dict[str, Any]) -> None:
    async def story(stage: Stage) -> None:
        assert await heard(stage, **labels) is None

    play(story)


def test_who_takes_too_long_is_unknown_and_all_of_it_ends_in_time() -> None:
    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        async def never(call: str, place: Place) -> None:
            await stage.clock.sleep(1000.0)

        assert (await surely(stage, target=API)).fault == ""
        cluster.before = never
        began = stage.clock.monotonic()
        found = await surely(stage, target=API)

        assert stage.clock.monotonic() - began <= DEADLINE + 1
        assert found.fault == "the target was not found within 10s"

    on_cluster(tale)


def test_a_guard_and_a_plan_that_take_too_long_are_said_by_themselves() -> None:
    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        asked = 0

        async def slowly(call: str, place: Place) -> None:
            nonlocal asked
            asked += 1
            if asked > 1:
                await stage.clock.sleep(1000.0)

        cluster.before = slowly
        found = await surely(stage, target=API)

        assert [verdict.answer for _, verdict in found.answers if verdict] == [Answer.ALLOW, Answer.UNKNOWN]
        assert found.plan == "no plan within 10s"

    on_cluster(tale)


def test_a_process_that_does_not_serve_says_so() -> None:
    async def story(stage: Stage) -> None:
        with pytest.raises(Temporary, match="does not serve yet"):
            await heard(stage)

    play(story, start=False)


def test_people_read_it_guard_by_guard() -> None:
    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        (alert,) = parse_body("default", body(element("api", starts=stage.clock.now(), target=API))).alerts
        explained = explain(alert, stage.bundle)
        found = await stage.engine.hear(explained, stage.bundle)

        assert list(explained_lines(explained, stage.bundle, Mode.AUTO, stage.clock.now(), found))[2:] == [
            "mode  auto (switch auto, rule -, playbook auto, target -)",
            'opens default{job="api"}',
            f"with  target='{API}'",
            f"on    {API}",
            "asks  still_firing allow: firing for 0s",
            "      small allow: 3 replicas",
            "then  grow",
            "      now: deployment/api.shop from 3 to 6",
            "page  level 1 alice at once",
            "      level 2 bob after 5m",
        ]

    on_cluster(tale)
