"""Who else keeps a workload, and what its people say about us, by what it carries."""

import pytest

from paramedic.cluster.ownership import annotation, applied_by, last_writer, mode_of, mode_said, owner_of, scaler_of
from paramedic.core.words import Mode
from tests.cluster.objects import daemon_set, deployment, hpa, metadata, noted, owned_by


@pytest.mark.parametrize(
    ("labels", "annotations", "owner"),
    [
        ({}, {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/api"}, "Argo CD (shop)"),
        ({"argocd.argoproj.io/instance": "shop"}, {}, "Argo CD (shop)"),
        ({"kustomize.toolkit.fluxcd.io/name": "apps"}, {}, "Flux (apps)"),
        ({"helm.toolkit.fluxcd.io/name": "apps"}, {}, "Flux (apps)"),
        ({}, {"argo-rollouts.argoproj.io/managed-by-rollouts": "api"}, "Argo Rollouts (api)"),
        ({}, {"configsync.gke.io/resource-id": "apps_deployment_shop_api"}, "Config Sync (apps_deployment_shop_api)"),
        ({}, {"objectset.rio.cattle.io/id": "default-shop"}, "Fleet (default-shop)"),
        ({"olm.owner": "etcdoperator.v1"}, {}, "the Operator Lifecycle Manager (etcdoperator.v1)"),
        ({"addonmanager.kubernetes.io/mode": "Reconcile"}, {}, "the cluster's add-on manager"),
        ({"addonmanager.kubernetes.io/mode": "EnsureExists"}, {}, ""),
        ({"app.kubernetes.io/managed-by": "Helm"}, {"meta.helm.sh/release-name": "shop"}, ""),
        ({"app.kubernetes.io/instance": "shop"}, {}, ""),
        ({}, {}, ""),
    ],
)
def test_tools_that_keep_what_they_deploy(labels: dict[str, str], annotations: dict[str, str], owner: str) -> None:
    assert owner_of(metadata(deployment(), labels=labels, annotations=annotations)) == owner


@pytest.mark.parametrize(("kind", "name"), [("Prometheus", "main"), ("Rollout", "api"), ("Canary", "api")])
def test_whoever_controls_it_owns_it(kind: str, name: str) -> None:
    """Operators, Argo Rollouts and Flagger all leave their reference."""
    controlled = metadata(deployment(), ownerReferences=owned_by("u1", kind, name))

    assert owner_of(controlled) == f"{kind}/{name}, which controls it"


def test_a_reference_without_control_is_no_owner() -> None:
    references = [{"kind": "ConfigMap", "name": "x", "uid": "u1"}, {"kind": "Y", "name": "y", "controller": False}]

    assert owner_of(metadata(deployment(), ownerReferences=references)) == ""


def test_flux_can_be_told_to_leave_it() -> None:
    left = metadata(deployment(), labels={"kustomize.toolkit.fluxcd.io/name": "apps"})

    assert owner_of(left) == "Flux (apps)"
    assert owner_of(noted(left, {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"})) == ""


def test_an_owners_name_is_made_safe_to_print() -> None:
    owner = owner_of(metadata(deployment(), labels={"argocd.argoproj.io/instance": "\x1b[31m" + "x" * 900}))

    assert owner.isprintable()
    assert len(owner) <= 160


@pytest.mark.parametrize("mode", [Mode.OFF, Mode.SHADOW, Mode.APPROVE, Mode.AUTO])
def test_a_target_may_say_how_much_may_be_done(mode: Mode) -> None:
    said = noted(deployment(), {"paramedic/mode": str(mode)})

    assert mode_of(said) is mode
    assert mode_said(said) == f"its annotation paramedic/mode says {mode}"


@pytest.mark.parametrize("said", ["", "Off", "atuo", "freeze", "auto ", "\uff41uto", "off\n"])
def test_what_is_no_mode_counts_as_off_and_says_so(said: str) -> None:
    """A typing error must not let us act on what somebody meant to keep from us."""
    bent = noted(deployment(), {"paramedic/mode": said})

    assert mode_of(bent) is Mode.OFF
    assert mode_said(bent).endswith("none of off, shadow, approve, auto: that counts as off")
    assert mode_said(bent).isprintable()


def test_saying_nothing_leaves_the_mode_as_it_is() -> None:
    bare = metadata(deployment(), annotations=None)

    assert (mode_of(bare), mode_said(bare), annotation(bare, "paramedic/mode")) == (None, "", None)


def test_the_autoscaler_of_a_workload() -> None:
    ours = hpa("mine")
    others = [hpa("a", of="apis"), hpa("b", kind="StatefulSet"), hpa("c", api="example.org/v1")]

    assert scaler_of(deployment(), [*others, ours]) is ours
    assert scaler_of(deployment(), others) is None
    assert scaler_of(daemon_set(), [ours]) is None


def test_an_autoscaler_may_name_an_older_version_of_the_api_or_none() -> None:
    for api in ("apps/v1beta2", ""):
        assert scaler_of(deployment(), [hpa(api=api)]) is not None


def field(manager: str, name: str, operation: str = "Apply") -> dict[str, object]:
    return {"manager": manager, "operation": operation, "fieldsV1": {"f:spec": {f"f:{name}": {}}}}


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        ([], ("", "")),
        ([field("kustomize-controller", "replicas")], ("kustomize-controller", "replicas")),
        ([field("kubectl-edit", "replicas", "Update")], ("", "")),
        ([field("paramedic", "replicas")], ("", "")),
        ([field("kustomize-controller", "selector")], ("", "")),
        ([field("", "template"), field("other", "replicas")], ("somebody", "template")),
        ([{}, {"operation": "Apply", "manager": "x", "fieldsV1": None}], ("", "")),
        (
            [field("x\n02:14:07  resolved" + "y" * 900, "template")],
            ("x 02:14:07 resolved" + "y" * 60 + "…", "template"),
        ),
    ],
)
def test_who_applies_a_field_comes_back_to_it(entries: list[dict[str, object]], found: tuple[str, str]) -> None:
    """Whoever only created or edited the object does not, and we are nobody else."""
    assert applied_by(metadata(deployment(), managedFields=entries), ("replicas", "template")) == found
    assert applied_by(metadata(deployment(), managedFields=entries), ()) == ("", "")


def test_who_wrote_after_us() -> None:
    entries = [
        {"manager": "helm", "time": "2026-05-12T08:00:00Z"},
        {"manager": "paramedic", "time": "2026-05-12T09:14:00Z"},
        {"manager": "kube-controller-manager", "subresource": "status", "time": "2026-05-12T09:16:00Z"},
    ]
    edited = {"manager": "kubectl-edit", "time": "2026-05-12T09:15:00Z"}
    scaled = {"manager": "kube-controller-manager", "subresource": "scale", "time": "2026-05-12T09:15:30Z"}

    assert last_writer(metadata(deployment(), managedFields=entries)) == ""
    assert (
        last_writer(metadata(deployment(), managedFields=[*entries, edited])) == "kubectl-edit at 2026-05-12T09:15:00Z"
    )
    assert last_writer(metadata(deployment(), managedFields=[scaled, *entries, edited])).startswith("kube-controller")
    assert last_writer(deployment()) == ""
    assert last_writer(metadata(deployment(), managedFields=[{}])) == "somebody at an unknown time"
