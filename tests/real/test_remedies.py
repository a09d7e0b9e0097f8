"""The remedies on a real cluster, asked for by a real Alertmanager: each thing that broke is whole again, once.

The cluster is a real control plane whose pods are played (tests/real/control_plane.py); PagerDuty and Slack are
stand-ins that enforce the vendors' limits.
"""

from collections.abc import AsyncIterator
from itertools import count

import pytest

from paramedic.cluster.resources import DEPLOYMENTS, HPAS
from tests.contract.kube.scene import Scene, deployment, image_of, set_image
from tests.real.alertmanager import Alertmanagers
from tests.real.control_plane import ControlPlane, scene_of
from tests.real.processes import until
from tests.real.remedies import ROLL_BACK, Vendors, remedying, vendors
from tests.real.services import Services
from tests.vendors.slack import shown

NUMBERS = count(1)

RESTART = """\
steps:
  - restart: {}
    verify:
      - rollout: {within: 60s, every: 1s}
      - alert_cleared: {within: 60s, stays: 1s, every: 1s}
"""

SCALE = """\
steps:
  - scale: {by: 2, max: 10, for: 2s}
    verify:
      - alert_cleared: {within: 60s, stays: 1s, every: 1s}
"""

REFUSED = """\
guards:
  - object: "object.spec.replicas >= 3"
steps:
  - restart: {}
"""


@pytest.fixture
async def told() -> AsyncIterator[Vendors]:
    """A PagerDuty and a Slack of this test's own."""
    async with vendors() as both:
        yield both


@pytest.fixture
async def scene(control_plane: ControlPlane) -> AsyncIterator[Scene]:
    """A namespace of this test's own, with a Deployment `api` that is up."""
    async with control_plane.client() as client:
        scene = await scene_of(client, f"remedies-{next(NUMBERS)}", control_plane)
        await scene.make(DEPLOYMENTS, deployment("api", "api:41"))
        await scene.complete(DEPLOYMENTS, "api")
        yield scene


async def test_a_bad_release_is_rolled_back(
    alertmanager: Alertmanagers, serve: Services, control_plane: ControlPlane, told: Vendors, scene: Scene
) -> None:
    """Its pods never become ready; the page and the Slack message are about one incident, and both end with it."""
    service = await remedying(serve, control_plane, told, ROLL_BACK)
    monitor = await alertmanager(service.url)

    await scene.strategic(DEPLOYMENTS, "api", set_image("api:42-bad"))
    starts = await monitor.push("alert-1", namespace=scene.namespace, workload="deployment/api")
    await scene.becomes(DEPLOYMENTS, "api", lambda one: image_of(one) == "api:41", "the good image")
    await scene.complete(DEPLOYMENTS, "api")
    await monitor.resolve("alert-1", starts=starts, namespace=scene.namespace, workload="deployment/api")
    incident = await service.incident("resolved")

    assert incident["fixed_by"] == "paramedic"
    assert [one["outcome"] for one in incident["past"]] == ["fixed"]
    plan = await service.told(incident["id"], "api:42-bad → api:41")
    assert f"deployment/api.{scene.namespace}" in plan["text"]
    revision = (await scene.get(DEPLOYMENTS, "api"))["metadata"]["generation"]
    assert revision == 3  # made, broken, rolled back: one change of ours
    await until(lambda: _all_resolved(told), "the page to be resolved")
    assert len(told.pagerduty.paged) == 1
    await until(lambda: _says(told, "resolved"), "the message to say so")
    await until(lambda: _threaded(told), "its thread")
    assert len(told.slack.roots()) == 1


async def test_a_pod_is_named_and_its_deployment_is_restarted_once(
    alertmanager: Alertmanagers, serve: Services, control_plane: ControlPlane, told: Vendors, scene: Scene
) -> None:
    """Promise 4: two pods of one Deployment are one target, by whatever name the alerts call it."""
    service = await remedying(serve, control_plane, told, RESTART)
    monitor = await alertmanager(service.url, by=["workload"])
    before = set(await scene.pods())
    firing = {pod: await monitor.push(pod, namespace=scene.namespace, workload=f"pod/{pod}") for pod in sorted(before)}

    async def replaced() -> bool:
        return not before & set(await scene.pods())

    await scene.until(replaced, "new pods")
    found = await scene.complete(DEPLOYMENTS, "api")
    for pod, starts in firing.items():
        await monitor.resolve(pod, starts=starts, namespace=scene.namespace, workload=f"pod/{pod}")
    await service.incident("resolved", count=2)

    targets = {
        past["target"] for one in await service.incidents() for past in (await service.detail(one["id"]))["past"]
    }
    assert targets == {f"main/{scene.namespace}/deployment/api"}
    assert found["metadata"]["generation"] <= 3  # once for each incident at most, one after the other
    assert "paramedic/run" in found["metadata"]["annotations"]


async def test_an_autoscaler_is_raised_for_a_while_and_lowered_again(
    alertmanager: Alertmanagers, serve: Services, control_plane: ControlPlane, told: Vendors, scene: Scene
) -> None:
    """There are no metrics here, so the autoscaler itself only does what minReplicas asks for."""
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"},
        "minReplicas": 2,
        "maxReplicas": 6,
    }
    await scene.make(HPAS, {"apiVersion": HPAS.api, "kind": HPAS.kind, "metadata": {"name": "api"}, "spec": spec})
    service = await remedying(serve, control_plane, told, SCALE)
    monitor = await alertmanager(service.url)

    starts = await monitor.push("alert-1", namespace=scene.namespace, workload="deployment/api")
    await scene.becomes(HPAS, "api", lambda one: one["spec"]["minReplicas"] == 4, "the raised minimum")
    await scene.becomes(DEPLOYMENTS, "api", lambda one: one["spec"]["replicas"] == 4, "more pods")
    await monitor.resolve("alert-1", starts=starts, namespace=scene.namespace, workload="deployment/api")
    lowered = await scene.becomes(HPAS, "api", lambda one: one["spec"]["minReplicas"] == 2, "the minimum of before")

    assert lowered["spec"]["maxReplicas"] == 6
    [incident] = await service.incidents()
    await service.told(incident["id"], "taken back")


async def test_a_guard_refuses_and_nothing_is_touched(
    alertmanager: Alertmanagers, serve: Services, control_plane: ControlPlane, told: Vendors, scene: Scene
) -> None:
    service = await remedying(serve, control_plane, told, REFUSED)
    monitor = await alertmanager(service.url)
    before = await scene.get(DEPLOYMENTS, "api")

    await monitor.push("alert-1", namespace=scene.namespace, workload="deployment/api")
    incident = await service.incident()

    assert [one["outcome"] for one in incident["past"]] == ["refused"]
    found = await scene.get(DEPLOYMENTS, "api")
    assert found["metadata"]["generation"] == before["metadata"]["generation"]
    assert "paramedic/run" not in found["metadata"]["annotations"]
    await until(lambda: _paged(told), "a page")
    [page] = [one for one in told.pagerduty.events if one["event_action"] == "trigger"]
    assert "object" in page["payload"]["summary"]


async def _all_resolved(told: Vendors) -> bool:
    return not told.pagerduty.open


async def _paged(told: Vendors) -> bool:
    return bool(told.pagerduty.paged)


async def _threaded(told: Vendors) -> bool:
    return bool(told.slack.thread())


async def _says(told: Vendors, words: str) -> bool:
    return any(words in shown(one) for one in told.slack.roots())
