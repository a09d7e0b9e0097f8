"""A real Alertmanager as a process of its own: its configuration, its API, its twins."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.real.processes import Process, Processes, free_port, until

__all__ = ["Alertmanager", "Alertmanagers", "Timing", "binary", "configuration", "metric"]

NAMES = ("prometheus-alertmanager", "alertmanager")


def binary() -> str:
    """Alertmanager's program: on PATH, or where tests/real/install puts it. Skips the test when there is none."""
    brought = Path(os.environ.get("REAL") or Path.home() / ".cache" / "paramedic" / "real") / "bin"
    for name in NAMES:
        found = shutil.which(name) or shutil.which(name, path=str(brought))
        if found:
            return found
    return pytest.skip("no Alertmanager here; tests/real/install brings it")


def metric(page: str, name: str, **labels: str) -> float:
    """The sum of the samples of `name` with at least these labels, out of a page of metrics."""
    wanted = [f'{label}="{value}"' for label, value in labels.items()]
    samples = [line.rpartition(" ") for line in page.splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
    return sum(float(value) for series, _, value in samples if all(one in series for one in wanted))


class Timing:
    """How fast an Alertmanager speaks, in its own notation. Far faster than anybody would have it."""

    def __init__(self, wait: str = "200ms", interval: str = "1s", repeat: str = "1h") -> None:
        self.wait, self.interval, self.repeat = wait, interval, repeat


class Alertmanager:
    """One running Alertmanager. Times of alerts are the test's own, so that twins are told the same."""

    def __init__(self, process: Process, port: int, config: Path, http: aiohttp.ClientSession) -> None:
        self.process, self._config, self._http = process, config, http
        self.url = f"http://127.0.0.1:{port}"

    async def start(self) -> None:
        """Start it, and wait until it takes alerts."""
        self.process.start()
        await self.process.said(self._ready, "the readiness")

    async def push(
        self, *ids: str, starts: datetime | None = None, ends: datetime | None = None, **labels: str
    ) -> datetime:
        """Tell it that alerts with these ids fire since `starts` (now), or ended at `ends`; the start."""
        now = datetime.now(UTC)
        starts = starts or now
        alerts = [
            {
                "labels": {"alertname": "HighErrorRate", "id": one, "service": "api", **labels},
                "annotations": {"summary": f"{one} answers with errors"},
                "startsAt": starts.isoformat(),
                "endsAt": (ends or now + timedelta(minutes=30)).isoformat(),
            }
            for one in ids
        ]
        async with self._http.post(f"{self.url}/api/v2/alerts", json=alerts) as answer:
            assert answer.status == 200, await answer.text()
        return starts

    async def resolve(self, *ids: str, starts: datetime, **labels: str) -> None:
        """Tell it that they have ended now."""
        await self.push(*ids, starts=starts, ends=datetime.now(UTC), **labels)

    async def status(self) -> Any:
        """What it says of itself and its cluster."""
        async with self._http.get(f"{self.url}/api/v2/status") as answer:
            return await answer.json()

    async def configure(self, text: str) -> None:
        """Have it work by another configuration."""
        self._config.write_text(text)
        async with self._http.post(f"{self.url}/-/reload") as answer:
            assert answer.status == 200, await answer.text()

    async def metric(self, name: str, **labels: str) -> float:
        """One of its own metrics."""
        async with self._http.get(f"{self.url}/metrics") as answer:
            return metric(await answer.text(), name, **labels)

    async def attempts(self) -> int:
        """How many requests it has sent to webhooks, whatever came of them."""
        return int(await self.metric("alertmanager_notification_requests_total", integration="webhook"))

    async def _ready(self) -> bool:
        try:
            async with self._http.get(f"{self.url}/-/ready") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False


class Alertmanagers:
    """Starts Alertmanagers that post to a service."""

    def __init__(self, processes: Processes, folder: Path, http: aiohttp.ClientSession) -> None:
        self._processes, self._folder, self._http = processes, folder, http
        self._program = binary()

    async def __call__(
        self,
        service: str,
        timing: Timing | None = None,
        *,
        by: Sequence[str] = ("alertname",),
        auth: Mapping[str, Any] | None = None,
    ) -> Alertmanager:
        """One, alone, that groups by these labels; `auth` is its `http_config`."""
        one = self._new(configuration(service, timing, by=by, auth=auth), ["--cluster.listen-address="])
        await one.start()
        return one

    async def twins(self, service: str, timing: Timing | None = None) -> tuple[Alertmanager, Alertmanager]:
        """Two that gossip with each other and post to the same place; ready when each sees the other."""
        ports = [free_port(), free_port()]
        gossip = ["--cluster.peer-timeout=2s", "--cluster.settle-timeout=1s", "--cluster.gossip-interval=50ms"]
        first, second = (
            self._new(
                configuration(service, timing),
                [
                    f"--cluster.listen-address=127.0.0.1:{mine}",
                    f"--cluster.advertise-address=127.0.0.1:{mine}",
                    f"--cluster.peer=127.0.0.1:{other}",
                    *gossip,
                ],
            )
            for mine, other in (ports, reversed(ports))
        )
        await first.start()
        await second.start()

        async def joined() -> bool:
            clusters = [(await one.status())["cluster"] for one in (first, second)]
            return all(each["status"] == "ready" and len(each["peers"]) == 2 for each in clusters)

        await until(joined, "the twins to find each other")
        return first, second

    def _new(self, config: str, options: Sequence[str]) -> Alertmanager:
        port = free_port()
        place = self._folder / f"alertmanager-{port}"
        place.mkdir()
        file = place / "alertmanager.yml"
        file.write_text(config)
        command = [
            self._program,
            f"--config.file={file}",
            f"--storage.path={place / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            *options,
        ]
        return Alertmanager(self._processes.new("alertmanager", command), port, file, self._http)


def configuration(
    service: str,
    timing: Timing | None = None,
    *,
    by: Sequence[str] = ("alertname",),
    auth: Mapping[str, Any] | None = None,
) -> str:
    """What stands in alertmanager.yml: one route, one webhook. JSON is YAML too."""
    timing = timing or Timing()
    webhook = {"url": f"{service}/api/v1/alertmanager", "send_resolved": True, "http_config": dict(auth or {})}
    return json.dumps(
        {
            "route": {
                "receiver": "paramedic",
                "group_by": list(by),
                "group_wait": timing.wait,
                "group_interval": timing.interval,
                "repeat_interval": timing.repeat,
            },
            "receivers": [{"name": "paramedic", "webhook_configs": [webhook]}],
        }
    )
