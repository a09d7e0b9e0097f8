"""What the tests of `scale` share: a scene, an autoscaler, and the action as the engine calls it."""

from typing import Any

import msgspec

from paramedic.actions.scale import Scale
from paramedic.cluster.port import Json
from paramedic.cluster.resources import HPAS, Place
from paramedic.core.model import Change
from paramedic.plugin import Applied, Seen, Tools
from tests.contract.fake_kube import FakeKube
from tests.contract.plugin_scene import RUN, Wire, seen

ACTION = Scale()
KEY = "INC-12/1/1/1"
API = "main/shop/deployment/api"
HPA = Place("main", HPAS, "shop", "api-scaler")


def hpa(least: int = 2, most: int = 10, **metadata: Any) -> Json:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}
    return {
        "metadata": {"name": "api-scaler", "namespace": "shop", "uid": "hpa-1", "resourceVersion": "9"} | metadata,
        "spec": {"scaleTargetRef": target, "minReplicas": least, "maxReplicas": most},
    }


def scene(target: str = API) -> Seen:
    return seen(run=msgspec.structs.replace(RUN, target=target))


def tools(kube: FakeKube) -> Tools:
    return Tools(http=Wire(), kube=kube)


async def plan(kube: FakeKube, target: str = API, **params: Any) -> Change:
    return await ACTION.plan(ACTION.validated({"max": 20, **params}), scene(target), tools(kube))


async def apply(kube: FakeKube, write: Any, key: str = KEY, target: str = API) -> Applied:
    return await ACTION.apply(write, key, scene(target), tools(kube))


async def observe(kube: FakeKube, write: Any, key: str = KEY) -> bool | None:
    return await ACTION.observe(write, key, scene(), tools(kube))


def scaled_by(kube: FakeKube, thing: Json | None = None) -> FakeKube:
    kube.put(HPAS, hpa() if thing is None else thing)
    return kube
