"""Ports for the contract of the guards: they answer with whatever a test puts in, or fail, and keep what was asked."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from paramedic.catalog.shapes import playbook_shape
from paramedic.catalog.templates import compile_tree
from paramedic.cluster.port import Json, NoCluster
from paramedic.cluster.resources import Place
from paramedic.core.bundle import Endpoint, GuardSpec, Param
from paramedic.core.model import Change, Exemplar, Firing
from paramedic.core.scope import playbook_scope
from paramedic.plugin import Deployed, Guard, Measured, Reply, Sample, Seen, Tools
from paramedic.ports import Standing
from tests.contract.plugin_scene import NOW, RUN, Others, ago, episode, seen
from tests.contract.test_plugins import example_of
from tests.core.builders import firing as an_alert
from tests.core.story import Story

PARAMS = {name: Param(name, "string") for name in ("namespace", "cluster", "host", "text", "service")}
PARAMS["replicas"] = Param("replicas", "integer")
API = "main/shop/deployment/api"
CHANGE = Change(
    "scale deployment/api.shop: 3 → 4 replicas",
    {"uid": "u1", "generation": 1, "said": {}, "change": [{"op": "replace", "path": "/spec/replicas", "value": 4}]},
    digest="d1",
)
_QUOTED = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|`[^`]*`')


@dataclass
class Ports(NoCluster):
    """All ports that a guard may read. `value` is what texts of answers hold, `raises` what every question meets.

    `asked` counts the questions.
    """

    value: str = "x"
    warnings: tuple[str, ...] = ()
    raises: BaseException | None = None
    hangs: bool = False
    asked: int = 0
    queries: list[str] = field(default_factory=list)
    places: list[tuple[str, ...]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    @property
    def clusters(self) -> Sequence[str]:
        return ("main",)

    async def _met(self) -> None:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.raises is not None:
            raise self.raises

    async def get(self, place: Place, *, subresource: str = "", max_age: float = 0.0, timeout: float = 10.0) -> Json:
        self.places.append((place.cluster, place.resource.plural, place.namespace, place.name, subresource))
        await self._met()
        return self._object()

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
        self.places.append((place.cluster, place.resource.plural, place.namespace, place.name, ""))
        await self._met()
        return [self._object()]

    async def create(self, place: Place, body: Json, *, dry_run: bool = False, timeout: float = 10.0) -> Json:
        self.places.append((place.cluster, place.resource.plural, place.namespace, place.name, ""))
        await self._met()
        return {"status": {"allowed": True}}

    async def patch(
        self,
        place: Place,
        patch: Any,
        kind: Any,
        *,
        subresource: str = "",
        dry_run: bool = False,
        timeout: float = 10.0,
    ) -> Json:
        self.places.append((place.cluster, place.resource.plural, place.namespace, place.name, subresource))
        await self._met()
        return self._object()

    def _object(self) -> Json:
        text, made = self.value, ago(7200).isoformat()
        metadata = {"name": "api", "namespace": "shop", "uid": "u1", "generation": 1, "creationTimestamp": made}
        labels = {text: text, "app.kubernetes.io/managed-by": text, "app": "api"}
        owner = {"apiVersion": "apps/v1", "kind": text, "name": text, "uid": "u2", "controller": True}
        pod = {
            "metadata": {"labels": {"app": "api"}, "annotations": {text: text}},
            "spec": {"containers": [{"name": text, "image": text}]},
        }
        return {
            "metadata": {**metadata, "labels": labels, "annotations": {text: text}, "ownerReferences": [owner]},
            "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "api"}}, "template": pod},
            "status": {"replicas": 3, "conditions": [{"type": text, "status": text, "reason": text, "message": text}]},
        }

    async def instant(self, name: str, query: str, *, max_age: float, timeout: float) -> Measured:
        self.queries.append(query)
        await self._met()
        return self._measured()

    async def over(
        self, name: str, query: str, *, seconds: float, step: float, max_age: float, timeout: float
    ) -> Sequence[Measured]:
        self.queries.append(query)
        await self._met()
        return [self._measured()]

    def _measured(self) -> Measured:
        return Measured(NOW, (Sample({self.value: self.value}, 1.0),), warnings=self.warnings)

    async def since(self, target: str, service: str, moment: datetime) -> Sequence[Deployed]:
        await self._met()
        return [Deployed(ago(60), target, self.value, self.value, self.value, self.value)]

    async def request(self, endpoint: Endpoint, method: str, path: str, **about: Any) -> Reply:
        self.paths.append(path)
        await self._met()
        return Reply(200, {self.value: self.value}, self.value.encode(errors="replace"))

    async def standing(self, source: str, labels: Mapping[str, str], *, timeout: float) -> Standing:
        await self._met()
        return Standing("active", (self.value,))

    def tools(self) -> Tools:
        return Tools(http=self, kube=self, metrics=self, changes=self, alerts=self)


def structure(query: str) -> str:
    """A query without what stands in its quotes."""
    return _QUOTED.sub("Q", query)


def scene(value: str = "x", **other: Any) -> Seen:
    """A run whose alert, parameters and neighbours hold this text everywhere an alert can put it."""
    labels = {"alertname": value, "job": value, "namespace": value, "text": value}
    exemplar = Exemplar("a1", labels, {"summary": value}, ago(252))
    params = {**dict.fromkeys(PARAMS, value), "replicas": 3}
    run = msgspec.structs.replace(RUN, params=params, target=API, change=CHANGE)
    others = Others([episode("KubeAPIDown", 60, job=value, text=value), episode("Watchdog", 3600)])
    firing = Firing(open=1, total=1, exemplars=(exemplar,), since=ago(252), seen_at=ago(1))
    known = {"alert": exemplar, "others": others, "source": "main", "needs": _needs, "database": 0.5, **other}
    return msgspec.structs.replace(seen(firing, run=run), **known)


def _needs() -> tuple[str, ...]:
    return ("get deployments.apps", "patch deployments.apps")


def spec_of(guard: Guard, *, given: Any = None) -> GuardSpec:
    """The guard in a playbook with its example's parameters, compiled as the catalog does."""
    template = compile_tree(given or example_of(guard), playbook_shape(PARAMS), guard.escapes)
    return GuardSpec(guard.name, template, not guard.reads, asked=guard.asked)


def with_text(guard: Guard) -> Any:
    """The example's parameters, with `${params.text}` in every free text that takes expressions."""
    given = dict(example_of(guard))
    for name, value in given.items():
        if guard.escapes.get(name) == "promql":
            given[name] = value.replace("${params.namespace}", "${params.text}")
        elif name in guard.escapes or not isinstance(value, str):
            continue
        elif _takes_text(guard, name):
            given[name] = "${params.text}"
    return given


def _takes_text(guard: Guard, name: str) -> bool:
    schema = guard.Params.model_json_schema()["properties"].get(name, {})
    return bool(schema.get("type") == "string" and "pattern" not in schema and "enum" not in schema)


def scope_of(known: Seen) -> dict[str, Any]:
    """What the guard's expressions see."""
    story = Story()
    story.deliver(an_alert())
    incident = story.incident
    if known.alert is not None:
        incident = msgspec.structs.replace(incident, firing=Firing(open=1, exemplars=(known.alert,)))
    return playbook_scope(incident, known.run)
