"""Why a workload is not touched: each reason provoked, and nothing refused that is fine."""

import pytest

from paramedic.cluster.port import Json
from paramedic.cluster.refusals import (
    LARGEST_ANNOTATIONS,
    against_rollout,
    against_write,
    downtime,
    downtime_allowed,
    no_replicas,
    refuse,
    rollback_unsafe,
    workload_target,
)
from paramedic.errors import Fault, Refused
from tests.cluster.objects import Make, daemon_set, deployment, metadata, noted, stateful_set, template

KINDS = pytest.mark.parametrize("make", [deployment, stateful_set, daemon_set], ids=lambda make: make.__name__)
ROLLING = "RollingUpdate"


@KINDS
def test_a_workload_at_rest_may_be_changed(make: Make) -> None:
    assert against_rollout(make()) == ""
    assert no_replicas(make()) == ""
    assert downtime(make()) == ""
    assert rollback_unsafe(make()) == ""


@KINDS
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"deletionTimestamp": "2026-05-12T09:00:00Z"}, "it is being deleted since 2026-05-12T09:00:00Z"),
        ({"annotations": {"paramedic/mode": "off"}}, "its annotation paramedic/mode says off"),
        ({"annotations": {"paramedic/mode": "aus"}}, 'its annotation paramedic/mode is "aus", none of'),
        ({"labels": {"argocd.argoproj.io/instance": "shop"}}, "it is kept by Argo CD (shop): what we change there"),
        ({"annotations": {"a": "x" * LARGEST_ANNOTATIONS}}, "metadata.annotations: they have 262145 bytes, 262144 is"),
    ],
)
def test_against_any_write(make: Make, changes: Json, reason: str) -> None:
    bent = metadata(make(), **changes)

    assert against_write(bent).startswith(reason)
    assert against_rollout(bent) == against_write(bent)


def test_annotations_that_leave_room_for_ours() -> None:
    """The API counts the bytes of keys and values."""
    room = LARGEST_ANNOTATIONS - 1024

    assert against_write(metadata(deployment(), annotations={"a": "x" * (room - 1)})) == ""
    assert against_write(metadata(deployment(), annotations={"a": "x" * room})) != ""
    assert against_write(metadata(deployment(), annotations={"a": "\u00e9" * (room // 2)})) != ""
    assert against_write(metadata(deployment(), annotations=None)) == ""


@pytest.mark.parametrize("mode", ["shadow", "approve", "auto"])
def test_a_mode_that_only_lowers_is_no_refusal(mode: str) -> None:
    assert against_write(noted(deployment(), {"paramedic/mode": mode})) == ""


@pytest.mark.parametrize(
    ("bent", "reason"),
    [
        (deployment(paused=True), "its rollouts are paused (spec.paused)"),
        (stateful_set(updateStrategy={"type": "OnDelete"}), "its update strategy is OnDelete"),
        (daemon_set(updateStrategy={"type": "OnDelete"}), "its update strategy is OnDelete"),
        (
            stateful_set(updateStrategy={"type": ROLLING, "rollingUpdate": {"partition": 3}}),
            "its partition of 3 keeps every pod as it is",
        ),
    ],
)
def test_against_a_new_template(bent: Json, reason: str) -> None:
    assert against_write(bent) == ""
    assert against_rollout(bent).startswith(reason)


def test_a_partition_that_lets_some_pods_go_is_fine() -> None:
    assert against_rollout(stateful_set(updateStrategy={"type": ROLLING, "rollingUpdate": {"partition": 2}})) == ""


@KINDS
def test_no_pods(make: Make) -> None:
    assert no_replicas(make(replicas=0)) == "it has no pods to replace: none is wanted"


def unavailable(make: Make, value: object, replicas: int = 3) -> Json:
    field = "strategy" if make is deployment else "updateStrategy"
    bent: Json = make(
        replicas=replicas, **{field: {"type": ROLLING, "rollingUpdate": {"maxUnavailable": value, "maxSurge": 1}}}
    )
    return bent


@pytest.mark.parametrize(
    ("bent", "away"),
    [
        (deployment(replicas=1), True),
        (stateful_set(replicas=1), True),
        (daemon_set(replicas=1), True),
        (deployment(strategy={"type": "Recreate"}), True),
        (unavailable(deployment, 2), False),
        (unavailable(deployment, 3), True),
        (unavailable(deployment, "99%"), False),  # rounded down
        (unavailable(deployment, "100%"), True),
        (unavailable(daemon_set, "34%"), False),
        (unavailable(daemon_set, "67%"), True),  # rounded up
        (unavailable(stateful_set, "67%"), True),
        (unavailable(stateful_set, "66%"), False),
        (unavailable(deployment, "lots"), True),
        (unavailable(deployment, None), True),
        (deployment(replicas=0), False),
    ],
)
def test_whether_all_pods_would_be_away_at_once(bent: Json, away: bool) -> None:
    assert bool(downtime(bent)) is away


@pytest.mark.parametrize(
    ("said", "playbook", "allowed"),
    [
        (None, False, False),
        (None, True, True),
        ("true", False, True),
        ("true", True, True),
        ("false", True, False),
        ("yes", False, False),
        ("", True, False),
    ],
)
def test_the_target_has_the_last_word_on_downtime(said: str | None, playbook: bool, allowed: bool) -> None:
    bent = deployment() if said is None else noted(deployment(), {"paramedic/allow-downtime": said})

    assert downtime_allowed(bent, playbook) is allowed


@pytest.mark.parametrize(("said", "unsafe"), [("false", True), ("False", True), ("no", True), ("true", False)])
def test_an_older_version_may_be_out_of_the_question(said: str, unsafe: bool) -> None:
    """The mark may stand on the workload, or in the template that the release brought along."""
    release = deployment()
    release["spec"]["template"] = template(**{"paramedic/rollback-safe": said})

    assert bool(rollback_unsafe(noted(deployment(), {"paramedic/rollback-safe": said}))) is unsafe
    assert bool(rollback_unsafe(release)) is unsafe


@pytest.mark.parametrize(
    "target",
    [
        "main/shop/pod/api-1",
        "main/shop/service/api",
        "main/shop/hpa/api",
        "main/shop/replicaset/api",
        "main/shop/rollout/api",
        "main/shop/deployment/../x",
        "main/shop/deployment/",
        "main/shop/deployment/*",
        "main/shop/deployment/\u0430pi",
        "main//deployment/api",
        "shop/deployment/api",
        "main/shop/Deployment/api",
        "",
    ],
)
def test_what_is_no_workload_is_refused_with_the_field_named(target: str) -> None:
    with pytest.raises(Fault, match=r"^target: ") as caught:
        workload_target(target)

    assert str(caught.value).isascii()


def test_a_workload_of_the_wrong_kind() -> None:
    assert workload_target("main/shop/daemonset/api").short == "daemonset/api.shop"
    with pytest.raises(Fault, match="one of deployment, statefulset"):
        workload_target("main/shop/daemonset/api", "Deployment", "StatefulSet")


def test_the_first_reason_is_the_one_that_is_given() -> None:
    refuse(["", ""])
    with pytest.raises(Refused, match=r"^second$"):
        refuse(["", "second", "third"])
