"""The ports through which plug-ins reach the world: HTTP, clusters, metrics, reported changes. `plugin` hands them on.

The service fills them with clients, a rehearsal with its simulated world, and what is not configured says so itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from paramedic.cluster.port import Kube, NoCluster
from paramedic.core.bundle import Endpoint
from paramedic.errors import Permanent

__all__ = ["Changes", "Deployed", "Http", "Metrics", "NoChanges", "NoMetrics", "Reply", "Sample", "Tools"]


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer: `body` is at most 64 KiB."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Http(Protocol):
    """The HTTP port. What a writing plug-in holds asks the gate before each request that is not GET or HEAD."""

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
        """Send one request, no redirects followed, no retry.

        `timeout` is in seconds. Raises `Temporary` when nothing was sent (refused, unresolved), `UnknownOutcome` when
        the answer never came, `Refused` when the gate says no.
        """
        ...


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an instant query: its labels, its value (may be NaN) and the moment that the value was taken."""

    labels: Mapping[str, str]
    value: float
    at: datetime


class Metrics(Protocol):
    """The metrics port. A rehearsal answers by `name` out of its world; Prometheus answers the `query`."""

    async def instant(self, name: str, query: str, *, timeout: float) -> Sequence[Sample]:
        """The series of an instant query, now; at most 1000.

        Raises `Temporary` (not reached, overloaded, still starting), `Permanent` (not a query, nothing configured).
        """
        ...


class NoMetrics:
    """The metrics port of a service that was told of no Prometheus."""

    async def instant(self, name: str, query: str, *, timeout: float) -> Sequence[Sample]:
        """Say so."""
        raise Permanent("no Prometheus is configured; set PARAMEDIC_PROMETHEUS_URL")


@dataclass(frozen=True, slots=True)
class Deployed:
    """A change that CI reported: of which workload (canonical target) or service, when, to what, by which link."""

    at: datetime
    target: str
    service: str = ""
    version: str = ""
    url: str = ""


class Changes(Protocol):
    """The port to the changes that were reported over `POST /api/v1/changes`."""

    async def since(self, target: str, service: str, moment: datetime) -> Sequence[Deployed]:
        """Changes of this target, or of this service if one is given, at `moment` or later, newest first, at most 20.

        Raises `Temporary`.
        """
        ...


class NoChanges:
    """The changes of a world in which nobody reports any."""

    async def since(self, target: str, service: str, moment: datetime) -> Sequence[Deployed]:
        """None."""
        return ()


@dataclass(frozen=True, slots=True)
class Tools:
    """The ports that a plug-in may use; it declares which in `reads` and `writes`: http, kube, metrics, changes.

    `setting` gives the value of a setting by its name, NAME_FILE included; "" where it is not set.
    """

    http: Http
    kube: Kube = field(default_factory=NoCluster)
    metrics: Metrics = field(default_factory=NoMetrics)
    changes: Changes = field(default_factory=NoChanges)
    setting: Callable[[str], str] = lambda name: ""
