"""The cluster contract: identity, versions, what is there and what is not, names, selectors, sizes."""

from datetime import datetime

import pytest

from paramedic.cluster.resources import CONFIG_MAPS, DEPLOYMENTS, NODES, PODS, REPLICA_SETS, Place, Resource
from paramedic.errors import Changed, Missing, Permanent
from tests.contract.kube.scene import Scene, deployment

ROLLOUTS = Resource("argoproj.io/v1alpha1", "rollouts", "Rollout")
LARGEST = 256 * 1024


def config_map(name: str = "flags", **metadata: object) -> dict[str, object]:
    return {"metadata": {"name": name, **metadata}, "data": {"breaker": "open"}}


async def test_what_is_made_has_an_identity_and_a_version(scene: Scene) -> None:
    made = await scene.make(DEPLOYMENTS, deployment())
    found = await scene.get(DEPLOYMENTS, "api")

    assert (made["kind"], made["apiVersion"], made["metadata"]["namespace"]) == (
        "Deployment",
        "apps/v1",
        scene.namespace,
    )
    assert made["metadata"]["uid"]
    assert made["metadata"]["generation"] == 1
    assert int(made["metadata"]["resourceVersion"]) > 0
    assert made["metadata"]["creationTimestamp"].endswith("Z")
    assert found["metadata"]["uid"] == made["metadata"]["uid"]


async def test_a_name_is_taken_only_once(scene: Scene) -> None:
    first = await scene.make(CONFIG_MAPS, config_map())

    with pytest.raises(Changed, match="already exists"):
        await scene.make(CONFIG_MAPS, config_map())
    assert (await scene.get(CONFIG_MAPS, "flags"))["metadata"]["uid"] == first["metadata"]["uid"]


async def test_the_same_name_later_is_another_object(scene: Scene) -> None:
    first = await scene.make(CONFIG_MAPS, config_map())
    await scene.remove(CONFIG_MAPS, "flags")
    await scene.gone(CONFIG_MAPS, "flags")
    second = await scene.make(CONFIG_MAPS, config_map())

    assert second["metadata"]["uid"] != first["metadata"]["uid"]
    with pytest.raises(Changed, match="UID"):
        await scene.kube.delete(scene.at(CONFIG_MAPS, "flags"), uid=first["metadata"]["uid"])
    with pytest.raises(Changed):
        await scene.json(
            CONFIG_MAPS, "flags", {"op": "test", "path": "/metadata/uid", "value": first["metadata"]["uid"]}
        )


async def test_what_is_not_there_is_missing(scene: Scene) -> None:
    nowhere = Place(scene.cluster, DEPLOYMENTS, "nowhere", "api")
    patch = {"metadata": {"annotations": {"a": "b"}}}

    with pytest.raises(Missing, match="api"):
        await scene.get(DEPLOYMENTS, "api")
    with pytest.raises(Missing):
        await scene.merge(DEPLOYMENTS, "api", patch)
    with pytest.raises(Missing):
        await scene.json(DEPLOYMENTS, "api", {"op": "test", "path": "/metadata/uid", "value": "x"})
    with pytest.raises(Missing):
        await scene.kube.delete(scene.at(DEPLOYMENTS, "api"), uid="x")
    with pytest.raises(Missing):
        await scene.kube.get(scene.at(DEPLOYMENTS, "api"), subresource="scale")
    with pytest.raises(Missing):
        await scene.kube.get(nowhere)
    with pytest.raises(Missing, match="nowhere"):
        await scene.kube.create(nowhere, deployment())
    assert await scene.all(DEPLOYMENTS) == []
    assert await scene.kube.list(Place(scene.cluster, PODS, "nowhere")) == []


async def test_only_a_change_of_the_spec_raises_the_generation(scene: Scene) -> None:
    made = await scene.make(DEPLOYMENTS, deployment())
    noted = await scene.merge(DEPLOYMENTS, "api", {"metadata": {"labels": {"team": "shop"}}})
    scaled = await scene.merge(DEPLOYMENTS, "api", {"spec": {"replicas": 3}})
    done = await scene.complete(DEPLOYMENTS, "api")

    assert [one["metadata"]["generation"] for one in (made, noted, scaled, done)] == [1, 1, 2, 2]
    versions = [int(one["metadata"]["resourceVersion"]) for one in (made, noted, scaled, done)]
    assert versions == sorted(set(versions)), "each change has its own"


