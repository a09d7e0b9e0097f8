"""Pods in the way of a StatefulSet's new template: deleted one at a time, exactly those, and never too soon."""

from typing import Any

import pytest

from paramedic.cluster.port import Json
from paramedic.cluster.replacing import Rolled, roll_out, rolled_out
from paramedic.cluster.resources import PODS
from paramedic.cluster.writes import RUN, planned
from paramedic.errors import Changed, Missing, Permanent, Refused, Temporary, UnknownOutcome
from tests.cluster.objects import daemon_set, deployment, metadata, noted, owned_by, pod, stateful_set, status, template
from tests.cluster.shelf import Shelf

KEY = "INC-12/1/2/1"
BACK: list[Json] = [{"op": "replace", "path": "/spec/template", "value": template("api:41")}]


class Sets:
    """A StatefulSet whose controller sees the new template after `seen`, and makes pods anew that are ready or not."""

    def __init__(self, *pods: Json, seen: float = 0.5, mends: bool = True, **spec: Any) -> None:
        self.kube = Shelf(passing=self._pass, deletes=self._make_anew)
        self.owner = stateful_set(**spec)
        self.place = self.kube.hold(self.owner, *pods)
        self.write = planned(self.owner, BACK) | {"settle": 5.0}
        self._seen, self._mends = seen, mends

    async def roll(self) -> Rolled:
        return await roll_out(self.kube, self.kube.wait, self.place, self.write, KEY)

    async def rolled(self) -> bool | None:
        return await rolled_out(self.kube, self.place, self.write, KEY)

    def pods(self) -> dict[str, str]:
        return {
            place.name: one["metadata"]["labels"]["controller-revision-hash"]
            for place, one in self.kube.objects.items()
            if place.resource == PODS
        }

    def see(self) -> None:
        found = self.kube.objects[self.place]
        generation = found["metadata"]["generation"]
        self.kube.objects[self.place] = status(found, observedGeneration=generation, updateRevision="api-a")

    def _pass(self, waited: float) -> None:
        if waited >= self._seen:
            self.see()

    def _make_anew(self, name: str) -> None:
        self.kube.hold(pod(name, "api-a", self.owner, ready=self._mends))


def some(*ready: bool, revision: str = "api-b") -> list[Json]:
    return [pod(f"api-{n}", revision, stateful_set(), ready=one) for n, one in enumerate(ready)]


async def test_the_stuck_pod_is_replaced_and_the_others_are_left_alone() -> None:
    sets = Sets(*some(True, True, revision="api-a"), pod("api-2", "api-b", stateful_set(), ready=False))
    rolled = await sets.roll()

    assert (rolled.replaced, rolled.halted) == (("api-2",), "")
    assert sets.kube.deleted == ["api-2"]
    assert sets.pods() == {"api-0": "api-a", "api-1": "api-a", "api-2": "api-a"}
    assert [what for what, *_ in sets.kube.asked if "delete" in what] == ["dry run of delete", "delete"]


async def test_it_waits_until_the_controller_has_seen_the_template() -> None:
    """It would make the deleted pod anew from the bad one."""
    sets = Sets(*some(False), seen=2.0)
    await sets.roll()

    assert sets.kube.waited >= 2.0
    assert sets.pods() == {"api-0": "api-a"}


async def test_a_controller_that_does_not_look_halts_it() -> None:
    sets = Sets(*some(False), seen=60.0)
    rolled = await sets.roll()

    assert rolled.halted == "its controller has not seen the new template yet, so no pod was replaced"
    assert sets.kube.deleted == []
    assert sets.kube.waited == 5.0
    assert sets.kube.objects[sets.place]["spec"]["template"] == template("api:41")


