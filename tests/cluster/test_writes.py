"""Writes that compare first: nothing is changed twice, unseen, or on top of somebody else's change."""

from collections.abc import Callable
from typing import Any

import pytest

from paramedic.cluster.port import Json
from paramedic.cluster.resources import Place
from paramedic.cluster.revisions import fingerprint
from paramedic.cluster.writes import (
    RUN,
    carries,
    guarded_write,
    patch_of,
    planned,
    pointer,
    sealed,
    setting,
    wrote,
)
from paramedic.errors import Changed, Missing, Permanent, Refused, Temporary, UnknownOutcome
from tests.cluster.objects import deployment, hpa, metadata, noted, stateful_set, template
from tests.cluster.shelf import Shelf

KEY = "INC-12/1/2/1"
OLDER = {RUN: "INC-1/1/1/1"}
SIZED: list[Json] = [{"op": "replace", "path": "/spec/replicas", "value": 5}]


def shelf(thing: Json) -> tuple[Shelf, Place, Json]:
    kube = Shelf()
    return kube, kube.hold(thing), planned(thing, SIZED)


def edit(kube: Shelf, place: Place, bend: Callable[[Json], Json], *, generation: int = 1) -> Callable[[], None]:
    """Somebody else's change, made when it is called."""

    def happen() -> None:
        bent = bend(kube.objects[place])
        present = bent["metadata"]
        kube.objects[place] = metadata(bent, generation=present.get("generation", 0) + generation)

    return happen


def test_pointers_are_escaped() -> None:
    assert pointer("metadata", "annotations", RUN) == "/metadata/annotations/paramedic~1run"
    assert pointer("a~b", "~1", "/") == "/a~0b/~01/~1"


@pytest.mark.parametrize(
    ("thing", "made"),
    [
        ({"a": {"b": {}}}, []),
        ({"a": {}}, ["/a/b"]),
        ({"a": {"b": None}}, ["/a/b"]),
        ({}, ["/a", "/a/b"]),
    ],
)
def test_maps_on_the_way_are_made_where_there_are_none(thing: Json, made: list[str]) -> None:
    operations = setting(thing, ("a", "b", "c/d"), "x")

    assert [one["path"] for one in operations] == [*made, "/a/b/c~1d"]
    assert all(one["value"] == {} for one in operations[:-1])


async def test_it_compares_signs_and_changes_in_one_patch_after_trying_it() -> None:
    kube, place, write = shelf(deployment())
    after = await guarded_write(kube, place, write | {"annotations": {"paramedic/note": "a/b~c"}}, KEY)

    assert [what for what, *_ in kube.asked] == ["get", "dry run", "patch"]
    [(_, patch)] = kube.written
    assert patch == [
        {"op": "test", "path": "/metadata/uid", "value": "deployment-api"},
        {"op": "test", "path": "/metadata/generation", "value": 2},
        {"op": "add", "path": "/metadata/annotations/paramedic~1run", "value": KEY},
        {"op": "add", "path": "/metadata/annotations/paramedic~1note", "value": "a/b~c"},
        *SIZED,
    ]
    assert after["spec"]["replicas"] == 5
    assert carries(after, KEY)
    assert not carries(after, KEY + "/undo")


async def test_a_repeated_write_is_none() -> None:
    kube, place, write = shelf(deployment())
    await guarded_write(kube, place, write, KEY)
    await guarded_write(kube, place, write, KEY)

    assert len(kube.written) == 1


async def test_annotations_are_made_without_replacing_any() -> None:
    """The generation of a StatefulSet does not count annotations, so the patch compares with there being none."""
    kube, place, write = shelf(metadata(stateful_set(), annotations=None))
    theirs = metadata(noted(stateful_set(), {"theirs": "x"}), annotations={"theirs": "x"}, resourceVersion="1001")
    kube.meanwhile["patch"] = [lambda: kube.hold(theirs)]
    with pytest.raises(Changed):
        await guarded_write(kube, place, write, KEY)
    assert kube.objects[place]["metadata"]["annotations"] == {"theirs": "x"}

    patch = patch_of(write, KEY, metadata(stateful_set(), annotations=None))
    assert [one["path"] for one in patch] == [
        "/metadata/uid",
        "/metadata/generation",
        "/metadata/annotations",
        "/metadata/annotations",
        "/metadata/annotations/paramedic~1run",
        "/spec/replicas",
    ]


