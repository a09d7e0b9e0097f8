"""`scale`: an absolute number within its bounds, compared when written, and written once."""

from copy import deepcopy
from typing import Any

import pytest

from paramedic.cluster.resources import DEPLOYMENTS, STATEFUL_SETS
from paramedic.cluster.writes import RUN as RUN_ANNOTATION
from paramedic.errors import Changed, Fault, Permanent, Refused, UnknownOutcome
from tests.actions.scaling import ACTION, KEY, apply, observe, plan
from tests.contract.fake_kube import DEPLOYMENT, FakeKube, with_revisions, workload


@pytest.mark.parametrize(
    ("params", "number"),
    [
        ({"to": 5}, 5),
        ({"by": 1}, 4),
        ({"factor": 1.5}, 5),
        ({"factor": 2}, 6),
        ({"by": 10}, 6),
        ({"by": 10, "max_factor": 10}, 13),
        ({"by": 10, "max_factor": 10, "max": 8}, 8),
        ({"by": 2, "max": 4}, 4),
        ({"to": 1, "down": True}, 1),
        ({"to": 0, "down": True, "allow_downtime": True}, 0),
    ],
)
async def test_the_number_is_absolute_and_within_its_bounds(params: dict[str, Any], number: int) -> None:
    change = await plan(with_revisions(), **params)

    assert change.needed
    assert (change.write["replicas"], change.prior) == (number, {"replicas": 3})
    assert change.summary == f"scale deployment/api.shop: 3 → {number} replicas"
    assert change.lasts == 0.0
    assert change.most is None
    assert len(change.digest) == 64


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"to": 3}, "deployment/api.shop has 3 replicas already"),
        ({"to": 2}, "deployment/api.shop has 3 replicas already, 2 are wanted"),
        ({"to": 0}, "deployment/api.shop has 3 replicas already, 0 are wanted"),
        ({"to": 3, "down": True}, "deployment/api.shop has 3 replicas already"),
    ],
)
async def test_what_is_as_wanted_is_left_alone(params: dict[str, Any], reason: str) -> None:
    """Fewer than there are is not what a remedy for too much load means, unless it says so."""
    change = await plan(with_revisions(), **params)

    assert (change.needed, change.summary) == (False, reason)


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"to": 7}, "7 replicas are too many: max_factor 2 makes 6 the most of 3"),
        ({"by": 1, "max": 3}, "it has 3 replicas already, and max is 3"),
        ({"by": 1, "max": 2}, "it has 3 replicas already, and max is 2"),
        ({"by": 1, "max_factor": 1.2}, "it has 3 replicas already, and max_factor 1.2 makes 3 the most of 3"),
    ],
)
async def test_what_its_bounds_leave_nothing_of_is_refused(params: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused) as error:
        await plan(with_revisions(), **params)

    assert str(error.value) == why


@pytest.mark.parametrize(
    ("params", "what"),
    [
        ({}, "one of to, by and factor is needed; write for example by: 2"),
        ({"to": 3, "by": 1}, "one of to, by and factor is needed; write for example by: 2"),
        ({"to": 30}, "to: 30 is more than max: 20; raise max, or lower to"),
        ({"factor": 3}, "factor: 3 is more than max_factor: 2; raise max_factor"),
        ({"by": 1, "down": True}, "down goes with to; by and factor always mean more"),
        ({"by": 0}, "Input should be greater than or equal to 1"),
        ({"to": -1}, "Input should be greater than or equal to 0"),
        ({"factor": "nan"}, "Input should be less than or equal to 100"),
        ({"by": 1, "max": 0}, "Input should be greater than or equal to 1"),
        ({"by": 1, "for": "8d"}, "Input should be less than or equal to 604800"),
    ],
)
def test_parameters_that_contradict_each_other_are_a_fault(params: dict[str, Any], what: str) -> None:
    with pytest.raises(Fault) as error:
        ACTION.validated({"max": 20, **params})

    assert error.value.what == what


def test_it_never_scales_without_a_limit() -> None:
    with pytest.raises(Fault, match=r"scale, max: Field required"):
        ACTION.validated({"by": 1})


async def test_the_write_compares_the_number_and_signs_the_object_after_a_dry_run() -> None:
    kube = with_revisions()
    change = await plan(kube, by=1)
    kube.asked.clear()

    applied = await apply(kube, change.write)

    assert [what for what, *_ in kube.asked] == ["get", "dry run", "patch"]
    assert kube.objects[DEPLOYMENT]["spec"]["replicas"] == 4
    assert kube.objects[DEPLOYMENT]["metadata"]["annotations"] == {RUN_ANNOTATION: KEY}
    operations = kube.written[0][1]
    for path, value in (("/metadata/uid", workload()["metadata"]["uid"]), ("/metadata/generation", 7)):
        assert {"op": "test", "path": path, "value": value} in operations
    assert operations[-2:] == [
        {"op": "test", "path": "/spec/replicas", "value": 3},
        {"op": "add", "path": "/spec/replicas", "value": 4},
    ]
    assert (applied.summary, applied.seen) == ("deployment/api.shop is to have 4 replicas", {"replicas": 4})


async def test_a_stateful_set_is_scaled_as_well() -> None:
    kube = FakeKube()
    place = kube.put(STATEFUL_SETS, workload())
    target = "main/shop/statefulset/api"
    change = await plan(kube, target=target, by=1)
    await apply(kube, change.write, target=target)

    assert kube.objects[place]["spec"]["replicas"] == 4


async def test_a_write_whose_dry_run_fails_changes_nothing() -> None:
    kube = with_revisions()
    change = await plan(kube, by=1)
    kube.fails["dry run"] = Permanent("admission webhook says no")
    with pytest.raises(Permanent, match="admission webhook says no"):
        await apply(kube, change.write)

    assert kube.written == []


@pytest.mark.parametrize("field", ["replicas", "template"])
async def test_somebody_who_was_faster_is_not_overwritten(field: str) -> None:
    kube = with_revisions()
    change = await plan(kube, by=1)
    thing = deepcopy(kube.objects[DEPLOYMENT])
    thing["metadata"]["generation"] += 1
    thing["spec"][field] = 5 if field == "replicas" else {"spec": {"containers": []}}
    kube.put(DEPLOYMENTS, thing)
    with pytest.raises(Changed):
        await apply(kube, change.write)

    assert kube.written == []


async def test_another_object_of_the_same_name_is_not_touched() -> None:
    kube = with_revisions()
    change = await plan(kube, by=1)
    kube.put(DEPLOYMENTS, workload(uid="another"))
    with pytest.raises(Changed, match="was replaced by another object"):
        await apply(kube, change.write)


async def test_what_an_admission_made_of_the_number_is_told() -> None:
    kube = with_revisions()
    change = await plan(kube, by=1)
    write = change.write | {"sets": {"replicas": 9}}  # as if the answer had another number than was sent

    assert (await apply(kube, write)).summary.endswith("; the cluster made replicas 4 of it")


async def test_a_lost_answer_is_found_by_looking_and_a_repeat_changes_nothing() -> None:
    kube = with_revisions()
    change = await plan(kube, by=1)
    assert await observe(kube, change.write) is False
    kube.lost = UnknownOutcome("no answer")
    with pytest.raises(UnknownOutcome):
        await apply(kube, change.write)
    kube.lost = None

    assert await observe(kube, change.write) is True
    await apply(kube, change.write)
    assert len(kube.written) == 1
    assert kube.objects[DEPLOYMENT]["spec"]["replicas"] == 4
