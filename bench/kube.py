"""Kubernetes: the CPU of a plan with five reads, many incidents on one workload, and the service with a cluster.

The API server is a stand-in on loopback (`apiserver`), so that the figures are ours alone.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from bench.load import WEBHOOK, ready
from bench.machine import resident
from bench.processes import paramedic, running
from paramedic.actions.scale import Scale
from paramedic.clients.kube.opening import open_clusters
from paramedic.clients.kube.shared import Shared
from paramedic.clients.kube.targets import resolve
from paramedic.clock import SystemClock
from paramedic.cluster.names import parse_target
from paramedic.cluster.port import Kube
from paramedic.plugin import Tools
from paramedic.settings import ClusterSetting
from tests.contract.plugin_scene import Wire, seen

_PLANS = 200
_INCIDENTS = 50
_SECONDS = 5.0
_PATHS = (
    "/apis/apps/v1/namespaces/shop/deployments/api",
    "/apis/apps/v1/namespaces/shop/deployments/api",
    "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers",
    "/api/v1/namespaces/shop/pods",
    "/api/v1/namespaces/shop/resourcequotas",
)
_KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: it
contexts: [{{name: it, context: {{cluster: it, user: it}}}}]
clusters: [{{name: it, cluster: {{server: "{url}"}}}}]
users: [{{name: it, user: {{token: t}}}}]
"""
_CATALOG = """\
rules: [{name: all, match: ['alertname=~".+"'], playbook: more}]
---
playbook: more
mode: shadow
defaults: none
target: main/shop/deployment/api
steps: [{scale: {by: 1, max: 10}}]
"""


def main() -> None:
    """Print each with what it is to be measured against."""
    with tempfile.TemporaryDirectory(prefix="pb-") as name:
        folder = Path(name)
        with _apiserver(folder) as url:
            config = folder / "kubeconfig"
            config.write_text(_KUBECONFIG.format(url=url))
            asyncio.run(_plans(url, config))
            asyncio.run(_shared(url, config))
            _service(folder, "without a cluster", {})
            _service(folder, "with a cluster", {"PARAMEDIC_CLUSTERS": f"main={config}"})


@contextmanager
def _apiserver(folder: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "bench.apiserver"]
    with running(command, r"ready (\S+)", folder / "apiserver.log", {}) as process:
        yield process.url


async def _plans(url: str, config: Path) -> None:
    """A plan of `scale`, its target resolved before: five reads, none of them shared."""
    clock, target = SystemClock(), parse_target("main/shop/deployment/api")
    action = Scale()
    params = action.Params.model_validate({"by": 1, "max": 10})
    async with await open_clusters([ClusterSetting("main", str(config), "KUBECONFIG")], {}, clock) as kube:
        tools = Tools(http=Wire(), kube=kube)

        async def plan() -> None:
            await resolve(kube, target)
            await action.plan(params, seen(), tools)

        ours = await _cpu(plan)
        reads = await _asked_by(url, plan)
    async with aiohttp.ClientSession() as session:

        async def bare() -> None:
            for path in _PATHS:
                async with session.get(url + path) as answer:
                    json.loads(await answer.read())

        wire = await _cpu(bare)
    print(f"   bare reads             {wire * 1e3:6.2f} ms CPU   1.0   ({len(_PATHS)} GETs, parsed)")
    print(f"   a plan                 {ours * 1e3:6.2f} ms CPU   {ours / wire:.1f}   ({reads} reads)", flush=True)


