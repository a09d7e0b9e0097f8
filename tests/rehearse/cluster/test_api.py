"""The API server: what is stored, compared, refused, and what nobody but it can write."""

from typing import Any

import pytest

from paramedic.cluster.port import Json
from paramedic.cluster.resources import (
    CONFIG_MAPS,
    DAEMON_SETS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    HPAS,
    PODS,
    STATEFUL_SETS,
    Place,
    Resource,
)
from paramedic.errors import Changed, Missing, Permanent
from tests.rehearse.cluster.played import Played, deployment, play, stateful_set, workload

MAP: Json = {"metadata": {"name": "flags", "namespace": "shop"}, "data": {"a": "1"}}


async def with_map(played: Played) -> Json:
    played.cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", **MAP})
    return await played.get(CONFIG_MAPS, "flags")


def test_an_object_gets_what_only_the_server_gives() -> None:
    async def story(played: Played) -> None:
        found = await with_map(played)
        metadata = found["metadata"]
        assert (found["apiVersion"], found["kind"]) == ("v1", "ConfigMap")
        assert metadata["uid"]
        assert metadata["creationTimestamp"] == "2026-01-05T02:14:00Z"
        assert "generation" not in metadata
        assert int(metadata["resourceVersion"]) > 0
        assert [one["manager"] for one in metadata["managedFields"]] == ["kubectl-client-side-apply"]

    play(story)


def test_a_change_raises_the_version_and_only_one_of_the_spec_the_generation() -> None:
    async def story(played: Played) -> None:
        played.cluster.apply(stateful_set())
        await played.after(30)
        before = (await played.get(STATEFUL_SETS, "db"))["metadata"]
        place = played.place(STATEFUL_SETS, "db")
        noted = (await played.kube.patch(place, {"metadata": {"annotations": {"a": "b"}}}, "merge"))["metadata"]
        scaled = (await played.kube.patch(place, {"spec": {"replicas": 4}}, "merge"))["metadata"]
        assert (noted["generation"], scaled["generation"]) == (before["generation"], before["generation"] + 1)
        versions = [int(one["resourceVersion"]) for one in (before, noted, scaled)]
        assert versions == sorted(set(versions))
        assert noted["uid"] == before["uid"]

    play(story)


def test_an_annotation_of_a_deployment_raises_its_generation_too() -> None:
    async def story(played: Played) -> None:
        played.cluster.apply(deployment())
        await played.after(10)
        before = (await played.get(DEPLOYMENTS, "api"))["metadata"]
        assert before["generation"] == 1, "the controller's own annotation does not count"
        place = played.place(DEPLOYMENTS, "api")
        noted = (await played.kube.patch(place, {"metadata": {"annotations": {"a": "b"}}}, "merge"))["metadata"]
        assert noted["generation"] == 2

    play(story)


def test_a_change_that_changes_nothing_leaves_the_version() -> None:
    async def story(played: Played) -> None:
        before = await with_map(played)
        after = await played.kube.patch(played.place(CONFIG_MAPS, "flags"), {"data": {"a": "1"}}, "merge")
        assert after == before

    play(story)


def test_answers_are_copies() -> None:
    async def story(played: Played) -> None:
        found = await with_map(played)
        found["data"]["a"] = "spoilt"
        (await played.all(CONFIG_MAPS))[0]["data"]["a"] = "spoilt"
        assert (await played.get(CONFIG_MAPS, "flags"))["data"] == {"a": "1"}

    play(story)


