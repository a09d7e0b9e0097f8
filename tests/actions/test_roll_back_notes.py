"""What a rollback writes down beside the template, and what it cannot bring back and therefore says."""

import pytest

from paramedic.actions.roll_back import RollBack
from paramedic.cluster.port import Json
from paramedic.cluster.resources import Place
from paramedic.cluster.revisions import CAUSE, configured_anew
from tests.actions.workloads import KEY, apply, at, plan
from tests.cluster.objects import deployment, noted, replica_set, template
from tests.cluster.shelf import Shelf

ACTION = RollBack()
RELEASED = "2026-05-12T08:00:00Z"


def releases(old: Json, new: Json, *, cause: str | None = None, now: str | None = None) -> tuple[Shelf, Place]:
    """A Deployment that went from one template to another, each with the reason that somebody gave."""
    kube = Shelf()
    found = deployment(template=new)
    place = kube.hold(found if now is None else noted(found, {CAUSE: now}))
    before = replica_set(1, old, RELEASED)
    kube.hold(before if cause is None else noted(before, {CAUSE: cause}), replica_set(2, new, "2026-05-12T09:00:00Z"))
    return kube, place


@pytest.mark.parametrize(
    ("cause", "now", "written"),
    [
        ("release 41", "release 42", "release 41"),
        (None, "release 42", "back to api:41"),
        ("release 41", None, None),
        ("x" * 501, "release 42", "release 42"),
        ("release 41", "x" * 501, "x" * 501),
    ],
    ids=["both said why", "the older did not", "nobody does now", "too long to keep", "too long to take back"],
)
async def test_the_history_does_not_call_the_old_version_by_the_new_ones_reason(
    cause: str | None, now: str | None, written: str | None
) -> None:
    kube, place = releases(template("api:41"), template("api:42"), cause=cause, now=now)
    change = await plan(ACTION, kube, at(deployment()))
    await apply(ACTION, kube, at(deployment()), change.write)
    assert kube.objects[place]["metadata"]["annotations"].get(CAUSE) == written

    await apply(ACTION, kube, at(deployment()), change.undo, f"{KEY}/undo")
    assert kube.objects[place]["metadata"]["annotations"].get(CAUSE) == now


async def test_where_it_came_from_is_written_on_the_target() -> None:
    kube, place = releases(template("api:41"), template("api:42"))
    await apply(ACTION, kube, at(deployment()), (await plan(ACTION, kube, at(deployment()))).write)

    notes = kube.objects[place]["metadata"]["annotations"]
    assert notes["paramedic/rolled-back-from"] == "image=api:42;incident=INC-12"


@pytest.mark.parametrize("key", ["checksum/config", "checksum/secret", "example.org/config-hash", "Checksum"])
async def test_configuration_that_changed_too_is_said_to_stay(key: str) -> None:
    kube, _ = releases(template("api:41", **{key: "a"}), template("api:42", **{key: "b"}))

    summary = (await plan(ACTION, kube, at(deployment()))).summary
    assert summary.endswith("image api:42 → api:41; ConfigMaps or Secrets have changed too, and stay as they are")


def test_configuration_that_did_not_change_is_not_mentioned() -> None:
    same = {"checksum/config": "a"}

    assert not configured_anew(template("api:41", **same), template("api:42", **same))
    assert not configured_anew(template("api:41"), template("api:42", **{"prometheus.io/port": "80"}))
    assert configured_anew(template("api:41"), template("api:42", **same))
    assert not configured_anew({}, {"metadata": {}})