@pytest.mark.parametrize(
    ("bent", "reason"),
    [
        (metadata(deployment(), uid="another"), "replaced by another object of the same name"),
        (metadata(deployment(), generation=3), "changed by somebody since it was planned"),
    ],
)
async def test_what_is_not_the_planned_object_any_more_is_not_written(bent: Json, reason: str) -> None:
    kube, place, write = shelf(deployment())
    kube.hold(bent)
    with pytest.raises(Changed, match=reason):
        await guarded_write(kube, place, write, KEY)

    assert [what for what, *_ in kube.asked] == ["get"]


@pytest.mark.parametrize("call", ["dry run", "patch"])
async def test_a_change_at_the_last_moment_is_seen_by_the_server(call: str) -> None:
    kube, place, write = shelf(deployment())
    kube.meanwhile[call] = [edit(kube, place, lambda one: one | {"spec": one["spec"] | {"paused": True}})]
    with pytest.raises(Changed):
        await guarded_write(kube, place, write, KEY)

    assert kube.written == []
    assert kube.objects[place]["spec"]["replicas"] == 3


async def test_an_object_made_anew_at_the_last_moment_is_seen_by_the_server() -> None:
    """Its generation may well be the planned one."""
    kube, place, write = shelf(deployment())
    kube.meanwhile["patch"] = [lambda: kube.hold(metadata(deployment(), uid="another"))]
    with pytest.raises(Changed):
        await guarded_write(kube, place, write, KEY)

    assert kube.written == []


async def test_a_conflict_on_a_target_that_carries_our_key_is_success() -> None:
    """The write was made, its answer lost, and it was sent again by the library or by whoever took over."""
    kube, place, write = shelf(deployment())
    kube.meanwhile["patch"] = [edit(kube, place, lambda one: noted(one, {RUN: KEY}))]

    assert carries(await guarded_write(kube, place, write, KEY), KEY)
    assert kube.written == []


async def test_a_lost_answer_is_let_through_and_found_out_later() -> None:
    kube, place, write = shelf(deployment())
    kube.lost = UnknownOutcome("the connection was reset")
    with pytest.raises(UnknownOutcome):
        await guarded_write(kube, place, write, KEY)

    assert await wrote(kube, place, write, KEY) is True
    kube.lost = None
    await guarded_write(kube, place, write, KEY)
    assert len(kube.written) == 1


@pytest.mark.parametrize("call", ["get", "dry run", "patch"])
@pytest.mark.parametrize("error", [Temporary("429"), Permanent("may not patch deployments.apps"), Refused("freeze")])
async def test_what_the_cluster_and_the_gate_say_is_passed_on(call: str, error: Exception) -> None:
    kube, place, write = shelf(deployment())
    kube.fails[call] = error
    with pytest.raises(type(error)):
        await guarded_write(kube, place, write, KEY)

    assert kube.written == []


async def test_a_dry_run_that_fails_is_the_end_of_it() -> None:
    kube, place, write = shelf(deployment())
    kube.fails["dry run"] = Permanent("denied by the webhook of the platform team")
    with pytest.raises(Permanent, match="platform team"):
        await guarded_write(kube, place, write, KEY)

    assert ("patch", place) not in kube.asked


async def test_objects_without_a_generation_bring_their_own_test() -> None:
    kube = Shelf()
    place = kube.hold(hpa())
    least = [
        {"op": "test", "path": "/spec/minReplicas", "value": 2},
        {"op": "replace", "path": "/spec/minReplicas", "value": 5},
    ]
    write = planned(hpa(), least)

    assert write["generation"] is None
    kube.hold(hpa() | {"spec": hpa()["spec"] | {"minReplicas": 3}})
    with pytest.raises(Changed):
        await guarded_write(kube, place, write, KEY)
    kube.hold(hpa())
    assert (await guarded_write(kube, place, write, KEY))["spec"]["minReplicas"] == 5


