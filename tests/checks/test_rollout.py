"""Check `rollout`: complete, on its way, failed for good, or no longer what we wrote; with whoever changed it named."""

from typing import Any

import pytest

from paramedic.checks.rollout import Rollout
from paramedic.cluster.port import Json
from paramedic.cluster.revisions import fingerprint
from paramedic.core.model import Change, StepRecord, Verdict
from paramedic.core.words import Answer
from paramedic.errors import Permanent, Temporary
from paramedic.plugin import Seen
from tests.actions.workloads import at, elsewhere, tools_of
from tests.cluster.objects import condition, daemon_set, deployment, hpa, metadata, stateful_set, status, template
from tests.cluster.shelf import Shelf

STALLED = condition(deployment(), "Progressing", "False", "ProgressDeadlineExceeded")
SOMEBODY = [
    {"manager": "paramedic", "time": "2026-05-12T09:14:00Z"},
    {"manager": "kubectl-set", "time": "2026-05-12T09:15:00Z"},
]
OURS = {"uid": "deployment-api", "generation": 1}


def after(write: Json, outcome: str = "done", **run: Any) -> Seen:
    """The scene after a step that wrote this."""
    done = StepRecord(step=0, attempt=1, outcome=outcome)
    return at(deployment(), change=Change("x", write), steps=(done,), **run)


async def ask(kube: Shelf, scene: Seen) -> Verdict:
    check = Rollout()
    return await check.ask(check.Params.model_validate({}), scene, tools_of(kube))


async def verdict(found: Json, scene: Seen | None = None) -> Verdict:
    kube = Shelf()
    kube.hold(found)
    return await ask(kube, scene or at(found))


@pytest.mark.parametrize("found", [deployment(), stateful_set(), daemon_set()], ids=lambda one: one["kind"])
async def test_it_passes_when_all_is_new_and_up(found: Json) -> None:
    passed = await verdict(found)

    assert (passed.answer, passed.name) == (Answer.PASS, "rollout")
    assert passed.seen == {"state": "complete", "ready": 3, "wanted": 3, "updated": 3}
    assert passed.reason == "3 of 3 pods available, all of the newest template"


@pytest.mark.parametrize(
    ("bent", "reason", "again"),
    [
        (status(deployment(), updatedReplicas=1, replicas=4), "1 of 3 pods updated", None),
        (status(deployment(), updatedReplicas=0, replicas=3), "0 of 3 pods updated", 1.0),
        (status(stateful_set(), updateRevision="api-c"), "revision api-c is not yet the one in use", None),
    ],
)
async def test_on_its_way_it_is_asked_again(bent: Json, reason: str, again: float | None) -> None:
    waiting = await verdict(bent)

    assert (waiting.answer, waiting.reason, waiting.again, waiting.final) == (Answer.FAIL, reason, again, False)


async def test_a_stalled_rollout_fails_at_once() -> None:
    failed = await verdict(STALLED)

    assert (failed.answer, failed.final, failed.seen["state"]) == (Answer.FAIL, True, "failed")
    assert failed.reason.startswith("its rollout made no progress for 600s")


@pytest.mark.parametrize(
    ("write", "found", "reason"),
    [
        (
            {"template": fingerprint(template("api:41"))},
            deployment(template=template("api:43")),
            "it has another template by now (api:43), which is not what we wrote: kubectl-set at 2026-05-12T09:15:00Z",
        ),
        (
            {"restarted_at": "2026-05-12T09:13:58Z"},
            deployment(template=template(restarted="2026-05-12T09:14:30Z")),
            "it was restarted anew by somebody (2026-05-12T09:14:30Z), which is not what we wrote: kubectl-set",
        ),
        ({"restarted_at": "2026-05-12T09:13:58Z"}, deployment(), "it was restarted anew by somebody (None), which is"),
        ({"sets": {"replicas": 5}}, deployment(replicas=4), "replicas is 4 by now instead of 5, which is not what we"),
        ({"uid": "another"}, deployment(), "it was replaced by another object of the same name since our write"),
    ],
)
async def test_what_somebody_changed_since_is_not_our_success(write: Json, found: Json, reason: str) -> None:
    """All pods are up, and yet not as we set them: pre-empted."""
    failed = await verdict(metadata(found, managedFields=SOMEBODY), after(OURS | write))

    assert (failed.answer, failed.final, failed.seen["state"]) == (Answer.FAIL, True, "complete")
    assert failed.reason.startswith(reason)


