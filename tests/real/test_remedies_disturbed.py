"""Remedies on a real cluster while things go wrong: lost answers, other people's hands, kill -9, missing permissions.

Promise 3: a step changes its target at most once for each attempt. The generation of the Deployment counts what changed
it: made, broken, rolled back.
"""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest

from paramedic.cluster.resources import DEPLOYMENTS
from tests.contract.kube.scene import Scene, deployment, image_of, set_image
from tests.real.alertmanager import Alertmanagers
from tests.real.api_proxy import ApiProxy, proxying
from tests.real.control_plane import ControlPlane, scene_of
from tests.real.processes import DEADLINE
from tests.real.remedies import Vendors, remedying, vendors
from tests.real.services import Service, Services

NUMBERS = count(1)
PATIENCE = 2 * DEADLINE

ROLL_BACK = """\
guards:
  - recent_change: {within: 1h}
steps:
  - roll_back: {settle: 1s}
    verify:
      - rollout: {within: 60s, every: 1s}
"""


@pytest.fixture
async def told() -> AsyncIterator[Vendors]:
    """A PagerDuty and a Slack of this test's own."""
    async with vendors() as both:
        yield both


@pytest.fixture
async def scene(control_plane: ControlPlane) -> AsyncIterator[Scene]:
    """A namespace of this test's own, with a Deployment `api` whose new release never comes up."""
    async with control_plane.client() as client:
        scene = await scene_of(client, f"disturbed-{next(NUMBERS)}", control_plane)
        await scene.make(DEPLOYMENTS, deployment("api", "api:41"))
        await scene.complete(DEPLOYMENTS, "api")
        await scene.strategic(DEPLOYMENTS, "api", set_image("api:42-bad"))
        await scene.becomes(DEPLOYMENTS, "api", _rolling, "the bad release to be rolled out")
        yield scene


@pytest.fixture
async def proxy(control_plane: ControlPlane) -> AsyncIterator[ApiProxy]:
    """A proxy in front of the API server."""
    async with proxying(control_plane.url) as one:
        yield one


def _rolling(found: dict[str, object]) -> bool:
    status = found.get("status")
    return isinstance(status, dict) and status.get("observedGeneration") == 2


async def behind(proxy: ApiProxy, serve: Services, control_plane: ControlPlane, told: Vendors, folder: Path) -> Service:
    """A service that reaches the cluster only through the proxy."""
    file = control_plane.kubeconfig_for(folder / "proxied", control_plane.token, proxy.url)
    return await remedying(serve, control_plane, told, ROLL_BACK, kubeconfig=file)


async def complain(alertmanager: Alertmanagers, service: Service, scene: Scene) -> None:
    """An alert about the Deployment."""
    monitor = await alertmanager(service.url)
    await monitor.push("alert-1", namespace=scene.namespace, workload="deployment/api")


async def one_change(scene: Scene, changes: int = 3) -> None:
    """The Deployment is back on the good image, by one change of ours."""
    await scene.becomes(DEPLOYMENTS, "api", lambda one: image_of(one) == "api:41", "the good image", PATIENCE)
    found = await scene.complete(DEPLOYMENTS, "api")
    assert found["metadata"]["generation"] == changes
    assert found["metadata"]["annotations"]["paramedic/run"].startswith("INC-")


async def test_an_answer_that_is_lost_changes_nothing_twice(
    alertmanager: Alertmanagers,
    serve: Services,
    control_plane: ControlPlane,
    told: Vendors,
    scene: Scene,
    proxy: ApiProxy,
    tmp_path: Path,
) -> None:
    service = await behind(proxy, serve, control_plane, told, tmp_path)
    proxy.moods = ["lost"]

    await complain(alertmanager, service, scene)
    incident = await service.incident()

    assert [one["outcome"] for one in incident["past"]] == ["fixed"]
    await service.told(incident["id"], "the target is looked at")
    await one_change(scene)
    assert proxy.writes == 1


