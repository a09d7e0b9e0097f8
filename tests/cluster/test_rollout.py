"""How far a rollout is: kubectl's rules, and the cases that kubectl gets wrong."""

import pytest

from paramedic.cluster.port import Json
from paramedic.cluster.rollout import condition as condition_of
from paramedic.cluster.rollout import progress, rolling, strategy_of, wanted_of
from tests.cluster.objects import Make, condition, daemon_set, deployment, metadata, stateful_set, status

KINDS = pytest.mark.parametrize("make", [deployment, stateful_set, daemon_set], ids=lambda make: make.__name__)
STALLED = condition(deployment(), "Progressing", "False", "ProgressDeadlineExceeded")


@KINDS
def test_all_pods_new_and_available_is_complete(make: Make) -> None:
    now = progress(make())

    assert (now.state, now.ready, now.wanted, now.updated) == ("complete", 3, 3, 3)
    assert now.reason == "3 of 3 pods available, all of the newest template"
    assert rolling(make()) == ""


@KINDS
def test_a_change_that_the_controller_has_not_seen_proves_nothing(make: Make) -> None:
    """Right after a write the status still praises the rollout before."""
    unseen = metadata(make(), generation=3)

    assert progress(unseen).state == "progressing"
    assert "has not seen" in progress(unseen).reason
    assert "has not seen" in rolling(unseen)


@KINDS
def test_an_object_without_a_status_is_progressing(make: Make) -> None:
    new = make() | {"status": {}}

    assert (progress(new).state, progress(new).ready) == ("progressing", 0)


@pytest.mark.parametrize(
    ("bent", "reason"),
    [
        (status(deployment(), updatedReplicas=1), "1 of 3 pods updated"),
        (status(deployment(paused=True), updatedReplicas=1), "1 of 3 pods updated, and it is paused"),
        (status(deployment(), replicas=4), "1 old pod still to end"),
        (status(deployment(), replicas=5), "2 old pods still to end"),
        (status(deployment(), availableReplicas=2), "2 of 3 pods available"),
        (status(deployment(), availableReplicas=None), "0 of 3 pods available"),
        (condition(deployment(), "Available", "False", "MinimumReplicasUnavailable"), "not available: MinimumRepl"),
        (
            condition(status(deployment(), updatedReplicas=1), "ReplicaFailure", "True", "FailedCreate"),
            "1 of 3 pods updated; pods cannot be made: FailedCreate",
        ),
    ],
)
def test_a_deployment_on_its_way(bent: Json, reason: str) -> None:
    now = progress(bent)

    assert now.state == "progressing"
    assert now.reason.startswith(reason)


def test_a_deployment_whose_deadline_has_passed_has_failed() -> None:
    now = progress(status(STALLED, updatedReplicas=1, availableReplicas=2))

    assert now.state == "failed"
    assert now.reason == "its rollout made no progress for 600s: 1 of 3 pods updated, 2 available"
    assert rolling(STALLED).startswith("its rollout made no progress")


@pytest.mark.parametrize(
    ("wrote", "state"), [("2026-05-12T09:04:00Z", "complete"), ("2026-05-12T09:03:59Z", "failed"), (None, "failed")]
)
def test_a_stall_from_before_our_last_write_is_not_ours(wrote: str | None, state: str) -> None:
    """Going back to an old ReplicaSet leaves the condition as it was, until something moves."""
    others = [{"manager": "kubectl", "time": "2026-05-12T10:00:00Z"}]
    ours = [{"manager": "paramedic", "time": wrote}] if wrote else []

    assert progress(metadata(STALLED, managedFields=others + ours)).state == state


def test_pods_that_died_later_are_no_rollout() -> None:
    """A crashed service is what a restart is for: its Deployment stays progressed in its conditions."""
    crashed = status(deployment(), availableReplicas=0, readyReplicas=0)

    assert progress(crashed).state == "progressing"
    assert rolling(crashed) == ""
    assert rolling(status(stateful_set(), availableReplicas=0, readyReplicas=0)) == ""
    assert rolling(status(daemon_set(), numberAvailable=0)) == ""


