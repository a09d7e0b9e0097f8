"""The cluster contract: the scale subresource, and HorizontalPodAutoscalers as objects."""

import pytest

from paramedic.cluster.port import Json
from paramedic.cluster.resources import DAEMON_SETS, DEPLOYMENTS, HPAS, PODS, STATEFUL_SETS, Resource
from paramedic.errors import Changed, Missing, Permanent
from tests.contract.kube.scene import REVISION, Scene, daemon_set, deployment, stateful_set

TO_THREE = {"op": "replace", "path": "/spec/replicas", "value": 3}


def autoscaler(low: int = 1, high: int = 5, name: str = "api") -> Json:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}
    resource = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    metrics = [{"type": "Resource", "resource": resource}]
    return {
        "metadata": {"name": name},
        "spec": {"scaleTargetRef": target, "minReplicas": low, "maxReplicas": high, "metrics": metrics},
    }


@pytest.mark.parametrize(
    ("resource", "body"), [(DEPLOYMENTS, deployment()), (STATEFUL_SETS, stateful_set("api", "api:1"))]
)
async def test_the_scale_is_read_and_written(scene: Scene, resource: Resource, body: Json) -> None:
    made = await scene.make(resource, body)
    await scene.complete(resource, "api")
    place = scene.at(resource, "api")

    scale = await scene.kube.get(place, subresource="scale")
    same = {"op": "test", "path": "/metadata/uid", "value": made["metadata"]["uid"]}
    was = {"op": "test", "path": "/spec/replicas", "value": 2}
    written = await scene.kube.patch(place, [same, was, TO_THREE], "json", subresource="scale")

    assert scale["kind"] == "Scale"
    assert (scale["spec"]["replicas"], scale["status"]["replicas"]) == (2, 2)
    assert (scale["status"]["selector"], scale["metadata"]["uid"]) == ("app=api", made["metadata"]["uid"])
    assert written["spec"]["replicas"] == 3
    done = await scene.complete(resource, "api")
    assert (done["spec"]["replicas"], done["metadata"]["generation"]) == (3, 2)
    assert len(await scene.pods()) == 3


async def test_a_scale_that_was_changed_meanwhile_is_not_written(scene: Scene) -> None:
    await scene.make(DEPLOYMENTS, deployment())
    place = scene.at(DEPLOYMENTS, "api")
    await scene.kube.patch(place, {"spec": {"replicas": 4}}, "merge", subresource="scale")

    with pytest.raises(Changed):
        await scene.kube.patch(
            place, [{"op": "test", "path": "/spec/replicas", "value": 2}, TO_THREE], "json", subresource="scale"
        )
    assert (await scene.get(DEPLOYMENTS, "api"))["spec"]["replicas"] == 4


async def test_who_has_scaled_is_told_but_not_when(scene: Scene) -> None:
    await scene.make(DEPLOYMENTS, deployment())
    await scene.kube.patch(scene.at(DEPLOYMENTS, "api"), {"spec": {"replicas": 4}}, "merge", subresource="scale")
    entries = (await scene.get(DEPLOYMENTS, "api"))["metadata"]["managedFields"]

    [scaled] = [one for one in entries if one.get("subresource") == "scale"]
    assert (scaled["manager"], scaled["fieldsV1"], "time" in scaled) == (
        "paramedic",
        {"f:spec": {"f:replicas": {}}},
        False,
    )


async def test_a_dry_run_of_a_scale_keeps_nothing(scene: Scene) -> None:
    await scene.make(DEPLOYMENTS, deployment())
    would = await scene.kube.patch(scene.at(DEPLOYMENTS, "api"), [TO_THREE], "json", subresource="scale", dry_run=True)

    assert would["spec"]["replicas"] == 3
    assert (await scene.get(DEPLOYMENTS, "api"))["spec"]["replicas"] == 2


async def test_scaling_is_no_revision_and_zero_is_a_number(scene: Scene) -> None:
    await scene.make(DEPLOYMENTS, deployment())
    await scene.complete(DEPLOYMENTS, "api")
    await scene.kube.patch(scene.at(DEPLOYMENTS, "api"), {"spec": {"replicas": 0}}, "merge", subresource="scale")

    done = await scene.complete(DEPLOYMENTS, "api")
    await scene.count(PODS, 0)
    assert done["metadata"]["annotations"][REVISION] == "1"
    assert list(await scene.sets()) == ["1"]


async def test_fewer_than_none_is_refused(scene: Scene) -> None:
    await scene.make(DEPLOYMENTS, deployment())

    with pytest.raises(Permanent, match=r"spec\.replicas"):
        await scene.kube.patch(scene.at(DEPLOYMENTS, "api"), {"spec": {"replicas": -1}}, "merge", subresource="scale")


async def test_what_has_no_scale_says_so(scene: Scene) -> None:
    await scene.make(DAEMON_SETS, daemon_set())

    with pytest.raises(Permanent) as caught:
        await scene.kube.get(scene.at(DAEMON_SETS, "agent"), subresource="scale")
    assert not isinstance(caught.value, Missing)
    with pytest.raises(Permanent):
        await scene.kube.patch(scene.at(DAEMON_SETS, "agent"), [TO_THREE], "json", subresource="scale")


async def test_an_autoscaler_is_read_and_written_like_any_object(scene: Scene) -> None:
    made = await scene.make(HPAS, autoscaler())
    changed = await scene.json(
        HPAS,
        "api",
        {"op": "test", "path": "/metadata/uid", "value": made["metadata"]["uid"]},
        {"op": "test", "path": "/spec/minReplicas", "value": 1},
        {"op": "replace", "path": "/spec/minReplicas", "value": 3},
    )

    assert (made["kind"], made["spec"]["scaleTargetRef"]["name"]) == ("HorizontalPodAutoscaler", "api")
    assert "generation" not in made["metadata"], "it has none: what is replaced is what must be compared"
    assert changed["spec"]["minReplicas"] == 3
    with pytest.raises(Changed):
        await scene.json(HPAS, "api", {"op": "test", "path": "/spec/minReplicas", "value": 1})


@pytest.mark.parametrize(
    ("low", "high", "field"), [(6, 5, "maxReplicas"), (0, 0, "maxReplicas"), (-1, 5, "minReplicas")]
)
async def test_an_autoscaler_that_cannot_be_is_refused(scene: Scene, low: int, high: int, field: str) -> None:
    with pytest.raises(Permanent, match=rf"spec\.{field}"):
        await scene.make(HPAS, autoscaler(low, high))


async def test_an_autoscaler_keeps_its_target_between_its_bounds(scene: Scene) -> None:
    """Even where no metric comes: fewer than its least become its least, more than its most its most."""
    await scene.make(DEPLOYMENTS, deployment(replicas=1))
    await scene.complete(DEPLOYMENTS, "api")
    await scene.make(HPAS, autoscaler(3, 5))
    await scene.becomes(DEPLOYMENTS, "api", lambda one: one["spec"]["replicas"] == 3, "the least")
    await scene.complete(DEPLOYMENTS, "api")
    await scene.merge(DEPLOYMENTS, "api", {"spec": {"replicas": 7}})

    await scene.becomes(DEPLOYMENTS, "api", lambda one: one["spec"]["replicas"] == 5, "the most")
    await scene.becomes(
        HPAS, "api", lambda one: one["status"].get("desiredReplicas") == 5, "the most in its own status"
    )