async def test_what_somebody_edits_between_plan_and_write_is_planned_anew(
    alertmanager: Alertmanagers,
    serve: Services,
    control_plane: ControlPlane,
    told: Vendors,
    scene: Scene,
    proxy: ApiProxy,
    tmp_path: Path,
) -> None:
    service = await behind(proxy, serve, control_plane, told, tmp_path)
    proxy.moods = ["held"]

    await complain(alertmanager, service, scene)
    async with asyncio.timeout(DEADLINE):
        await proxy.there.wait()
    control_plane.kubectl("-n", scene.namespace, "scale", "deployment/api", "--replicas=3")
    proxy.release.set()
    incident = await service.incident()

    await service.told(incident["id"], "planned anew")
    await one_change(scene, changes=4)  # somebody's and ours
    found = await scene.get(DEPLOYMENTS, "api")
    assert found["spec"]["replicas"] == 3
    assert found["metadata"]["annotations"]["paramedic/run"].endswith("/1/2")


@pytest.mark.parametrize("mood", ["held", "unanswered"])
async def test_a_killed_service_changes_its_target_once(
    alertmanager: Alertmanagers,
    serve: Services,
    control_plane: ControlPlane,
    told: Vendors,
    scene: Scene,
    proxy: ApiProxy,
    tmp_path: Path,
    mood: str,
) -> None:
    """Killed between plan and write (`held`: it never reaches the cluster), and between the write and its answer."""
    service = await behind(proxy, serve, control_plane, told, tmp_path)
    proxy.moods = ["held" if mood == "held" else "unanswered"]

    await complain(alertmanager, service, scene)
    async with asyncio.timeout(DEADLINE):
        await proxy.there.wait()
    await service.process.stop(signal.SIGKILL)
    proxy.release.set()
    await service.start()
    await one_change(scene)
    incident = await service.incident()

    assert [one["outcome"] for one in incident["past"]] == ["fixed"]
    assert proxy.writes == 1


async def test_declared_permissions_are_enough_and_one_fewer_is_named(
    alertmanager: Alertmanagers,
    serve: Services,
    control_plane: ControlPlane,
    told: Vendors,
    scene: Scene,
    tmp_path: Path,
) -> None:
    """The API server asks RBAC. The role is what `paramedic rbac` prints for the playbooks that are served."""
    service = await remedying(serve, control_plane, told, ROLL_BACK)
    account = f"{scene.namespace}/paramedic"
    granted = await service.command("rbac", "--namespace", scene.namespace, "--account", account)
    assert await service.process.stop() == 0
    (tmp_path / "rbac.yaml").write_text(granted)
    control_plane.kubectl("apply", "-f", str(tmp_path / "rbac.yaml"))
    token = control_plane.kubectl("-n", scene.namespace, "create", "token", "paramedic").strip()
    file = control_plane.kubeconfig_for(tmp_path / "limited", token)

    role = json.loads(control_plane.kubectl("-n", scene.namespace, "get", "role", "paramedic", "-o", "json"))
    whole, role["metadata"] = role["rules"], {"name": "paramedic", "namespace": scene.namespace}
    role["rules"] = [_without_patch(rule) for rule in whole]
    control_plane.kubectl("apply", "-f", "-", manifest=role)
    limited = await remedying(serve, control_plane, told, ROLL_BACK, kubeconfig=file)
    await complain(alertmanager, limited, scene)
    refused = await limited.incident()
    await limited.told(refused["id"], "patch deployments.apps")
    assert image_of(await scene.get(DEPLOYMENTS, "api")) == "api:42-bad"
    assert await limited.process.stop() == 0

    role["rules"] = whole
    control_plane.kubectl("apply", "-f", "-", manifest=role)
    allowed = await remedying(serve, control_plane, told, ROLL_BACK, kubeconfig=file)
    await complain(alertmanager, allowed, scene)
    await one_change(scene)


def _without_patch(rule: dict[str, list[str]]) -> dict[str, list[str]]:
    if "deployments" not in rule.get("resources", ()):
        return rule
    return {**rule, "verbs": [verb for verb in rule["verbs"] if verb != "patch"]}