async def test_a_change_to_what_is_there_already_changes_nothing(scene: Scene) -> None:
    await scene.make(CONFIG_MAPS, config_map(annotations={"a": "b"}))
    before = await scene.get(CONFIG_MAPS, "flags")
    again = await scene.merge(
        CONFIG_MAPS, "flags", {"metadata": {"annotations": {"a": "b"}}, "data": {"breaker": "open"}}
    )

    assert again["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


async def test_a_stale_version_is_refused(scene: Scene) -> None:
    made = await scene.make(CONFIG_MAPS, config_map())
    version = made["metadata"]["resourceVersion"]
    fresh = await scene.merge(CONFIG_MAPS, "flags", {"metadata": {"resourceVersion": version}, "data": {"a": "1"}})

    with pytest.raises(Changed, match="modified"):
        await scene.merge(CONFIG_MAPS, "flags", {"metadata": {"resourceVersion": version}, "data": {"a": "2"}})
    assert (await scene.get(CONFIG_MAPS, "flags"))["data"] == fresh["data"] == {"breaker": "open", "a": "1"}


async def test_identity_and_generation_cannot_be_written(scene: Scene) -> None:
    made = await scene.make(DEPLOYMENTS, deployment())
    changed = await scene.merge(
        DEPLOYMENTS, "api", {"metadata": {"generation": 99, "labels": {"a": "b"}}, "status": {"replicas": 99}}
    )

    assert changed["metadata"]["generation"] == 1
    assert changed["status"].get("replicas", 0) != 99
    with pytest.raises(Permanent):
        await scene.merge(DEPLOYMENTS, "api", {"metadata": {"uid": "00000000-0000-4000-8000-000000000000"}})
    assert (await scene.get(DEPLOYMENTS, "api"))["metadata"]["uid"] == made["metadata"]["uid"]


async def test_selectors_choose(scene: Scene) -> None:
    for name, labels in {"a": {"app": "api", "tier": "web"}, "b": {"app": "api"}, "c": {"app": "db"}}.items():
        await scene.make(CONFIG_MAPS, config_map(name, labels=labels))

    async def chosen(labels: str = "", fields: str = "") -> str:
        found = await scene.all(CONFIG_MAPS, labels, fields)
        return "".join(one["metadata"]["name"] for one in found if len(one["metadata"]["name"]) == 1)

    assert await chosen() == "abc"
    assert await chosen("app=api") == "ab"
    assert await chosen("app==api,tier=web") == "a"
    assert await chosen("app!=api") == "c"
    assert await chosen("app in (api, db),!tier") == "bc"
    assert await chosen("tier") == "a"
    assert await chosen("app notin (db)") == "ab"
    assert await chosen("app=nobody") == ""
    assert await chosen(fields="metadata.name=b") == "b"
    assert await chosen("app=api", "metadata.name!=b") == "a"


async def test_what_is_no_selector_is_refused(scene: Scene) -> None:
    for labels in ("app===api", "app=a b", "=x", "app in api"):
        with pytest.raises(Permanent):
            await scene.all(CONFIG_MAPS, labels)
    with pytest.raises(Permanent, match=r"spec\.nonsense"):
        await scene.all(CONFIG_MAPS, fields="spec.nonsense=1")


async def test_what_is_listed_says_what_it_is(scene: Scene) -> None:
    await scene.make(DEPLOYMENTS, deployment())
    await scene.complete(DEPLOYMENTS, "api")

    assert {(one["apiVersion"], one["kind"]) for one in await scene.all(REPLICA_SETS)} == {("apps/v1", "ReplicaSet")}
    assert {(one["apiVersion"], one["kind"]) for one in await scene.all(PODS)} == {("v1", "Pod")}
    everywhere = await scene.kube.list(Place(scene.cluster, DEPLOYMENTS), labels="app=api")
    assert scene.namespace in {one["metadata"]["namespace"] for one in everywhere}
    [node] = await scene.kube.list(scene.at(NODES))
    assert node["kind"] == "Node"


async def test_a_list_is_whole_or_refused(scene: Scene) -> None:
    """Three hundred are more than one page."""
    for number in range(300):
        await scene.make(CONFIG_MAPS, config_map(f"map-{number}", labels={"of": "many"}))
    place = scene.at(CONFIG_MAPS)

    assert len(await scene.kube.list(place, labels="of=many", limit=300)) == 300
    for limit in (299, 250, 249, 1):
        with pytest.raises(Permanent, match=str(limit)):
            await scene.kube.list(place, labels="of=many", limit=limit)


async def test_a_dry_run_keeps_nothing(scene: Scene) -> None:
    would = await scene.kube.create(scene.at(DEPLOYMENTS), deployment(), dry_run=True)
    with pytest.raises(Missing):
        await scene.get(DEPLOYMENTS, "api")

    made = await scene.make(DEPLOYMENTS, deployment())
    with pytest.raises(Changed):
        await scene.kube.create(scene.at(DEPLOYMENTS), deployment(), dry_run=True)
    await scene.kube.delete(scene.at(DEPLOYMENTS, "api"), uid=made["metadata"]["uid"], dry_run=True)
    with pytest.raises(Changed):
        await scene.kube.delete(scene.at(DEPLOYMENTS, "api"), uid="another", dry_run=True)

    assert would["spec"]["replicas"] == 2
    assert (await scene.get(DEPLOYMENTS, "api"))["metadata"]["uid"] == made["metadata"]["uid"]


@pytest.mark.parametrize("name", ["Api", "api_1", "-api", "api/../x", "\N{CYRILLIC SMALL LETTER A}pi", "a" * 254, ""])
async def test_what_is_no_name_is_refused(scene: Scene, name: str) -> None:
    with pytest.raises(Permanent):
        await scene.get(CONFIG_MAPS, name)
    with pytest.raises(Permanent):
        await scene.kube.delete(scene.at(CONFIG_MAPS, name), uid="x")
    with pytest.raises(Permanent):
        await scene.make(CONFIG_MAPS, config_map(name))
    assert not [one for one in await scene.all(CONFIG_MAPS) if one["metadata"]["name"] == name]


async def test_annotations_have_a_largest_size(scene: Scene) -> None:
    await scene.make(CONFIG_MAPS, config_map(annotations={"a": "x" * (LARGEST - 1)}))

    with pytest.raises(Permanent, match=r"metadata\.annotations"):
        await scene.merge(CONFIG_MAPS, "flags", {"metadata": {"annotations": {"a": "x" * LARGEST}}})
    with pytest.raises(Permanent, match=r"metadata\.annotations"):
        await scene.merge(CONFIG_MAPS, "flags", {"metadata": {"annotations": {"b": ""}}})
    assert list((await scene.get(CONFIG_MAPS, "flags"))["metadata"]["annotations"]) == ["a"]


@pytest.mark.parametrize(
    ("labels", "annotations"),
    [({"app": "a b"}, {}), ({"app": "x" * 64}, {}), ({"-app": "x"}, {}), ({}, {"a b": "x"}), ({}, {"x/y/z": ""})],
)
async def test_labels_and_annotations_have_a_form(
    scene: Scene, labels: dict[str, str], annotations: dict[str, str]
) -> None:
    with pytest.raises(Permanent, match=r"metadata\.(labels|annotations)"):
        await scene.make(CONFIG_MAPS, config_map(labels=labels, annotations=annotations))


async def test_a_kind_that_the_cluster_does_not_have_is_named(scene: Scene) -> None:
    place = scene.at(ROLLOUTS, "api")
    for call in (
        scene.kube.get(place),
        scene.kube.list(scene.at(ROLLOUTS)),
        scene.kube.patch(place, {"spec": {}}, "merge"),
        scene.kube.create(scene.at(ROLLOUTS), {"metadata": {"name": "api"}}),
        scene.kube.delete(place, uid="x"),
    ):
        with pytest.raises(Permanent, match="rollouts of argoproj") as caught:
            await call
        assert not isinstance(caught.value, Missing), "the kind is missing, not the object"


async def test_another_cluster_is_refused_and_ours_are_named(scene: Scene) -> None:
    with pytest.raises(Permanent, match=rf"no cluster 'elsewhere'.*{scene.cluster}"):
        await scene.kube.get(Place("elsewhere", DEPLOYMENTS, scene.namespace, "api"))


async def test_who_set_which_field_is_told(scene: Scene) -> None:
    """The moment at which a release came into force again, and who took our number away, are known by this alone."""
    await scene.make(DEPLOYMENTS, deployment())
    await scene.merge(DEPLOYMENTS, "api", {"spec": {"replicas": 1}, "metadata": {"annotations": {"a/b": "c"}}})
    found = await scene.get(DEPLOYMENTS, "api")

    [ours] = [one for one in found["metadata"]["managedFields"] if one["manager"] == "paramedic"]
    assert {"f:replicas", "f:template", "f:selector"} <= ours["fieldsV1"]["f:spec"].keys()
    assert "f:a/b" in ours["fieldsV1"]["f:metadata"]["f:annotations"]
    assert (ours["operation"], ours["fieldsType"]) == ("Update", "FieldsV1")
    assert datetime.fromisoformat(ours["time"]).tzinfo is not None


async def test_what_we_write_is_signed(scene: Scene) -> None:
    made = await scene.make(CONFIG_MAPS, config_map())
    changed = await scene.merge(CONFIG_MAPS, "flags", {"data": {"a": "1"}})

    for one in (made, changed):
        assert [entry["manager"] for entry in one["metadata"]["managedFields"]] == ["paramedic"]
