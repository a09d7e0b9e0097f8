"""The port to Kubernetes clusters: raw JSON in, raw JSON out. Plug-ins call it; a client and a simulation are it.

Every call has a deadline. Writes name us as the field manager; a gate in front of the port asks before each of them.
"""

from collections.abc import Sequence
from typing import Any, Literal, Protocol

from paramedic.cluster.resources import Place
from paramedic.errors import Permanent

__all__ = ["MANAGER", "Json", "Kube", "NoCluster", "PatchKind"]

Json = dict[str, Any]
PatchKind = Literal["json", "merge", "strategic"]

MANAGER = "paramedic"
"""The field manager of everything that we write."""


class Kube(Protocol):
    """Clusters by name. All methods raise, of the four kinds:

    `Missing` (404), `Changed` (409 for a write that compares, a JSON patch whose `test` failed, a precondition),
    `Permanent` (not allowed: the message names the permission; not valid; no such cluster), `Temporary` (429, not
    reached, a read without an answer; `delay` is what Retry-After says), `UnknownOutcome` (a write without an answer).
    `timeout` is in seconds. `max_age` (s): an answer at most so old will do, so that many who ask read once.
    """

    @property
    def clusters(self) -> Sequence[str]:
        """The names of the clusters there are."""
        ...

    async def get(self, place: Place, *, subresource: str = "", max_age: float = 0.0, timeout: float = 10.0) -> Json:
        """One object, or its subresource (`scale`). The answer is shared: whoever gets it must not change it."""
        ...

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
        """All objects that the selectors choose, kinds filled in; more than `limit` is `Permanent`, never a part."""
        ...

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
        """Change an object; the object as it is then."""
        ...

    async def create(self, place: Place, body: Json, *, dry_run: bool = False, timeout: float = 10.0) -> Json:
        """Make an object at `place` (its name is in the body); one that exists already is `Changed`."""
        ...

    async def delete(
        self, place: Place, *, uid: str, grace: float | None = None, dry_run: bool = False, timeout: float = 10.0
    ) -> None:
        """Delete exactly this object: another one under the same name is `Changed`."""
        ...

    async def evict(
        self, place: Place, *, uid: str, grace: float | None = None, dry_run: bool = False, timeout: float = 10.0
    ) -> None:
        """Evict exactly this pod; a disruption budget that says no is `Temporary`."""
        ...

    async def logs(
        self, place: Place, *, container: str = "", previous: bool = False, most: int = 64 * 1024, timeout: float = 10.0
    ) -> bytes:
        """The newest `most` bytes of a container's log."""
        ...


class NoCluster:
    """The port of a service that was told of no cluster: every call says so."""

    @property
    def clusters(self) -> Sequence[str]:
        """None."""
        return ()

    async def get(self, place: Place, *, subresource: str = "", max_age: float = 0.0, timeout: float = 10.0) -> Json:
        """Say so."""
        raise _no_cluster()

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
        """Say so."""
        raise _no_cluster()

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
        """Say so."""
        raise _no_cluster()

    async def create(self, place: Place, body: Json, *, dry_run: bool = False, timeout: float = 10.0) -> Json:
        """Say so."""
        raise _no_cluster()

    async def delete(
        self, place: Place, *, uid: str, grace: float | None = None, dry_run: bool = False, timeout: float = 10.0
    ) -> None:
        """Say so."""
        raise _no_cluster()

    async def evict(
        self, place: Place, *, uid: str, grace: float | None = None, dry_run: bool = False, timeout: float = 10.0
    ) -> None:
        """Say so."""
        raise _no_cluster()

    async def logs(
        self, place: Place, *, container: str = "", previous: bool = False, most: int = 64 * 1024, timeout: float = 10.0
    ) -> bytes:
        """Say so."""
        raise _no_cluster()


def _no_cluster() -> Permanent:
    return Permanent("no cluster is configured; set KUBECONFIG or PARAMEDIC_CLUSTERS")
