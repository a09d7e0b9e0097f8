"""`paramedic rbac` and `paramedic doctor` on a real control plane: what one prints, the other finds to be granted."""

import asyncio
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.real.control_plane import ControlPlane, new_namespace
from tests.real.services import PARAMEDIC

PLAYBOOK = """\
playbook: everything
params: {name: {type: string, pattern: "^[a-z]+$"}}
target: "main/doctor/deployment/${params.name}"
guards: [{recent_change: {within: 1h}}, {owned: {}}]
steps:
  - collect: {}
  - restart: {}
    verify: [{rollout: {within: 5m}}]
  - scale: {by: 1, max: 5}
  - roll_back: {}
"""
NAMESPACE = "doctor"
TIME = 60.0
pytestmark = pytest.mark.timeout(240)


@pytest.fixture
async def kubeconfig(control_plane: ControlPlane, tmp_path: Path) -> Path:
    """Of a ServiceAccount that may do nothing yet."""
    async with control_plane.client() as client:
        await new_namespace(client, NAMESPACE)
    control_plane.kubectl("create", "serviceaccount", "paramedic", "-n", NAMESPACE)
    token = control_plane.kubectl("create", "token", "paramedic", "-n", NAMESPACE).strip()
    return control_plane.kubeconfig_for(tmp_path / "account", token)


async def asked(folder: Path, kubeconfig: Path, *words: str, code: int = 0) -> Any:
    """What a command says in JSON."""
    rules = folder / "rules"
    rules.mkdir(exist_ok=True)
    (rules / "p.yaml").write_text(PLAYBOOK)
    environment = {
        "PARAMEDIC_DATA": str(folder / "data"),
        "PARAMEDIC_RULES": str(rules),
        "PARAMEDIC_PLAYBOOKS": str(rules / "none"),
        "PARAMEDIC_CLUSTERS": f"main={kubeconfig}",
    }
    done = await asyncio.to_thread(
        subprocess.run,
        [PARAMEDIC, *words, "--json", "--namespace", NAMESPACE],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=TIME,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, ""), done.stdout
    return json.loads(done.stdout)


def wrong(found: Any) -> list[str]:
    return [each["said"] for each in found["findings"] if each["state"] == "wrong"]


async def test_every_permission_is_missed_until_it_is_granted(
    control_plane: ControlPlane, kubeconfig: Path, tmp_path: Path
) -> None:
    bare = await asked(tmp_path, kubeconfig, "doctor", code=1)
    granted = await asked(tmp_path, kubeconfig, "rbac", "--account", f"{NAMESPACE}/paramedic")
    rules = next(each for each in granted["items"] if each["kind"] == "Role")["rules"]
    needed = sum(len(rule["verbs"]) for rule in rules)

    assert len(wrong(bare)) == needed >= 15
    assert all(said.startswith("may not ") for said in wrong(bare))

    control_plane.kubectl("apply", "-f", "-", manifest=granted)
    whole = await asked(tmp_path, kubeconfig, "doctor")
    allowed = [each["said"] for each in whole["findings"] if each["said"].startswith("may ")]
    assert wrong(whole) == []
    assert len(allowed) == needed
    assert any(each["said"].startswith("Kubernetes v") for each in whole["findings"])

    for rule in rules:
        if rule["resources"] == ["pods/log"]:
            rules.remove(rule)
            break
    control_plane.kubectl("apply", "-f", "-", manifest=granted)
    less = await asked(tmp_path, kubeconfig, "doctor", code=1)
    assert wrong(less) == ["may not get pods/log in doctor, which collect needs"]


async def test_credentials_that_are_none_are_told(control_plane: ControlPlane, tmp_path: Path) -> None:
    stranger = control_plane.kubeconfig_for(tmp_path / "stranger", "no-such-token")
    found = await asked(tmp_path, stranger, "doctor", code=1)

    assert wrong(found) == ["the cluster main does not accept our credentials: Unauthorized"]
    assert "no-such-token" not in json.dumps(found)
