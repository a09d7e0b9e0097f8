"""`scale` by an autoscaler, and for a while: the number of before comes back by comparing, or its setter is named."""

from typing import Any

import pytest

from paramedic.cluster.port import Json
from paramedic.cluster.resources import DEPLOYMENTS, HPAS
from paramedic.cluster.writes import RUN as RUN_ANNOTATION
from paramedic.core.words import Mode, Once
from paramedic.errors import Changed, Permanent, Refused, Temporary, UnknownOutcome
from tests.actions.scaling import ACTION, HPA, KEY, apply, hpa, observe, plan, scaled_by
from tests.contract.fake_kube import DEPLOYMENT, FakeKube, with_revisions, workload
from tests.contract.plugin_scene import RESOURCES


async def test_what_an_autoscaler_scales_is_scaled_by_the_autoscaler() -> None:
    kube = scaled_by(with_revisions())
    change = await plan(kube, by=2)

    assert change.summary == "scale deployment/api.shop: 3 → 5 replicas, by its autoscaler: minReplicas 2 → 5"
    assert change.prior == {"replicas": 3, "minReplicas": 2}
    assert (change.write["replicas"], change.write["of"]) == (5, "HorizontalPodAutoscaler")
    applied = await apply(kube, change.write)
    assert kube.objects[HPA]["spec"] == hpa(5, 10)["spec"]
    assert kube.objects[HPA]["metadata"]["annotations"] == {RUN_ANNOTATION: KEY}
    assert kube.objects[DEPLOYMENT] == with_revisions().objects[DEPLOYMENT]
    assert applied.seen == {"minReplicas": 5}
    tests = [operation for operation in kube.written[0][1] if operation["op"] == "test"]
    assert {"op": "test", "path": "/spec/minReplicas", "value": 2} in tests
    assert {"op": "test", "path": "/metadata/uid", "value": "hpa-1"} in tests


async def test_its_maximum_is_raised_only_where_that_is_said() -> None:
    kube = scaled_by(with_revisions(), hpa(2, 4))

    assert (await plan(kube, by=2)).write["sets"] == {"minReplicas": 4}
    with pytest.raises(Refused, match=r"^5 replicas are too many: maxReplicas of its autoscaler is 4, without raise_m"):
        await plan(kube, to=5)
    with pytest.raises(Refused, match=r"^it has 3 replicas already, and maxReplicas of its autoscaler is 3"):
        await plan(scaled_by(with_revisions(), hpa(2, 3)), by=2)
    change = await plan(kube, to=5, raise_max=True)
    assert change.write["sets"] == {"minReplicas": 5, "maxReplicas": 5}
    await apply(kube, change.write)
    assert kube.objects[HPA]["spec"] == hpa(5, 5)["spec"]
    with pytest.raises(Refused, match=r"and max is 3$"):
        await plan(scaled_by(with_revisions(), hpa(2, 3)), by=2, raise_max=True, max=3)


async def test_a_minimum_that_was_left_out_is_one() -> None:
    thing = hpa()
    del thing["spec"]["minReplicas"]
    kube = scaled_by(with_revisions(), thing)
    change = await plan(kube, by=1)
    await apply(kube, change.write)

    assert change.prior["minReplicas"] == 1
    assert kube.objects[HPA]["spec"]["minReplicas"] == 4


@pytest.mark.parametrize(
    ("thing", "params", "why"),
    [
        (hpa(5), {"by": 1}, "deployment/api.shop is to have 5 replicas at least already, says its autoscaler"),
        (hpa(), {"to": 3}, "deployment/api.shop has 3 replicas already"),
        (hpa(), {"to": 1}, "deployment/api.shop has 3 replicas already, 1 are wanted"),
    ],
)
async def test_an_autoscaler_that_wants_the_same_is_left_alone(thing: Json, params: dict[str, Any], why: str) -> None:
    change = await plan(scaled_by(with_revisions(), thing), **params)

    assert (change.needed, change.summary) == (False, why)


OWNED = [{"kind": "ScaledObject", "name": "api-keda", "controller": True, "uid": "1"}]