async def _cpu(work: Callable[[], Awaitable[None]]) -> float:
    """CPU seconds of one, median of five rounds."""
    for _ in range(10):
        await work()
    took = []
    for _ in range(5):
        began = time.process_time()
        for _ in range(_PLANS // 5):
            await work()
        took.append((time.process_time() - began) / (_PLANS // 5))
    return statistics.median(took)


async def _asked_by(url: str, work: Callable[[], Awaitable[None]]) -> int:
    before = await asyncio.to_thread(_asked, url)
    await work()
    return await asyncio.to_thread(_asked, url) - before


async def _shared(url: str, config: Path) -> None:
    """Incidents on one workload, each looking at it ten times a second, alone and through `Shared`."""
    clock = SystemClock()
    async with await open_clusters([ClusterSetting("main", str(config), "KUBECONFIG")], {}, clock) as kube:
        shared = Shared(kube, clock)
        alone = await _looked(url, kube, rounds=2)
        together = await _looked(url, shared, rounds=round(_SECONDS * 10))
        await shared.close()
    print(f"   {_INCIDENTS} incidents, alone    {alone:7.1f} reads a second")
    print(
        f"   {_INCIDENTS} incidents, shared   {together:7.1f} reads a second   1/{alone / max(together, 0.1):.0f}",
        flush=True,
    )


async def _looked(url: str, kube: Kube, *, rounds: int) -> float:
    """Reads a second that reach the API server while all incidents look, ten times a second each."""
    place = parse_target("main/shop/deployment/api").place
    before, began = await asyncio.to_thread(_asked, url), time.monotonic()
    for number in range(rounds):
        await asyncio.gather(*(kube.get(place, max_age=1.0) for _ in range(_INCIDENTS)))
        await asyncio.sleep(max(0.0, began + (number + 1) / 10 - time.monotonic()))
    took = time.monotonic() - began
    return (await asyncio.to_thread(_asked, url) - before) / took


def _asked(url: str) -> int:
    with urllib.request.urlopen(f"{url}/asked", timeout=10) as answer:
        return int(answer.read())


def _service(folder: Path, label: str, environment: Mapping[str, str]) -> None:
    """Seconds until it serves, and MiB when it is idle; with a cluster, after it has planned something on it."""
    home = folder / label.replace(" ", "-")
    home.mkdir()
    (home / "all.yaml").write_text(_CATALOG)
    given = {
        "PARAMEDIC_LISTEN": "127.0.0.1:0",
        "PARAMEDIC_DATA": str(home / "data"),
        "PARAMEDIC_RULES": str(home),
        "PARAMEDIC_PLAYBOOKS": str(home),
        **environment,
    }
    said = r"paramedic serves on (http://[^\s;]+)"
    for number in range(2):  # the first time it makes its database
        began = time.monotonic()
        with running([paramedic(), "serve"], said, home / f"{number}.log", given) as service:
            took = ready(service.url, began)
            idle = resident(service.pid)[0]
            if number and environment:
                _plan_once(service.url, environment["PARAMEDIC_CLUSTERS"])
                _line(f"{label}, planned", took, resident(service.pid)[0])
            elif number:
                _line(label, took, idle)


def _plan_once(url: str, cluster: str) -> None:
    """Let it plan on the cluster, and wait until it has read."""
    server = json.loads(Path(cluster.partition("=")[2]).read_text().split("server: ")[1].split("}")[0])
    before, deadline = _asked(server), time.monotonic() + 30
    alert = {"status": "firing", "labels": {"alertname": "Slow"}, "annotations": {}, "endsAt": "0001-01-01T00:00:00Z"}
    alert |= {"startsAt": datetime.now(UTC).isoformat(), "generatorURL": "", "fingerprint": "a"}
    body = {"version": "4", "status": "firing", "receiver": "p", "groupKey": "{}", "truncatedAlerts": 0}
    body |= {"groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "", "alerts": [alert]}
    request = urllib.request.Request(url + WEBHOOK, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10):
        pass
    while _asked(server) < before + len(set(_PATHS)):
        if time.monotonic() > deadline:
            raise RuntimeError(f"it read {_asked(server) - before} times")
        time.sleep(0.1)


def _line(label: str, seconds: float, mib: float) -> None:
    print(f"   serve {label:26} {seconds:5.2f} s to ready   {mib:5.0f} MiB resident", flush=True)


if __name__ == "__main__":
    main()
