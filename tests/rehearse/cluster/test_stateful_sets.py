"""StatefulSets go one after the other, keep revisions, and have the trap of the stuck pod; DaemonSets go by nodes."""

from typing import Any

import pytest

from paramedic.cluster.port import Json
from paramedic.cluster.resources import CONTROLLER_REVISIONS, DAEMON_SETS, NODES, PODS, STATEFUL_SETS
from paramedic.errors import Permanent
from tests.rehearse.cluster.played import CRASHES, NEVER, Played, condition, play, stateful_set, workload


async def ready(played: Played, **spec: Any) -> None:
    played.cluster.apply(stateful_set(**spec))
    await played.after(20)


async def db(played: Played) -> Json:
    return await played.status(STATEFUL_SETS, "db")


async def by_ordinal(played: Played) -> dict[str, str]:
    """The image of each pod."""
    return {one["metadata"]["name"]: one["spec"]["containers"][0]["image"] for one in await played.all(PODS)}


def test_pods_come_up_in_their_order() -> None:
    async def story(played: Played) -> None:
        assert played.cluster.apply(stateful_set())["status"] == {"replicas": 0, "availableReplicas": 0}
        await played.after(1)
        assert await played.names(PODS) == ["db-0"]
        await played.after(2)
        assert await played.names(PODS) == ["db-0", "db-1"]
        await played.after(10)
        status = await db(played)
        assert (status["replicas"], status["readyReplicas"], status["currentReplicas"]) == (3, 3, 3)
        assert status["currentRevision"] == status["updateRevision"]
        pod = await played.get(PODS, "db-1")
        assert pod["metadata"]["labels"] == {
            "app": "db",
            "apps.kubernetes.io/pod-index": "1",
            "controller-revision-hash": status["updateRevision"],
            "statefulset.kubernetes.io/pod-name": "db-1",
        }

    play(story)


def test_an_update_goes_from_the_highest_down() -> None:
    async def story(played: Played) -> None:
        await ready(played)
        played.image(STATEFUL_SETS, "db", "db:2")
        await played.after(4)
        assert await by_ordinal(played) == {"db-0": "db:1", "db-1": "db:1", "db-2": "db:2"}
        status = await db(played)
        assert status["currentRevision"] != status["updateRevision"]
        await played.after(20)
        assert set((await by_ordinal(played)).values()) == {"db:2"}
        status = await db(played)
        assert status["currentRevision"] == status["updateRevision"]
        assert status["updatedReplicas"] == 3

    play(story)


def test_the_trap_a_broken_pod_is_not_replaced_after_the_template_was_put_back() -> None:
    async def story(played: Played) -> None:
        played.cluster.behaves("db:2", CRASHES)
        await ready(played)
        good = (await db(played))["currentRevision"]
        played.image(STATEFUL_SETS, "db", "db:2")
        await played.after(30)
        assert await by_ordinal(played) == {"db-0": "db:1", "db-1": "db:1", "db-2": "db:2"}
        played.image(STATEFUL_SETS, "db", "db:1")
        await played.after(600)
        assert (await by_ordinal(played))["db-2"] == "db:2", "the controller waits for it to become ready"
        assert (await db(played))["updateRevision"] == good, "the old revision is used again"
        stuck = await played.get(PODS, "db-2")
        await played.kube.delete(played.place(PODS, "db-2"), uid=stuck["metadata"]["uid"])
        await played.after(20)
        assert set((await by_ordinal(played)).values()) == {"db:1"}
        assert (await db(played))["readyReplicas"] == 3

    play(story)


def test_revisions_are_numbered_and_kept_as_templates() -> None:
    async def story(played: Played) -> None:
        await ready(played)
        for image in ("db:2", "db:1"):
            played.image(STATEFUL_SETS, "db", image)
            await played.after(30)
        revisions = sorted(await played.all(CONTROLLER_REVISIONS), key=lambda one: one["revision"])
        assert [one["revision"] for one in revisions] == [2, 3]
        template = revisions[1]["data"]["spec"]["template"]
        assert template["$patch"] == "replace"
        assert template["spec"]["containers"][0]["image"] == "db:1"
        assert revisions[1]["metadata"]["ownerReferences"][0]["kind"] == "StatefulSet"
        assert revisions[1]["metadata"]["name"] == (await db(played))["updateRevision"]
        patch = revisions[0]["data"]
        put_back = await played.kube.patch(played.place(STATEFUL_SETS, "db"), patch, "strategic")
        assert put_back["spec"]["template"]["spec"]["containers"][0]["image"] == "db:2"
        assert "$patch" not in put_back["spec"]["template"]

    play(story)


def test_a_partition_keeps_the_lower_ones_old() -> None:
    async def story(played: Played) -> None:
        await ready(played, updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 2}})
        played.image(STATEFUL_SETS, "db", "db:2")
        await played.after(30)
        assert await by_ordinal(played) == {"db-0": "db:1", "db-1": "db:1", "db-2": "db:2"}
        pod = await played.get(PODS, "db-0")
        await played.kube.delete(played.place(PODS, "db-0"), uid=pod["metadata"]["uid"])
        await played.after(10)
        assert (await by_ordinal(played))["db-0"] == "db:1", "it comes back as it was"
        status = await db(played)
        assert (status["updatedReplicas"], status["currentReplicas"]) == (1, 2)

    play(story)


