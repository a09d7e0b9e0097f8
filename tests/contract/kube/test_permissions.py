"""The cluster contract: what somebody is not allowed is refused by the name of the permission, dry runs included."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from paramedic.cluster.permissions import ACCESS_REVIEWS, parse_permission, review
from paramedic.cluster.port import Kube
from paramedic.cluster.resources import CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, PODS, Place
from paramedic.errors import Changed, Missing, Permanent
from tests.contract.kube.scene import Scene, deployment, image_of, set_image

NOTHING = {"metadata": {"annotations": {"a": "b"}}}


async def running(scene: Scene) -> tuple[Place, Place, str]:
    """A Deployment, a pod of it and the pod's uid."""
    await scene.make(DEPLOYMENTS, deployment())
    await scene.complete(DEPLOYMENTS, "api")
    name, pod = next(iter((await scene.pods()).items()))
    return scene.at(DEPLOYMENTS, "api"), scene.at(PODS, name), pod["metadata"]["uid"]


async def test_what_is_allowed_can_be_done(scene: Scene) -> None:
    place, pod, uid = await running(scene)
    allowed = ["get deployments.apps", "patch deployments.apps", "list pods", "create pods/eviction"]
    async with scene.limited(allowed) as kube:
        await kube.get(place)
        changed = await kube.patch(place, set_image("api:2"), "strategic", dry_run=True)
        await kube.list(scene.at(PODS))
        await kube.evict(pod, uid=uid, dry_run=True)

    assert image_of(changed) == "api:2"


async def test_what_is_not_allowed_is_named(scene: Scene) -> None:
    place, pod, uid = await running(scene)
    asked: dict[str, Callable[[Kube], Awaitable[Any]]] = {
        "list deployments.apps": lambda kube: kube.list(scene.at(DEPLOYMENTS)),
        "get deployments.apps/scale": lambda kube: kube.get(place, subresource="scale"),
        "patch deployments.apps": lambda kube: kube.patch(place, NOTHING, "merge"),
        "patch deployments.apps/scale": lambda kube: kube.patch(place, NOTHING, "merge", subresource="scale"),
        "create configmaps": lambda kube: kube.create(scene.at(CONFIG_MAPS), {"metadata": {"name": "a"}}),
        "delete pods": lambda kube: kube.delete(pod, uid=uid),
        "create pods/eviction": lambda kube: kube.evict(pod, uid=uid),
        "get pods/log": lambda kube: kube.logs(pod),
    }
    async with scene.limited(["get deployments.apps"]) as kube:
        await kube.get(place)
        for permission, call in asked.items():
            words = re.escape(f"{permission} in {scene.namespace} is not allowed for system:serviceaccount:")
            with pytest.raises(Permanent, match=words) as caught:
                await call(kube)
            assert not isinstance(caught.value, Missing | Changed)
        with pytest.raises(Permanent, match=r"patch deployments\.apps in"):
            await kube.patch(place, NOTHING, "merge", dry_run=True)
        with pytest.raises(Permanent, match=r"list pods in all namespaces is not allowed"):
            await kube.list(Place(scene.cluster, PODS))


async def test_who_may_not_look_is_not_told_whether_it_is_there(scene: Scene) -> None:
    async with scene.limited(["get pods"]) as kube:
        with pytest.raises(Permanent, match=r"get deployments\.apps in") as caught:
            await kube.get(scene.at(DEPLOYMENTS, "nothing"))
        assert not isinstance(caught.value, Missing)
        with pytest.raises(Missing):
            await kube.get(scene.at(PODS, "nothing"))


async def test_somebody_may_ask_what_they_may_do_and_a_dry_run_answers_too(scene: Scene) -> None:
    asked = ["get deployments.apps", "patch deployments.apps/scale", "get pods/log", "delete pods"]
    async with scene.limited(["get deployments.apps", "get pods/log"]) as kube:
        for dry_run in (False, True):
            answers = {}
            for name in asked:
                question = review(parse_permission(name), scene.namespace)
                answer = await kube.create(Place(scene.cluster, ACCESS_REVIEWS), question, dry_run=dry_run)
                answers[name] = answer["status"]["allowed"]
            assert answers == dict(zip(asked, (True, False, True, False), strict=True))


async def test_a_namespace_is_read_by_whoever_may_read_it_there(scene: Scene) -> None:
    """A role of the namespace is enough, as `paramedic rbac --namespace` grants it."""
    space = Place(scene.cluster, NAMESPACES, "", scene.namespace)
    async with scene.limited(["get namespaces"]) as kube:
        assert (await kube.get(space))["metadata"]["name"] == scene.namespace
    async with scene.limited(["get pods"]) as kube:
        with pytest.raises(Permanent, match=r"get namespaces .*is not allowed"):
            await kube.get(space)
