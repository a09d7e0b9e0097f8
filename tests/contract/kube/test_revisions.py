"""The cluster contract: StatefulSets and DaemonSets, their ControllerRevisions, and the pod that gets stuck."""

from paramedic.cluster.port import Json
from paramedic.cluster.resources import CONTROLLER_REVISIONS, DAEMON_SETS, PODS, STATEFUL_SETS, Resource
from tests.contract.kube.scene import Scene, condition, daemon_set, image_of, set_image, stateful_set

HASH = "controller-revision-hash"


async def revisions(scene: Scene) -> dict[int, Json]:
    """The ControllerRevisions by number."""
    return {one["revision"]: one for one in await scene.all(CONTROLLER_REVISIONS)}


async def running(scene: Scene, resource: Resource, body: Json) -> Json:
    await scene.make(resource, body)
    return await scene.complete(resource, body["metadata"]["name"])


async def test_a_stateful_set_has_pods_with_numbers_and_a_revision(scene: Scene) -> None:
    done = await running(scene, STATEFUL_SETS, stateful_set(replicas=3))
    [revision] = await scene.all(CONTROLLER_REVISIONS)
    pods = await scene.pods()

    assert sorted(pods) == ["db-0", "db-1", "db-2"]
    assert revision["revision"] == 1
    assert revision["metadata"]["name"] == done["status"]["currentRevision"] == done["status"]["updateRevision"]
    assert revision["metadata"]["ownerReferences"][0]["uid"] == done["metadata"]["uid"]
    assert revision["metadata"]["labels"] == {"app": "db", HASH: revision["metadata"]["name"].removeprefix("db-")} or (
        HASH not in revision["metadata"]["labels"] or revision["metadata"]["labels"][HASH]
    )
    assert {one["metadata"]["labels"][HASH] for one in pods.values()} == {revision["metadata"]["name"]}
    assert {one["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] for one in pods.values()} == set(pods)
    assert image_of({"spec": revision["data"]["spec"]}) == "db:1"
    assert revision["data"]["spec"]["template"]["$patch"] == "replace"


async def test_a_stateful_set_rolls_from_its_highest_number(scene: Scene) -> None:
    await running(scene, STATEFUL_SETS, stateful_set())
    before = await scene.pods()
    await scene.strategic(STATEFUL_SETS, "db", set_image("db:2-slow"))
    order: list[str] = []

    async def through() -> bool:
        now = await scene.pods()
        new = [name for name, one in now.items() if image_of(one) == "db:2-slow"]
        order.extend(name for name in new if name not in order)
        return len(order) == 2

    await scene.until(through, "both new pods")
    done = await scene.complete(STATEFUL_SETS, "db")
    numbers = await revisions(scene)
    assert order == ["db-1", "db-0"]
    assert sorted(numbers) == [1, 2]
    assert done["status"]["currentRevision"] == done["status"]["updateRevision"] == numbers[2]["metadata"]["name"]
    assert {one["metadata"]["uid"] for one in before.values()}.isdisjoint(
        one["metadata"]["uid"] for one in (await scene.pods()).values()
    )


async def test_a_broken_pod_of_a_stateful_set_stops_it_and_going_back_does_not_heal_it(scene: Scene) -> None:
    """The trap: the controller waits for the broken pod to become ready before it replaces it. Somebody must end it."""
    done = await running(scene, STATEFUL_SETS, stateful_set())
    good = done["status"]["currentRevision"]
    await scene.strategic(STATEFUL_SETS, "db", set_image("db:2-bad"))
    broken = await scene.becomes(
        PODS,
        "db-1",
        lambda one: image_of(one) == "db:2-bad" and condition(one, "Ready")[0] == "False",
        "the broken pod",
    )
    stalled = await scene.becomes(STATEFUL_SETS, "db", lambda one: one["status"].get("readyReplicas") == 1, "the stall")

    assert image_of((await scene.pods())["db-0"]) == "db:1"
    assert (stalled["status"]["currentRevision"], stalled["status"]["updatedReplicas"]) == (good, 1)
    assert stalled["status"]["updateRevision"] != good

    await scene.strategic(STATEFUL_SETS, "db", set_image("db:1"))
    back = await scene.becomes(
        STATEFUL_SETS,
        "db",
        lambda one: one["status"]["observedGeneration"] == 3 and one["status"]["updateRevision"] == good,
        "the way back",
    )
    assert back["status"].get("readyReplicas") == 1
    pod = await scene.get(PODS, "db-1")
    assert (pod["metadata"]["uid"], image_of(pod)) == (broken["metadata"]["uid"], "db:2-bad")

    await scene.kube.delete(scene.at(PODS, "db-1"), uid=broken["metadata"]["uid"])
    await scene.complete(STATEFUL_SETS, "db")
    assert {image_of(one) for one in (await scene.pods()).values()} == {"db:1"}


async def test_going_back_takes_the_old_revision_under_a_new_number(scene: Scene) -> None:
    for resource, body in ((STATEFUL_SETS, stateful_set()), (DAEMON_SETS, daemon_set("db", "db:1"))):
        await running(scene, resource, body)
        first = (await revisions(scene))[1]
        await scene.strategic(resource, "db", set_image("db:2"))
        await scene.complete(resource, "db")
        await scene.strategic(resource, "db", set_image("db:1"))
        await scene.complete(resource, "db")
        numbers = await revisions(scene)

        assert sorted(numbers) == [2, 3]
        assert numbers[3]["metadata"]["uid"] == first["metadata"]["uid"]
        assert {number: image_of({"spec": one["data"]["spec"]}) for number, one in numbers.items()} == {
            2: "db:2",
            3: "db:1",
        }
        await scene.remove(resource, "db")
        await scene.count(CONTROLLER_REVISIONS, 0)


async def test_a_revision_can_be_given_back_as_a_patch(scene: Scene) -> None:
    """What a ControllerRevision holds is a strategic merge patch of its workload."""
    await running(scene, STATEFUL_SETS, stateful_set())
    first = (await revisions(scene))[1]
    patch = {"spec": {"template": {"metadata": {"annotations": {"a": "1"}}, **set_image("db:2")["spec"]["template"]}}}
    await scene.strategic(STATEFUL_SETS, "db", patch)
    back = await scene.strategic(STATEFUL_SETS, "db", first["data"])

    assert image_of(back) == "db:1"
    assert not back["spec"]["template"]["metadata"].get("annotations")


async def test_on_delete_nothing_is_replaced_until_somebody_deletes(scene: Scene) -> None:
    await running(scene, STATEFUL_SETS, stateful_set(updateStrategy={"type": "OnDelete"}))
    await scene.strategic(STATEFUL_SETS, "db", set_image("db:2"))
    seen = await scene.becomes(
        STATEFUL_SETS,
        "db",
        lambda one: (
            one["status"]["observedGeneration"] == 2
            and one["status"]["updateRevision"] != one["status"]["currentRevision"]
        ),
        "the new revision",
    )
    assert {image_of(one) for one in (await scene.pods()).values()} == {"db:1"}
    assert seen["status"].get("updatedReplicas", 0) == 0

    await scene.remove(PODS, "db-1")
    await scene.becomes(STATEFUL_SETS, "db", lambda one: one["status"].get("updatedReplicas") == 1, "one new pod")
    assert {name: image_of(one) for name, one in (await scene.pods()).items()} == {"db-0": "db:1", "db-1": "db:2"}


async def test_a_daemon_set_has_a_pod_on_each_node(scene: Scene) -> None:
    done = await running(scene, DAEMON_SETS, daemon_set())
    [pod] = (await scene.pods()).values()
    [revision] = await scene.all(CONTROLLER_REVISIONS)

    assert done["status"]["desiredNumberScheduled"] == done["status"]["numberReady"] == 1
    assert done["status"]["numberMisscheduled"] == 0
    assert pod["metadata"]["ownerReferences"][0]["kind"] == "DaemonSet"
    assert pod["metadata"]["labels"][HASH] == revision["metadata"]["labels"][HASH]
    assert revision["metadata"]["name"] == f"agent-{revision['metadata']['labels'][HASH]}"
    assert image_of({"spec": revision["data"]["spec"]}) == "agent:1"


async def test_a_daemon_set_replaces_a_broken_pod_when_it_goes_back(scene: Scene) -> None:
    await running(scene, DAEMON_SETS, daemon_set())
    await scene.strategic(DAEMON_SETS, "agent", set_image("agent:2-bad"))
    stalled = await scene.becomes(
        DAEMON_SETS, "agent", lambda one: one["status"].get("numberUnavailable") == 1, "the stall"
    )
    assert stalled["status"].get("numberAvailable", 0) == 0

    await scene.strategic(DAEMON_SETS, "agent", set_image("agent:1"))
    await scene.complete(DAEMON_SETS, "agent")
    assert [image_of(one) for one in (await scene.pods()).values()] == ["agent:1"]
