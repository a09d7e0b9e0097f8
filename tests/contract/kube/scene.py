"""What a test of the cluster contract is given: a cluster's port, a namespace of its own, and time that passes.

The same tests run against the simulated cluster and against a real control plane (tests/real/test_kube_contract.py).
What pods do is told by the end of their image: `-bad` crash-loops and never becomes ready, `-slow` becomes ready after
two seconds; every other is ready at once.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from paramedic.cluster.port import Json, Kube
from paramedic.cluster.resources import DAEMON_SETS, DEPLOYMENTS, PODS, REPLICA_SETS, STATEFUL_SETS, Place, Resource
from paramedic.errors import Missing

__all__ = [
    "NAMESPACES",
    "RESTARTED",
    "REVISION",
    "Scene",
    "condition",
    "daemon_set",
    "deployment",
    "image_of",
    "set_image",
    "stateful_set",
    "workload",
]

NAMESPACES = Resource("v1", "namespaces", "Namespace", namespaced=False)
REVISION = "deployment.kubernetes.io/revision"
RESTARTED = "kubectl.kubernetes.io/restartedAt"
DEADLINE = 90.0
"""Seconds of the cluster's time that a condition may take to come true."""

T = TypeVar("T")


class Scene:
    """One namespace of a cluster. `passes` lets a little of the cluster's time pass, `elapsed` says how much has.

    `limited` is a port for somebody who may do only this in the namespace, such as `patch deployments.apps`.
    """

    def __init__(
        self,
        kube: Kube,
        namespace: str,
        passes: Callable[[], Awaitable[None]],
        elapsed: Callable[[], float],
        limited: Callable[[Sequence[str]], AbstractAsyncContextManager[Kube]],
    ) -> None:
        self.kube, self.namespace, self.limited = kube, namespace, limited
        [self.cluster] = kube.clusters
        self._passes, self._elapsed = passes, elapsed

    def at(self, resource: Resource, name: str = "") -> Place:
        """A place in the namespace."""
        return Place(self.cluster, resource, self.namespace if resource.namespaced else "", name)

    async def make(self, resource: Resource, body: Json) -> Json:
        """Create an object."""
        return await self.kube.create(self.at(resource), body)

    async def get(self, resource: Resource, name: str) -> Json:
        """Read an object."""
        return await self.kube.get(self.at(resource, name))

    async def all(self, resource: Resource, labels: str = "", fields: str = "") -> Sequence[Json]:
        """The objects of a kind in the namespace."""
        return await self.kube.list(self.at(resource), labels=labels, fields=fields)

    async def merge(self, resource: Resource, name: str, patch: Json) -> Json:
        """A merge patch."""
        return await self.kube.patch(self.at(resource, name), patch, "merge")

    async def strategic(self, resource: Resource, name: str, patch: Json) -> Json:
        """A strategic merge patch."""
        return await self.kube.patch(self.at(resource, name), patch, "strategic")

    async def json(self, resource: Resource, name: str, *operations: Json, **kwargs: Any) -> Json:
        """A JSON patch."""
        return await self.kube.patch(self.at(resource, name), operations, "json", **kwargs)

    async def remove(self, resource: Resource, name: str, grace: float | None = None) -> None:
        """Delete what is there now."""
        found = await self.get(resource, name)
        await self.kube.delete(self.at(resource, name), uid=found["metadata"]["uid"], grace=grace)

    async def until(self, probe: Callable[[], Awaitable[T]], what: str, deadline: float = DEADLINE) -> T:
        """The first truthy answer of `probe`; fails, saying `what` was waited for, when none comes."""
        end = self._elapsed() + deadline
        while True:
            seen = await probe()
            if seen:
                return seen
            assert self._elapsed() < end, f"waited {deadline:g} s for {what}; last seen: {seen!r}"
            await self._passes()

    async def becomes(
        self, resource: Resource, name: str, holds: Callable[[Json], object], what: str, deadline: float = DEADLINE
    ) -> Json:
        """The object once this holds of it."""
        seen: Json = {}

        async def probe() -> Json | None:
            nonlocal seen
            seen = await self.get(resource, name)
            return seen if holds(seen) else None

        try:
            found = await self.until(probe, what, deadline)
        except AssertionError as error:
            raise AssertionError(f"{error}; spec {seen.get('spec')}; status {seen.get('status')}") from None
        assert found is not None
        return found

    async def complete(self, resource: Resource, name: str) -> Json:
        """The workload once its rollout is complete, as its own status says."""
        return await self.becomes(resource, name, _complete, f"the rollout of {resource.word} {name}")

    async def gone(self, resource: Resource, name: str) -> None:
        """Wait until there is no such object."""

        async def probe() -> bool:
            try:
                await self.get(resource, name)
            except Missing:
                return True
            return False

        await self.until(probe, f"the end of {resource.word} {name}")

    async def count(self, resource: Resource, number: int, labels: str = "") -> Sequence[Json]:
        """The objects once there are so many."""

        async def probe() -> Sequence[Json] | None:
            found = await self.all(resource, labels)
            return found if len(found) == number else None

        if number == 0:  # an empty answer is not a truthy one
            await self.until(lambda: self._none(resource, labels), f"no {resource.plural}")
            return ()
        found = await self.until(probe, f"{number} {resource.plural}")
        assert found is not None
        return found

    async def _none(self, resource: Resource, labels: str) -> bool:
        return not await self.all(resource, labels)

    async def sets(self) -> dict[str, Json]:
        """The ReplicaSets by revision number."""
        return {one["metadata"]["annotations"][REVISION]: one for one in await self.all(REPLICA_SETS)}

    async def pods(self, labels: str = "") -> dict[str, Json]:
        """The pods by name, without those that are ending."""
        found = await self.all(PODS, labels)
        return {one["metadata"]["name"]: one for one in found if "deletionTimestamp" not in one["metadata"]}