def test_a_dry_run_is_checked_and_nothing_of_it_stays() -> None:
    async def story(played: Played) -> None:
        before = await with_map(played)
        played.cluster.apply(deployment())
        await played.after(10)
        place = played.place(CONFIG_MAPS, "flags")
        tried = await played.kube.patch(place, {"data": {"b": "2"}}, "merge", dry_run=True)
        assert tried["data"] == {"a": "1", "b": "2"}
        await played.kube.create(place, {"metadata": {"name": "other"}}, dry_run=True)
        await played.kube.delete(place, uid=before["metadata"]["uid"], dry_run=True)
        assert await played.names(CONFIG_MAPS) == ["flags"]
        assert await played.get(CONFIG_MAPS, "flags") == before
        api = played.place(DEPLOYMENTS, "api")
        seen = await played.get(DEPLOYMENTS, "api")
        scaled = await played.kube.patch(api, {"spec": {"replicas": 9}}, "merge", subresource="scale", dry_run=True)
        assert scaled["spec"] == {"replicas": 9}
        tried = await played.kube.patch(api, {"spec": {"replicas": 9}}, "merge", dry_run=True)
        assert tried["metadata"]["generation"] == seen["metadata"]["generation"] + 1
        assert await played.get(DEPLOYMENTS, "api") == seen
        with pytest.raises(Permanent, match="greater than or equal to 0"):
            await played.kube.patch(api, {"spec": {"replicas": -1}}, "merge", dry_run=True)

    play(story)


def test_what_is_not_there_is_missing() -> None:
    async def story(played: Played) -> None:
        await with_map(played)
        for place in (played.place(CONFIG_MAPS, "nope"), Place("main", CONFIG_MAPS, "nowhere", "flags")):
            with pytest.raises(Missing, match="not found"):
                await played.kube.get(place)
            with pytest.raises(Missing):
                await played.kube.patch(place, {"data": {}}, "merge")
            with pytest.raises(Missing):
                await played.kube.delete(place, uid="x")
        assert await played.kube.list(Place("main", CONFIG_MAPS, "nowhere")) == []
        with pytest.raises(Missing, match='namespaces "nowhere" not found'):
            await played.kube.create(Place("main", CONFIG_MAPS, "nowhere"), {"metadata": {"name": "a"}})

    play(story)


def test_a_kind_that_the_cluster_does_not_have() -> None:
    lions = Resource("zoo.example.org/v1", "lions", "Lion")

    async def story(played: Played) -> None:
        with pytest.raises(Permanent, match=r"the cluster does not know lions of zoo\.example\.org/v1") as raised:
            await played.get(lions, "leo")
        assert not isinstance(raised.value, Missing)
        with pytest.raises(Permanent, match="does not know Lion"):
            played.cluster.apply({"apiVersion": "zoo.example.org/v1", "kind": "Lion", "metadata": {"name": "leo"}})
        played.cluster.site.storage.learn(lions)
        played.cluster.apply(
            {"apiVersion": lions.api, "kind": "Lion", "metadata": {"name": "leo", "namespace": "shop"}}
        )
        assert await played.names(lions) == ["leo"]

    play(story)


def test_writes_that_compare() -> None:
    async def story(played: Played) -> None:
        found = await with_map(played)
        place, uid = played.place(CONFIG_MAPS, "flags"), found["metadata"]["uid"]
        with pytest.raises(Changed, match="has been modified"):
            await played.kube.patch(place, {"metadata": {"resourceVersion": "1"}, "data": {"a": "2"}}, "merge")
        stale = [{"op": "test", "path": "/metadata/uid", "value": "other"}, {"op": "remove", "path": "/data/a"}]
        with pytest.raises(Changed):
            await played.kube.patch(place, stale, "json")
        with pytest.raises(Changed, match="already exists"):
            await played.kube.create(place, MAP)
        with pytest.raises(Changed, match="does not match the UID in record"):
            await played.kube.delete(place, uid="other")
        assert await played.get(CONFIG_MAPS, "flags") == found
        await played.kube.delete(place, uid=uid)
        again = await played.kube.create(place, MAP)
        assert again["metadata"]["uid"] != uid

    play(story)


def test_who_wrote_is_written_down() -> None:
    async def story(played: Played) -> None:
        played.cluster.apply(deployment())
        await played.after(10)
        place = played.place(DEPLOYMENTS, "api")
        await played.kube.patch(place, {"spec": {"replicas": 4}}, "merge", subresource="scale")
        played.cluster.edit(DEPLOYMENTS, "shop", "api", {"spec": {"paused": True}}, manager="alice")
        entries = (await played.get(DEPLOYMENTS, "api"))["metadata"]["managedFields"]
        signed = [(one["manager"], one.get("subresource", "")) for one in entries]
        assert ("paramedic", "scale") in signed
        assert signed[-1] == ("alice", "")
        assert ("kube-controller-manager", "status") in signed

    play(story)


