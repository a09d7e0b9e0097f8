"""A simulated cluster in virtual time for its own tests: manifests, looks at it, and time that passes."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from paramedic.cluster.port import Json
from paramedic.cluster.resources import (
    DEPLOYMENTS,
    EVENTS,
    PODS,
    REPLICA_SETS,
    STATEFUL_SETS,
    Place,
    Resource,
)
from paramedic.rehearse.cluster import Behaviour, SimulatedCluster, Speeds
from paramedic.rehearse.loop import VirtualClock, VirtualLoop, virtually

SHOP = "shop"
QUICK = Speeds(reacts=0.01, schedules=0.05, starts=1.0, ready=1.0, stops=1.0)


class Played:
    """One cluster, its clock, and short ways to look at it."""

    def __init__(self, loop: VirtualLoop, **options: Any) -> None:
        self.clock = VirtualClock(loop)
        self.cluster = SimulatedCluster(self.clock, **({"speeds": QUICK} | options))
        self.kube = self.cluster.port

    def place(self, resource: Resource, name: str = "", namespace: str = SHOP) -> Place:
        return Place("main", resource, namespace if resource.namespaced else "", name)

    async def get(self, resource: Resource, name: str) -> Json:
        return await self.kube.get(self.place(resource, name))

    async def all(self, resource: Resource, **selectors: Any) -> Sequence[Json]:
        return await self.kube.list(self.place(resource), **selectors)

    async def names(self, resource: Resource, **selectors: Any) -> list[str]:
        return [one["metadata"]["name"] for one in await self.all(resource, **selectors)]

    async def after(self, seconds: float) -> None:
        await self.clock.sleep(seconds)

    async def status(self, resource: Resource, name: str) -> Json:
        found: Json = (await self.get(resource, name)).get("status") or {}
        return found

    async def images(self) -> list[str]:
        """The images of the pods that are not ending, sorted."""
        pods = [one for one in await self.all(PODS) if "deletionTimestamp" not in one["metadata"]]
        return sorted(one["spec"]["containers"][0]["image"] for one in pods)

    async def sizes(self) -> dict[str, int]:
        """The replicas of each ReplicaSet by its image."""
        sets = await self.all(REPLICA_SETS)
        return {one["spec"]["template"]["spec"]["containers"][0]["image"]: one["spec"]["replicas"] for one in sets}

    async def reasons(self, about: str) -> list[str]:
        """The reasons of the events about an object, in the order of their first moments."""
        events = [one for one in await self.all(EVENTS) if one["involvedObject"]["name"] == about]
        return [one["reason"] for one in sorted(events, key=lambda one: (one["firstTimestamp"], one["reason"]))]

    def image(self, resource: Resource, name: str, image: str) -> Json:
        """Somebody deploys another image."""
        patch = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": image}]
        return self.cluster.edit(resource, SHOP, name, patch, "json")


def play(story: Callable[[Played], Awaitable[None]], **options: Any) -> None:
    """Run a story over a new cluster."""

    async def told(loop: VirtualLoop) -> None:
        await story(Played(loop, **options))

    virtually(told)


def workload(resource: Resource, name: str, image: str, **spec: Any) -> Json:
    """A workload of one container."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": image}]}}
    return {
        "apiVersion": resource.api,
        "kind": resource.kind,
        "metadata": {"name": name, "namespace": SHOP, "labels": labels},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }


def deployment(image: str = "api:1", replicas: int = 3, **spec: Any) -> Json:
    """A Deployment `api`."""
    return workload(DEPLOYMENTS, "api", image, replicas=replicas, **spec)


def stateful_set(image: str = "db:1", replicas: int = 3, **spec: Any) -> Json:
    """A StatefulSet `db`."""
    return workload(STATEFUL_SETS, "db", image, replicas=replicas, serviceName="db", **spec)


def condition(found: Json, name: str) -> tuple[str, str]:
    """A condition's status and reason."""
    for one in (found.get("status") or found).get("conditions") or ():
        if one["type"] == name:
            return one["status"], one.get("reason", "")
    return "", ""


NEVER = Behaviour(ready=False)
CRASHES = Behaviour(ready=False, crash=True)
