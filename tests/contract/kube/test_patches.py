"""The cluster contract: the three kinds of patches, comparing before writing, what is not valid, dry runs."""

from typing import Any

import pytest

from paramedic.cluster.port import Json
from paramedic.cluster.resources import CONFIG_MAPS, DEPLOYMENTS, REPLICA_SETS
from paramedic.errors import Changed, Missing, Permanent
from tests.contract.kube.scene import Scene, deployment, image_of, set_image


def same(found: Json, *members: str) -> list[Json]:
    """The tests of a patch that compares identity and generation before it writes."""
    return [
        {"op": "test", "path": f"/metadata/{member}", "value": found["metadata"][member]}
        for member in members or ("uid", "generation")
    ]


REPLICAS = {"op": "replace", "path": "/spec/replicas", "value": 3}


async def flags(scene: Scene, **metadata: Any) -> Json:
    return await scene.make(CONFIG_MAPS, {"metadata": {"name": "flags", **metadata}, "data": {"a": "1", "b": "2"}})


async def test_a_patch_that_compares_is_applied_where_it_fits(scene: Scene) -> None:
    made = await scene.make(DEPLOYMENTS, deployment())
    changed = await scene.json(DEPLOYMENTS, "api", *same(made), REPLICAS)

    assert changed["spec"]["replicas"] == 3
    assert changed["metadata"]["generation"] == 2


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/metadata/uid", "00000000-0000-4000-8000-000000000000"),
        ("/metadata/generation", 7),
        ("/metadata/generation", "1"),
        ("/spec/replicas", 1),
        ("/metadata/annotations/nothing", "x"),
        ("/spec/nothing/at/all", "x"),
    ],
)
async def test_a_failed_comparison_changes_nothing(scene: Scene, path: str, value: object) -> None:
    made = await scene.make(DEPLOYMENTS, deployment())

    with pytest.raises(Changed):
        await scene.json(DEPLOYMENTS, "api", REPLICAS, {"op": "test", "path": path, "value": value})
    found = await scene.get(DEPLOYMENTS, "api")
    assert (found["spec"]["replicas"], found["metadata"]["generation"]) == (2, made["metadata"]["generation"])


async def test_comparing_the_generation_does_not_mind_what_status_does(scene: Scene) -> None:
    """All through a rollout the status changes, and with it the resourceVersion; the generation does not."""
    made = await scene.make(DEPLOYMENTS, deployment())
    done = await scene.complete(DEPLOYMENTS, "api")

    assert done["metadata"]["resourceVersion"] != made["metadata"]["resourceVersion"]
    with pytest.raises(Changed):
        await scene.json(DEPLOYMENTS, "api", *same(made, "resourceVersion"), REPLICAS)
    changed = await scene.json(DEPLOYMENTS, "api", *same(made), REPLICAS)
    assert changed["spec"]["replicas"] == 3
    with pytest.raises(Changed):
        await scene.json(DEPLOYMENTS, "api", *same(made), {**REPLICAS, "value": 4})


async def test_an_annotation_of_a_deployment_raises_its_generation_and_its_status_follows(scene: Scene) -> None:
    """Of Deployments alone: whoever compares the generation notices somebody else's note as well."""
    made = await scene.make(DEPLOYMENTS, deployment())
    await scene.complete(DEPLOYMENTS, "api")
    noted = await scene.merge(DEPLOYMENTS, "api", {"metadata": {"annotations": {"paramedic/run": "INC-1/1/1/1"}}})
    labelled = await scene.merge(DEPLOYMENTS, "api", {"metadata": {"labels": {"team": "shop"}}})

    assert [one["metadata"]["generation"] for one in (made, noted, labelled)] == [1, 2, 2]
    done = await scene.complete(DEPLOYMENTS, "api")
    assert done["status"]["observedGeneration"] == 2
    assert len(await scene.all(REPLICA_SETS)) == 1


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/data/nothing"},
        {"op": "add", "path": "/metadata/annotations/paramedic~1run", "value": "x"},
        {"op": "move", "from": "/data/nothing", "path": "/data/c"},
    ],
)
async def test_a_patch_that_leads_to_nothing_counts_as_changed(scene: Scene, operation: Json) -> None:
    """Nobody can tell it from a failed comparison. So an annotation is never added where there may be none yet."""
    await flags(scene)

    with pytest.raises(Changed):
        await scene.json(CONFIG_MAPS, "flags", operation)
    assert (await scene.get(CONFIG_MAPS, "flags"))["data"] == {"a": "1", "b": "2"}


async def test_operations_do_what_they_say(scene: Scene) -> None:
    await flags(scene, annotations={"paramedic/run": "old"})

    changed = await scene.json(
        CONFIG_MAPS,
        "flags",
        {"op": "test", "path": "/metadata/annotations/paramedic~1run", "value": "old"},
        {"op": "replace", "path": "/metadata/annotations/paramedic~1run", "value": "new"},
        {"op": "add", "path": "/data/c", "value": "3"},
        {"op": "remove", "path": "/data/a"},
        {"op": "move", "from": "/data/b", "path": "/data/d"},
        {"op": "copy", "from": "/data/c", "path": "/data/e"},
        {"op": "test", "path": "/data/nothing", "value": None},
    )

    assert changed["data"] == {"c": "3", "d": "2", "e": "3"}
    assert changed["metadata"]["annotations"] == {"paramedic/run": "new"}


@pytest.mark.parametrize("patch", [[{"op": "nonsense", "path": "/data/a"}], {"op": "test", "path": "/data"}])
async def test_what_is_no_json_patch_is_refused(scene: Scene, patch: Any) -> None:
    await flags(scene)

    with pytest.raises(Permanent):
        await scene.kube.patch(scene.at(CONFIG_MAPS, "flags"), patch, "json")


