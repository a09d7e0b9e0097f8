"""Guard `owned`: nobody else keeps the target, and nobody else sets its replicas where that matters."""

import pytest

from paramedic.cluster.port import Json
from paramedic.core.model import Verdict
from paramedic.core.words import Answer
from paramedic.errors import Fault, Missing, Permanent, Temporary
from paramedic.guards.owned import Owned
from tests.actions.workloads import at, elsewhere, tools_of
from tests.cluster.objects import daemon_set, deployment, hpa, metadata, owned_by, stateful_set
from tests.cluster.shelf import Shelf


async def judge(
    kube: Shelf, found: Json, *, scaled: bool = False, fields: tuple[str, ...] = (), target: str = ""
) -> Verdict:
    guard = Owned()
    scene = elsewhere(at(found), target) if target else at(found)
    return await guard.judge(
        guard.Params.model_validate({"hpa": scaled, "fields": list(fields)}), scene, tools_of(kube)
    )


def holding(found: Json, *others: Json) -> Shelf:
    kube = Shelf()
    kube.hold(found, *others)
    return kube


@pytest.mark.parametrize("found", [deployment(), stateful_set(), daemon_set()], ids=lambda one: one["kind"])
async def test_nobody_elses_is_allowed(found: Json) -> None:
    kube = holding(found)
    verdict = await judge(kube, found)

    assert (verdict.name, verdict.answer, verdict.claims) == ("owned", Answer.ALLOW, ())
    assert verdict.reason == f"nobody else keeps {found['kind'].lower()}/api.shop"
    assert verdict.seen == {"owner": ""}
    assert ([what for what, *_ in kube.asked], kube.ages) == (["get"], [1.0])


@pytest.mark.parametrize(
    ("changes", "owner"),
    [
        ({"labels": {"argocd.argoproj.io/instance": "shop"}}, "Argo CD (shop)"),
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}}, "Flux (apps)"),
        ({"ownerReferences": owned_by("u", "Kafka", "events")}, "Kafka/events, which controls it"),
    ],
)
async def test_what_somebody_keeps_is_denied_with_their_name(changes: Json, owner: str) -> None:
    found = metadata(deployment(), **changes)
    verdict = await judge(holding(found, hpa()), found, scaled=True)

    assert (verdict.answer, verdict.reason) == (Answer.DENY, f"deployment/api.shop is kept by {owner}")
    assert verdict.seen == {"owner": owner}


async def test_an_autoscaler_counts_where_it_is_asked_about() -> None:
    kube = holding(deployment(), hpa("front"))

    assert (await judge(kube, deployment())).answer is Answer.ALLOW
    verdict = await judge(kube, deployment(), scaled=True)
    assert (verdict.answer, verdict.seen) == (Answer.DENY, {"owner": "", "hpa": "front"})
    assert verdict.reason == "the replicas of deployment/api.shop are set by the HPA front"


async def test_kedas_autoscaler_says_whose_it_is() -> None:
    scaler = hpa("keda-hpa-api", ownerReferences=owned_by("u", "ScaledObject", "api"))
    verdict = await judge(holding(deployment(), scaler), deployment(), scaled=True)

    assert verdict.reason.endswith("set by the HPA keda-hpa-api, kept by ScaledObject/api, which controls it")


async def test_kedas_label_on_an_autoscaler_tells_too() -> None:
    scaler = hpa("keda-hpa-api", labels={"scaledobject.keda.sh/name": "api"})
    verdict = await judge(holding(deployment(), scaler), deployment(), scaled=True)

    assert verdict.reason.endswith("set by the HPA keda-hpa-api, kept by KEDA (ScaledObject api)")


async def test_whoever_applies_a_field_that_is_asked_about_owns_it() -> None:
    applied = {"manager": "kustomize-controller", "operation": "Apply", "fieldsV1": {"f:spec": {"f:template": {}}}}
    found = metadata(deployment(), managedFields=[applied])

    assert (await judge(holding(found), found)).answer is Answer.ALLOW
    assert (await judge(holding(found), found, fields=("replicas",))).answer is Answer.ALLOW
    verdict = await judge(holding(found), found, fields=("replicas", "template"))
    assert verdict.answer is Answer.DENY
    assert verdict.reason == "kustomize-controller applies the template of deployment/api.shop"
    assert verdict.seen == {"owner": "", "manager": "kustomize-controller", "field": "template"}


async def test_other_autoscalers_are_none_of_its() -> None:
    verdict = await judge(holding(deployment(), hpa(of="web")), deployment(), scaled=True)

    assert (verdict.answer, verdict.seen) == (Answer.ALLOW, {"owner": "", "hpa": ""})
    assert verdict.reason == "nobody else keeps deployment/api.shop or sets its replicas"


async def test_an_owners_name_cannot_fake_lines_of_a_timeline() -> None:
    found = metadata(deployment(), labels={"argocd.argoproj.io/instance": "x\n02:14:07  resolved"})

    assert (await judge(holding(found), found)).reason.isprintable()


@pytest.mark.parametrize("error", [Temporary("429"), Permanent("list horizontalpodautoscalers is not allowed")])
@pytest.mark.parametrize("call", ["get", "list"])
async def test_what_cannot_be_read_allows_nothing(call: str, error: Exception) -> None:
    """The engine makes an error or unknown of it, and both deny."""
    kube = holding(deployment())
    kube.fails[call] = error
    with pytest.raises(type(error)):
        await judge(kube, deployment(), scaled=True)


async def test_what_is_not_there_or_no_workload_allows_nothing() -> None:
    with pytest.raises(Missing):
        await judge(Shelf(), deployment())
    with pytest.raises(Fault, match=r"^target: "):
        await judge(Shelf(), deployment(), target="main/shop/pod/api-1")


@pytest.mark.parametrize("wrong", [{"hpa": "perhaps"}, {"fields": ["status"]}, {"fields": "template"}], ids=str)
def test_parameters_that_make_no_sense(wrong: Json) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Owned.Params.model_validate(wrong)