async def test_one_at_a_time_each_once_the_one_before_is_ready() -> None:
    sets = Sets(*some(False, False, False))
    rolled = await sets.roll()

    assert rolled.replaced == ("api-0", "api-1", "api-2")
    assert rolled.halted == ""
    order = [(what, place.name) for what, place, *_ in sets.kube.asked if place.resource == PODS and what != "list"]
    assert order.index(("get", "api-0")) < order.index(("delete", "api-1"))


async def test_a_replaced_pod_that_does_not_get_ready_halts_it() -> None:
    sets = Sets(*some(False, False), mends=False)
    rolled = await sets.roll()

    assert rolled.replaced == ("api-0",)
    assert rolled.halted == "api-0 was replaced and is not ready yet; still in the way: api-1"
    assert sets.kube.deleted == ["api-0"]


@pytest.mark.parametrize(
    "spared",
    [
        pod("api-1", "api-b", stateful_set(), ready=True),
        pod("api-1", "api-a", stateful_set(), ready=False),
        metadata(pod("api-1", "api-b", stateful_set(), ready=False), deletionTimestamp="2026-05-12T09:00:00Z"),
        metadata(pod("api-1", "api-b", stateful_set(), ready=False), ownerReferences=owned_by("somebody")),
        metadata(pod("api-1", "api-b", stateful_set(), ready=False), ownerReferences=None),
        metadata(pod("api-1", "api-b", stateful_set(), ready=False), labels={"app": "other"}),
    ],
    ids=["ready", "of the new template", "ending", "another's", "nobody's", "not selected"],
)
async def test_pods_that_are_not_in_the_way(spared: Json) -> None:
    sets = Sets(spared)
    rolled = await sets.roll()

    assert (rolled.replaced, rolled.halted, sets.kube.deleted) == ((), "", [])


async def test_pods_that_a_partition_keeps_are_not_in_the_way() -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    sets = Sets(*some(False, False), updateStrategy=strategy)

    assert (await sets.roll()).replaced == ("api-1",)


@pytest.mark.parametrize(
    "owner", [deployment(), daemon_set(), stateful_set(podManagementPolicy="Parallel")], ids=lambda one: one["kind"]
)
async def test_others_replace_their_pods_themselves(owner: Json) -> None:
    kube = Shelf()
    place = kube.hold(owner, pod("api-0", "api-b", owner, ready=False))
    rolled = await roll_out(kube, kube.wait, place, planned(owner, BACK) | {"settle": 5.0}, KEY)

    assert (rolled.replaced, rolled.halted, kube.deleted, kube.waited) == ((), "", [], 0.0)
    assert await rolled_out(kube, place, planned(owner, BACK), KEY) is True


@pytest.mark.parametrize(
    "error", [Refused("the alert no longer fires"), Permanent("delete pods in shop is not allowed")]
)
@pytest.mark.parametrize("call", ["delete", "dry run of delete"])
async def test_a_refusal_between_the_writes_halts_it(error: Exception, call: str) -> None:
    """The template is written by then: it is not as if nothing had happened."""
    sets = Sets(*some(False))
    sets.kube.meanwhile[call] = [error]
    rolled = await sets.roll()

    assert rolled.halted == f"a pod in the way was not replaced: {error}"
    assert sets.kube.written != []


async def test_a_refusal_after_some_pods_says_which_were_replaced() -> None:
    sets = Sets(*some(False, False))
    sets.kube.meanwhile["delete"] = [lambda: None, Refused("the switch is at freeze")]
    rolled = await sets.roll()

    assert rolled.replaced == ("api-0",)
    assert "freeze" in rolled.halted


@pytest.mark.parametrize("error", [Changed("another uid"), Missing("gone")])
async def test_a_pod_that_somebody_else_replaced_is_not_deleted(error: Exception) -> None:
    sets = Sets(*some(False))

    def replaced() -> None:
        sets.kube.hold(pod("api-0", "api-a", sets.owner))
        raise error

    sets.kube.meanwhile["delete"] = [replaced]
    rolled = await sets.roll()

    assert (rolled.replaced, rolled.halted, sets.kube.deleted) == ((), "", [])


