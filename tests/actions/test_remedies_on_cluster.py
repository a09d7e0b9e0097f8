"""The remedies against a cluster that reacts: what they write, what its controllers make of it, what the check says."""

from contextlib import suppress

import pytest

from paramedic.actions.restart import Restart
from paramedic.actions.roll_back import RollBack
from paramedic.cluster.resources import PODS
from paramedic.cluster.writes import RUN
from paramedic.core.words import Answer
from paramedic.errors import Changed, Permanent, Refused, UnknownOutcome
from paramedic.rehearse.cluster import KubeFault
from tests.actions.stories import Story, told

RESTART, BACK = Restart(), RollBack()
KEY = "INC-12/1/1/1"
EVERY_KIND = pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])


async def bad_release(story: Story) -> None:
    """api:41 was fine, api:42 never becomes ready."""
    await story.release("api:41")
    await story.release("api:42", ready=False, settle=120.0)
    assert (await story.check()).answer is Answer.FAIL


@EVERY_KIND
def test_a_bad_release_is_rolled_back(kind: str) -> None:
    async def story(it: Story) -> None:
        await bad_release(it)
        change = await it.plan(BACK)
        applied = await it.write(BACK, change.write, KEY)
        assert await BACK.observe(change.write, KEY, it.scene(), it.tools) is True
        await it.clock.sleep(60.0)

        passed = await it.check(change)
        assert (passed.answer, passed.seen["ready"]) == (Answer.PASS, 3)
        assert (applied.halted, set((await it.pods()).values())) == ("", {"api:41"})
        assert (applied.seen.get("replaced") is not None) is (kind == "StatefulSet")

    told(kind, story)


@EVERY_KIND
def test_after_a_restart_the_rollback_still_goes_to_the_good_image(kind: str) -> None:
    """The ladder of most playbooks: restart first, then roll back."""

    async def story(it: Story) -> None:
        await it.release("api:41")
        await it.release("api:42")
        restart = await it.plan(RESTART)
        await it.write(RESTART, restart.write, KEY)
        await it.clock.sleep(90.0)
        assert (await it.check(restart)).answer is Answer.PASS
        back = await it.plan(BACK)
        await it.write(BACK, back.write, "INC-12/1/2/1")
        await it.clock.sleep(90.0)

        assert await it.image() == "api:41"
        assert (await it.check(back)).answer is Answer.PASS

    told(kind, story)


@EVERY_KIND
def test_a_restart_replaces_every_pod_and_no_version(kind: str) -> None:
    async def story(it: Story) -> None:
        await it.release("api:42")
        before = {(one["metadata"]["uid"]) for one in await it.cluster.port.list(it.place.beside(PODS))}
        change = await it.plan(RESTART)
        for _ in range(2):
            await it.write(RESTART, change.write, KEY)
        assert (await it.check(change)).answer is Answer.FAIL
        await it.clock.sleep(90.0)

        after = {(one["metadata"]["uid"]) for one in await it.cluster.port.list(it.place.beside(PODS))}
        assert (len(after), before & after) == (3, set())
        assert (await it.check(change)).answer is Answer.PASS
        assert set((await it.pods()).values()) == {"api:42"}

    told(kind, story)


@EVERY_KIND
def test_pods_that_hang_are_made_anew_by_a_restart(kind: str) -> None:
    async def story(it: Story) -> None:
        await it.release("api:42")
        await it.hang()
        assert (await it.check()).seen["ready"] == 0
        change = await it.plan(RESTART, settle="60s")
        applied = await it.write(RESTART, change.write, KEY)
        await it.clock.sleep(120.0)

        assert applied.halted == ""
        assert (await it.check(change)).answer is Answer.PASS

    told(kind, story)


@EVERY_KIND
def test_a_rollback_can_be_taken_back_once(kind: str) -> None:
    async def story(it: Story) -> None:
        await bad_release(it)
        change = await it.plan(BACK)
        await it.write(BACK, change.write, KEY)
        await it.clock.sleep(60.0)
        for _ in range(2):
            await it.write(BACK, change.undo, f"{KEY}/undo")

        assert await it.image() == "api:42"
        assert (await it.present())["metadata"]["annotations"][RUN] == f"{KEY}/undo"
        assert await BACK.observe(change.undo or {}, f"{KEY}/undo", it.scene(), it.tools) is True

    told(kind, story)


def test_replicas_and_what_an_autoscaler_made_of_them_stay() -> None:
    async def story(it: Story) -> None:
        await bad_release(it)
        change = await it.plan(BACK)
        await it.write(BACK, change.write, KEY)
        it.cluster.edit(it.place.resource, "shop", "api", {"spec": {"replicas": 6}}, manager="hpa")
        await it.clock.sleep(60.0)
        await it.write(BACK, change.undo, f"{KEY}/undo")

        assert (await it.present())["spec"]["replicas"] == 6

    told("Deployment", story)


def test_a_stalled_rollout_fails_at_once_and_the_rollback_does_not_inherit_that() -> None:
    async def story(it: Story) -> None:
        await it.release("api:41", progressDeadlineSeconds=60)
        await it.release("api:42", ready=False, settle=120.0)
        stalled = await it.check()
        assert (stalled.final, stalled.seen["state"]) == (True, "failed")
        with pytest.raises(Refused, match="made no progress for 60s"):
            await it.plan(RESTART)
        change = await it.plan(BACK)
        await it.write(BACK, change.write, KEY)
        for _ in range(40):
            verdict = await it.check(change)
            assert not verdict.final, verdict.reason
            await it.clock.sleep(0.25)
        await it.clock.sleep(30.0)
        assert (await it.check(change)).answer is Answer.PASS

    told("Deployment", story)


