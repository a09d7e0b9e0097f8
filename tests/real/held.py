"""A sink whose answers a test holds back: what is acted on hangs in it for as long as the test wants, id by id."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from paramedic.clock import SystemClock
from tests.engine.texts import body
from tests.real.processes import until

__all__ = ["Acting", "HeldSink", "alert", "firing", "held_sink"]

RULES = """\
endpoints:
  - {name: hook, url: "SINK/hook", idempotent: true, timeout: TIMEOUT}
  - {name: raw, url: "SINK/raw", timeout: TIMEOUT}
people: [{name: sre}]
escalation: [{name: sre, levels: [{after: 0s, page: [sre]}]}]
rules:
  - name: unprotected
    match: ['endpoint="raw"']
    incident: [id]
    playbook: call-raw
    with: {id: "${labels.id}"}
    escalation: sre
    storm: off
  - name: every-alert
    match: ['alertname=~".+"']
    incident: [id]
    playbook: call-hook
    with: {id: "${labels.id}"}
    escalation: sre
    storm: off
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


def alert(identity: str, endpoint: str = "hook") -> bytes:
    """A body with one firing alert, which has an incident of its own."""
    return firing({"alertname": "Down", "id": identity, "endpoint": endpoint})


def firing(labels: Mapping[str, str]) -> bytes:
    """A body with one firing alert with these labels."""
    element: Mapping[str, Any] = {
        "status": "firing",
        "labels": labels,
        "annotations": {},
        "startsAt": "2026-01-05T02:14:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": "00",
    }
    return body(element)


@dataclass(frozen=True)
class Acting:
    """Rules and playbooks: an alert calls `hook`, which knows keys again, or `raw`, which does not, with its id."""

    sink: str
    timeout: str = "5s"

    def write(self, rules: Path, playbooks: Path) -> None:
        """Put the files where a service looks for them."""
        rules.mkdir(exist_ok=True)
        playbooks.mkdir(exist_ok=True)
        (rules / "rules.yaml").write_text(RULES.replace("SINK", self.sink).replace("TIMEOUT", self.timeout))
        for endpoint in ("hook", "raw"):
            (playbooks / f"call-{endpoint}.yaml").write_text(PLAYBOOK.replace("ENDPOINT", endpoint))


class HeldSink:
    """`keys` of each id that was acted on, `at` when (monotonic) it was last; those in `held` get no answer yet.

    Others are answered after `takes` seconds.
    """

    def __init__(self) -> None:
        self.url = ""
        self.takes = 0.0
        self.keys: dict[str, list[str]] = {}
        self.at: dict[str, float] = {}
        self.held: dict[str, asyncio.Event] = {}
        self._clock = SystemClock()

    def hold(self, *ids: str) -> None:
        """Answer these not before they are let go."""
        self.held |= {one: asyncio.Event() for one in ids}

    def let_go(self, *ids: str) -> None:
        """Answer these."""
        for one in ids:
            self.held.pop(one).set()

    async def came(self, identity: str, times: int = 1) -> None:
        """Wait until this was asked for so many times."""

        async def often() -> bool:
            return len(self.keys.get(identity, ())) >= times

        await until(often, f"{identity} to be acted on {times} times")

    async def act(self, request: web.Request) -> web.Response:
        """One action. Whoever has hung up by the time of the answer does not get it; it was done all the same."""
        identity = request.query["id"]
        self.keys.setdefault(identity, []).append(request.headers["Idempotency-Key"])
        self.at[identity] = self._clock.monotonic()
        if identity in self.held:
            await self.held[identity].wait()
        elif self.takes:
            await self._clock.sleep(self.takes)
        return web.Response(text="done")


@asynccontextmanager
async def held_sink() -> AsyncIterator[HeldSink]:
    """One that listens."""
    sink = HeldSink()
    app = web.Application()
    app.add_routes([web.post("/{endpoint}/act", sink.act)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        host, port = runner.addresses[0][:2]
        sink.url = f"http://{host}:{port}"
        yield sink
    finally:
        with suppress(KeyError):
            sink.let_go(*sink.held)
        await runner.cleanup()