async def test_a_busy_server_is_asked_again_for_a_while() -> None:
    sets = Sets(*some(False))
    sets.kube.meanwhile["delete"] = [Temporary("429"), Temporary("429")]

    assert (await sets.roll()).replaced == ("api-0",)


async def test_a_busy_server_does_not_hold_us_for_ever() -> None:
    sets = Sets(*some(False))
    sets.kube.meanwhile["delete"] = [Temporary("429") for _ in range(50)]
    rolled = await sets.roll()

    assert rolled.halted == "api-0 could not be replaced in time"
    assert sets.kube.waited == 5.0


async def test_a_lost_answer_is_found_out_by_looking() -> None:
    """Nobody knows whether the pod is gone: the look says so, and the rest is done under the same key."""
    sets = Sets(*some(False, False))
    sets.kube.meanwhile["delete"] = [UnknownOutcome("reset by peer")]
    with pytest.raises(UnknownOutcome):
        await sets.roll()

    assert await sets.rolled() is False
    assert (await sets.roll()).replaced == ("api-0", "api-1")
    assert await sets.rolled() is True
    assert len(sets.kube.written) == 1


@pytest.mark.parametrize(
    ("present", "there"),
    [
        (stateful_set(), False),
        (noted(stateful_set(), {RUN: KEY}), True),
        (noted(metadata(stateful_set(), generation=3), {RUN: KEY}), True),
        (metadata(stateful_set(), generation=9), None),
    ],
    ids=["as planned", "ours", "ours, and not seen by its controller", "somebody else's"],
)
async def test_without_pods_in_the_way_the_key_tells(present: Json, there: bool | None) -> None:
    sets = Sets(*some(True))
    sets.kube.hold(present)

    assert await sets.rolled() is there


async def test_with_a_pod_that_is_not_ready_its_controller_must_have_looked() -> None:
    sets = Sets(*some(False))
    sets.kube.hold(noted(metadata(sets.owner, generation=3), {RUN: KEY}))
    assert await sets.rolled() is False
    sets.see()
    assert await sets.rolled() is False  # it is in the way
    sets.kube.hold(pod("api-0", "api-a", sets.owner, ready=False))
    assert await sets.rolled() is True  # it is on its way


async def test_with_all_pods_ready_nobody_waits() -> None:
    sets = Sets(*some(True, True), seen=60.0)

    assert (await sets.roll()).halted == ""
    assert sets.kube.waited == 0.0


async def test_nothing_is_deleted_where_the_template_was_not_written() -> None:
    sets = Sets(*some(False))
    sets.kube.hold(metadata(sets.owner, generation=9))
    with pytest.raises(Changed):
        await sets.roll()

    assert sets.kube.deleted == []


async def test_a_selector_that_chooses_everything_deletes_nothing() -> None:
    sets = Sets(*some(False), selector={})
    rolled = await sets.roll()

    assert "it is empty" in rolled.halted
    assert sets.kube.deleted == []


@pytest.mark.parametrize("call", ["list", "get"])
async def test_a_server_that_is_busy_after_the_write_is_asked_again_for_a_while(call: str) -> None:
    """The template is written: "not done, try again" would be a lie, and the run could end as if nothing was."""
    sets = Sets(*some(False))
    sets.kube.meanwhile["patch"] = [lambda: sets.kube.meanwhile.update({call: [Temporary("429"), Temporary("429")]})]
    sets.kube.meanwhile["dry run"] = []
    rolled = await sets.roll()

    assert (rolled.replaced, rolled.halted) == (("api-0",), "")


async def test_a_server_that_stays_busy_after_the_write_halts_it() -> None:
    sets = Sets(*some(False))
    sets.kube.meanwhile["list"] = [Temporary("429") for _ in range(50)]
    rolled = await sets.roll()

    assert rolled.halted == "whether pods are in the way cannot be seen: 429"
    assert sets.kube.written != []
