"""Rehearsals with clusters: the real engine and actions over a simulated cluster, alerts that follow it, its faults."""

from functools import cache
from typing import Any

import pytest

from paramedic.cluster.resources import DEPLOYMENTS, REPLICA_SETS, Place
from paramedic.errors import Fault, Temporary
from paramedic.rehearse.clusters import StagedClusters
from paramedic.rehearse.compare import compare
from paramedic.rehearse.files import read_rehearsals
from paramedic.rehearse.loop import VirtualClock, VirtualLoop, virtually
from paramedic.rehearse.run import Result, rehearse
from paramedic.rehearse.scenery import World
from paramedic.rehearse.script import Script
from paramedic.rehearse.stage import Played, Stage
from tests.rehearse.staged import played, plugins

RULES = """
people: [{name: alice}, {name: bob}]
escalation:
  - {name: sre, levels: [{after: 0m, page: [alice]}, {after: 30m, page: [bob]}]}
rules:
  - {name: bad, match: ['alertname="Errors"'], incident: [job], playbook: roll-back,
     with: {workload: "${labels.workload}"}, escalation: sre}
  - {name: down, match: ['alertname="Down"'], incident: [job], playbook: restart-it,
     with: {workload: "${labels.workload}"}, escalation: sre}
---
playbook: roll-back
mode: auto
params: {workload: {type: string}}
target: "main/shop/${params.workload}"
guards: [still_firing: {}]
steps:
  - roll_back: {}
    verify: [rollout: {within: 5m}, alert_cleared: {within: 5m}]
---
playbook: restart-it
mode: auto
params: {workload: {type: string}}
target: "main/shop/${params.workload}"
guards: [still_firing: {}]
steps:
  - restart: {}
    verify: [rollout: {within: 5m}, alert_cleared: {within: 5m}]
"""

API: dict[str, Any] = {"name": "api", "namespace": "shop", "replicas": 3, "image": "api:41"}
BAD: dict[str, Any] = {
    "name": "api",
    "namespace": "shop",
    "replicas": 3,
    "revisions": [{"image": "api:41"}, {"image": "api:42", "at": "-20m", "ready": False}],
}


def following(name: str, **rest: Any) -> dict[str, Any]:
    """An alert that follows the Deployment."""
    labels = {"alertname": name, "job": "api", "workload": "deployment/api"}
    return {"alert": labels, "while": {"target": "deployment/api.shop", "is": "unready"}, "for": "30s", **rest}


def scripted(world: dict[str, Any], **rest: Any) -> Script:
    return Script.model_validate({"rehearsal": "x", "world": world, "clock": {"until": "15m"}, **rest})


@cache
def bad_release() -> tuple[Stage, Played]:
    """A bad release is rolled back: what most tests look at."""
    return played(scripted({"deployments": [BAD], "alerts": [following("Errors")]}), RULES)


def told(script: Script) -> list[str]:
    """What is expected and did not come."""
    return [finding.expected for finding in compare(script, played(script, RULES)[1].happened)]


def test_a_bad_release_is_rolled_back() -> None:
    stage, came = bad_release()
    script = scripted(
        {},
        when=[{"at": "0s", "alert": {}}],
        then=[
            {"at": "30s", "step": {"roll_back": "deployment/api.shop", "to": {"image": "api:41"}}},
            {"times": 1, "step": {"roll_back": "main/shop/deployment/api"}},
            {"times": 1, "step": {"roll_back": "main/*/api"}},
            {"by": "3m", "incident": {"phase": "resolved", "fixed_by": "paramedic"}},
        ],
        never=[{"step": {"restart": "*"}}, {"step": {"roll_back": "deployment/db.shop"}}],
    )
    assert compare(script, came.happened) == []
    cluster = stage.clusters.named["main"]
    found = cluster.site.server.get(DEPLOYMENTS, "shop", "api")
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "api:41"
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"
    assert len(cluster.site.server.list(REPLICA_SETS, "shop", "", "", 10)) == 2
    writes = [one for one in cluster.requests if one.writes and not one.dry_run]
    assert [one.permission for one in writes] == ["patch deployments.apps"]


def test_a_step_is_told_by_the_short_name_of_its_target() -> None:
    _, came = bad_release()
    [step] = [one for one in came.happened if one.kind == "step"]
    assert step.text == "step roll_back deployment/api.shop, image api:42 → api:41"
    assert step.facts["target"] == "main/shop/deployment/api"