def test_what_a_writer_cannot_change() -> None:
    async def story(played: Played) -> None:
        played.cluster.apply(deployment())
        await played.after(10)
        place, before = played.place(DEPLOYMENTS, "api"), await played.get(DEPLOYMENTS, "api")
        after = await played.kube.patch(
            place,
            {"status": {"replicas": 99}, "metadata": {"generation": 99, "creationTimestamp": "x", "managedFields": []}},
            "merge",
        )
        assert after == before
        flags = played.cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", **MAP})
        assert await played.kube.patch(played.place(CONFIG_MAPS, "flags"), {"status": {"a": "b"}}, "merge") == flags
        for patch, said in (
            ({"metadata": {"uid": "other"}}, "field is immutable"),
            ({"metadata": {"name": "other"}}, "the name of the object"),
            ({"metadata": {"namespace": "other"}}, "the namespace of the object"),
            ({"spec": {"selector": {"matchLabels": {"app": "x"}}}}, "spec.selector: Invalid value: field is immutable"),
        ):
            with pytest.raises(Permanent, match=said):
                await played.kube.patch(place, patch, "merge")

    play(story)


BAD: list[tuple[Resource, Json, str]] = [
    (CONFIG_MAPS, {"metadata": {"name": "A_b"}}, "lowercase RFC 1123"),
    (CONFIG_MAPS, {"metadata": {"name": "a/../b"}}, "lowercase RFC 1123"),
    (CONFIG_MAPS, {"metadata": {"name": "аpi"}}, "lowercase RFC 1123"),  # noqa: RUF001 the first letter is Cyrillic
    (CONFIG_MAPS, {"metadata": {"name": "a" * 254}}, "lowercase RFC 1123"),
    (CONFIG_MAPS, {}, "metadata.name: Required value"),
    (CONFIG_MAPS, {"metadata": {"name": "a", "namespace": "other"}}, "does not match the namespace"),
    (CONFIG_MAPS, {"metadata": {"name": "a"}, "kind": "Secret"}, "does not match the expected kind"),
    (CONFIG_MAPS, {"metadata": {"name": "a", "annotations": {"x": "y" * 256 * 1024}}}, "may not be more than 262144"),
    (CONFIG_MAPS, {"metadata": {"name": "a", "annotations": {"x": 1}}}, "it must be text"),
    (CONFIG_MAPS, {"metadata": {"name": "a", "annotations": {"a/b/c": "1"}}}, "a qualified name"),
    (CONFIG_MAPS, {"metadata": {"name": "a", "labels": {"x": "a b"}}}, "a valid label"),
    (CONFIG_MAPS, {"metadata": {"name": "a", "labels": {"x": "a" * 64}}}, "a valid label"),
    (DEPLOYMENTS, {"metadata": {"name": "a"}}, "spec: Required value"),
    (DEPLOYMENTS, {"metadata": {"name": "a"}, "spec": {}}, "spec.selector: Required value.*containers: Required"),
    (DEPLOYMENTS, deployment(replicas=-1), "greater than or equal to 0"),
    (DEPLOYMENTS, deployment() | {"spec": deployment()["spec"] | {"replicas": "3"}}, "a whole number"),
    (DEPLOYMENTS, deployment(selector={"matchLabels": {"app": "x"}}), "does not match template"),
    (DEPLOYMENTS, deployment(strategy={"type": "Sideways"}), "Unsupported value"),
    (DEPLOYMENTS, deployment(strategy={"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}), "may not be specified"),
    (DEPLOYMENTS, deployment(strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}), "may not be 0"),
    (DEPLOYMENTS, deployment(image=""), r"containers\[0\].image: Required value"),
    (HPAS, {"metadata": {"name": "a"}, "spec": {"minReplicas": 0, "maxReplicas": 3}}, "greater than or equal to 1"),
    (HPAS, {"metadata": {"name": "a"}, "spec": {"minReplicas": 4, "maxReplicas": 3}}, "equal to `minReplicas`"),
    (HPAS, {"metadata": {"name": "a"}, "spec": {"maxReplicas": 3}}, "scaleTargetRef: Required value"),
    (HPAS, {"metadata": {"name": "a"}, "spec": {}}, "maxReplicas: Required value"),
    (DISRUPTION_BUDGETS, {"metadata": {"name": "a"}, "spec": {"minAvailable": 1, "maxUnavailable": 1}}, "both set"),
]


@pytest.mark.parametrize(("resource", "body", "said"), BAD)
def test_what_the_server_does_not_take(resource: Resource, body: Json, said: str) -> None:
    async def story(played: Played) -> None:
        await with_map(played)
        with pytest.raises(Permanent, match=said):
            await played.kube.create(played.place(resource), body)

    play(story)


@pytest.mark.parametrize(("how", "patch"), [("json", {"a": 1}), ("merge", [{"op": "test"}]), ("strategic", [])])
def test_a_patch_is_of_the_kind_that_it_says(how: Any, patch: Any) -> None:
    async def story(played: Played) -> None:
        await with_map(played)
        with pytest.raises(Permanent, match=r"a JSON patch is a list|patch is an object"):
            await played.kube.patch(played.place(CONFIG_MAPS, "flags"), patch, how)

    play(story)


def test_lists_are_chosen_and_never_cut() -> None:
    async def story(played: Played) -> None:
        for name in ("c", "a", "b"):
            body = {**MAP, "metadata": {"name": name, "namespace": "shop", "labels": {"app": name}}}
            played.cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", **body})
        assert await played.names(CONFIG_MAPS) == ["a", "b", "c"]
        assert await played.names(CONFIG_MAPS, labels="app in (a, c)", fields="metadata.name!=a") == ["c"]
        with pytest.raises(Permanent, match="there are 3 configmaps, more than the 2 asked for"):
            await played.all(CONFIG_MAPS, limit=2)
        everywhere = await played.kube.list(Place("main", CONFIG_MAPS))
        assert {one["kind"] for one in everywhere} == {"ConfigMap"}

    play(story)


def test_the_scale_of_a_workload() -> None:
    async def story(played: Played) -> None:
        played.cluster.apply(deployment())
        played.cluster.apply(stateful_set())
        played.cluster.apply(workload(DAEMON_SETS, "agent", "a:1"))
        await played.after(30)
        place = played.place(DEPLOYMENTS, "api")
        scale = await played.kube.get(place, subresource="scale")
        assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
        assert (scale["spec"], scale["status"]) == ({"replicas": 3}, {"replicas": 3, "selector": "app=api"})
        operations = [
            {"op": "test", "path": "/spec/replicas", "value": 3},
            {"op": "replace", "path": "/spec/replicas", "value": 5},
        ]
        assert (await played.kube.patch(place, operations, "json", subresource="scale"))["spec"] == {"replicas": 5}
        assert (await played.get(DEPLOYMENTS, "api"))["spec"]["replicas"] == 5
        with pytest.raises(Changed):
            await played.kube.patch(place, operations, "json", subresource="scale")
        stale = {"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 2}}
        with pytest.raises(Changed, match="has been modified"):
            await played.kube.patch(place, stale, "merge", subresource="scale")
        with pytest.raises(Permanent, match="greater than or equal to 0"):
            await played.kube.patch(place, {"spec": {"replicas": -1}}, "merge", subresource="scale")
        none = await played.kube.patch(place, {"spec": {"replicas": 0}}, "merge", subresource="scale")
        assert none["spec"] == {}
        with pytest.raises(Permanent, match="daemonsets have no subresource scale"):
            await played.kube.get(played.place(DAEMON_SETS, "agent"), subresource="scale")

    play(story)


def test_what_a_deployment_owned_goes_with_it() -> None:
    async def story(played: Played) -> None:
        played.cluster.apply(deployment())
        await played.after(10)
        assert len(await played.all(PODS)) == 3
        played.cluster.remove(DEPLOYMENTS, "shop", "api")
        await played.after(10)
        assert await played.all(PODS) == []
        with pytest.raises(Missing):
            played.cluster.remove(DEPLOYMENTS, "shop", "api")

    play(story)
