"""Guard `dependency`: what a target depends on is treated instead of it, and nothing while the cluster is not well."""

from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from paramedic.cluster.port import Json
from paramedic.core.matching import matches
from paramedic.core.model import Episode
from paramedic.core.words import Answer
from paramedic.errors import Fault, Missing, Permanent, Temporary
from paramedic.guards.dependency import Dependency, DependencyParams
from paramedic.plugin import Seen
from tests.actions.workloads import at
from tests.cluster.objects import deployment, stateful_set, status
from tests.cluster.shelf import Shelf
from tests.contract.plugin_scene import Others, episode
from tests.guards.asked import HOSTILE, asked


def scene(*firing: Episode, depends_on: tuple[str, ...] = (), target: str = "") -> Seen:
    found = msgspec.structs.replace(at(deployment()), others=Others(list(firing)), depends_on=lambda: depends_on)
    return msgspec.structs.replace(found, target=target) if target else found


def cluster(*found: Json) -> Shelf:
    kube = Shelf()
    for one in found:
        kube.hold(one)
    return kube


async def test_nothing_known_against_it_allows() -> None:
    verdict = await asked(Dependency(), kube=cluster(), scene=scene(depends_on=("postgres",)), services=["redis"])

    assert (verdict.answer, verdict.seen) == (Answer.ALLOW, {"depends_on": ["redis", "postgres"]})
    assert verdict.reason == "nothing is known against redis, postgres"
    assert (await asked(Dependency(), scene=scene())).reason == "nothing is known against the cluster"


@pytest.mark.parametrize("label", ["job", "service"])
@pytest.mark.parametrize("how", ["own", "map"])
async def test_an_alert_about_a_dependency_denies(label: str, how: str) -> None:
    firing = episode("DatabaseDown", 180, **{label: "postgres"})
    there = scene(firing, depends_on=("postgres",) if how == "map" else ())
    verdict = await asked(Dependency(), scene=there, services=["postgres"] if how == "own" else [])

    assert verdict.answer is Answer.DENY
    assert verdict.reason == "it depends on postgres: DatabaseDown has been firing for 3m"
    assert verdict.seen["labels"] == {"alertname": "DatabaseDown", label: "postgres"}


async def test_an_alert_about_something_else_does_not() -> None:
    firing = (episode("Down", 1, job="postgres-exporter"), episode("Down", 1, pod="postgres"))

    assert (await asked(Dependency(), scene=scene(*firing), services=["postgres"])).answer is Answer.ALLOW


async def test_only_some_alerts_may_count() -> None:
    firing = episode("SlowQueries", 60, job="postgres", severity="warning")
    only = {"services": ["postgres"], "only": ['severity="critical"']}

    assert (await asked(Dependency(), scene=scene(firing), services=["postgres"])).answer is Answer.DENY
    assert (await asked(Dependency(), scene=scene(firing), **only)).answer is Answer.ALLOW


@pytest.mark.parametrize(
    ("firing", "answer"),
    [
        (episode("KubeAPIDown", 60), Answer.DENY),
        (episode("KubeAPIDown", 60, cluster="main"), Answer.DENY),
        (episode("KubeAPIDown", 60, cluster="other"), Answer.ALLOW),
        (episode("etcdInsufficientMembers", 60, severity="critical"), Answer.DENY),
        (episode("etcdHighFsyncDurations", 60, severity="warning"), Answer.ALLOW),
        (episode("KubeletDown", 60), Answer.DENY),
        (episode("KubeNodeNotReady", 60), Answer.ALLOW),
    ],
    ids=lambda one: f"{one.alertname} {one.labels.get('cluster', '')}" if isinstance(one, Episode) else str(one),
)
async def test_nothing_is_treated_while_the_cluster_itself_is_not_well(firing: Episode, answer: Answer) -> None:
    verdict = await asked(Dependency(), scene=scene(firing))

    assert verdict.answer is answer
    assert (await asked(Dependency(), scene=scene(firing), control_plane=False)).answer is Answer.ALLOW
    if answer is Answer.DENY:
        assert verdict.reason == f"the cluster itself is not well: {firing.alertname} has been firing for 1m"