def test_a_service_that_hangs_is_restarted() -> None:
    world = {"deployments": [API | {"strikes": [{"at": "1m", "ready": False}]}], "alerts": [following("Down")]}
    then = [
        {"at": "90s", "step": {"restart": "deployment/api.shop"}},
        {"by": "5m", "incident": {"phase": "resolved", "fixed_by": "paramedic"}},
    ]
    assert told(scripted(world, then=then)) == []


@pytest.mark.parametrize("fails", ["lost", "timeout", "error", "busy", "refused"])
def test_one_request_that_fails_makes_no_second_change(fails: str) -> None:
    world = {"deployments": [BAD], "alerts": [following("Errors", stays="30s")]}
    fault = {"cluster": "main", "fails": fails, "on": "patch deployments.apps", "times": 1}
    script = scripted(world, faults=[fault])
    stage, came = played(script, RULES)
    cluster = stage.clusters.named["main"]
    assert cluster.site.server.get(DEPLOYMENTS, "shop", "api")["metadata"]["generation"] in (2, 3, 4)
    writes = [one for one in cluster.requests if one.writes and not one.dry_run]
    assert len(writes) <= 1
    if fails in ("lost", "busy", "refused"):
        assert any(one.kind == "incident" and one.facts["fixed_by"] == "paramedic" for one in came.happened)


def test_without_the_permission_the_person_hears_which_one_lacks() -> None:
    allowed = [
        "get deployments.apps",
        "list replicasets.apps",
        "list pods",
        "list horizontalpodautoscalers.autoscaling",
    ]
    world = {"deployments": [BAD], "alerts": [following("Errors")], "permissions": allowed}
    _, came = played(scripted(world), RULES)
    said = " ".join(one.text for one in came.happened)
    assert "patch deployments.apps in shop is not allowed for system:serviceaccount" in said
    assert not any(one.kind == "step" and one.facts["outcome"] == "done" for one in came.happened)


@pytest.mark.parametrize("commit", range(3, 10))
def test_a_process_killed_around_a_lost_answer_changes_its_target_once(commit: int) -> None:
    world = {"deployments": [BAD], "alerts": [following("Errors", stays="30s")]}
    lost = {"cluster": "main", "fails": "lost", "on": "patch deployments.apps", "times": 1}
    script = scripted(world, faults=[{"commit": commit, "crash": "after", "down": "5s"}, lost])
    stage, came = played(script, RULES)
    writes = [one for one in stage.clusters.named["main"].requests if one.writes and not one.dry_run]
    assert len(writes) == 1
    assert any(one.kind == "incident" and one.facts["fixed_by"] == "paramedic" for one in came.happened)


def test_a_killed_process_asks_no_more() -> None:
    async def story(loop: VirtualLoop) -> None:
        clock = VirtualClock(loop)
        clusters = StagedClusters(World.model_validate({"deployments": [API]}), (), clock)
        one, other = clusters.kube(), clusters.kube()
        place = Place("main", DEPLOYMENTS, "shop", "api")
        await one.shared.get(place)
        one.die()
        with pytest.raises(Temporary, match="the process is gone"):
            await one.shared.get(place)
        await one.close()
        assert (await other.shared.get(place))["metadata"]["name"] == "api"

    virtually(story)


def test_somebody_else_lays_hand_on_the_cluster() -> None:
    world = {"deployments": [API]}
    when = [
        {"at": "1m", "cluster": {"edit": "deployment/api.shop", "replicas": 5, "image": "api:43", "by": "alice"}},
        {"at": "2m", "cluster": {"edit": "deployment/api.shop", "patch": {"metadata": {"labels": {"a": "b"}}}}},
        {"at": "3m", "cluster": {"edit": "main/shop/deployment/api", "paused": True}},
    ]
    stage, _ = played(scripted(world, when=when), RULES)
    found = stage.clusters.named["main"].site.server.get(DEPLOYMENTS, "shop", "api")
    assert (found["spec"]["replicas"], found["spec"]["paused"], found["metadata"]["labels"]["a"]) == (5, True, "b")
    container = found["spec"]["template"]["spec"]["containers"][0]
    assert (container["image"], container["name"], container["imagePullPolicy"]) == ("api:43", "app", "IfNotPresent")
    assert {"alice", "kubectl-edit"} <= {one["manager"] for one in found["metadata"]["managedFields"]}


