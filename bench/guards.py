"""Guards: the CPU of a phase of twelve that read nothing, and many incidents that look at one workload at once.

No network in either: what is in use and what fires is in memory, the cluster is an object.
"""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec

from paramedic.catalog.load import load_files
from paramedic.clients.kube.shared import Shared
from paramedic.clock import SystemClock
from paramedic.cluster.port import Json, NoCluster
from paramedic.cluster.resources import Place
from paramedic.core.bundle import Bundle, GuardSpec
from paramedic.core.claims import Ledger
from paramedic.core.words import Answer
from paramedic.engine.holdings import Watched
from paramedic.engine.jury import Jury
from paramedic.plugin import Seen, Tools, discover
from paramedic.telemetry import Telemetry
from tests.contract.guard_scene import scene, scope_of
from tests.contract.plugin_scene import Wire, episode

_ROUNDS, _ASKED, _INCIDENTS, _WITHIN = 5, 200, 50, 0.8
_GUARDS = """\
windows: [{name: freeze, from: 2020-01-01T00:00Z, to: 2020-01-02T00:00Z}, {name: night, on: "daily 00:00-06:00"}]
---
playbook: it
mode: auto
params: {namespace: {type: string}, replicas: {type: integer}}
target: "main/${params.namespace}/deployment/api"
guards:
  - still_firing: {for: 1m}
  - cooldown: {for: 15m}
  - cooldown: {for: 1h, per: namespace}
  - budget: {max: 5000, per: 1h}
  - budget: {max: 5000, per: 1h, across: all}
  - budget: {max: 5000, per: 1d, across: namespace}
  - not_firing: {match: ['alertname=~"KubeAPIDown|etcd.*"']}
  - not_firing: {match: ['alertname="NodeDown"', 'namespace="shop"']}
  - window: {outside: freeze}
  - when: params.replicas >= 2
  - when: alert.labels["alertname"] != "" && incident.severity in ["P0", "P1", "P2"]
  - when: run.recurrence < 3
READING
steps: [http: {endpoint: hook, path: /x}]
"""
_READING = ("owned: {hpa: true}", 'object: "object.spec.replicas >= 2"', "recent_change: {within: 1h, absent: true}")


def main() -> None:
    """Print both."""
    for much in (50, 1000):
        asyncio.run(_phase(much))
    asyncio.run(_shared())


def _specs(*reading: str) -> Sequence[GuardSpec]:
    return _bundle(*reading).playbooks["it"].guards


def _bundle(*reading: str) -> Bundle:
    text = _GUARDS.replace("READING", "".join(f"  - {one}\n" for one in reading).rstrip())
    loaded = load_files({"it.yaml": f"endpoints: [{{name: hook, url: 'http://127.0.0.1:9'}}]\n{text}"}, discover())
    if loaded.bundle is None:
        raise ValueError(str(loaded.faults[0]))
    return loaded.bundle


def _known(much: int) -> Seen:
    """The scene of the guards' contract, with so many uses of each budget and so many open episodes."""
    watched, ledger, now = Watched(), Ledger(), scene().now
    specs = discover().guards["not_firing"]
    matchers = specs.watches(specs.Params.model_validate({"match": ['alertname=~".+"']}))
    watched.look_for([*_bundle().watched, *matchers])  # what its own guards ask for, and all that fires
    for n in range(much):
        watched.note(episode(f"Else{n}", 60.0))
        for scope in ("budget/3600s/playbook/restart", "budget/3600s/all/", "budget/86400s/namespace/shop"):
            ledger.use(scope, now - timedelta(seconds=1 + n / 10), n, 1)
    return msgspec.structs.replace(scene("shop"), uses=ledger.seen_by(12, 1), others=watched, windows=_windows())


def _windows() -> Any:
    loaded = load_files({"it.yaml": _GUARDS.split("---", maxsplit=1)[0]}, discover())
    return loaded.bundle.windows if loaded.bundle is not None else {}


async def _phase(much: int) -> None:
    known, plugins = _known(much), discover()
    jury, scope = Jury(plugins, Tools(http=Wire()), Telemetry()), scope_of(known)
    specs = [spec for spec in _specs() if spec.inline]
    verdicts = await jury.ask(specs, scope, known)
    allowed = Counter(str(one.answer) for one in verdicts)
    took = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        for _ in range(_ASKED):
            await jury.ask(specs, scope, known)
        took.append((time.process_time() - began) / _ASKED)
    each = statistics.median(took)
    beside = f"{much} uses of each budget, {much} open episodes"
    print(
        f"   {len(specs)} guards that read nothing   {each * 1e3:6.3f} ms CPU   ({dict(allowed)}; {beside})", flush=True
    )


@dataclass
class _Counting(NoCluster):
    """A cluster of one Deployment that takes 5 ms to answer, and counts."""

    asked: Counter[str] = field(default_factory=Counter)

    async def get(self, place: Place, *, subresource: str = "", max_age: float = 0.0, timeout: float = 10.0) -> Json:
        self.asked[f"get {place}"] += 1
        await SystemClock().sleep(0.005)
        metadata = {"name": "api", "namespace": "shop", "uid": "u1", "generation": 1}
        spec = {"replicas": 3, "selector": {"matchLabels": {"app": "api"}}, "template": {"metadata": {}, "spec": {}}}
        return {"kind": "Deployment", "metadata": metadata, "spec": spec, "status": {}}

    async def list(
        self,
        place: Place,
        *,
        labels: str = "",
        fields: str = "",
        limit: int = 500,
        max_age: float = 0.0,
        timeout: float = 10.0,
    ) -> Sequence[Json]:
        self.asked[f"list {place}"] += 1
        await SystemClock().sleep(0.005)
        return []


async def _shared() -> None:
    """Each incident asks its reading guards once, all of them within a second."""
    clock, port = SystemClock(), _Counting()
    alone = await _looked(port)
    by_itself = sum(port.asked.values())
    port.asked.clear()
    shared = Shared(port, clock)
    together = await _looked(shared)
    await shared.close()
    most = max(port.asked.values())
    print(f"   {_INCIDENTS} incidents within {_WITHIN:.1f} s, alone    {alone} answers, {by_itself} reads")
    print(f"   the same, shared                   {together} answers, {sum(port.asked.values())} reads", flush=True)
    for what, times in sorted(port.asked.items()):
        print(f"      {what}: {times}")
    if most > 1:
        raise ValueError("one object was read more than once within a second")


async def _looked(kube: Any) -> int:
    clock, known = SystemClock(), scene("shop")
    specs = [spec for spec in _specs(*_READING) if not spec.inline]
    jury = Jury(discover(), Tools(http=Wire(), kube=kube), Telemetry())

    async def one(n: int) -> int:
        await clock.sleep(_WITHIN * n / _INCIDENTS)
        verdicts = await jury.ask(specs, scope_of(known), known)
        return sum(1 for verdict in verdicts if verdict.answer is not Answer.ERROR)

    return sum(await asyncio.gather(*(one(n) for n in range(_INCIDENTS))))
