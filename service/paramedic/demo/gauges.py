"""How well the shop serves: error ratios and a queue, out of the pods that its cluster really has at a moment.

They are what Prometheus would measure: the service's guards read them as metrics, and the shop's alert rules are
evaluated over them, so that an alert ends because a remedy helped and for no other reason.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from paramedic.cluster.port import Json
from paramedic.demo.monitor import Symptom
from paramedic.demo.shop import NAMESPACE, Shop
from paramedic.plugin import Measured, Sample

__all__ = ["Gauges"]

_FAULTY: Final[Mapping[str, float]] = {"api:42": 0.38, "payments:18": 0.22, "search:8": 0.31}
"""Releases that answer with errors, and the share of requests that they do it to."""

_SERVING: Final = ("api", "payments", "search")
_MOST_ERRORS: Final = 0.05

_QUEUE: Final = "orders"
_WORKS_OFF: Final = 400.0
"""Orders that one worker works off in a second."""

_ARRIVE, _RUSH, _RUSH_LASTS = 500.0, 1100.0, 6.0
_LONGEST_QUEUE: Final = 1000.0


class Gauges:
    """The shop's metrics, and the alerts that follow from them. It is the metrics port of the service."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._depth, self._looked, self._rush_until = 0.0, shop.clock.monotonic(), 0.0

    def rush(self, waiting: float) -> None:
        """A campaign begins: so many orders wait at once, and for a while more come than usual."""
        self._depth += waiting
        self._rush_until = self._shop.clock.monotonic() + _RUSH_LASTS

    async def instant(self, name: str, query: str, *, max_age: float, timeout: float) -> Measured:
        """What is measured under this name now: `queue_depth` is all there is."""
        depth = await self._queue()
        samples = (Sample({"namespace": NAMESPACE, "queue": _QUEUE}, depth),) if name == "queue_depth" else ()
        return Measured(self._shop.clock.now(), samples)

    async def over(
        self, name: str, query: str, *, seconds: float, step: float, max_age: float, timeout: float
    ) -> Sequence[Measured]:
        """What was measured: nobody has kept it."""
        return ()

    async def symptoms(self) -> Sequence[Symptom]:
        """What the alert rules find now."""
        return [one async for one in self._found()]

    async def _found(self) -> AsyncIterator[Symptom]:
        for job in _SERVING:
            share = await self._errors(job)
            if share > _MOST_ERRORS:
                yield _symptom("HighErrorRate", "critical", f"{job} answers requests with errors", job=job)
        for pod in await self._shop.pods("checkout"):
            if _crash_looping(pod):
                name = pod["metadata"]["name"]
                words = f"{name} crashes again and again"
                yield _symptom("KubePodCrashLooping", "warning", words, container="checkout", pod=name)
        if await self._queue() > _LONGEST_QUEUE:
            words = f"more than {_LONGEST_QUEUE:,.0f} orders wait"
            yield _symptom("QueueBacklog", "warning", words, queue=_QUEUE)

    async def _errors(self, workload: str) -> float:
        """The share of requests that a workload answers with an error; all of them where no pod is ready."""
        images = [pod["spec"]["containers"][0]["image"] for pod in await self._shop.pods(workload) if _ready(pod)]
        return sum(_FAULTY.get(image, 0.0) for image in images) / len(images) if images else 1.0

    async def _queue(self) -> float:
        """How many orders wait, with what came and what was worked off since the last look."""
        workers = sum(_ready(pod) for pod in await self._shop.pods("worker"))
        now = self._shop.clock.monotonic()
        arrive = _RUSH if now < self._rush_until else _ARRIVE
        self._depth = max(0.0, self._depth + (arrive - workers * _WORKS_OFF) * (now - self._looked))
        self._looked = now
        return self._depth


def _symptom(name: str, severity: str, summary: str, **labels: str) -> Symptom:
    whole = {"alertname": name, "namespace": NAMESPACE, "severity": severity, **labels}
    return Symptom(tuple(sorted(whole.items())), summary)


def _ready(pod: Json) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _crash_looping(pod: Json) -> bool:
    states = (pod.get("status") or {}).get("containerStatuses") or ()
    return any((one["state"].get("waiting") or {}).get("reason") == "CrashLoopBackOff" for one in states)
