"""The ports that a writing action holds: each call that can change something asks the gate first (promise 5).

The performer puts them in front of the real ports for `apply`, and for nothing else, so that no action can forget it.
"""

from collections.abc import Mapping, Sequence

from paramedic.cluster.port import Json, Kube, PatchKind
from paramedic.cluster.resources import Place
from paramedic.core.bundle import Bundle, Endpoint
from paramedic.core.effects import Apply
from paramedic.engine.gate import Gate
from paramedic.plugin import Http, Reply

__all__ = ["Asking", "GatedHttp", "GatedKube"]

_READING = frozenset({"GET", "HEAD"})


class Asking:
    """The gate, for the writes of one effect."""

    def __init__(self, gate: Gate, number: int, effect: Apply, bundle: Bundle) -> None:
        self._gate, self._number, self._effect, self._bundle = gate, number, effect, bundle
        self._first = True

    @property
    def untouched(self) -> bool:
        """Whether nothing has been let through yet: then nothing can have been written."""
        return self._first

    async def may(self) -> None:
        """Return if the next write may leave now; raises as `Gate.ask` if it may not."""
        await self._gate.ask(self._number, self._effect, self._bundle, first=self._first)
        self._first = False


class GatedHttp:
    """The HTTP port of a writing action: every request that can change something asks the gate first."""

    def __init__(self, http: Http, asking: Asking) -> None:
        self._http, self._asking = http, asking

    async def request(
        self,
        endpoint: Endpoint,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float,
    ) -> Reply:
        """As `plugin.Http.request`; raises `Refused` when the gate says no."""
        if method not in _READING:
            await self._asking.may()
        return await self._http.request(endpoint, method, path, headers=headers, body=body, timeout=timeout)


class GatedKube:
    """The port to clusters of a writing action: what changes an object asks first; a dry run changes none."""

    def __init__(self, kube: Kube, asking: Asking) -> None:
        self._kube, self._asking = kube, asking

    @property
    def clusters(self) -> Sequence[str]:
        """As `Kube.clusters`."""
        return self._kube.clusters

    async def get(self, place: Place, *, subresource: str = "", max_age: float = 0.0, timeout: float = 10.0) -> Json:
        """As `Kube.get`."""
        return await self._kube.get(place, subresource=subresource, max_age=max_age, timeout=timeout)

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
        """As `Kube.list`."""
        return await self._kube.list(place, labels=labels, fields=fields, limit=limit, max_age=max_age, timeout=timeout)

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
        """As `Kube.patch`; raises `Refused` when the gate says no."""
        await self._before(dry_run)
        return await self._kube.patch(place, patch, how, subresource=subresource, dry_run=dry_run, timeout=timeout)

    async def create(self, place: Place, body: Json, *, dry_run: bool = False, timeout: float = 10.0) -> Json:
        """As `Kube.create`; raises `Refused` when the gate says no."""
        await self._before(dry_run)
        return await self._kube.create(place, body, dry_run=dry_run, timeout=timeout)

    async def delete(
        self, place: Place, *, uid: str, grace: float | None = None, dry_run: bool = False, timeout: float = 10.0
    ) -> None:
        """As `Kube.delete`; raises `Refused` when the gate says no."""
        await self._before(dry_run)
        await self._kube.delete(place, uid=uid, grace=grace, dry_run=dry_run, timeout=timeout)

    async def evict(
        self, place: Place, *, uid: str, grace: float | None = None, dry_run: bool = False, timeout: float = 10.0
    ) -> None:
        """As `Kube.evict`; raises `Refused` when the gate says no."""
        await self._before(dry_run)
        await self._kube.evict(place, uid=uid, grace=grace, dry_run=dry_run, timeout=timeout)

    async def logs(
        self, place: Place, *, container: str = "", previous: bool = False, most: int = 64 * 1024, timeout: float = 10.0
    ) -> bytes:
        """As `Kube.logs`."""
        return await self._kube.logs(place, container=container, previous=previous, most=most, timeout=timeout)

    async def _before(self, dry_run: bool) -> None:
        if not dry_run:
            await self._asking.may()
