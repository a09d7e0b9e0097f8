"""Stands for Prometheus and Alertmanager: finds out what fires, and posts bodies of version 4 until they are taken.

`shop` says what is wrong at a moment; this asks it again and again, so that an alert fires and resolves because of what
the simulated cluster is. Alerts of one name are one group, as Alertmanager would send them.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp

from paramedic.clock import Clock
from paramedic.errors import Temporary

__all__ = ["Monitor", "Symptom", "webhook"]

Labels = tuple[tuple[str, str], ...]

_EVERY = 0.2
"""Seconds between two looks."""

_TRIES = 20
_PAUSE = 0.5
_NEVER = "0001-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Symptom:
    """Something that an alert rule finds: the labels of the alert, and what its annotation says."""

    labels: Labels
    summary: str


@dataclass(slots=True)
class _Firing:
    symptom: Symptom
    since: datetime
    until: datetime | None = None


class Monitor:
    """Knows which alerts fire. `look` evaluates the alert rules, `post` sends a body and says whether it was taken."""

    def __init__(
        self,
        look: Callable[[], Awaitable[Sequence[Symptom]]],
        post: Callable[[bytes], Awaitable[bool]],
        clock: Clock,
    ) -> None:
        self._look, self._post, self._clock = look, post, clock
        self._firing: dict[Labels, _Firing] = {}

    async def run(self) -> None:
        """Look again and again."""
        while True:
            await self.look()
            await self._clock.sleep(_EVERY)

    async def look(self) -> None:
        """Look once, and post each group in which something has begun or ended."""
        now, found = self._clock.now(), {one.labels: one for one in await self._look()}
        changed = sorted(found.keys() ^ self._firing.keys())
        for labels in changed:
            if labels in found:
                self._firing[labels] = _Firing(found[labels], now)
            else:
                self._firing[labels].until = now
        for name in sorted({dict(labels)["alertname"] for labels in changed}):
            group = [one for labels, one in sorted(self._firing.items()) if ("alertname", name) in labels]
            await self._deliver(_body(name, group))
        self._firing = {labels: one for labels, one in self._firing.items() if one.until is None}

    async def _deliver(self, body: bytes) -> None:
        for _ in range(_TRIES):
            if await self._post(body):
                return
            await self._clock.sleep(_PAUSE)
        raise Temporary("the service did not take the alert")


def webhook(session: aiohttp.ClientSession, url: str) -> Callable[[bytes], Awaitable[bool]]:
    """Posts to the service at `url` as Alertmanager does."""

    async def post(body: bytes) -> bool:
        headers = {"Content-Type": "application/json"}
        async with session.post(f"{url}/api/v1/alertmanager", data=body, headers=headers) as answer:
            return answer.status == 200

    return post


def _body(name: str, group: Iterable[_Firing]) -> bytes:
    alerts = [_element(one) for one in group]
    fires = any(one["status"] == "firing" for one in alerts)
    body: dict[str, Any] = {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{name}"}}',
        "truncatedAlerts": 0,
        "status": "firing" if fires else "resolved",
        "receiver": "paramedic",
        "groupLabels": {"alertname": name},
        "commonLabels": {"alertname": name},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093",
        "alerts": alerts,
    }
    return json.dumps(body).encode()


def _element(firing: _Firing) -> dict[str, Any]:
    labels = dict(firing.symptom.labels)
    return {
        "status": "firing" if firing.until is None else "resolved",
        "labels": labels,
        "annotations": {"summary": firing.symptom.summary},
        "startsAt": firing.since.isoformat(),
        "endsAt": firing.until.isoformat() if firing.until else _NEVER,
        "generatorURL": "http://prometheus.example/graph",
        "fingerprint": hashlib.sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16],
    }
