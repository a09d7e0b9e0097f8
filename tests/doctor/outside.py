"""Everything outside, on one port of loopback: Alertmanager, Prometheus, a cluster, PagerDuty, Slack."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from paramedic.catalog.load import load_files
from paramedic.clock import SystemClock
from paramedic.doctor.examine import examine
from paramedic.doctor.finding import Finding
from paramedic.plugin import discover
from paramedic.settings import Settings, read_settings
from tests.clients.servers import Peer, Request, serving

SECRETS = {
    "PARAMEDIC_PROMETHEUS_TOKEN": "prometheus-s3cret",
    "SLACK_BOT_TOKEN": "xoxb-s3cret",
    "PAGERDUTY_SRE_KEY": "routing-s3cret",
    "HOOK_TOKEN": "hook-s3cret",
    "MAIN_WEBHOOK_TOKEN": "webhook-s3cret",
}
CATALOG = """\
sources: [{name: main, instances: ["URL"], token: MAIN_WEBHOOK_TOKEN}]
endpoints: [{name: hook, url: "URL", token: HOOK_TOKEN}]
people:
  - {name: sre, notifier: pagerduty, pagerduty_key: PAGERDUTY_SRE_KEY}
  - {name: ann, notifier: slack, slack: U01}
---
playbook: restart
params: {ns: {type: string}}
target: "main/${params.ns}/deployment/api"
guards: [{metric: {name: x, query: up, op: ">", threshold: 0}}]
steps: [{restart: {}}]
"""
KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: it
contexts: [{name: it, context: {cluster: it, user: it}}]
clusters: [{name: it, cluster: {server: "URL"}}]
users: [{name: it, user: {token: cluster-s3cret}}]
"""


NOW = datetime(2026, 1, 5, 2, 14, tzinfo=UTC)


class StillClock(SystemClock):
    """It is always the same moment, however slow the machine: two clocks differ by what they are told to."""

    def now(self) -> datetime:
        return NOW


@dataclass
class Outside:
    """How everything answers. `denied` holds permissions; `statuses` and `bodies` replace answers, by path."""

    url: str = ""
    ahead: float = 0.0
    denied: frozenset[str] = frozenset()
    statuses: dict[str, int] = field(default_factory=dict)
    bodies: dict[str, Any] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    looks_back: bool = False
    up: int = 3
    asked: list[Request] = field(default_factory=list)

    async def answer(self, peer: Peer) -> None:
        while (request := await peer.take()) is not None:
            self.asked.append(request)
            path = request.target.partition("?")[0]
            if path in self.silent:
                await peer.server.quiet.wait()
            body = json.dumps(self.bodies[path] if path in self.bodies else self._body(path, request)).encode()
            date = format_datetime(self.now, usegmt=True)
            peer.answer(self.statuses.get(path, 200), body, Content_Type="application/json", Date=date)

    @property
    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.ahead)

    def _body(self, path: str, request: Request) -> Any:
        match path:
            case "/api/v2/status":
                return {"versionInfo": {"version": "0.28.1"}}
            case "/api/v1/status/buildinfo":
                return {"status": "success", "data": {"version": "2.53.0"}}
            case "/api/v1/query":
                return self._measured(parse_qs(request.body.decode()))
            case "/version":
                return {"gitVersion": "v1.34.1"}
            case "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews":
                return {"status": {"allowed": self._permission(json.loads(request.body)) not in self.denied}}
            case "/auth.test":
                return {"ok": True}
            case _:
                return {}

    def _measured(self, form: Mapping[str, list[str]]) -> Any:
        if form["query"] == ["time()"]:
            return _success("scalar", [self.now.timestamp(), str(self.now.timestamp())])
        count = self.up if self.looks_back or form["lookback_delta"] != ["0.001"] else 0
        series = [{"metric": {}, "value": [self.now.timestamp(), str(count)]}]
        return _success("vector", series if count else [])

    @staticmethod
    def _permission(body: Mapping[str, Any]) -> str:
        about = body["spec"]["resourceAttributes"]
        group = f".{about['group']}" if "group" in about else ""
        where = f" in {about['namespace']}" if "namespace" in about else ""
        return f"{about['verb']} {about['resource']}{group}{where}"


def _success(kind: str, result: Any) -> Any:
    return {"status": "success", "data": {"resultType": kind, "result": result}}


@asynccontextmanager
async def outside(**answers: Any) -> AsyncIterator[Outside]:
    """All of it, for the time of the block."""
    told = Outside(**answers)
    async with serving(told.answer) as server:
        told.url = f"http://127.0.0.1:{server.port}"
        yield told


def settings_for(told: Outside, tmp_path: Path, **environment: str) -> Settings:
    """Settings that lead there; a value of "" unsets one."""
    config = tmp_path / "kubeconfig"
    config.write_text(KUBECONFIG.replace("URL", told.url))
    given = {
        **SECRETS,
        "PARAMEDIC_DATA": str(tmp_path / "data"),
        "PARAMEDIC_PROMETHEUS_URL": told.url,
        "PARAMEDIC_CLUSTERS": f"main={config}",
        "PAGERDUTY_EVENTS_URL": told.url,
        "SLACK_API_URL": told.url,
        **environment,
    }
    return read_settings({name: value for name, value in given.items() if value})


async def examined(
    told: Outside, settings: Settings, *, catalog: str = CATALOG, namespace: str = ""
) -> dict[tuple[str, str], list[Finding]]:
    """What the doctor finds, by system and state."""
    plugins = discover()
    loaded = load_files({"all.yaml": catalog.replace("URL", told.url)}, plugins)
    found = await examine(replace(settings), loaded, plugins, StillClock(), namespace)
    by: dict[tuple[str, str], list[Finding]] = {}
    for each in found:
        by.setdefault((each.system, each.state), []).append(each)
    return by
