"""Guard `opt_out`: the annotation `paramedic/mode` on the target or its namespace is heard before anything is done."""

import pytest

from paramedic.cluster.port import Json
from paramedic.cluster.resources import NAMESPACES, Place
from paramedic.core.words import Answer, Mode
from paramedic.errors import Missing, Permanent, Temporary
from paramedic.guards.opt_out import OptOut
from tests.actions.workloads import at
from tests.cluster.objects import deployment, noted
from tests.cluster.shelf import Shelf
from tests.guards.asked import HOSTILE, asked

SHOP = Place("main", NAMESPACES, "", "shop")


def cluster(target: str | None = None, namespace: str | None = None) -> Shelf:
    kube = Shelf()
    kube.hold(noted(deployment(), {"paramedic/mode": target}) if target is not None else deployment())
    space: Json = {"metadata": {"name": "shop", "annotations": {"paramedic/mode": namespace}}}
    kube.objects[SHOP] = space if namespace is not None else {"metadata": {"name": "shop"}}
    return kube


async def test_without_an_annotation_it_allows_and_says_where_it_looked() -> None:
    kube = cluster()
    verdict = await asked(OptOut(), kube=kube, scene=at(deployment()))
    nothing = {"deployment/api.shop": "", "namespace shop": ""}

    assert (verdict.answer, verdict.seen, verdict.again) == (Answer.ALLOW, nothing, None)
    assert verdict.reason == "no annotation paramedic/mode on deployment/api.shop or namespace shop"
    assert kube.ages == [1.0, 1.0], "many who ask read once"


@pytest.mark.parametrize(
    ("target", "namespace", "said"),
    [
        ("off", None, "deployment/api.shop: its annotation paramedic/mode says off"),
        (None, "off", "namespace shop: its annotation paramedic/mode says off"),
        ("auto", "off", "namespace shop: its annotation paramedic/mode says off"),
        (None, "nope", "that counts as off"),
        (None, "approve", "namespace shop: its annotation paramedic/mode says approve, and the run is in mode auto"),
        (None, "", "that counts as off"),
    ],
)
async def test_who_opted_out_is_left_alone(target: str | None, namespace: str | None, said: str) -> None:
    verdict = await asked(OptOut(), kube=cluster(target, namespace), scene=at(deployment()))

    assert verdict.answer is Answer.DENY
    assert said in verdict.reason
    assert verdict.again is None


@pytest.mark.parametrize(("target", "namespace"), [("shadow", None), ("approve", "auto"), ("auto", "auto")])
async def test_what_only_lowers_the_mode_is_no_opting_out(target: str | None, namespace: str | None) -> None:
    """The plan reads the target's annotation too, and lowers the mode of the run by it."""
    verdict = await asked(OptOut(), kube=cluster(target, namespace), scene=at(deployment()))

    assert verdict.answer is Answer.ALLOW
    assert f"says {target}" in verdict.reason


async def test_a_run_that_asks_people_anyway_may_go_on_where_the_namespace_wants_that() -> None:
    scene = at(deployment(), mode=Mode.APPROVE)

    assert (await asked(OptOut(), kube=cluster(namespace="approve"), scene=scene)).answer is Answer.ALLOW
    assert (await asked(OptOut(), kube=cluster(namespace="shadow"), scene=scene)).answer is Answer.DENY


@pytest.mark.parametrize("said", HOSTILE)
async def test_an_annotation_that_nobody_knows_denies_whatever_it_holds(said: str) -> None:
    verdict = await asked(OptOut(), kube=cluster(namespace=said), scene=at(deployment()))

    assert verdict.answer is Answer.DENY


@pytest.mark.parametrize("error", [Temporary("429"), Permanent("get namespaces is not allowed")])
@pytest.mark.parametrize("what", ["get deployments", "get namespaces"])
async def test_what_cannot_be_read_allows_nothing(what: str, error: Exception) -> None:
    """The engine makes unknown or an error of it, and both deny."""
    kube = cluster()
    kube.fails[what] = error
    with pytest.raises(type(error)):
        await asked(OptOut(), kube=kube, scene=at(deployment()))


async def test_a_target_that_is_gone_allows_nothing() -> None:
    with pytest.raises(Missing):
        await asked(OptOut(), kube=Shelf(), scene=at(deployment()))