async def test_a_merge_patch_sets_and_removes_members(scene: Scene) -> None:
    await flags(scene, annotations={"keep": "it", "drop": "it"})
    changed = await scene.merge(
        CONFIG_MAPS, "flags", {"metadata": {"annotations": {"drop": None}}, "data": {"a": None, "c": "3"}}
    )

    assert changed["metadata"]["annotations"] == {"keep": "it"}
    assert changed["data"] == {"b": "2", "c": "3"}


async def test_a_merge_patch_replaces_a_list_and_a_strategic_one_merges_it(scene: Scene) -> None:
    body = deployment()
    body["spec"]["template"]["spec"]["containers"] = [
        {"name": "app", "image": "api:1", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
        {"name": "proxy", "image": "proxy:1"},
    ]
    await scene.make(DEPLOYMENTS, body)
    other = {"name": "app", "image": "api:2", "env": [{"name": "B", "value": "3"}]}
    patch = {"spec": {"template": {"spec": {"containers": [other]}}}}

    merged = (await scene.strategic(DEPLOYMENTS, "api", patch))["spec"]["template"]["spec"]["containers"]
    replaced = (await scene.merge(DEPLOYMENTS, "api", patch))["spec"]["template"]["spec"]["containers"]

    assert [(one["name"], one["image"]) for one in merged] == [("app", "api:2"), ("proxy", "proxy:1")]
    assert {one["name"]: one["value"] for one in merged[0]["env"]} == {"A": "1", "B": "3"}
    assert [(one["name"], one["image"]) for one in replaced] == [("app", "api:2")]
    assert replaced[0]["env"] == [{"name": "B", "value": "3"}]


async def test_a_strategic_patch_can_remove_and_replace(scene: Scene) -> None:
    body = deployment()
    body["spec"]["template"]["spec"]["containers"].append({"name": "proxy", "image": "proxy:1"})
    body["spec"]["template"]["metadata"]["annotations"] = {"a": "1"}
    await scene.make(DEPLOYMENTS, body)

    without = await scene.strategic(
        DEPLOYMENTS,
        "api",
        {"spec": {"template": {"spec": {"containers": [{"name": "proxy", "$patch": "delete"}]}}}},
    )
    template = {
        "$patch": "replace",
        "metadata": {"labels": {"app": "api"}},
        "spec": {"containers": [{"name": "app", "image": "api:2"}]},
    }
    anew = await scene.strategic(DEPLOYMENTS, "api", {"spec": {"template": template}})

    assert [one["name"] for one in without["spec"]["template"]["spec"]["containers"]] == ["app"]
    assert "annotations" not in anew["spec"]["template"]["metadata"]
    assert image_of(anew) == "api:2"


async def test_a_template_is_filled_in(scene: Scene) -> None:
    """What is not said has a value on the server: a template that is written back must be compared with these."""
    made = await scene.make(DEPLOYMENTS, deployment())
    [container] = made["spec"]["template"]["spec"]["containers"]

    assert made["spec"]["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
    }
    assert (made["spec"]["revisionHistoryLimit"], made["spec"]["progressDeadlineSeconds"]) == (10, 600)
    assert made["spec"]["template"]["spec"]["restartPolicy"] == "Always"
    assert container["imagePullPolicy"] == "IfNotPresent"
    assert container["terminationMessagePath"] == "/dev/termination-log"


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"spec": {"replicas": -1}}, r"spec\.replicas"),
        ({"spec": {"selector": {"matchLabels": {"app": "other"}}}}, r"spec\.(selector|template)"),
        ({"spec": {"template": {"spec": {"containers": []}}}}, r"containers"),
        ({"spec": {"template": {"spec": {"containers": [{"name": "app"}]}}}}, r"containers\[0\]\.image"),
        ({"spec": {"template": {"metadata": {"labels": {"app": "x"}}}}}, r"template.*labels"),
    ],
)
async def test_what_is_not_valid_is_named(scene: Scene, patch: Json, field: str) -> None:
    made = await scene.make(DEPLOYMENTS, deployment())

    for dry_run in (True, False):
        with pytest.raises(Permanent, match=field) as caught:
            await scene.kube.patch(scene.at(DEPLOYMENTS, "api"), patch, "merge", dry_run=dry_run)
        assert not isinstance(caught.value, Changed | Missing)
    assert (await scene.get(DEPLOYMENTS, "api"))["metadata"]["generation"] == made["metadata"]["generation"]


async def test_a_value_of_another_type_is_refused(scene: Scene) -> None:
    await scene.make(DEPLOYMENTS, deployment())

    with pytest.raises(Permanent, match="replicas"):
        await scene.merge(DEPLOYMENTS, "api", {"spec": {"replicas": "three"}})


async def test_a_dry_run_says_what_would_be_and_keeps_nothing(scene: Scene) -> None:
    await scene.make(DEPLOYMENTS, deployment())
    done = await scene.complete(DEPLOYMENTS, "api")
    place = scene.at(DEPLOYMENTS, "api")

    would = await scene.kube.patch(place, set_image("api:2"), "strategic", dry_run=True)
    with pytest.raises(Changed):
        await scene.kube.patch(
            place, [{"op": "test", "path": "/metadata/generation", "value": 5}], "json", dry_run=True
        )

    assert (image_of(would), would["metadata"]["generation"]) == ("api:2", 2)
    found = await scene.get(DEPLOYMENTS, "api")
    assert (image_of(found), found["metadata"]) == ("api:1", done["metadata"])
    assert len(await scene.all(REPLICA_SETS)) == 1
