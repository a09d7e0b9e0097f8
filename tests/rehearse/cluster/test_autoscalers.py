"""Autoscalers keep replicas between min and max every 15 s, and overwrite what others set."""

from typing import Any

import pytest

from paramedic.cluster.port import Json
from paramedic.cluster.resources import DEPLOYMENTS, HPAS, STATEFUL_SETS
from tests.rehearse.cluster.played import Played, condition, deployment, play, stateful_set


def hpa(least: int = 2, most: int = 10, kind: str = "Deployment", name: str = "api") -> Json:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "api", "namespace": "shop"},
        "spec": {
            "minReplicas": least,
            "maxReplicas": most,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": kind, "name": name},
        },
    }


async def replicas(played: Played) -> int:
    found: int = (await played.get(DEPLOYMENTS, "api"))["spec"]["replicas"]
    return found


async def begin(played: Played, wants: Any = (), **spec: Any) -> None:
    played.cluster.apply(deployment())
    played.cluster.wants("shop", "api", wants)
    played.cluster.apply(hpa(**spec))
    await played.after(20)


@pytest.mark.parametrize(("least", "most", "becomes"), [(2, 10, 3), (5, 10, 5), (1, 2, 2)])
def test_replicas_are_kept_within_min_and_max(least: int, most: int, becomes: int) -> None:
    async def story(played: Played) -> None:
        await begin(played, least=least, most=most)
        assert await replicas(played) == becomes

    play(story)


def test_it_looks_every_fifteen_seconds() -> None:
    async def story(played: Played) -> None:
        await begin(played)
        await played.after(11)
        await played.kube.patch(played.place(HPAS, "api"), {"spec": {"minReplicas": 6}}, "merge")
        await played.after(10)
        assert await replicas(played) == 3
        await played.after(5)
        assert await replicas(played) == 6
        await played.after(15)
        status = await played.status(HPAS, "api")
        assert (status["desiredReplicas"], status["currentReplicas"]) == (6, 6)
        assert condition(status, "AbleToScale") == ("True", "ReadyForNewScale")
        assert condition(status, "ScalingActive") == ("True", "ValidMetricFound")
        assert "SuccessfulRescale" in await played.reasons("api")
        entries = (await played.get(DEPLOYMENTS, "api"))["metadata"]["managedFields"]
        assert ("kube-controller-manager", "scale") in [(one["manager"], one.get("subresource")) for one in entries]

    play(story)


def test_what_the_metrics_want_overwrites_what_somebody_sets() -> None:
    async def story(played: Played) -> None:
        await begin(played, [(0.0, 3)])
        played.cluster.edit(DEPLOYMENTS, "shop", "api", {"spec": {"replicas": 8}})
        await played.after(16)
        assert await replicas(played) == 3

    play(story)


def test_it_scales_up_at_once_and_down_after_five_minutes() -> None:
    async def story(played: Played) -> None:
        await begin(played, [(0.0, 3), (60.0, 8), (120.0, 3)])
        await played.after(60)
        assert await replicas(played) == 8
        await played.after(60 + 270)
        assert await replicas(played) == 8, "the higher wish still counts"
        await played.after(30)
        assert await replicas(played) == 3

    play(story)


def test_a_raised_minimum_that_is_lowered_again_lets_go_at_once() -> None:
    async def story(played: Played) -> None:
        await begin(played, [(0.0, 3)])
        place = played.place(HPAS, "api")
        await played.kube.patch(place, {"spec": {"minReplicas": 7}}, "merge")
        await played.after(20)
        assert await replicas(played) == 7
        await played.kube.patch(place, {"spec": {"minReplicas": 2}}, "merge")
        await played.after(20)
        assert await replicas(played) == 3

    play(story)


def test_wishes_beyond_the_bounds_are_cut() -> None:
    async def story(played: Played) -> None:
        await begin(played, [(0.0, 50)], most=4)
        assert await replicas(played) == 4
        await played.after(15)
        assert condition(await played.get(HPAS, "api"), "ScalingLimited") == ("True", "TooManyReplicas")
        played.cluster.wants("shop", "api", [(-400.0, 1)])
        played.cluster.edit(HPAS, "shop", "api", {"metadata": {"labels": {"a": "b"}}})
        await played.after(16)
        assert condition(await played.get(HPAS, "api"), "ScalingLimited") == ("True", "TooFewReplicas")
        assert await replicas(played) == 2

    play(story)


def test_a_target_of_nothing_or_of_zero() -> None:
    async def story(played: Played) -> None:
        await begin(played, name="nobody")
        assert condition(await played.get(HPAS, "api"), "AbleToScale") == ("False", "FailedGetScale")
        played.cluster.edit(DEPLOYMENTS, "shop", "api", {"spec": {"replicas": 0}})
        played.cluster.edit(HPAS, "shop", "api", {"spec": {"scaleTargetRef": {"name": "api"}}})
        await played.after(60)
        assert await replicas(played) == 0
        assert condition(await played.get(HPAS, "api"), "ScalingActive") == ("False", "ScalingDisabled")

    play(story)


def test_a_kind_that_cannot_be_scaled() -> None:
    async def story(played: Played) -> None:
        await begin(played, kind="Lion")
        assert condition(await played.get(HPAS, "api"), "AbleToScale") == ("False", "FailedGetScale")

    play(story)


def test_stateful_sets_too_and_no_generation() -> None:
    async def story(played: Played) -> None:
        played.cluster.apply(stateful_set(replicas=1))
        played.cluster.apply(hpa(least=2, kind="StatefulSet", name="db"))
        await played.after(30)
        assert (await played.get(STATEFUL_SETS, "db"))["spec"]["replicas"] == 2
        metadata = (await played.get(HPAS, "api"))["metadata"]
        assert "generation" not in metadata

    play(story)