@pytest.mark.parametrize(
    ("thing", "params", "why"),
    [
        (hpa(ownerReferences=OWNED), {"by": 1}, "KEDA keeps its autoscaler (ScaledObject api-keda), and would take"),
        (hpa(labels={"scaledobject.keda.sh/name": "api"}), {"by": 1}, "KEDA keeps its autoscaler (ScaledObject api)"),
        (
            hpa(annotations={"paramedic/mode": "off"}),
            {"by": 1},
            "its autoscaler: its annotation paramedic/mode says of",
        ),
        (
            hpa(labels={"argocd.argoproj.io/instance": "shop"}),
            {"by": 1},
            "its autoscaler: it is kept by Argo CD (shop): what we change there would be taken back",
        ),
        (hpa(deletionTimestamp="2026-05-12T09:00:00Z"), {"by": 1}, "its autoscaler: it is being deleted since 2026"),
        (hpa(), {"to": 1, "down": True}, "an autoscaler scales it, and decides itself when fewer will do"),
    ],
)
async def test_an_autoscaler_that_must_not_be_touched_is_refused(thing: Json, params: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused) as error:
        await plan(scaled_by(with_revisions(), thing), **params)

    assert str(error.value).startswith(why)


async def test_the_autoscaler_of_another_workload_is_not_asked() -> None:
    other = hpa()
    other["spec"]["scaleTargetRef"]["name"] = "web"

    assert (await plan(scaled_by(with_revisions(), other), by=1)).write["of"] == "Deployment"


async def test_an_autoscaler_that_somebody_changed_meanwhile_is_not_overwritten() -> None:
    kube = scaled_by(with_revisions())
    change = await plan(kube, by=2)
    kube.put(HPAS, hpa(4))
    with pytest.raises(Changed):
        await apply(kube, change.write)


async def test_a_workload_whose_people_opt_out_meanwhile_is_not_scaled_by_its_autoscaler_either() -> None:
    kube = scaled_by(with_revisions())
    change = await plan(kube, by=2)
    kube.put(DEPLOYMENTS, workload(annotations={"paramedic/mode": "off"}))
    with pytest.raises(Changed, match="its annotation paramedic/mode has changed since it was planned"):
        await apply(kube, change.write)

    assert kube.written == []


@pytest.mark.parametrize(
    ("modes", "most"),
    [((None, None), None), (("approve", None), Mode.APPROVE), (("auto", "shadow"), Mode.SHADOW)],
)
async def test_the_lower_of_both_annotations_holds(modes: tuple[str | None, str | None], most: Mode | None) -> None:
    own, its = ({"paramedic/mode": mode} if mode else {} for mode in modes)
    kube = scaled_by(with_revisions(thing=workload(annotations=own)), hpa(annotations=its))

    assert (await plan(kube, by=1)).most is most


async def test_a_temporary_change_says_how_long_it_lasts_and_is_taken_back_by_comparing() -> None:
    kube = with_revisions()
    change = await plan(kube, by=2, **{"for": "30m"})
    await apply(kube, change.write)

    assert change.lasts == 1800.0
    assert change.summary == "scale deployment/api.shop: 3 → 5 replicas, for 30m"
    assert await observe(kube, change.undo, f"{KEY}/expire") is False
    back = await apply(kube, change.undo, f"{KEY}/expire")
    assert back.summary == "deployment api in shop is back at replicas 3"
    assert kube.objects[DEPLOYMENT]["spec"]["replicas"] == 3
    assert kube.objects[DEPLOYMENT]["metadata"]["annotations"] == {RUN_ANNOTATION: f"{KEY}/expire"}
    assert await observe(kube, change.undo, f"{KEY}/expire") is True
    assert {"op": "test", "path": "/spec/replicas", "value": 5} in kube.written[-1][1]


async def test_both_numbers_of_an_autoscaler_are_taken_back() -> None:
    kube = scaled_by(with_revisions(), hpa(2, 4))
    change = await plan(kube, to=6, raise_max=True, **{"for": "1h"})
    await apply(kube, change.write)
    await apply(kube, change.undo, f"{KEY}/expire")

    assert kube.objects[HPA]["spec"] == hpa(2, 4)["spec"]


@pytest.mark.parametrize(
    ("managed", "who"),
    [
        ([("kubectl-edit", "2026-05-12T09:20:00Z", "f:replicas")], ": kubectl-edit at 2026-05-12T09:20:00Z"),
        (
            [
                ("kubectl-edit", "2026-05-12T09:20:00Z", "f:replicas"),
                ("argocd", "2026-05-12T09:30:00Z", "f:template"),
                ("paramedic", "2026-05-12T09:40:00Z", "f:replicas"),
            ],
            ": kubectl-edit at 2026-05-12T09:20:00Z",
        ),
        ([("helm\n", "2026-05-12T09:30:00Z", "f:template")], ": helm at 2026-05-12T09:30:00Z"),
        ([("kubectl", "", "f:replicas")], ": kubectl"),
        ([], ""),
    ],
)
async def test_a_number_that_somebody_has_set_since_stays_and_its_setter_is_named(
    managed: list[tuple[str, str, str]], who: str
) -> None:
    kube = with_revisions()
    change = await plan(kube, by=2, **{"for": "30m"})
    await apply(kube, change.write)
    thing = kube.objects[DEPLOYMENT]
    thing["spec"]["replicas"] = 8
    thing["metadata"]["managedFields"] = [
        {"manager": manager, "time": time, "fieldsV1": {"f:spec": {field: {}}}} for manager, time, field in managed
    ]
    with pytest.raises(Changed) as error:
        await apply(kube, change.undo, f"{KEY}/expire")

    assert str(error.value) == f"replicas of deployment api in shop is 8 by now, and not the 5 that we set{who}"
    assert len(kube.written) == 1


