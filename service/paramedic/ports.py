"""The ports through which plug-ins reach the world: HTTP, clusters, metrics, reported changes, Alertmanagers.

`plugin` hands them on.

The service fills them with clients, a rehearsal with its simulated world, and what is not configured says so itself.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from paramedic.clock import SystemClock
from paramedic.cluster.port import Kube, NoCluster
from paramedic.core.bundle import Endpoint
from paramedic.errors import Permanent

__all__ = [
    "Alerts",
    "Changes",
    "Deployed",
    "Http",
    "Measured",
    "Metrics",
    "NoAlerts",
    "NoChanges",
    "NoMetrics",
    "Reply",
    "Sample",
    "Standing",
    "Tools",
]


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
    """One series at one moment: its labels and its value, which may be NaN."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What a query came to at the moment `at`. `warnings`: why it may be only a part, or not what was meant."""

    at: datetime
    samples: tuple[Sample, ...]
    warnings: tuple[str, ...] = ()


class Metrics(Protocol):
    """The metrics port. A rehearsal answers by `name` out of its world; Prometheus answers the `query`.

    `max_age` (s): a value that nobody has renewed for longer counts as absent. `timeout` is in seconds. Both raise
    `Temporary` (not reached, overloaded, still starting) or `Permanent` (not a query, over 1000 series, nothing
    configured).
    """

    async def instant(self, name: str, query: str, *, max_age: float, timeout: float) -> Measured:
        """What the query comes to now."""
        ...

    async def over(
        self, name: str, query: str, *, seconds: float, step: float, max_age: float, timeout: float
    ) -> Sequence[Measured]:
        """What it came to every `step` seconds from `seconds` ago until now, oldest first, no moment left out."""
        ...


class NoMetrics:
    """The metrics port of a service that was told of no Prometheus."""

    async def instant(self, name: str, query: str, *, max_age: float, timeout: float) -> Measured:
        """Say so."""
        raise _no_metrics()

    async def over(
        self, name: str, query: str, *, seconds: float, step: float, max_age: float, timeout: float
    ) -> Sequence[Measured]:
        """Say so."""
        raise _no_metrics()


def _no_metrics() -> Permanent:
    return Permanent("no Prometheus is configured; set PARAMEDIC_PROMETHEUS_URL")


@dataclass(frozen=True, slots=True)
class Deployed:
    """A change that CI reported: of which workload (canonical target) or service, when, to what, its link and by whom.

    Of a service, `target` is the place where it runs: CLUSTER/NAMESPACE, CLUSTER, or nothing for anywhere.
    """

    at: datetime
    target: str
    service: str = ""
    version: str = ""
    url: str = ""
    by: str = ""


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
class Standing:
    """How a source sees an alert now: it is active, silenced or inhibited `by` whom, or not known there (any more).

    `unasked`: the source has no address, so that its newest delivery is all there is.
    """

    state: Literal["active", "silenced", "inhibited", "absent", "unasked"]
    by: tuple[str, ...] = ()


class Alerts(Protocol):
    """The port to the Alertmanagers that alerts come from."""

    async def standing(self, source: str, labels: Mapping[str, str], *, timeout: float) -> Standing:
        """How this source sees the alert with exactly these labels; `timeout` is in seconds.

        Of several instances one that keeps it quiet counts more than one that does not. Raises `Temporary` or
        `Permanent` where none answers.
        """
        ...


class NoAlerts:
    """The port of a service none of whose sources has an address."""

    async def standing(self, source: str, labels: Mapping[str, str], *, timeout: float) -> Standing:
        """Nobody to ask."""
        return Standing("unasked")


class Tools(msgspec.Struct, frozen=True):
    """The ports that a plug-in may use: http, kube, metrics, changes, alerts. `reads` and `writes` declare which.

    `setting` gives the value of a setting by its name, NAME_FILE included; "" where it is not set.
    `wait` lets so many seconds pass, for an action that must see its first write settle before the next one.
    """

    http: Http
    kube: Kube = msgspec.field(default_factory=NoCluster)
    metrics: Metrics = msgspec.field(default_factory=NoMetrics)
    changes: Changes = msgspec.field(default_factory=NoChanges)
    alerts: Alerts = msgspec.field(default_factory=NoAlerts)
    setting: Callable[[str], str] = lambda name: ""
    wait: Callable[[float], Awaitable[None]] = msgspec.field(default_factory=lambda: SystemClock().sleep)