def _complete(found: Json) -> bool:
    status, metadata = found.get("status", {}), found["metadata"]
    if status.get("observedGeneration", 0) < metadata["generation"]:
        return False
    if found["kind"] == DAEMON_SETS.kind:
        wanted = status.get("desiredNumberScheduled", 0)
        counts = [status.get(key, 0) for key in ("updatedNumberScheduled", "numberAvailable", "currentNumberScheduled")]
        return wanted > 0 and counts == [wanted] * 3
    wanted = found["spec"]["replicas"]
    if found["kind"] == STATEFUL_SETS.kind and status.get("currentRevision") != status.get("updateRevision"):
        return False
    # A StatefulSet that is through drops the count of updated pods where it equals the current ones.
    keys = ["replicas", "readyReplicas", "availableReplicas"] + ["updatedReplicas"] * (
        found["kind"] == DEPLOYMENTS.kind
    )
    return [status.get(key, 0) for key in keys] == [wanted] * len(keys)


def workload(resource: Resource, name: str, image: str, **spec: Any) -> Json:
    """A workload of one container `app` whose pods have the label `app: NAME`."""
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [{"name": "app", "image": image}]},
    }
    return {
        "apiVersion": resource.api,
        "kind": resource.kind,
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template, **spec},
    }


def deployment(name: str = "api", image: str = "api:1", replicas: int = 2, **spec: Any) -> Json:
    """A Deployment."""
    return workload(DEPLOYMENTS, name, image, replicas=replicas, **spec)


def stateful_set(name: str = "db", image: str = "db:1", replicas: int = 2, **spec: Any) -> Json:
    """A StatefulSet."""
    return workload(STATEFUL_SETS, name, image, replicas=replicas, serviceName=name, **spec)


def daemon_set(name: str = "agent", image: str = "agent:1", **spec: Any) -> Json:
    """A DaemonSet."""
    return workload(DAEMON_SETS, name, image, **spec)


def set_image(image: str) -> Json:
    """A strategic merge patch that gives the container another image."""
    return {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}}


def image_of(found: Json) -> str:
    """The image of a workload's first container, or of a pod's."""
    spec = found["spec"]["template"]["spec"] if "template" in found["spec"] else found["spec"]
    image: str = spec["containers"][0]["image"]
    return image


def condition(found: Json, kind: str) -> tuple[str, str]:
    """Status and reason of a condition; empty where it is not there."""
    for one in found.get("status", {}).get("conditions") or ():
        if one["type"] == kind:
            return one["status"], one.get("reason", "")
    return "", ""