def settle(kube: FakeKube) -> None:
    """The controller has seen the last change."""
    thing = kube.objects[DEPLOYMENT]
    thing["status"]["observedGeneration"] = thing["metadata"]["generation"]


async def test_a_number_on_top_of_ours_by_another_incident_of_ours_is_not_left_for_ever() -> None:
    """3 → 5 by one, 5 → 8 by another: nobody else would look for the two that are left when the other takes back."""
    kube = with_revisions()
    first = await plan(kube, by=2, **{"for": "30m"})
    await apply(kube, first.write)
    settle(kube)
    second = await plan(kube, by=3, **{"for": "40m"})
    await apply(kube, second.write, "INC-13/1/1/1")
    with pytest.raises(Permanent, match=r"is 8 by now, and not the 5 that we set: by our own INC-13/1/1/1") as error:
        await apply(kube, first.undo, f"{KEY}/expire")
    assert not isinstance(error.value, Changed)

    await apply(kube, second.undo, "INC-13/1/1/1/expire")
    await apply(kube, first.undo, f"{KEY}/expire")
    assert kube.objects[DEPLOYMENT]["spec"]["replicas"] == 3


async def test_a_number_that_somebody_has_set_on_top_of_both_is_theirs() -> None:
    kube = with_revisions()
    first = await plan(kube, by=2, **{"for": "30m"})
    await apply(kube, first.write)
    settle(kube)
    await apply(kube, (await plan(kube, by=1)).write, "INC-13/1/1/1")
    thing = kube.objects[DEPLOYMENT]
    thing["spec"]["replicas"] = 9
    thing["metadata"]["managedFields"] = [{"manager": "kubectl", "fieldsV1": {"f:spec": {"f:replicas": {}}}}]
    with pytest.raises(Changed, match=r": kubectl$"):
        await apply(kube, first.undo, f"{KEY}/expire")


async def test_what_is_back_already_or_gone_needs_nothing() -> None:
    kube = with_revisions()
    change = await plan(kube, by=2, **{"for": "30m"})
    await apply(kube, change.write)
    kube.objects[DEPLOYMENT]["spec"]["replicas"] = 3
    assert await observe(kube, change.undo, f"{KEY}/expire") is True
    assert (await apply(kube, change.undo, f"{KEY}/expire")).summary.endswith("is back at replicas 3 already")
    kube.put(DEPLOYMENTS, workload(uid="another", replicas=5))
    assert await observe(kube, change.undo, f"{KEY}/expire") is True
    assert "replaced by another object" in (await apply(kube, change.undo, f"{KEY}/expire")).summary
    del kube.objects[DEPLOYMENT]
    assert await observe(kube, change.undo, f"{KEY}/expire") is True
    assert (await apply(kube, change.undo, f"{KEY}/expire")).summary.endswith("is gone, and our change with it")
    assert len(kube.written) == 1


async def test_a_lost_answer_of_taking_back_is_found_by_looking() -> None:
    kube = with_revisions()
    change = await plan(kube, by=2, **{"for": "30m"})
    await apply(kube, change.write)
    kube.lost = UnknownOutcome("no answer")
    with pytest.raises(UnknownOutcome):
        await apply(kube, change.undo, f"{KEY}/expire")
    kube.lost = None

    assert await observe(kube, change.undo, f"{KEY}/expire") is True
    await apply(kube, change.undo, f"{KEY}/expire")
    assert len(kube.written) == 2


async def test_a_cluster_that_does_not_answer_is_temporary() -> None:
    for what in ("get deployments", "list horizontalpodautoscalers", "list pods", "list resourcequotas"):
        kube = with_revisions()
        kube.fails[what] = Temporary("not reached")
        with pytest.raises(Temporary):
            await plan(kube, by=1)


def test_the_server_compares() -> None:
    assert ACTION.once(ACTION.validated({"max": 20, "by": 1}), RESOURCES) is Once.CAS
