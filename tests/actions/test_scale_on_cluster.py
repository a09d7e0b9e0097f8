"""`scale` and `collect` against a cluster that reacts: controllers, an autoscaler, quotas, other people's hands."""

from datetime import timedelta

import msgspec
import pytest

from paramedic.actions.collect import Collect
from paramedic.actions.roll_back import RollBack
from paramedic.actions.scale import Scale
from paramedic.cluster.resources import DEPLOYMENTS, HPAS
from paramedic.core.model import Firing
from paramedic.core.words import Answer
from paramedic.errors import Changed, Permanent, Refused, UnknownOutcome
from paramedic.guards.recent_change import RecentChange
from paramedic.rehearse.cluster import Behaviour, KubeFault
from tests.actions.stories import Story, told

SCALE = Scale()
KEY = "INC-12/1/1/1"
BOTH = pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])


def autoscaled(it: Story, least: int = 2, most: int = 10) -> None:
    """An autoscaler that leaves the workload as it is, but for its bounds."""
    target = {"apiVersion": "apps/v1", "kind": it.kind, "name": "api"}
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
    }
    it.cluster.apply(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "api", "namespace": "shop"},
            "spec": {"scaleTargetRef": target, "minReplicas": least, "maxReplicas": most, "metrics": [metric]},
        }
    )


async def hpa_bounds(it: Story) -> tuple[int, int]:
    spec = (await it.cluster.port.get(it.place.beside(HPAS, "api")))["spec"]
    return spec["minReplicas"], spec["maxReplicas"]


async def ready(it: Story) -> tuple[int, int]:
    """Replicas wanted and ready."""
    found = await it.present()
    return found["spec"]["replicas"], found["status"].get("readyReplicas", 0)


@BOTH
def test_more_pods_for_a_while(kind: str) -> None:
    async def story(it: Story) -> None:
        await it.release("api:42")
        change = await it.plan(SCALE, by=2, max=10, for_="30m")
        for _ in range(2):
            await it.write(SCALE, change.write, KEY)
        assert (await it.check(change)).answer is Answer.FAIL
        await it.clock.sleep(60.0)
        assert (await it.check(change)).answer is Answer.PASS
        assert await ready(it) == (5, 5)
        for _ in range(2):
            await it.write(SCALE, change.undo, f"{KEY}/expire")
        await it.clock.sleep(60.0)

        assert await ready(it) == (3, 3)
        assert await SCALE.observe(change.undo or {}, f"{KEY}/expire", it.scene(), it.tools) is True

    told(kind, story)


def test_through_the_autoscaler_and_back() -> None:
    async def story(it: Story) -> None:
        await it.release("api:42")
        autoscaled(it, 2, 4)
        await it.clock.sleep(30.0)
        change = await it.plan(SCALE, to=6, max=8, raise_max=True, for_="30m")
        await it.write(SCALE, change.write, KEY)
        assert await hpa_bounds(it) == (6, 6)
        soon = await it.check(change)
        assert soon.answer is Answer.FAIL
        assert "its autoscaler is told to have 6 replicas" in soon.reason
        await it.clock.sleep(60.0)
        assert (await it.check(change)).answer is Answer.PASS
        assert await ready(it) == (6, 6)
        await it.write(SCALE, change.undo, f"{KEY}/expire")
        await it.clock.sleep(600.0)

        assert await hpa_bounds(it) == (2, 4)
        assert (await ready(it))[0] <= 4

    told("Deployment", story)


@pytest.mark.parametrize("scaled", [False, True], ids=["itself", "its autoscaler"])
def test_what_somebody_has_set_meanwhile_stays_and_they_are_named(scaled: bool) -> None:
    async def story(it: Story) -> None:
        await it.release("api:42")
        if scaled:
            autoscaled(it)
        change = await it.plan(SCALE, by=2, max=10, for_="30m")
        await it.write(SCALE, change.write, KEY)
        await it.clock.sleep(60.0)
        where, spec = (HPAS, {"minReplicas": 7}) if scaled else (DEPLOYMENTS, {"replicas": 7})
        it.cluster.edit(where, "shop", "api", {"spec": spec}, manager="kubectl-scale")
        with pytest.raises(Changed, match=r"is 7 by now, and not the 5 that we set: kubectl-scale at 2026-"):
            await it.write(SCALE, change.undo, f"{KEY}/expire")
        verdict = await it.check(change)

        assert (verdict.answer, verdict.final) == (Answer.FAIL, True)
        assert "is 7 by now instead of 5" in verdict.reason

    told("Deployment", story)


@BOTH
@pytest.mark.parametrize("scaled", [False, True], ids=["itself", "its autoscaler"])
def test_after_a_lost_answer_there_is_one_change(kind: str, scaled: bool) -> None:
    async def story(it: Story) -> None:
        await it.release("api:42")
        if scaled:
            autoscaled(it)
        change = await it.plan(SCALE, by=1, max=10)
        it.cluster.fail(KubeFault("lost", on="patch *", times=1))
        with pytest.raises(UnknownOutcome):
            await it.write(SCALE, change.write, KEY)
        assert await SCALE.observe(change.write, KEY, it.scene(), it.tools) is True
        await it.write(SCALE, change.write, KEY)
        await it.clock.sleep(60.0)

        assert await ready(it) == (4, 4)
        writes = [one for one in it.cluster.requests if one.permission.startswith("patch") and not one.dry_run]
        assert len(writes) == 1

    told(kind, story)