@pytest.mark.parametrize(
    ("ready", "answer"), [(3, Answer.ALLOW), (2, Answer.ALLOW), (1, Answer.DENY), (0, Answer.DENY)]
)
@pytest.mark.parametrize("name", ["statefulset/db.shop", "main/shop/statefulset/db"])
async def test_a_workload_that_it_depends_on_must_be_half_up(name: str, ready: int, answer: Answer) -> None:
    kube = cluster(status(stateful_set("db"), availableReplicas=ready, readyReplicas=ready))
    verdict = await asked(Dependency(), kube=kube, scene=scene(), workloads=[name])

    assert verdict.answer is answer
    assert verdict.seen["main/shop/statefulset/db"] == f"{ready} of 3"
    if answer is Answer.DENY:
        assert verdict.reason == f"it depends on statefulset/db.shop, of which {ready} of 3 pods are available"


async def test_how_much_of_it_is_said_and_none_wanted_is_none_up() -> None:
    kube = cluster(status(stateful_set("db"), availableReplicas=2, readyReplicas=2), deployment("off", replicas=0))
    given: dict[str, Any] = {"kube": kube, "scene": scene()}

    assert (await asked(Dependency(), **given, workloads=["statefulset/db.shop"], least=67)).answer is Answer.DENY
    assert (await asked(Dependency(), **given, workloads=["statefulset/db.shop"], least=66)).answer is Answer.ALLOW
    assert (await asked(Dependency(), **given, workloads=["deployment/off.shop"])).answer is Answer.DENY


async def test_what_is_no_target_on_a_cluster_may_depend_on_one() -> None:
    """A playbook that calls an endpoint has no workload of its own."""
    kube = cluster(stateful_set("db"))
    there = scene(target="hook/api")

    assert not Dependency.on_target
    full = await asked(Dependency(), kube=kube, scene=there, workloads=["main/shop/statefulset/db"])
    assert full.answer is Answer.ALLOW
    assert (
        await asked(Dependency(), scene=msgspec.structs.replace(there, others=Others([episode("KubeAPIDown", 5)])))
    ).answer is (Answer.DENY)


@pytest.mark.parametrize("name", ["pod/db-0.shop", "statefulset/db", "db", "main/sh\u043ep/statefulset/db", *HOSTILE])
async def test_what_is_no_workload_is_a_fault(name: str) -> None:
    with pytest.raises(Fault):
        await asked(Dependency(), kube=cluster(), scene=scene(), workloads=[name])


@pytest.mark.parametrize("error", [Temporary("429"), Permanent("get statefulsets.apps is not allowed")])
async def test_what_cannot_be_read_allows_nothing(error: Exception) -> None:
    kube = cluster(stateful_set("db"))
    kube.fails["get"] = error
    with pytest.raises(type(error)):
        await asked(Dependency(), kube=kube, scene=scene(), workloads=["statefulset/db.shop"])
    with pytest.raises(Missing):
        await asked(Dependency(), kube=cluster(), scene=scene(), workloads=["statefulset/db.shop"])


@pytest.mark.parametrize("name", HOSTILE[:6])
async def test_names_out_of_labels_and_maps_cannot_fake_a_timeline(name: str) -> None:
    firing = episode(name, 1, job="db", note=name)
    verdict = await asked(Dependency(), scene=scene(firing, depends_on=(name, "db")))

    assert verdict.answer is Answer.DENY
    assert all(value.isprintable() and len(value) <= 100 for value in verdict.seen["labels"].values())


def test_it_watches_what_it_will_look_for() -> None:
    params = DependencyParams.model_validate({"services": ["postgres"]})
    sets = Dependency().watches(params)

    assert len(sets) == 3
    assert any(matches(one, {"job": "postgres"}) for one in sets)
    assert any(matches(one, {"service": "postgres"}) for one in sets)
    assert any(matches(one, {"alertname": "KubeAPIDown", "cluster": "main"}) for one in sets)
    assert not any(matches(one, {"alertname": "Down"}) for one in sets)
    assert Dependency().watches(DependencyParams.model_validate({"control_plane": False})) == ()


@pytest.mark.parametrize(
    "wrong", [{"services": [""]}, {"services": "db"}, {"services": [5]}, {"least": 0}, {"only": []}, {"only": ["x"]}]
)
def test_what_it_may_not_be_told(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DependencyParams.model_validate(wrong)
