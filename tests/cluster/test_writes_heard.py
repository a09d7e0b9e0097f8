"""Writes that compare what no generation counts: what people say by annotations, and who keeps the object meanwhile."""

import pytest

from paramedic.cluster.writes import guarded_write
from paramedic.errors import Changed, Temporary
from tests.cluster.objects import deployment, metadata, noted, template
from tests.cluster.test_writes import KEY, edit, restored, running, shelf


@pytest.mark.parametrize(
    "said", [{"paramedic/mode": "off"}, {"paramedic/rollback-safe": "false"}, {"paramedic/allow-downtime": "false"}]
)
async def test_what_its_people_say_after_the_plan_is_heard(said: dict[str, str]) -> None:
    """No generation counts annotations: somebody opts out while the plan waits for its approval."""
    kube, place, write = shelf(deployment())
    kube.hold(noted(deployment(), said))
    with pytest.raises(Changed, match=f"its annotation {next(iter(said))} has changed since it was planned"):
        await guarded_write(kube, place, write, KEY)

    assert kube.written == []


async def test_what_somebody_else_began_to_keep_after_the_plan_is_left_to_them() -> None:
    """Labels count for no generation either."""
    kube, place, write = shelf(deployment())
    kube.hold(metadata(deployment(), labels={"argocd.argoproj.io/instance": "shop"}))
    with pytest.raises(Changed, match=r"is kept by Argo CD \(shop\) since it was planned"):
        await guarded_write(kube, place, write, KEY)

    assert kube.written == []


async def test_what_its_people_said_before_the_plan_is_no_change() -> None:
    kube, place, write = shelf(noted(deployment(), {"paramedic/mode": "auto"}))

    assert (await guarded_write(kube, place, write, KEY))["spec"]["replicas"] == 5


async def test_opting_out_does_not_keep_us_from_taking_our_own_change_back() -> None:
    kube, place, _ = shelf(noted(running("api:41"), {"paramedic/mode": "off"}))
    after = await guarded_write(kube, place, restored(running("api:41")), f"{KEY}/undo")

    assert after["spec"]["template"] == template("api:42")


async def test_an_autoscaler_that_scales_at_this_moment_does_not_end_the_taking_back() -> None:
    """The template is still ours: it is tried again, and not left as somebody else's."""
    kube, place, _ = shelf(running("api:41"))
    kube.meanwhile["patch"] = [edit(kube, place, lambda one: one | {"spec": one["spec"] | {"replicas": 9}})]
    undo = restored(running("api:41"))
    with pytest.raises(Temporary):
        await guarded_write(kube, place, undo, f"{KEY}/undo")

    after = await guarded_write(kube, place, undo, f"{KEY}/undo")
    assert (after["spec"]["replicas"], after["spec"]["template"]) == (9, template("api:42"))
