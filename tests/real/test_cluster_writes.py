"""Calls to a real cluster when something comes between: a write that is lost on its way or back, a permission less.

Whatever it is, the Deployment is restarted once, or not at all and the reason is in the timeline.
"""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from paramedic.cluster.resources import DEPLOYMENTS, REPLICA_SETS
from tests.contract.kube.scene import RESTARTED, Scene, deployment
from tests.real.alertmanager import Alertmanagers
from tests.real.api_proxy import ApiProxy, Mood, proxying
from tests.real.control_plane import ControlPlane, scene_of
from tests.real.remedies import Vendors, remedying, vendors
from tests.real.services import PARAMEDIC, Service, Services

NUMBERS = count(1)
RESTART = """\
steps:
  - restart: {}
    verify:
      - rollout: {within: 60s, every: 1s}
"""

COLLECT = """\
steps:
  - collect: {}
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
        scene = await scene_of(client, f"writes-{next(NUMBERS)}", control_plane)
        await scene.make(DEPLOYMENTS, deployment("api", "api:41"))
        await scene.complete(DEPLOYMENTS, "api")
        yield scene


@pytest.fixture
async def proxy(control_plane: ControlPlane) -> AsyncIterator[ApiProxy]:
    """What stands between the service and the API server."""
    async with proxying(control_plane.url) as one:
        yield one


async def restarted(scene: Scene) -> dict[str, Any]:
    """The Deployment, once it was restarted and all its pods are new."""
    await scene.becomes(
        DEPLOYMENTS,
        "api",
        lambda one: RESTARTED in (one["spec"]["template"]["metadata"].get("annotations") or {}),
        "the restart",
    )
    return await scene.complete(DEPLOYMENTS, "api")


@pytest.mark.parametrize("mood", ["lost", "dropped"])
async def test_a_lost_write_is_done_exactly_once(
    alertmanager: Alertmanagers,
    serve: Services,
    control_plane: ControlPlane,
    told: Vendors,
    scene: Scene,
    proxy: ApiProxy,
    tmp_path: Path,
    mood: Mood,
) -> None:
    """Nobody can tell from the service whether the write arrived; the Deployment itself can."""
    kubeconfig = control_plane.kubeconfig_for(tmp_path / "proxied", control_plane.token, proxy.url)
    service = await remedying(serve, control_plane, told, RESTART, kubeconfig=kubeconfig)
    monitor = await alertmanager(service.url)
    proxy.moods = [mood]

    await monitor.push("alert-1", namespace=scene.namespace, workload="deployment/api")
    found = await restarted(scene)
    incident = await service.incident()

    assert proxy.writes == 1, "it arrived once"
    assert found["metadata"]["generation"] == 2
    assert len(await scene.all(REPLICA_SETS)) == 2
    assert [one["outcome"] for one in incident["past"]] == ["fixed"]
    assert found["metadata"]["annotations"]["paramedic/run"].startswith(f"{incident['id']}/")


class Account:
    """A ServiceAccount with what `paramedic rbac` says that the playbooks need, less one permission if asked."""

    def __init__(self, control_plane: ControlPlane, namespace: str, folder: Path) -> None:
        self._plane, self._namespace, self._folder = control_plane, namespace, folder
        control_plane.kubectl("create", "serviceaccount", "paramedic", "-n", namespace)
        token = control_plane.kubectl("create", "token", "paramedic", "-n", namespace).strip()
        self.kubeconfig = control_plane.kubeconfig_for(folder / "account", token)

    async def grant(self, service: Service, without: str = "") -> None:
        """Apply what the command prints for the files of this service."""
        words = ["rbac", "--json", "--namespace", self._namespace, "--account", f"{self._namespace}/paramedic"]
        done = await asyncio.to_thread(
            subprocess.run,
            [PARAMEDIC, *words],
            env={**os.environ, **service.settings},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        objects = json.loads(done.stdout)
        for one in objects["items"]:
            rules = one.get("rules")
            if rules and without:
                one["rules"] = [kept for rule in rules for kept in _less(rule, without)]
        self._plane.kubectl("apply", "-f", "-", manifest=objects)


def _less(rule: dict[str, Any], permission: str) -> list[dict[str, Any]]:
    """The rule without one permission such as `patch deployments.apps`."""
    verb, _, about = permission.partition(" ")
    resource, _, group = about.partition(".")
    resource, _, sub = resource.partition("/")
    named = f"{resource}/{sub}" if sub else resource
    kept = []
    for one_group in rule["apiGroups"]:
        for one in rule["resources"]:
            hit = one_group == group and one == named
            verbs = [each for each in rule["verbs"] if not (hit and each == verb)]
            if verbs:
                kept.append({"apiGroups": [one_group], "resources": [one], "verbs": verbs})
    return kept


async def test_exactly_the_declared_permissions_are_enough(
    alertmanager: Alertmanagers,
    serve: Services,
    control_plane: ControlPlane,
    told: Vendors,
    scene: Scene,
    tmp_path: Path,
) -> None:
    account = Account(control_plane, scene.namespace, tmp_path)
    service = await remedying(serve, control_plane, told, RESTART, kubeconfig=account.kubeconfig)
    await account.grant(service)
    monitor = await alertmanager(service.url)

    await monitor.push("alert-1", namespace=scene.namespace, workload="deployment/api")
    await restarted(scene)
    incident = await service.incident()

    assert [one["outcome"] for one in incident["past"]] == ["fixed"]
    [by] = {
        entry["manager"]
        for entry in (await scene.get(DEPLOYMENTS, "api"))["metadata"]["managedFields"]
        if "f:annotations" in entry["fieldsV1"].get("f:metadata", {}) and entry.get("subresource") != "status"
    }
    assert by == "paramedic"


@pytest.mark.parametrize("without", ["get deployments.apps", "patch deployments.apps"])
async def test_one_permission_less_fails_and_is_named(
    alertmanager: Alertmanagers,
    serve: Services,
    control_plane: ControlPlane,
    told: Vendors,
    scene: Scene,
    tmp_path: Path,
    without: str,
) -> None:
    account = Account(control_plane, scene.namespace, tmp_path)
    service = await remedying(serve, control_plane, told, RESTART, kubeconfig=account.kubeconfig)
    await account.grant(service, without)
    monitor = await alertmanager(service.url)
    before = await scene.get(DEPLOYMENTS, "api")

    await monitor.push("alert-1", namespace=scene.namespace, workload="deployment/api")
    incident = await service.incident()

    said = await service.told(incident["id"], without)
    assert f"{without} in {scene.namespace} is not allowed" in said["text"]
    after = await scene.get(DEPLOYMENTS, "api")
    assert after["metadata"]["generation"] == before["metadata"]["generation"]


async def test_what_a_person_would_look_at_first_is_kept(
    alertmanager: Alertmanagers,
    serve: Services,
    control_plane: ControlPlane,
    told: Vendors,
    scene: Scene,
    tmp_path: Path,
) -> None:
    """With nothing but the declared permissions. The pods have no containers: every log is the same file, from KWOK."""
    account = Account(control_plane, scene.namespace, tmp_path)
    service = await remedying(serve, control_plane, told, COLLECT, kubeconfig=account.kubeconfig)
    await account.grant(service)
    monitor = await alertmanager(service.url)

    await monitor.push("alert-1", namespace=scene.namespace, workload="deployment/api")
    incident = await service.incident()
    shown = await service.command("incidents", "show", incident["id"], "--evidence")

    assert "collected pods, events, rollout_history, logs" in shown
    assert "could not be read" not in shown
    assert "line 400" in shown
    assert "ScalingReplicaSet" in shown
    assert "api:41" in shown
    assert all(name in shown for name in await scene.pods())
