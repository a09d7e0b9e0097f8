"""`paramedic rbac`: exactly what the loaded playbooks need, the same way every time, and as Kubernetes reads it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from paramedic.catalog.load import load_files
from paramedic.catalog.permissions import needed
from paramedic.clients.kube.targets import PERMISSIONS
from paramedic.plugin import discover
from tests.cli.conftest import Said

RESTART = """\
playbook: restart
params: {ns: {type: string}}
target: "main/${params.ns}/deployment/api"
steps:
  - restart: {}
    verify: [{rollout: {within: 10m}}]
"""
HOOK = """\
endpoints: [{name: hook, url: "http://127.0.0.1:9"}]
---
playbook: hook
target: "hook/x"
steps: [{http: {endpoint: hook, path: /act}}]
"""


@pytest.fixture
def rbac(paramedic: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Run the command on a text of rules and playbooks."""
    (tmp_path / "rules").mkdir()
    monkeypatch.setenv("PARAMEDIC_RULES", str(tmp_path / "rules"))
    monkeypatch.setenv("PARAMEDIC_PLAYBOOKS", str(tmp_path / "none"))

    def run(text: str, *options: str) -> Said:
        (tmp_path / "rules" / "all.yaml").write_text(text)
        return paramedic("rbac", *options)

    return run


def objects(said: Said) -> list[dict[str, Any]]:
    assert said.code == 0, said.err
    return list(yaml.safe_load_all(said.out))


def granted(found: list[dict[str, Any]], kind: str) -> set[str]:
    """What a role grants, as plug-ins declare permissions."""
    [role] = [each for each in found if each["kind"] == kind]
    return {
        f"{verb} {name.split('/')[0]}{'.' + group if group else ''}{'/' + name.split('/')[1] if '/' in name else ''}"
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for name in rule["resources"]
        for verb in rule["verbs"]
    }


def test_it_grants_what_the_plugins_and_finding_targets_need_and_nothing_else(rbac: Callable[..., Said]) -> None:
    plugins = discover()
    found = objects(rbac(RESTART))

    assert [each["kind"] for each in found] == ["ServiceAccount", "ClusterRole", "ClusterRoleBinding"]
    asked = {*plugins.actions["restart"].permissions, *plugins.checks["rollout"].permissions, *PERMISSIONS}
    assert granted(found, "ClusterRole") == asked


def test_verbs_are_merged_by_resource_in_one_order(rbac: Callable[..., Said]) -> None:
    [_, role, _] = objects(rbac(RESTART))
    resources = [(rule["apiGroups"][0], rule["resources"][0]) for rule in role["rules"]]

    assert resources == sorted(set(resources))
    assert all(rule["verbs"] == sorted(set(rule["verbs"])) for rule in role["rules"])
    assert rbac(RESTART).out == rbac(RESTART).out


def test_every_rule_says_what_needs_it(rbac: Callable[..., Said]) -> None:
    lines = rbac(RESTART).lines
    before = [lines[n - 1] for n, line in enumerate(lines) if line.startswith("  - apiGroups")]

    assert before
    assert all(line.startswith("  # ") for line in before)
    assert "  # finding targets, restart, rollout" in before


def test_the_binding_leads_from_the_account_to_the_role(rbac: Callable[..., Said]) -> None:
    account, role, binding = objects(rbac(RESTART, "--account", "ops/first-responder"))

    assert account["metadata"] == {"name": "first-responder", "namespace": "ops"}
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["roleRef"]["kind"] == role["kind"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "first-responder", "namespace": "ops"}]


def test_in_one_namespace_it_is_a_role(rbac: Callable[..., Said]) -> None:
    _, role, binding = found = objects(rbac(RESTART, "--namespace", "shop"))

    assert [each["kind"] for each in found] == ["ServiceAccount", "Role", "RoleBinding"]
    assert role["metadata"]["namespace"] == binding["metadata"]["namespace"] == "shop"
    assert granted(found, "Role") == granted(objects(rbac(RESTART)), "ClusterRole")


@pytest.mark.parametrize("name", ["2024", "no", "null", "on", "1e3", "0x1f"])
def test_a_name_is_a_name_in_yaml_too(rbac: Callable[..., Said], name: str) -> None:
    _, role, _ = objects(rbac(RESTART, "--namespace", name))

    assert role["metadata"]["namespace"] == name


def test_json_is_one_list_of_the_same(rbac: Callable[..., Said]) -> None:
    found = json.loads(rbac(RESTART, "--json").out)

    assert (found["kind"], found["apiVersion"]) == ("List", "v1")
    assert found["items"] == objects(rbac(RESTART))


def test_without_a_cluster_nothing_is_granted(rbac: Callable[..., Said]) -> None:
    assert rbac(HOOK).out == "# no playbook touches a cluster: nothing has to be granted\n"
    assert json.loads(rbac(HOOK, "--json").out)["items"] == []


def test_files_with_faults_grant_nothing(rbac: Callable[..., Said]) -> None:
    said = rbac(RESTART.replace("restart:", "restar:"))

    assert (said.code, said.out) == (1, "")
    assert "all.yaml:1:1" in said.err or "all.yaml:5:5" in said.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--namespace", "Shop"), "'Shop' is not a name"),
        (("--namespace", "a/b"), "'a/b' is not a name"),
        (("--account", "ops"), "'ops' is not NAMESPACE/NAME"),
        (("--account", "ops/a/b"), "'ops/a/b' is not NAMESPACE/NAME"),
        (("--account", "ops/"), "'' is not a name"),
    ],
)
def test_names_that_are_none_are_wrong_usage(rbac: Callable[..., Said], options: tuple[str, str], said: str) -> None:
    answer = rbac(RESTART, *options)

    assert answer.code == 2
    assert said in answer.err


def test_every_plugin_declares_permissions_that_can_be_granted() -> None:
    """All of them together: what `needed` cannot read would be found only when somebody uses it."""
    plugins = discover()
    loaded = load_files({"p.yaml": RESTART}, plugins)
    assert loaded.bundle is not None
    found = needed(loaded.bundle, plugins)

    assert list(found) == sorted(found)
    assert found[next(one for one in found if str(one) == "patch deployments.apps")] == ("restart",)