def test_somebody_who_scales_by_the_subresource_is_named_without_a_time() -> None:
    """As `kubectl scale` does it: the server writes down who, and not when."""

    async def story(it: Story) -> None:
        await it.release("api:42")
        change = await it.plan(SCALE, by=2, max=10)
        await it.write(SCALE, change.write, KEY)
        await it.clock.sleep(60.0)
        more = {"spec": {"replicas": 7}}
        it.cluster.site.server.patch(DEPLOYMENTS, "shop", "api", more, "merge", "kubectl", subresource="scale")
        verdict = await it.check(change)

        assert verdict.reason == "replicas is 7 by now instead of 5, which is not what we wrote: kubectl"
        with pytest.raises(Changed, match=r"not the 5 that we set: kubectl$"):
            await it.write(SCALE, change.undo, f"{KEY}/expire")

    told("Deployment", story)


def test_an_edit_between_plan_and_apply_is_planned_anew() -> None:
    async def story(it: Story) -> None:
        await it.release("api:42")
        change = await it.plan(SCALE, by=1, max=10)
        it.cluster.edit(DEPLOYMENTS, "shop", "api", {"spec": {"replicas": 4}})
        with pytest.raises(Changed):
            await it.write(SCALE, change.write, KEY)
        await it.clock.sleep(60.0)
        anew = await it.plan(SCALE, attempt=2, by=1, max=10)
        await it.write(SCALE, anew.write, "INC-12/1/1/2")

        assert (await it.present())["spec"]["replicas"] == 5

    told("Deployment", story)


def test_pods_without_a_node_and_a_full_quota_speak_against_more() -> None:
    async def story(it: Story) -> None:
        await it.release("api:42")
        quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few", "namespace": "shop"}}
        it.cluster.apply({**quota, "spec": {"hard": {"pods": "4"}}})
        await it.clock.sleep(10.0)
        with pytest.raises(Refused, match="the quota few has 1 of pods left, and 2 more pods would need 2"):
            await it.plan(SCALE, by=2, max=10)
        assert (await it.plan(SCALE, by=1, max=10)).needed
        it.cluster.behaves("api:42", Behaviour(pending=True))
        it.cluster.edit(DEPLOYMENTS, "shop", "api", {"spec": {"replicas": 4}})
        await it.clock.sleep(30.0)
        with pytest.raises(Refused, match="one of its pods cannot be placed on any node"):
            await it.plan(SCALE, by=1, max=10)

    told("Deployment", story)


def test_a_rollout_that_is_under_way_is_not_scaled() -> None:
    async def story(it: Story) -> None:
        await it.release("api:41")
        await it.release("api:42", ready=False, settle=10.0)
        with pytest.raises(Refused, match="a rollout is under way"):
            await it.plan(SCALE, by=1, max=10)

    told("Deployment", story)


@pytest.mark.parametrize("scaled", [False, True], ids=["itself", "its autoscaler"])
def test_what_it_declares_is_enough_and_each_of_it_is_needed(scaled: bool) -> None:
    common = ["get deployments.apps", "list horizontalpodautoscalers.autoscaling", "list pods", "list resourcequotas"]
    own = ["patch deployments.apps"]
    its = ["get horizontalpodautoscalers.autoscaling", "patch horizontalpodautoscalers.autoscaling"]

    async def story(it: Story) -> None:
        await it.release("api:42")
        if scaled:
            autoscaled(it)

        async def whole() -> None:
            change = await it.plan(SCALE, by=1, max=20)
            await it.write(SCALE, change.write, f"{KEY}{it.clock.monotonic()}")
            await it.clock.sleep(60.0)

        it.cluster.allow(SCALE.permissions)
        await whole()
        for lacking in common + (its if scaled else own):
            it.cluster.allow([one for one in SCALE.permissions if one != lacking])
            with pytest.raises(Permanent, match=lacking.partition(" ")[2].partition(".")[0]):
                await whole()

    told("Deployment", story)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_a_bad_release_is_seen_as_the_change_and_kept_as_evidence(kind: str) -> None:
    """What a rollback's playbook asks and keeps first, before and after, on a cluster that made its own revisions."""

    async def story(it: Story) -> None:
        guard, collect = RecentChange(), Collect()

        async def judged(**params: object) -> tuple[Answer, str]:
            told_ = guard.Params.model_validate({"within": "10m", **params})
            firing = Firing(open=1, total=1, since=it.clock.now() - timedelta(seconds=30))
            it.cluster.allow(guard.permissions)
            verdict = await guard.judge(told_, msgspec.structs.replace(it.scene(), firing=firing), it.tools)
            it.cluster.allow(None)
            return verdict.answer, verdict.reason

        await it.release("api:41", settle=3600.0)
        assert (await judged())[0] is Answer.DENY
        assert (await judged(absent=True))[0] is Answer.ALLOW
        await it.release("api:42", ready=False, settle=120.0)
        assert await judged() == (Answer.ALLOW, "change 2m ago: api:41 → api:42")
        assert (await judged(absent=True))[0] is Answer.DENY
        it.cluster.allow([*collect.permissions])
        change = await it.plan(collect)
        kept = await it.write(collect, change.write, KEY)
        texts = {exhibit.name: exhibit.body.decode() for exhibit in kept.exhibits}
        assert list(texts) == ["pods", "events", "rollout_history", "logs"]
        assert "not ready" in texts["pods"].splitlines()[0]
        assert "spec.containers[api].image: api:41 → api:42" in texts["rollout_history"]
        assert "== api-" in texts["logs"]
        it.cluster.allow(None)
        back = await it.plan(RollBack())
        await it.write(RollBack(), back.write, "INC-12/1/2/1")
        await it.clock.sleep(300.0)
        answer, reason = await judged()
        assert answer is Answer.ALLOW
        assert reason.endswith(" ago: api:42 → api:41 (an older one)")

    told(kind, story)