def restored(thing: Json) -> Json:
    """What takes a template back: compared with the template that we wrote."""
    return {
        "uid": thing["metadata"]["uid"],
        "generation": None,
        "still": fingerprint(thing["spec"]["template"]),
        "change": [{"op": "replace", "path": "/spec/template", "value": template("api:42")}],
    }


def running(image: str) -> Json:
    found = deployment()
    found["spec"]["template"] = template(image)
    return found


async def test_taking_back_does_not_mind_replicas_and_restarts() -> None:
    kube, place, _ = shelf(running("api:41"))
    undo = restored(running("api:41"))
    edit(kube, place, lambda one: one | {"spec": one["spec"] | {"replicas": 9}}, generation=4)()
    kube.objects[place]["spec"]["template"] = template("api:41", restarted="later")
    after = await guarded_write(kube, place, undo, f"{KEY}/undo")

    assert (after["spec"]["replicas"], after["spec"]["template"]) == (9, template("api:42"))
    assert await wrote(kube, place, undo, f"{KEY}/undo") is True


async def test_taking_back_leaves_what_somebody_else_has_put_there() -> None:
    kube, place, _ = shelf(running("api:43"))
    with pytest.raises(Changed, match="another template by now than the one that we wrote: it is left as it is"):
        await guarded_write(kube, place, restored(running("api:41")), f"{KEY}/undo")

    assert kube.written == []


async def test_taking_back_is_compared_by_the_server_too() -> None:
    kube, place, _ = shelf(running("api:41"))
    kube.meanwhile["patch"] = [edit(kube, place, lambda one: one | {"spec": running("api:43")["spec"]})]
    with pytest.raises(Changed):
        await guarded_write(kube, place, restored(running("api:41")), f"{KEY}/undo")

    assert kube.written == []


@pytest.mark.parametrize(
    ("present", "there"),
    [
        (noted(running("api:42"), {RUN: f"{KEY}/undo"}), True),
        (noted(running("api:41"), {RUN: KEY}), False),
        (metadata(running("api:41"), uid="another"), False),
        (running("api:43"), None),
    ],
)
async def test_whether_something_was_taken_back(present: Json, there: bool | None) -> None:
    kube, place, _ = shelf(present)

    assert await wrote(kube, place, restored(running("api:41")), f"{KEY}/undo") is there


@pytest.mark.parametrize(
    ("before", "present", "there"),
    [
        (deployment(), noted(metadata(deployment(), generation=3), {RUN: KEY}), True),
        (deployment(), deployment(), False),
        (deployment(), metadata(deployment(), uid="another"), False),
        (deployment(), metadata(deployment(), generation=3), None),
        (
            noted(deployment(), OLDER),
            noted(metadata(deployment(), generation=3), OLDER),
            False,
        ),
        (noted(deployment(), OLDER), metadata(deployment(), generation=3), None),
        (
            noted(deployment(), OLDER),
            noted(metadata(deployment(), generation=4), {RUN: "INC-9/1/1/1"}),
            None,
        ),
    ],
    ids=["ours", "untouched", "replaced", "edited", "edited, an older key of ours", "the key is gone", "another run"],
)
async def test_whether_a_write_is_in_effect(before: Json, present: Json, there: bool | None) -> None:
    kube, place, _ = shelf(present)

    assert await wrote(kube, place, planned(before, SIZED), KEY) is there


async def test_an_object_that_is_gone_was_not_written() -> None:
    kube, place, write = shelf(deployment())
    kube.objects.clear()

    assert await wrote(kube, place, write, KEY) is False
    with pytest.raises(Missing):
        await guarded_write(kube, place, write, KEY)


async def test_an_object_that_cannot_be_read_does_not_tell() -> None:
    kube, place, write = shelf(deployment())
    kube.fails["get"] = Temporary("the API server is away")
    with pytest.raises(Temporary):
        await wrote(kube, place, write, KEY)


def test_a_change_is_sealed_over_all_that_it_would_do() -> None:
    def digest(**changes: Any) -> str:
        return sealed("x", **({"write": {"a": 1}, "prior": {"a": 0}, "undo": {"a": 0}} | changes)).digest

    assert len(digest()) == 64
    assert digest() == digest(most=None)
    assert len({digest(), digest(write={"a": 2}), digest(prior={}), digest(undo=None)}) == 4
