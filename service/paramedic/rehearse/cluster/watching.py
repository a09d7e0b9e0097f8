"""Conditions on workloads, and what follows them: alerts, as Prometheus would see them. The stage and the demo run it.

Nothing is polled: it looks again when an object changed, when something is due in a cluster, or when a wait is over.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase

from paramedic.clock import Clock
from paramedic.cluster.names import parse_target
from paramedic.cluster.port import Json
from paramedic.cluster.resources import PODS
from paramedic.rehearse.cluster.cluster import SimulatedCluster
from paramedic.rehearse.cluster.pods import is_active, is_ready
from paramedic.rehearse.cluster.site import condition
from paramedic.rehearse.cluster.spec import Condition

__all__ = ["Followers", "holds"]

_SOONEST = 0.01
"""Seconds between two looks, at least: within one moment of the clock nothing new can be due."""

_EXACT = 1e-6
"""What sums of moments may be off by, in seconds."""


def holds(clusters: Mapping[str, SimulatedCluster], wanted: Condition) -> bool:
    """Whether a condition holds now. A workload that is not there is unready, and has no pods."""
    target = parse_target(wanted.target)
    cluster = clusters.get(target.cluster)
    if cluster is None:
        return False
    cluster.catch_up()
    found = cluster.site.storage.get(target.resource, target.namespace, target.name)
    pods = [
        one
        for one in cluster.site.storage.all(PODS, target.namespace)
        if is_active(one) and cluster.site.workload_of(one) == target.name
    ]
    ready = [one for one in pods if is_ready(one)]
    if wanted.runs:
        return any(fnmatchcase(one["spec"]["containers"][0]["image"], wanted.runs) for one in ready)
    if wanted.fewer is not None:
        return len(ready) < wanted.fewer
    if wanted.is_ == "unready":
        return len(ready) < len(pods) or len(ready) < _desired(found)
    return any(_is_pending(one) if wanted.is_ == "pending" else _is_crashing(one) for one in pods)


def _desired(found: Json | None) -> int:
    """How many pods a workload should have; one that is gone should have one."""
    if found is None:
        return 1
    return int(found["spec"].get("replicas", (found.get("status") or {}).get("desiredNumberScheduled", 0)))


def _is_pending(pod: Json) -> bool:
    placed = condition(pod, "PodScheduled")
    return placed is not None and placed["status"] == "False"


def _is_crashing(pod: Json) -> bool:
    states = (pod.get("status") or {}).get("containerStatuses") or ()
    return any((one["state"].get("waiting") or {}).get("reason") == "CrashLoopBackOff" for one in states)


@dataclass(slots=True)
class _Follower:
    """What follows one condition: since when it holds, since when it is over, and whether it has begun."""

    condition: Condition
    begins: Callable[[], None]
    ends: Callable[[], None]
    delay: float
    stays: float
    since: float | None = None
    over: float | None = None
    on: bool = False


class Followers:
    """Everything that follows the conditions of clusters."""

    def __init__(self, clusters: Mapping[str, SimulatedCluster], clock: Clock) -> None:
        self._clusters, self._clock = clusters, clock
        self._followers: list[_Follower] = []
        self._changed = asyncio.Event()
        for cluster in clusters.values():
            cluster.listen(self._changed.set)

    def add(
        self,
        condition: Condition,
        begins: Callable[[], None],
        ends: Callable[[], None],
        *,
        delay: float = 0.0,
        stays: float = 0.0,
    ) -> None:
        """Call `begins` once the condition has held for `delay` seconds, and `ends` once it is over for `stays`."""
        self._followers.append(_Follower(condition, begins, ends, delay, stays))

    async def watch(self) -> None:
        """Follow the clusters until cancelled."""
        while True:
            for cluster in self._clusters.values():
                cluster.catch_up()
            self._changed.clear()
            waits = [self._look(one) for one in self._followers]
            waits += [cluster.next_due() for cluster in self._clusters.values()]
            soonest = min((one for one in waits if one is not None), default=None)
            with suppress(TimeoutError):
                async with asyncio.timeout(None if soonest is None else max(soonest, _SOONEST)):
                    await self._changed.wait()

    def _look(self, one: _Follower) -> float | None:
        """Let it begin or end; how long to wait until it is worth another look (None: until something changes)."""
        now = self._clock.monotonic()
        if holds(self._clusters, one.condition):
            one.since, one.over = now if one.since is None else one.since, None
            left = one.since + one.delay - now
            if not one.on and left <= _EXACT:
                one.on = True
                one.begins()
            return None if one.on else left
        one.since, one.over = None, now if one.over is None else one.over
        left = one.over + one.stays - now
        if one.on and left <= _EXACT:
            one.on = False
            one.ends()
        return left if one.on else None
