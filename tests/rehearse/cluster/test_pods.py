"""Pods find nodes, start, become ready, crash and end; what they write and what is told of them."""

from datetime import UTC, datetime, timedelta

import pytest

from paramedic.cluster.port import Json
from paramedic.cluster.resources import DEPLOYMENTS, EVENTS, NODES, PODS
from paramedic.errors import Missing, Permanent
from paramedic.rehearse.cluster import Behaviour, SimulatedCluster, Speeds
from paramedic.rehearse.cluster.quantities import amount, asked_by, say_amount
from tests.rehearse.cluster.played import CRASHES, NEVER, Played, condition, deployment, play


class Hand:
    """A clock that a hand moves."""

    seconds = 1000.0

    def now(self) -> datetime:
        return datetime(2026, 5, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def pod(name: str = "one", image: str = "app:1", **spec: object) -> Json:
    metadata = {"name": name, "namespace": "shop"}
    spec = {"containers": [{"name": "app", "image": image}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def state(found: Json) -> Json:
    [only] = found["status"]["containerStatuses"]
    return dict(only)


def test_a_pods_life() -> None:
    async def story(played: Played) -> None:
        played.cluster.apply(pod())
        found = await played.get(PODS, "one")
        assert found["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
        await played.after(0.1)
        found = await played.get(PODS, "one")
        assert found["spec"]["nodeName"] == "node-1"
        assert condition(found, "PodScheduled") == ("True", "")
        await played.after(1)
        found = await played.get(PODS, "one")
        assert (found["status"]["phase"], condition(found, "Ready")) == ("Running", ("False", "ContainersNotReady"))
        assert state(found)["ready"] is False
        await played.after(1)
        found = await played.get(PODS, "one")
        assert condition(found, "Ready") == condition(found, "ContainersReady") == ("True", "")
        assert (state(found)["ready"], state(found)["restartCount"]) == (True, 0)
        assert found["status"]["podIP"].startswith("10.1.")
        assert found["metadata"]["generation"] == 1
        await played.kube.delete(played.place(PODS, "one"), uid=found["metadata"]["uid"])
        ending = (await played.get(PODS, "one"))["metadata"]
        assert (ending["deletionGracePeriodSeconds"], ending["deletionTimestamp"]) == (30, "2026-01-05T02:14:32Z")
        await played.after(2)
        with pytest.raises(Missing):
            await played.get(PODS, "one")

    play(story)


def test_how_long_it_takes_can_be_said() -> None:
    async def story(played: Played) -> None:
        played.cluster.behaves("slow:*", Behaviour(ready=60.0))
        played.cluster.apply(pod(image="slow:1"))
        await played.after(60)
        assert condition(await played.get(PODS, "one"), "Ready")[0] == "False"
        await played.after(2)
        assert condition(await played.get(PODS, "one"), "Ready")[0] == "True"

    play(story)


def test_a_container_that_crashes_is_restarted_ever_more_slowly() -> None:
    async def story(played: Played) -> None:
        played.cluster.behaves("app:1", CRASHES)
        played.cluster.apply(pod())
        seen: list[int] = []
        found: Json = {}
        for _ in range(80):
            await played.after(10)
            found = state(await played.get(PODS, "one"))
            seen.append(found["restartCount"])
            assert found["ready"] is False
        assert (max(seen[:3]), seen[-1]) == (1, 6)
        waiting = found["state"]["waiting"]
        assert waiting["reason"] == "CrashLoopBackOff"
        assert "back-off 300s" in waiting["message"]
        assert found["lastState"]["terminated"]["exitCode"] == 1
        [event] = [one for one in await played.all(EVENTS) if one["reason"] == "BackOff"]
        assert (event["type"], event["count"]) == ("Warning", 7)

    play(story)


def test_pods_can_be_broken_and_healed() -> None:
    async def story(played: Played) -> None:
        played.cluster.apply(pod())
        await played.after(5)
        assert played.cluster.strike("shop", "", NEVER) == 1
        found = await played.get(PODS, "one")
        assert (condition(found, "Ready")[0], state(found)["restartCount"]) == ("False", 0)
        played.cluster.strike("shop", "", CRASHES)
        assert "waiting" in state(await played.get(PODS, "one"))["state"]
        played.cluster.strike("shop", "", Behaviour())
        await played.after(2)
        found = await played.get(PODS, "one")
        assert (condition(found, "Ready")[0], state(found)["restartCount"]) == ("True", 1)
        for _ in range(30):
            await played.after(1)
            assert condition(await played.get(PODS, "one"), "Ready")[0] == "True", "the old crash lapsed"
        assert played.cluster.strike("shop", "nobody", NEVER) == 0

    play(story)


def test_what_befalls_pods_does_not_befall_those_that_come_later() -> None:
    async def story(played: Played) -> None:
        played.cluster.apply(deployment())
        await played.after(5)
        assert played.cluster.strike("shop", "api", NEVER) == 3
        await played.after(5)
        assert (await played.status(DEPLOYMENTS, "api")).get("readyReplicas", 0) == 0
        patch = {"spec": {"template": {"metadata": {"annotations": {"restarted": "yes"}}}}}
        played.cluster.edit(DEPLOYMENTS, "shop", "api", patch)
        await played.after(20)
        assert (await played.status(DEPLOYMENTS, "api"))["readyReplicas"] == 3

    play(story)


def test_a_pod_without_room_waits_until_there_is_some() -> None:
    async def story(played: Played) -> None:
        asks = [{"name": "app", "image": "a", "resources": {"requests": {"cpu": "40"}}}]
        for name in ("one", "two"):
            played.cluster.apply(pod(name, containers=asks))
        await played.after(1)
        two = await played.get(PODS, "two")
        assert "nodeName" not in two["spec"]
        assert condition(two, "PodScheduled") == ("False", "Unschedulable")
        [event] = [one for one in await played.all(EVENTS) if one["reason"] == "FailedScheduling"]
        assert event["message"] == "0/1 nodes are available: 1 Insufficient cpu."
        one = await played.get(PODS, "one")
        await played.kube.delete(played.place(PODS, "one"), uid=one["metadata"]["uid"], grace=0)
        await played.after(1)
        assert (await played.get(PODS, "two"))["spec"]["nodeName"] == "node-1"

    play(story)


def test_a_node_that_takes_no_pods() -> None:
    async def story(played: Played) -> None:
        played.cluster.edit(NODES, "", "node-1", {"spec": {"unschedulable": True}})
        played.cluster.apply(pod("any"))
        played.cluster.apply(pod("picky", nodeSelector={"disk": "fast"}))
        await played.after(1)
        messages = sorted(one["message"] for one in await played.all(EVENTS) if one["reason"] == "FailedScheduling")
        assert messages == [
            "0/1 nodes are available: 1 node(s) were unschedulable.",
            "0/1 nodes are available: 1 node(s) were unschedulable.",
        ]
        played.cluster.edit(NODES, "", "node-1", {"spec": {"unschedulable": None}})
        await played.after(5)
        assert "nodeName" in (await played.get(PODS, "any"))["spec"]
        assert "nodeName" not in (await played.get(PODS, "picky"))["spec"]
        played.cluster.edit(NODES, "", "node-1", {"metadata": {"labels": {"disk": "fast"}}})
        await played.after(5)
        assert "nodeName" in (await played.get(PODS, "picky"))["spec"]

    play(story)


def test_without_nodes_nothing_runs() -> None:
    async def story(played: Played) -> None:
        played.cluster.apply(pod())
        await played.after(60)
        assert (await played.get(PODS, "one"))["status"]["phase"] == "Pending"

    play(story, nodes=0)


def test_what_containers_write() -> None:
    async def story(played: Played) -> None:
        played.cluster.behaves("app:1", Behaviour(logs="first\nsecond\n"))
        played.cluster.behaves("app:2", Behaviour(ready=False, crash=True, logs="panic\n"))
        played.cluster.apply(pod("one"))
        played.cluster.apply(pod("two", "app:2"))
        two = [{"name": "app", "image": "b:1"}, {"name": "side", "image": "b:2"}]
        played.cluster.apply(pod("three", containers=two))
        with pytest.raises(Permanent, match="is waiting to start: ContainerCreating"):
            await played.kube.logs(played.place(PODS, "one"))
        await played.after(30)
        assert await played.kube.logs(played.place(PODS, "one")) == b"first\nsecond\n"
        assert await played.kube.logs(played.place(PODS, "one"), most=5) == b"cond\n"
        with pytest.raises(Permanent, match='previous terminated container "app" in pod "one" not found'):
            await played.kube.logs(played.place(PODS, "one"), previous=True)
        assert await played.kube.logs(played.place(PODS, "two"), previous=True) == b"panic\n"
        with pytest.raises(Permanent, match=r"choose one of: \[app side\]"):
            await played.kube.logs(played.place(PODS, "three"))
        with pytest.raises(Permanent, match="container nope is not valid for pod three"):
            await played.kube.logs(played.place(PODS, "three"), container="nope")
        assert await played.kube.logs(played.place(PODS, "three"), container="side") == b"side: b:2 started\n"
        with pytest.raises(Missing):
            await played.kube.logs(played.place(PODS, "four"))

    play(story)


def test_an_event_says_what_about_whom() -> None:
    async def story(played: Played) -> None:
        played.cluster.apply(deployment())
        await played.after(5)
        events = await played.all(EVENTS, fields="involvedObject.kind=Deployment,involvedObject.name=api")
        [event] = events
        assert event["message"].startswith("Scaled up replica set api-")
        assert event["message"].endswith("from 0 to 3")
        assert (event["type"], event["count"], event["reportingComponent"]) == ("Normal", 1, "deployment-controller")

    play(story)


def test_an_event_is_forgotten_an_hour_after_it_was_last_counted() -> None:
    async def story(played: Played) -> None:
        played.cluster.behaves("app:1", CRASHES)
        played.cluster.apply(pod())
        await played.after(3500)
        assert {"Scheduled", "BackOff"} <= {one["reason"] for one in await played.all(EVENTS)}
        await played.after(3600)
        assert {one["reason"] for one in await played.all(EVENTS)} == {"BackOff"}
        played.cluster.remove(PODS, "shop", "one")
        await played.after(3700)
        assert await played.all(EVENTS) == []

    play(story)


def test_images_that_end_in_bad_crash_unless_told_otherwise() -> None:
    async def story(played: Played) -> None:
        played.cluster.apply(pod("one", "app-bad"))
        played.cluster.apply(pod("two", "api:bad"))
        await played.after(3)
        for name in ("one", "two"):
            assert "waiting" in state(await played.get(PODS, name))["state"]
        played.cluster.behaves("*", Behaviour(), pod="three")
        played.cluster.apply(pod("three", "app-bad"))
        await played.after(3)
        assert state(await played.get(PODS, "three"))["ready"] is True

    play(story)


@pytest.mark.parametrize(
    ("text", "number"), [("1", 1), ("100m", 0.1), ("2Ki", 2048), ("1.5", 1.5), ("3M", 3_000_000), (7, 7)]
)
def test_amounts(text: str | int, number: float) -> None:
    assert float(amount(text)) == number


def test_amounts_said_again_and_what_is_none() -> None:
    assert [say_amount(amount(text)) for text in ("1500m", "2", "2Ki")] == ["1500m", "2", "2048"]
    asked = asked_by(
        pod(containers=[{"resources": {"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {"cpu": "1"}}}])
    )
    assert {name: int(value) for name, value in asked.items()} == {"pods": 1, "cpu": 1, "memory": 2**30}
    with pytest.raises(Permanent, match="is not an amount"):
        amount("many")


def test_real_time_is_as_good() -> None:
    """The cluster looks at its clock alone."""

    hand = Hand()
    cluster = SimulatedCluster(hand, speeds=Speeds(starts=1, ready=1))
    cluster.apply(deployment())
    assert cluster.next_due() is not None
    hand.seconds += 60
    cluster.catch_up()
    found = cluster.site.server.get(DEPLOYMENTS, "shop", "api")
    assert found["status"]["availableReplicas"] == 3
    assert found["metadata"]["creationTimestamp"] == "2026-05-01T00:16:40Z"
