"""The port `Kube` of one process into simulated clusters. The stage and the demo hand it to the plug-ins.

Each request takes a moment, meets the faults of its cluster, and is then answered by that cluster's server at the
present moment. A dead process reaches nothing more. What arrived is kept in the cluster's `requests`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from paramedic.clock import Clock
from paramedic.cluster.permissions import ACCESS_REVIEWS
from paramedic.cluster.port import MANAGER, Json, PatchKind
from paramedic.cluster.resources import PODS, Place
from paramedic.errors import Permanent, Temporary
from paramedic.rehearse.cluster.evictions import evict
from paramedic.rehearse.cluster.faults import KubeFaults, Request, failure
from paramedic.rehearse.cluster.site import Site

__all__ = ["Cluster", "SimulatedKube"]

T = TypeVar("T")


class Cluster(Protocol):
    """A cluster as its port sees it."""

    site: Site
    faults: KubeFaults
    requests: list[Request]

    @property
    def present(self) -> float:
        """Seconds since the cluster began."""
        ...

    def catch_up(self) -> None:
        """Let everything happen that is due by now."""
        ...


class SimulatedKube:
    """The port of one process. `latency` is what a request takes, in seconds."""

    def __init__(self, clusters: Mapping[str, Cluster], clock: Clock, *, latency: float = 0.005) -> None:
        self._clusters, self._clock, self._latency = clusters, clock, latency
        self.dead = False

    @property
    def clusters(self) -> Sequence[str]:
        """The names of the clusters there are."""
        return tuple(self._clusters)

    async def get(self, place: Place, *, subresource: str = "", max_age: float = 0.0, timeout: float = 10.0) -> Json:
        """One object, or its scale."""
        request = _request("get", place, subresource)
        return await self._ask(
            request, timeout, lambda site: site.server.get(place.resource, place.namespace, place.name, subresource)
        )

    async def list(
        self,
        place: Place,
        *,
        labels: str = "",
        fields: str = "",
        limit: int = 500,
        max_age: float = 0.0,
        timeout: float = 10.0,
    ) -> Sequence[Json]:
        """All objects that the selectors choose."""
        return await self._ask(
            _request("list", place),
            timeout,
            lambda site: site.server.list(place.resource, place.namespace, labels, fields, limit),
        )

    async def patch(
        self,
        place: Place,
        patch: Sequence[Json] | Json,
        how: PatchKind,
        *,
        subresource: str = "",
        dry_run: bool = False,
        timeout: float = 10.0,
    ) -> Json:
        """Change an object."""

        def write(site: Site) -> Json:
            where = place.resource, place.namespace, place.name
            return site.server.patch(*where, patch, how, MANAGER, subresource=subresource, dry_run=dry_run)

        return await self._ask(_request("patch", place, subresource, dry_run), timeout, write)

    async def create(self, place: Place, body: Json, *, dry_run: bool = False, timeout: float = 10.0) -> Json:
        """Make an object; or say whether the caller may do something, which makes none."""
        if place.resource == ACCESS_REVIEWS:
            answer = self._clusters[place.cluster].faults.review if place.cluster in self._clusters else None
            return await self._ask(
                _request("create", place, "", True), timeout, lambda _: answer(body) if answer else {}
            )
        return await self._ask(
            _request("create", place, "", dry_run),
            timeout,
            lambda site: site.server.create(place.resource, place.namespace, body, MANAGER, dry_run=dry_run),
        )

    async def delete(
        self, place: Place, *, uid: str, grace: float | None = None, dry_run: bool = False, timeout: float = 10.0
    ) -> None:
        """Delete exactly this object."""
        await self._ask(
            _request("delete", place, "", dry_run),
            timeout,
            lambda site: site.server.delete(place.resource, place.namespace, place.name, uid, grace, dry_run=dry_run),
        )

    async def evict(
        self, place: Place, *, uid: str, grace: float | None = None, dry_run: bool = False, timeout: float = 10.0
    ) -> None:
        """Evict exactly this pod."""
        await self._ask(
            _request("create", place, "eviction", dry_run),
            timeout,
            lambda site: evict(site, place.namespace, place.name, uid, grace, dry_run=dry_run),
        )

    async def logs(
        self, place: Place, *, container: str = "", previous: bool = False, most: int = 64 * 1024, timeout: float = 10.0
    ) -> bytes:
        """The newest `most` bytes of a container's log."""

        def read(site: Site) -> bytes:
            pod = site.server.get(PODS, place.namespace, place.name)
            return site.log(pod, container, previous).encode()[-most:]

        return await self._ask(_request("get", place, "log"), timeout, read)

    async def _ask(self, request: Request, timeout: float, answer: Callable[[Site], T]) -> T:
        """Let the request arrive and answer it; raises what it meets on the way."""
        cluster = self._clusters.get(request.cluster)
        if cluster is None:
            known = ", ".join(self._clusters) or "none"
            raise Permanent(f"there is no cluster {request.cluster[:80]!a}; there are: {known}")
        self._reach()
        await self._clock.sleep(min(self._latency, timeout))
        self._reach()
        cluster.catch_up()
        fault = cluster.faults.meet(request, cluster.present)
        if fault is not None and fault.fails != "lost":
            if fault.fails == "timeout":
                await self._clock.sleep(timeout)
            raise failure(fault, request, timeout)
        cluster.requests.append(request)
        answered = answer(cluster.site)
        if fault is not None:
            await self._clock.sleep(timeout)
            raise failure(fault, request, timeout)
        return answered

    def _reach(self) -> None:
        if self.dead:
            raise Temporary("the process is gone")


def _request(verb: str, place: Place, subresource: str = "", dry_run: bool = False) -> Request:
    about = f"{place.resource.permission}/{subresource}" if subresource else place.resource.permission
    writes = verb not in ("get", "list")
    return Request(place.cluster, f"{verb} {about}", place.namespace, place.name, writes, dry_run)