@pytest.mark.parametrize(
    ("write", "found"),
    [
        (
            {"template": fingerprint(template("api:41"))},
            deployment(template=template("api:41", **{"kubectl.kubernetes.io/restartedAt": "later"})),
        ),
        ({"restarted_at": "2026-05-12T09:13:58Z"}, deployment(template=template(restarted="2026-05-12T09:13:58Z"))),
        ({"sets": {"replicas": 5}}, deployment(replicas=5)),
        ({"template": fingerprint(template("api:42"))}, deployment(replicas=9)),
    ],
    ids=["restarted since", "restarted", "scaled", "scaled by somebody since the rollback"],
)
async def test_what_is_still_as_we_wrote_it_passes(write: Json, found: Json) -> None:
    assert (await verdict(found, after(OURS | write))).answer is Answer.PASS


@pytest.mark.parametrize(
    "scene",
    [
        after(OURS | {"sets": {"replicas": 5}}, "unneeded"),
        after({"endpoint": "hook", "sets": {"replicas": 5}}),
        after(OURS | {"sets": {"replicas": 5}}, step=1),
        at(deployment()),
    ],
    ids=["nothing was written", "written elsewhere", "of an earlier step", "no step at all"],
)
async def test_without_a_write_of_this_step_only_the_rollout_counts(scene: Seen) -> None:
    assert (await verdict(deployment(), scene)).answer is Answer.PASS


async def test_an_answer_from_before_our_write_is_not_believed() -> None:
    """Many ask and read once a second: what was read before we wrote shows a finished rollout, of the old template."""
    kube = Shelf()
    kube.hold(deployment(template=template("api:42")))
    fresh = status(deployment(template=template("api:41")), updatedReplicas=1)
    kube.meanwhile["get"] = [lambda: None, lambda: kube.hold(fresh)]
    waiting = await ask(kube, after(OURS | {"template": fingerprint(template("api:41"))}))

    assert (waiting.answer, waiting.final, waiting.reason) == (Answer.FAIL, False, "1 of 3 pods updated")
    assert kube.ages == [1.0, 0.0]


async def test_one_read_is_enough_as_a_rule() -> None:
    kube = Shelf()
    kube.hold(deployment(replicas=5))
    await ask(kube, after(OURS | {"sets": {"replicas": 5}}))

    assert kube.ages == [1.0]


def through_hpa(replicas: int, least: int) -> Shelf:
    kube = Shelf()
    scaler = hpa()
    scaler["spec"]["minReplicas"] = least
    kube.hold(deployment(replicas=replicas), scaler)
    return kube


SCALED = {"uid": "hpa-api", "of": "HorizontalPodAutoscaler", "name": "api", "sets": {"minReplicas": 5}, "replicas": 5}


@pytest.mark.parametrize(
    ("replicas", "least", "answer", "reason"),
    [
        (3, 5, Answer.FAIL, "its autoscaler is told to have 5 replicas and has set 3 so far"),
        (5, 5, Answer.PASS, "5 of 5 pods available"),
        (8, 5, Answer.PASS, "8 of 8 pods available"),
        (5, 2, Answer.FAIL, "minReplicas is 2 by now instead of 5, which is not what we wrote"),
    ],
)
async def test_after_scaling_through_an_autoscaler(replicas: int, least: int, answer: Answer, reason: str) -> None:
    came = await ask(through_hpa(replicas, least), after(SCALED))

    assert (came.answer, came.reason[: len(reason)]) == (answer, reason)
    assert came.final is (least == 2)


async def test_an_autoscaler_that_is_gone_is_unknown() -> None:
    kube = through_hpa(5, 5)
    assert (await ask(kube, after(SCALED | {"name": "other"}))).answer is Answer.UNKNOWN


async def test_a_target_that_is_gone_is_unknown() -> None:
    gone = await ask(Shelf(), at(deployment()))

    assert (gone.answer, gone.reason) == (Answer.UNKNOWN, "deployment api in shop does not exist")


@pytest.mark.parametrize(
    "error", [Temporary("the API server is away"), Permanent("get deployments.apps is not allowed")]
)
async def test_what_cannot_be_read_is_unknown(error: Exception) -> None:
    kube = Shelf(fails={"get": error})
    asked = await ask(kube, at(deployment()))

    assert (asked.answer, asked.reason) == (Answer.UNKNOWN, str(error))


@pytest.mark.parametrize("target", ["main/shop/pod/api-1", "main/shop/job/x", "api", "main/shop/deployment/\n"])
async def test_a_target_that_rolls_nothing_out_is_unknown(target: str) -> None:
    asked = await ask(Shelf(), elsewhere(at(deployment()), target))

    assert (asked.answer, asked.reason.startswith("target: ")) == (Answer.UNKNOWN, True)


def test_it_takes_no_parameters() -> None:
    with pytest.raises(ValueError, match="validation error"):
        Rollout.Params.model_validate({"within": "5m"})
