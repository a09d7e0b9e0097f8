"""An action, a guard and a check on a cluster, as small as they can be: what the stories of runs on clusters use."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from paramedic.cluster.names import parse_target
from paramedic.cluster.port import Json
from paramedic.core.model import Change, Verdict
from paramedic.core.words import Answer, Mode, Once
from paramedic.errors import Changed, Refused
from paramedic.plugin import Action, Applied, Guard, Params, Plugins, Resources, Seen, Tools
from tests.cluster.held import HeldCluster, owned_by
from tests.engine.texts import plugins

API, POD, HPA = "main/shop/deployment/api", "main/shop/pod/api-7d9f6c-x2x7z", "main/shop/hpa/api"

RULES = """\
endpoints: [{name: pager, url: "http://127.0.0.1:9002"}]
people: [{name: alice, webhook: pager, roles: [operator, approver]}, {name: bob, webhook: pager}]
escalation: [{name: sre, levels: [{after: 0s, page: [alice]}, {after: 5m, page: [bob]}]}]
rules:
  - {name: down, match: ['alertname="Down"'], incident: [job], playbook: grow, with: {target: "${labels.target}"},
     escalation: sre}
---
playbook: grow
mode: MODE
defaults: none
params: {target: {type: string}}
target: "${params.target}"
guards: [small: {}]
steps: [grow: {to: 6, lasts: LASTS, twice: TWICE}]
"""


def rules(mode: str = "auto", *, lasts: int = 0, twice: bool = False) -> str:
    """A catalog whose playbook grows what an alert's label names."""
    text = RULES.replace("MODE", mode).replace("LASTS", str(lasts))
    return text.replace("TWICE", str(twice).lower())


class GrowParams(Params):
    to: int
    lasts: float = 0.0
    twice: bool = False


class NoParams(Params):
    pass


class Grow(Action):
    """Sets `replicas`, comparing with what it was. `twice`: a second write follows, after which `done` is set."""

    name = "grow"
    example = "grow: {to: 6}"
    Params = GrowParams
    reads = writes = frozenset({"kube"})
    permissions = ("get deployments.apps", "patch deployments.apps")
    undone_by = "the replicas that there were"
    timeout = 10.0

    def once(self, params: Any, resources: Resources) -> Once:
        return Once.CAS

    async def plan(self, params: Any, seen: Seen, tools: Tools) -> Change:
        found = await tools.kube.get(parse_target(seen.target).place, max_age=1.0)
        was = found["replicas"]
        write = {"replicas": params.to, "was": was, "twice": params.twice}
        await self._write(write, "", seen, tools, dry_run=True)
        return Change(
            f"{parse_target(seen.target).short} from {was} to {params.to}",
            write,
            {"replicas": was},
            {"replicas": was, "was": params.to},
            digest=f"{was}-{params.to}",
            needed=was != params.to,
            most=Mode(found["mode"]) if "mode" in found else None,
            lasts=params.lasts,
        )

    async def apply(self, write: Mapping[str, Any], key: str, seen: Seen, tools: Tools) -> Applied:
        try:
            await self._write(write, key, seen, tools)
        except Changed:
            found = await tools.kube.get(parse_target(seen.target).place)
            if found.get("run") != key:
                raise
        if write.get("twice"):
            try:
                await tools.kube.patch(
                    parse_target(seen.target).place, [{"op": "add", "path": "/done", "value": True}], "json"
                )
            except Refused as refused:
                return Applied(f"{write['replicas']} replicas", {}, halted=str(refused))
        return Applied(f"{write['replicas']} replicas", {})

    async def observe(self, write: Mapping[str, Any], key: str, seen: Seen, tools: Tools) -> bool | None:
        found = await tools.kube.get(parse_target(seen.target).place)
        return bool(found.get("run") == key)

    @staticmethod
    async def _write(write: Mapping[str, Any], key: str, seen: Seen, tools: Tools, *, dry_run: bool = False) -> Json:
        patch = [
            {"op": "test", "path": "/replicas", "value": write["was"]},
            {"op": "replace", "path": "/replicas", "value": write["replicas"]},
            {"op": "add", "path": "/run", "value": key},
        ]
        return await tools.kube.patch(parse_target(seen.target).place, patch, "json", dry_run=dry_run)


class Small(Guard):
    """Reads its target, and allows what has fewer than 20 replicas."""

    name = "small"
    example = "small: {}"
    Params = NoParams
    reads = frozenset({"kube"})

    async def judge(self, params: Any, seen: Seen, tools: Tools) -> Verdict:
        replicas = (await tools.kube.get(parse_target(seen.target).place, max_age=1.0))["replicas"]
        answer = Answer.ALLOW if replicas < 20 else Answer.DENY
        return Verdict(self.name, answer, f"{replicas} replicas", {"replicas": replicas})


def growing() -> Plugins:
    """The real plug-ins, and these."""
    real = plugins()
    return replace(real, actions={**real.actions, "grow": Grow()}, guards={**real.guards, "small": Small()})


def shop() -> HeldCluster:
    """Api with three replicas, a pod and an autoscaler."""
    cluster = HeldCluster()
    cluster.put(API, {"replicas": 3})
    cluster.put("main/shop/replicaset/api-7d9f6c", {"metadata": owned_by("Deployment", "api", "uid-api")})
    cluster.put(POD, {"metadata": owned_by("ReplicaSet", "api-7d9f6c", "uid-api-7d9f6c")})
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}
    cluster.put(HPA, {"spec": {"scaleTargetRef": reference}})
    return cluster


def api(cluster: HeldCluster) -> Json:
    """Api as it is now."""
    return cluster.objects[parse_target(API).place]


def edit(cluster: HeldCluster, **values: Any) -> None:
    """Somebody changes api."""
    found = api(cluster)
    found.update(values)
    found["metadata"]["generation"] += 1