def test_on_delete_changes_nothing_that_runs() -> None:
    async def story(played: Played) -> None:
        await ready(played, updateStrategy={"type": "OnDelete"})
        played.image(STATEFUL_SETS, "db", "db:2")
        await played.after(30)
        assert set((await by_ordinal(played)).values()) == {"db:1"}
        pod = await played.get(PODS, "db-1")
        await played.kube.delete(played.place(PODS, "db-1"), uid=pod["metadata"]["uid"])
        await played.after(10)
        assert (await by_ordinal(played))["db-1"] == "db:2"

    play(story)


def test_scaling_goes_by_the_ordinals() -> None:
    async def story(played: Played) -> None:
        await ready(played)
        played.cluster.edit(STATEFUL_SETS, "shop", "db", {"spec": {"replicas": 1}})
        await played.after(1)
        assert "deletionTimestamp" in (await played.get(PODS, "db-2"))["metadata"]
        assert "deletionTimestamp" not in (await played.get(PODS, "db-1"))["metadata"]
        await played.after(10)
        assert await played.names(PODS) == ["db-0"]
        played.cluster.edit(STATEFUL_SETS, "shop", "db", {"spec": {"replicas": 3}})
        await played.after(20)
        assert await played.names(PODS) == ["db-0", "db-1", "db-2"]

    play(story)


def test_pods_in_parallel_do_not_wait_for_each_other() -> None:
    async def story(played: Played) -> None:
        played.cluster.behaves("db:1", NEVER)
        played.cluster.apply(stateful_set(podManagementPolicy="Parallel"))
        await played.after(1)
        assert await played.names(PODS) == ["db-0", "db-1", "db-2"]

    play(story)


def test_what_of_a_stateful_set_cannot_be_changed() -> None:
    async def story(played: Played) -> None:
        await ready(played)
        with pytest.raises(Permanent, match="updates to statefulset spec"):
            played.cluster.edit(STATEFUL_SETS, "shop", "db", {"spec": {"serviceName": "other"}})

    play(story)


# -- DaemonSets -------------------------------------------------------------------------------------------------------


async def agents(played: Played, **spec: Any) -> None:
    played.cluster.apply(workload(DAEMON_SETS, "agent", "agent:1", **spec))
    await played.after(10)


def test_a_daemon_set_has_a_pod_on_each_node() -> None:
    async def story(played: Played) -> None:
        await agents(played)
        pods = await played.all(PODS)
        assert sorted(one["spec"]["nodeName"] for one in pods) == ["node-1", "node-2", "node-3"]
        status = await played.status(DAEMON_SETS, "agent")
        assert status == {
            "currentNumberScheduled": 3,
            "numberMisscheduled": 0,
            "desiredNumberScheduled": 3,
            "numberReady": 3,
            "observedGeneration": 1,
            "updatedNumberScheduled": 3,
            "numberAvailable": 3,
        }
        [revision] = await played.all(CONTROLLER_REVISIONS)
        digest = revision["metadata"]["labels"]["controller-revision-hash"]
        assert {one["metadata"]["labels"]["controller-revision-hash"] for one in pods} == {digest}
        played.cluster.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-4"}, "spec": {}})
        await played.after(10)
        assert len(await played.all(PODS)) == len(await played.all(NODES)) == 4

    play(story, nodes=3)


def test_a_daemon_set_is_updated_node_by_node() -> None:
    async def story(played: Played) -> None:
        await agents(played)
        played.image(DAEMON_SETS, "agent", "agent:2")
        for _ in range(60):
            await played.after(0.25)
            assert (await played.status(DAEMON_SETS, "agent")).get("numberAvailable", 0) >= 2
        assert await played.images() == ["agent:2"] * 3
        annotations = (await played.get(DAEMON_SETS, "agent"))["metadata"]["annotations"]
        assert annotations["deprecated.daemonset.template.generation"] == "2"

    play(story, nodes=3)


def test_a_broken_release_of_a_daemon_set_stops_at_the_first_node_and_can_be_put_back() -> None:
    async def story(played: Played) -> None:
        played.cluster.behaves("agent:2", CRASHES)
        await agents(played)
        played.image(DAEMON_SETS, "agent", "agent:2")
        await played.after(60)
        assert await played.images() == ["agent:1", "agent:1", "agent:2"]
        status = await played.status(DAEMON_SETS, "agent")
        assert (status["updatedNumberScheduled"], status["numberUnavailable"]) == (1, 1)
        played.image(DAEMON_SETS, "agent", "agent:1")
        await played.after(20)
        assert await played.images() == ["agent:1"] * 3, "nothing waits for the broken pod"

    play(story, nodes=3)


def test_on_delete_keeps_the_pods_of_a_daemon_set() -> None:
    async def story(played: Played) -> None:
        await agents(played, updateStrategy={"type": "OnDelete"})
        played.image(DAEMON_SETS, "agent", "agent:2")
        await played.after(20)
        assert await played.images() == ["agent:1"]
        assert condition(await played.get(DAEMON_SETS, "agent"), "Available") == ("", "")

    play(story)