def test_somebody_else_deletes_it() -> None:
    when = [{"at": "1m", "cluster": {"delete": "deployment/api.shop"}}]
    stage, _ = played(scripted({"deployments": [API]}, when=when), RULES)
    assert stage.clusters.named["main"].site.server.list(DEPLOYMENTS, "shop", "", "", 9) == []


@pytest.mark.parametrize(
    ("hand", "said"),
    [
        ({"edit": "deployment/db.shop", "replicas": 1}, 'the cluster refuses kubectl-edit: deployments.apps "db" not'),
        ({"edit": "deployment/api.shop", "patch": {"spec": {"selector": None}}}, "the cluster refuses kubectl-edit"),
        ({"delete": "other/shop/deployment/api"}, 'this world has no cluster "other"; it has: main'),
    ],
)
def test_a_hand_that_cannot_do_it(hand: dict[str, Any], said: str) -> None:
    script = scripted({"deployments": [API]}, when=[{"at": "1m", "cluster": hand}])
    with pytest.raises(BaseException) as raised:  # noqa: PT011 the stage's tasks raise in a group
        played(script, RULES)
    found: BaseException = raised.value
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, Fault)
    assert said in str(found)


def test_a_person_who_undoes_what_the_remedy_needs_is_noticed() -> None:
    """Somebody scales while the rollout is watched: the rehearsal goes on, and nothing is changed twice."""
    when = [{"at": "32s", "cluster": {"edit": "deployment/api.shop", "replicas": 4}}]
    world = {"deployments": [BAD], "alerts": [following("Errors")]}
    stage, _ = played(scripted(world, when=when), RULES)
    writes = [one for one in stage.clusters.named["main"].requests if one.writes and not one.dry_run]
    assert len(writes) == 1


def rehearsed(text: str) -> Result:
    file = read_rehearsals("a.test.yaml", RULES + "---\n" + text, plugins(), lambda: pytest.fail("has its own rules"))
    assert not file.faults, file.faults
    return rehearse(file.rehearsals[0], plugins(), lambda: 0.0)


def test_a_rehearsal_may_say_no_more_than_this() -> None:
    result = rehearsed("""
rehearsal: A bad release is rolled back
world:
  deployments:
    - {name: api, namespace: shop, replicas: 3, revisions: [{image: "api:41"}, {image: "api:42", ready: false}]}
  alerts:
    - alert: {alertname: Errors, job: api, workload: deployment/api}
      while: {target: deployment/api.shop, is: unready}
then:
  - {by: 90s, step: {roll_back: deployment/api.shop, to: {image: "api:41"}}}
  - {by: 8m, incident: {phase: resolved, fixed_by: paramedic}}
""")
    assert result.ok, (result.error, result.findings)


@pytest.mark.parametrize(
    ("world", "said"),
    [
        ("alerts: [{alert: {alertname: A}, while: {target: deployment/web.shop, fewer: 1}}]", "unknown workload"),
        ("metrics: {m: {while: {target: deployment/web.shop, fewer: 1}, value: 1}}", "unknown workload"),
        ("permissions: [get deployments.apps, patch deployment]", 'unknown permission "patch deployment"'),
    ],
)
def test_what_the_world_says_of_clusters_names_what_there_is(world: str, said: str) -> None:
    text = f"""{RULES}---
rehearsal: x
world:
  deployments: [{{name: api, namespace: shop, image: a}}]
  {world}
when: [{{at: 0s, alert: {{alertname: Errors}}}}]
"""
    file = read_rehearsals("a.test.yaml", text, plugins(), lambda: pytest.fail("has its own rules"))
    assert [said in fault.what for fault in file.faults] == [True]
    assert "deployment" in file.faults[0].right


def test_a_fault_names_a_cluster_of_the_world() -> None:
    text = f"""{RULES}---
rehearsal: x
world: {{deployments: [{{name: api, image: a}}]}}
when: [{{at: 0s, alert: {{alertname: Errors}}}}]
faults: [{{cluster: mian, fails: lost}}]
"""
    file = read_rehearsals("a.test.yaml", text, plugins(), lambda: pytest.fail("has its own rules"))
    [fault] = file.faults
    assert "unknown cluster" in fault.what
    assert "main" in fault.right
