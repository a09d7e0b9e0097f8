"""Rounds of kill -9: alerts pour in, the service dies in the middle, comes up again on the same data, and drains.

What must hold afterwards is promise 1 (nothing accepted is lost) and promise 3 (nothing is done under a second key, and
what protects itself by nothing is called once at most: where nobody can know, a person is paged).
"""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.crash.record import Record
from tests.crash.sink import Sink
from tests.engine.texts import body
from tests.real.processes import Process, Processes, free_port, until

__all__ = ["Killing", "service_on"]

PARAMEDIC = str(Path(sys.executable).with_name("paramedic"))
IN_FLIGHT = 32
CATALOG = """\
endpoints:
  - {name: hook, url: "SINK/hook", idempotent: true, timeout: 1s}
  - {name: raw, url: "SINK/raw", idempotent: false, timeout: 1s}
people: [{name: sre}]
escalation: [{name: sre, levels: [{after: 0s, page: [sre]}]}]
rules:
  - name: unprotected
    match: ['endpoint="raw"']
    incident: [id]
    storm: off
    playbook: call-raw
    with: {id: "${labels.id}"}
    escalation: sre
  - {name: every-alert, match: ['alertname=~".+"'], incident: [id], playbook: call-hook, with: {id: "${labels.id}"}}
"""
PLAYBOOK = """\
playbook: call-ENDPOINT
mode: auto
defaults: none
params: {id: {type: string}}
target: "ENDPOINT/${params.id}"
steps:
  - http: {endpoint: ENDPOINT, method: POST, path: "/act?id=${params.id}", body: {id: "${params.id}"}}
"""


def alert(identity: str, endpoint: str) -> Mapping[str, Any]:
    """A firing alert with an incident of its own."""
    return {
        "status": "firing",
        "labels": {"alertname": "Down", "id": identity, "endpoint": endpoint},
        "annotations": {},
        "startsAt": "2026-01-05T02:14:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": "00",
    }


@dataclass
class Killing:
    """A service that can be killed, and those who send to it and look at it."""

    process: Process
    url: str
    sink: Sink
    http: aiohttp.ClientSession
    sent: dict[str, str] = field(default_factory=dict)

    @property
    def command(self) -> list[str]:
        """What was started."""
        return [PARAMEDIC, "serve"]

    async def start(self) -> None:
        """Start it, or start it again; back when it is ready."""
        self.process.start()
        await self.process.said(self._ready, "the readiness")

    async def kill(self) -> None:
        """kill -9, of the service alone."""
        os.kill(self.process.pid, signal.SIGKILL)

        async def dead() -> bool:
            return self.process.code is not None

        await until(dead, "its end")

    async def _ready(self) -> bool:
        try:
            async with self.http.get(f"{self.url}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def round(self, number: int, alerts: int) -> None:
        """Send so many alerts; kill the service once a third has been acted on, start it again, wait for the rest."""
        before = self.sink.count
        ids = [f"round{number}-{n}" for n in range(alerts)]
        self.sent |= {one: "raw" if n % 3 == 0 else "hook" for n, one in enumerate(ids)}
        waiting = asyncio.Queue[str]()
        for one in ids:
            waiting.put_nowait(one)
        async with asyncio.TaskGroup() as senders:
            for _ in range(IN_FLIGHT):
                senders.create_task(self._send(waiting))
            assert await self.sink.until(lambda: self.sink.count - before >= alerts // 3, 60.0), (
                self.process.last_words()
            )
            await self.kill()
            await self.start()

    async def _send(self, waiting: "asyncio.Queue[str]") -> None:
        """What Alertmanager does: send again until it is answered with 2xx."""
        while not waiting.empty():
            one = waiting.get_nowait()
            text = body(alert(one, self.sent[one]))

            async def taken(text: bytes = text) -> bool:
                try:
                    async with self.http.post(f"{self.url}/api/v1/alertmanager", data=text) as answer:
                        return answer.status == 200
                except (aiohttp.ClientError, TimeoutError):
                    return False

            await until(taken, f"{one} to be accepted")

    async def drained(self) -> None:
        """Wait until every alert has its incident, and no run is under way."""

        async def over() -> bool:
            if (await self._get("runs"))["runs"]:
                return False
            return await self._count() == len(self.sent)

        await self.process.said(over, "the end of every run")

    async def _count(self) -> int:
        """How many incidents there are."""
        count, more = 0, {"limit": "200"}
        while True:
            page = await self._get("incidents", more)
            count += len(page["incidents"])
            if page["cursor"] is None:
                return count
            more["cursor"] = page["cursor"]

    async def _get(self, what: str, query: Mapping[str, str] | None = None) -> Any:
        async with self.http.get(f"{self.url}/api/v1/{what}", params=query) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    def judge(self, record: Record) -> Counter[str]:
        """What must hold for every alert that was accepted; how many were acted on, repeated, and not known."""
        counts: Counter[str] = Counter(unknown=len(record.unknown))
        assert record.incidents == len(self.sent)
        assert not record.left, record.left
        for one, endpoint in self.sent.items():
            keys = self.sink.calls[endpoint].get(one, [])
            assert len(set(keys)) <= 1, f"{one} was acted on under {sorted(set(keys))}"
            assert keys or one in record.unknown, f"{one} was lost"
            if endpoint == "raw":
                assert len(keys) <= 1, f"{one} was called {len(keys)} times, and nothing deduplicates there"
            else:
                assert one not in record.unknown, f"{one} could have been asked for again"
            counts[endpoint] += bool(keys)
            counts["repeated"] += len(keys) > 1
        assert record.unknown <= record.paged, "an outcome that nobody knows, and nobody was told"
        return counts


@asynccontextmanager
async def service_on(processes: Processes, folder: Path, sink: Sink, **settings: str) -> AsyncIterator[Killing]:
    """A service that runs, with the catalog above."""
    rules, playbooks = folder / "rules", folder / "playbooks"
    rules.mkdir()
    playbooks.mkdir()
    (rules / "crash.yaml").write_text(CATALOG.replace("SINK", sink.url))
    for endpoint in ("hook", "raw"):
        (playbooks / f"call-{endpoint}.yaml").write_text(PLAYBOOK.replace("ENDPOINT", endpoint))
    port = free_port()
    environment = {
        "PARAMEDIC_LISTEN": f"127.0.0.1:{port}",
        "PARAMEDIC_RULES": str(rules),
        "PARAMEDIC_PLAYBOOKS": str(playbooks),
        "PARAMEDIC_DATA": str(processes.folder / "data"),
        **settings,
    }
    process = processes.new("paramedic", [PARAMEDIC, "serve"], environment)
    timeout = aiohttp.ClientTimeout(total=10.0)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as http:
        killing = Killing(process, f"http://127.0.0.1:{port}", sink, http)
        await killing.start()
        yield killing
