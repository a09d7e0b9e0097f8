"""Stands for Prometheus and Alertmanager: bodies of version 4, posted over HTTP until they are taken."""

from datetime import datetime
from typing import Any

import aiohttp

from paramedic.clock import Clock
from paramedic.errors import Temporary

__all__ = ["Monitor"]

_TRIES = 20


class Monitor:
    """Knows which alerts fire. `url` is the service's address."""

    def __init__(self, url: str, session: aiohttp.ClientSession, clock: Clock) -> None:
        self._url, self._session, self._clock = url, session, clock
        self._since: dict[str, tuple[dict[str, str], datetime]] = {}

    async def fire(self, alertname: str, job: str, severity: str, summary: str) -> None:
        """An alert begins to fire."""
        labels = {"alertname": alertname, "namespace": "shop", "job": job, "severity": severity}
        self._since[job] = (labels, self._clock.now())
        await self._post(labels, summary, self._since[job][1], None)

    async def resolve(self, job: str) -> None:
        """The alert of this job is over."""
        if job in self._since:
            labels, since = self._since.pop(job)
            await self._post(labels, "", since, self._clock.now())

    async def _post(self, labels: dict[str, str], summary: str, since: datetime, until: datetime | None) -> None:
        status = "firing" if until is None else "resolved"
        alert = {
            "status": status,
            "labels": labels,
            "annotations": {"summary": summary},
            "startsAt": since.isoformat(),
            "endsAt": until.isoformat() if until else "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example/graph",
            "fingerprint": "0123456789abcdef",
        }
        body: dict[str, Any] = {
            "version": "4",
            "groupKey": f'{{}}:{{alertname="{labels["alertname"]}"}}',
            "truncatedAlerts": 0,
            "status": status,
            "receiver": "paramedic",
            "groupLabels": {"alertname": labels["alertname"]},
            "commonLabels": labels,
            "commonAnnotations": {},
            "externalURL": "http://alertmanager.example:9093",
            "alerts": [alert],
        }
        for _ in range(_TRIES):
            async with self._session.post(f"{self._url}/api/v1/alertmanager", json=body) as answer:
                if answer.status == 200:
                    return
            await self._clock.sleep(0.5)
        raise Temporary("the service did not take the alert")