@pytest.mark.parametrize(
    "bent",
    [
        status(deployment(), replicas=4),
        condition(deployment(), "Progressing", "True", "ReplicaSetUpdated"),
        condition(deployment(), "Progressing", "True", "NewReplicaSetCreated"),
        status(deployment(), conditions=[], updatedReplicas=2),
        status(stateful_set(), updatedReplicas=2),
        status(stateful_set(), updateRevision="api-c"),
        status(daemon_set(), updatedNumberScheduled=2),
    ],
)
def test_a_rollout_under_way_is_seen(bent: Json) -> None:
    assert rolling(bent) != ""


def test_a_deployment_without_a_deadline_has_no_condition_to_go_by() -> None:
    assert rolling(status(deployment(), conditions=[])) == ""


@pytest.mark.parametrize(
    ("bent", "reason"),
    [
        (status(stateful_set(), observedGeneration=0), "its controller has not seen"),
        (status(stateful_set(), updatedReplicas=2), "2 of 3 pods updated"),
        (status(stateful_set(), availableReplicas=2), "2 of 3 pods available"),
        (status(stateful_set(), availableReplicas=None, readyReplicas=1), "1 of 3 pods available"),
        (status(stateful_set(), updateRevision="api-c"), "revision api-c is not yet the one in use"),
        (
            status(stateful_set(updateStrategy={"type": "OnDelete"}), updatedReplicas=1),
            "1 of 3 pods updated; OnDelete replaces a pod only when",
        ),
    ],
)
def test_a_stateful_set_on_its_way(bent: Json, reason: str) -> None:
    now = progress(bent)

    assert (now.state, now.reason[: len(reason)]) == ("progressing", reason)


def test_ready_old_pods_do_not_make_a_stateful_set_complete() -> None:
    """kubectl's trap: all pods are ready, because the rollout has not begun to replace any."""
    reverted = status(stateful_set(), updatedReplicas=2, currentRevision="api-a", updateRevision="api-a")

    assert progress(reverted).state == "progressing"


def test_a_partition_is_kept_to_and_makes_no_revision_current() -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    canary = status(stateful_set(updateStrategy=strategy), updatedReplicas=1, updateRevision="api-c")

    assert progress(canary).state == "complete"
    waiting = progress(status(canary, updatedReplicas=None))
    assert waiting.reason == "0 of 1 pods updated (2 are kept by the partition)"


@pytest.mark.parametrize(
    ("bent", "reason"),
    [
        (status(daemon_set(), updatedNumberScheduled=2), "2 of 3 pods updated"),
        (status(daemon_set(), numberAvailable=1), "1 of 3 pods available"),
    ],
)
def test_a_daemon_set_on_its_way(bent: Json, reason: str) -> None:
    assert (progress(bent).state, progress(bent).reason) == ("progressing", reason)


def test_what_is_wanted_and_how_it_is_updated() -> None:
    bare = deployment()
    del bare["spec"]["replicas"]

    assert [wanted_of(each) for each in (bare, deployment(replicas=0), daemon_set(replicas=5))] == [1, 0, 5]
    assert strategy_of(bare) == ("RollingUpdate", {})
    assert strategy_of(deployment(strategy={"type": "Recreate"})) == ("Recreate", {})
    assert strategy_of(stateful_set(updateStrategy={"rollingUpdate": {"partition": 1}})) == (
        "RollingUpdate",
        {"partition": 1},
    )
    assert condition_of(STALLED, "Progressing") == ("False", "ProgressDeadlineExceeded")
    assert condition_of(daemon_set(), "Progressing") == ("", "")


def test_nothing_wanted_is_complete() -> None:
    assert progress(deployment(replicas=0)).state == "complete"
