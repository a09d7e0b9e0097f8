"""Guard `preflight`: the very write that was planned is tried on the server, right before it is made."""

from typing import Any

import msgspec
import pytest

from paramedic.actions.restart import Restart
from paramedic.actions.scale import Scale
from paramedic.cluster.port import Json
from paramedic.cluster.resources import DEPLOYMENTS, HPAS, Place
from paramedic.cluster.writes import RUN as SIGNED
from paramedic.core.model import Change
from paramedic.core.words import Answer
from paramedic.errors import Permanent, Temporary
from paramedic.guards.preflight import Preflight
from paramedic.plugin import Seen
from tests.actions.workloads import KEY, at, plan
from tests.cluster.objects import deployment, hpa, metadata, noted
from tests.cluster.shelf import Shelf
from tests.contract.plugin_scene import RUN
from tests.guards.asked import asked

API = Place("main", DEPLOYMENTS, "shop", "api")


def cluster(found: Json | None = None) -> Shelf:
    kube = Shelf()
    kube.hold(found if found is not None else deployment())
    return kube


def about(change: Change | None) -> Seen:
    scene = at(deployment())
    return msgspec.structs.replace(scene, run=msgspec.structs.replace(scene.run, change=change))


async def restarting(kube: Shelf) -> Seen:
    return about(await plan(Restart(), kube, at(deployment())))


async def test_what_the_server_would_take_is_allowed_and_nothing_is_written() -> None:
    kube = cluster()
    scene = await restarting(kube)
    verdict = await asked(Preflight(), kube=kube, scene=scene)

    assert (verdict.answer, verdict.again) == (Answer.ALLOW, None)
    assert verdict.reason == "the server would take the change of deployment api in shop"
    assert scene.run.change is not None
    assert verdict.seen == {"tried": "deployment api in shop", "digest": scene.run.change.digest}
    assert [what for what, *_ in kube.asked if what not in ("get", "list")] == ["dry run"]
    assert kube.written == []
    assert Preflight.asked == "last"


async def test_what_it_would_not_take_is_denied_in_its_own_words() -> None:
    kube = cluster()
    scene = await restarting(kube)
    kube.fails["dry run"] = Permanent('admission webhook "policy" denied the request: not\non\u202e Fridays')
    verdict = await asked(Preflight(), kube=kube, scene=scene)

    assert (verdict.answer, verdict.again) == (Answer.DENY, None)
    assert verdict.reason.startswith(
        'the server would not take it: admission webhook "policy" denied the request: not on'
    )


async def test_a_target_that_is_gone_is_denied() -> None:
    kube = cluster()
    scene = await restarting(kube)
    del kube.objects[API]

    verdict = await asked(Preflight(), kube=kube, scene=scene)
    assert verdict.answer is Answer.DENY
    assert verdict.reason == "there is nothing to write to: deployment api in shop does not exist"


async def test_what_was_changed_meanwhile_is_left_to_the_write_which_compares() -> None:
    kube = cluster()
    scene = await restarting(kube)
    kube.objects[API] = metadata(deployment(), generation=9)
    verdict = await asked(Preflight(), kube=kube, scene=scene)

    assert verdict.answer is Answer.ALLOW
    assert verdict.reason.startswith("it was changed since, and will be planned anew: ")


async def test_what_carries_the_write_already_is_not_tried_again() -> None:
    kube = cluster()
    scene = await restarting(kube)
    kube.objects[API] = noted(deployment(), {SIGNED: KEY})
    verdict = await asked(Preflight(), kube=kube, scene=scene)

    assert (verdict.answer, verdict.reason) == (Answer.ALLOW, "deployment api in shop carries this write already")


async def test_a_write_to_an_autoscaler_is_tried_there() -> None:
    kube = cluster()
    kube.hold(hpa("front"))
    change = await plan(Scale(), kube, at(deployment()), by=2, max=9)
    verdict = await asked(Preflight(), kube=kube, scene=about(change))

    assert verdict.answer is Answer.ALLOW
    assert ("dry run", Place("main", HPAS, "shop", "front")) in kube.asked


@pytest.mark.parametrize("write", [{}, {"of": ["pods"]}, {"endpoint": "hook", "path": "/x"}, {"uid": "u"}])
async def test_what_is_no_write_to_a_cluster_cannot_be_tried(write: dict[str, Any]) -> None:
    kube = cluster()
    change = Change(summary="call", write=write, prior={}, undo=None, digest="0" * 64)
    verdict = await asked(Preflight(), kube=kube, scene=about(change))

    assert (verdict.answer, kube.asked) == (Answer.ALLOW, [])


async def test_without_a_plan_it_cannot_know() -> None:
    assert RUN.change is None
    assert (await asked(Preflight(), kube=cluster(), scene=about(None))).answer is Answer.UNKNOWN


@pytest.mark.parametrize("what", ["get", "dry run"])
async def test_a_server_that_does_not_answer_allows_nothing(what: str) -> None:
    kube = cluster()
    scene = await restarting(kube)
    kube.fails[what] = Temporary("not reached")
    with pytest.raises(Temporary):
        await asked(Preflight(), kube=kube, scene=scene)


async def test_what_may_not_even_be_read_is_not_tried() -> None:
    kube = cluster()
    scene = await restarting(kube)
    kube.fails["get"] = Permanent("get deployments.apps is not allowed")
    with pytest.raises(Permanent, match="not allowed"):
        await asked(Preflight(), kube=kube, scene=scene)