@EVERY_KIND
@pytest.mark.parametrize("fails", ["lost", "timeout"])
def test_after_a_lost_answer_there_is_one_change(kind: str, fails: str) -> None:
    async def story(it: Story) -> None:
        await bad_release(it)
        change = await it.plan(BACK)
        it.cluster.fail(KubeFault("lost" if fails == "lost" else "timeout", on="patch *", times=1))
        with pytest.raises(UnknownOutcome):
            await it.write(BACK, change.write, KEY)
        if await BACK.observe(change.write, KEY, it.scene(), it.tools) is False:
            await it.write(BACK, change.write, KEY)
        await it.clock.sleep(60.0)

        assert (await it.check(change)).answer is Answer.PASS
        writes = [one for one in it.cluster.requests if one.permission.startswith("patch") and not one.dry_run]
        assert len(writes) == 1

    told(kind, story)


@EVERY_KIND
def test_an_edit_between_plan_and_apply_is_planned_anew(kind: str) -> None:
    async def story(it: Story) -> None:
        await bad_release(it)
        change = await it.plan(BACK)
        it.cluster.edit(it.place.resource, "shop", "api", {"spec": {"minReadySeconds": 1}})
        with pytest.raises(Changed):
            await it.write(BACK, change.write, KEY)
        anew = await it.plan(BACK, attempt=2)
        await it.write(BACK, anew.write, "INC-12/1/1/2")
        await it.clock.sleep(60.0)

        assert (await it.check(anew)).answer is Answer.PASS
        assert (await it.present())["spec"]["minReadySeconds"] == 1

    told(kind, story)


def test_a_person_who_rolls_back_first_is_not_outdone() -> None:
    async def story(it: Story) -> None:
        await it.release("api:40")
        await bad_release(it)
        change = await it.plan(BACK)
        template = change.write["change"][0]["value"]
        undo = [{"op": "replace", "path": "/spec/template", "value": template}]
        it.cluster.edit(it.place.resource, "shop", "api", undo, "json")
        await it.clock.sleep(60.0)
        with pytest.raises(Changed):
            await it.write(BACK, change.write, KEY)
        with pytest.raises(Refused, match="it was rolled back already: api:41"):
            await it.plan(BACK, attempt=2)

    told("Deployment", story)


def test_a_release_after_our_rollback_is_not_our_success() -> None:
    async def story(it: Story) -> None:
        await bad_release(it)
        change = await it.plan(BACK)
        await it.write(BACK, change.write, KEY)
        await it.clock.sleep(30.0)
        await it.release("api:43")
        verdict = await it.check(change)

        assert (verdict.answer, verdict.final, verdict.seen["state"]) == (Answer.FAIL, True, "complete")
        assert verdict.reason.startswith("it has another template by now (api:43), which is not what we wrote: kubectl")
        with pytest.raises(Changed, match="left as it is"):
            await it.write(BACK, change.undo, f"{KEY}/undo")

    told("Deployment", story)


def test_another_object_of_the_same_name_is_left_alone() -> None:
    async def story(it: Story) -> None:
        await bad_release(it)
        change = await it.plan(BACK)
        it.cluster.remove(it.place.resource, "shop", "api")
        await it.clock.sleep(10.0)
        assert (await it.check(change)).answer is Answer.UNKNOWN
        await it.release("api:42", ready=True)
        with pytest.raises(Changed, match="replaced by another object of the same name"):
            await it.write(BACK, change.write, KEY)
        assert await BACK.observe(change.write, KEY, it.scene(), it.tools) is False
        assert (await it.check(change)).reason == "it was replaced by another object of the same name since our write"

    told("Deployment", story)


STUCK = ["list pods", "delete pods", "get pods"]
NEEDED = {
    ("Deployment", "restart"): ["get deployments.apps", "patch deployments.apps"],
    ("DaemonSet", "restart"): ["get daemonsets.apps", "patch daemonsets.apps"],
    ("StatefulSet", "restart"): ["get statefulsets.apps", "patch statefulsets.apps", *STUCK],
    ("Deployment", "roll_back"): ["get deployments.apps", "list replicasets.apps", "patch deployments.apps"],
    ("DaemonSet", "roll_back"): ["get daemonsets.apps", "list controllerrevisions.apps", "patch daemonsets.apps"],
    ("StatefulSet", "roll_back"): ["list controllerrevisions.apps", "patch statefulsets.apps", *STUCK],
}


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
@pytest.mark.parametrize("action", [RESTART, BACK], ids=lambda action: str(action.name))
def test_what_it_declares_is_enough_and_each_of_it_is_needed(kind: str, action: Restart | RollBack) -> None:
    async def story(it: Story) -> None:
        await it.release("api:41")
        await it.release("api:42")
        await it.hang()
        it.cluster.allow(action.permissions)
        change = await it.plan(action, settle="60s")
        for lacking in NEEDED[kind, action.name]:
            it.cluster.allow([one for one in action.permissions if one != lacking])
            said = ""
            try:
                with suppress(Refused):  # what an earlier round has written may speak against planning anew
                    await it.plan(action)
                said = (await it.write(action, change.write, KEY)).halted
            except Permanent as error:
                said = str(error)
            assert lacking in said
        it.cluster.allow(action.permissions)
        assert (await it.write(action, change.write, KEY)).halted == ""

    told(kind, story)


@pytest.mark.parametrize("action", [RESTART, BACK], ids=lambda action: str(action.name))
def test_it_declares_nothing_that_it_never_needs(action: Restart | RollBack) -> None:
    needed = {one for (_, name), all_of in NEEDED.items() if name == action.name for one in all_of}

    assert needed | {"get statefulsets.apps"} == set(action.permissions)
