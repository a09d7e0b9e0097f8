"""Action `restart`: the run's own moment in the template, once; and each reason not to restart."""

from datetime import UTC, datetime, timedelta

import pytest

from paramedic.actions.restart import Restart
from paramedic.cluster.port import Json
from paramedic.cluster.revisions import RESTARTED, fingerprint
from paramedic.cluster.writes import RUN
from paramedic.core.words import Mode, Once
from paramedic.errors import Changed, Fault, Permanent, Refused, UnknownOutcome
from tests.actions.workloads import (
    BOTH_REFUSE,
    KEY,
    NO_WORKLOAD,
    NO_WORKLOADS,
    Cases,
    apply,
    at,
    elsewhere,
    plan,
    tools_of,
)
from tests.cluster.objects import (
    condition,
    daemon_set,
    deployment,
    metadata,
    noted,
    pod,
    stateful_set,
    status,
    template,
)
from tests.cluster.shelf import Shelf
from tests.contract.plugin_scene import RESOURCES

ACTION = Restart()
MOMENT = "2026-05-12T09:13:58Z"
EVERY_KIND = pytest.mark.parametrize("found", [deployment(), stateful_set(), daemon_set()], ids=lambda one: one["kind"])


def holding(found: Json) -> Shelf:
    kube = Shelf()
    kube.hold(found)
    return kube


@EVERY_KIND
async def test_it_writes_the_runs_own_moment_into_the_template(found: Json) -> None:
    kube = holding(found)
    change = await plan(ACTION, kube, at(found))
    applied = await apply(ACTION, kube, at(found), change.write)

    assert change.summary == f"restart {found['kind'].lower()}/api.shop, 3 pods"
    assert (change.write["restarted_at"], change.prior, change.undo) == (MOMENT, {"restarted_at": ""}, None)
    [after] = kube.objects.values()
    assert after["spec"]["template"]["metadata"]["annotations"] == {RESTARTED: MOMENT}
    assert fingerprint(after["spec"]["template"]) == change.write["template"] == fingerprint(template())
    assert after["metadata"]["annotations"][RUN] == KEY
    assert applied.summary == f"{found['kind'].lower()}/api.shop restarts its pods"
    assert (applied.seen, applied.halted) == ({"generation": 3}, "")


async def test_an_earlier_restart_is_kept_as_what_was_there() -> None:
    found = deployment(template=template(restarted="2026-05-01T00:00:00Z"))
    change = await plan(ACTION, holding(found), at(found))

    assert change.prior == {"restarted_at": "2026-05-01T00:00:00Z"}


async def test_the_moment_is_in_utc_and_does_not_come_from_the_clock() -> None:
    berlin = datetime(2026, 5, 12, 11, 13, 58, 999_999, tzinfo=UTC) - timedelta(hours=2)
    found = deployment()
    kube = holding(found)
    changes = [await plan(ACTION, kube, at(found, started_at=berlin)) for _ in range(2)]

    assert changes[0] == changes[1]
    assert changes[0].write["restarted_at"] == MOMENT


async def test_a_repeated_write_is_none() -> None:
    found = deployment()
    kube = holding(found)
    write = (await plan(ACTION, kube, at(found))).write
    for _ in range(3):
        await apply(ACTION, kube, at(found), write)

    assert len(kube.written) == 1


async def test_what_this_run_restarted_already_needs_no_restart() -> None:
    """Planned anew after a conflict: the rollout that is under way is our own."""
    found = status(deployment(template=template(restarted=MOMENT)), updatedReplicas=1)
    change = await plan(ACTION, holding(found), at(found))

    assert (change.needed, change.summary) == (False, "deployment/api.shop was restarted by this run already")


async def test_a_plan_reads_once_and_lets_others_share_the_answer() -> None:
    found = deployment()
    kube = holding(found)
    await plan(ACTION, kube, at(found))

    assert [what for what, *_ in kube.asked] == ["get"]


async def test_a_crashed_service_can_be_restarted() -> None:
    crashed = status(deployment(), readyReplicas=0, availableReplicas=0)

    assert (await plan(ACTION, holding(crashed), at(crashed))).needed


REFUSED: Cases = {
    **BOTH_REFUSE,
    "no pod is wanted": [(deployment(replicas=0), "none is wanted"), (daemon_set(replicas=0), "none is wanted")],
    "a rollout is under way, or has stalled": [
        (status(deployment(), replicas=4, updatedReplicas=1), "a rollout is under way: 1 of 3 pods updated"),
        (metadata(deployment(), generation=9), "its controller has not seen the last change yet"),
        (
            condition(deployment(), "Progressing", "False", "ProgressDeadlineExceeded"),
            "its rollout made no progress for 600s",
        ),
        (status(stateful_set(), updatedReplicas=2), "2 of 3 pods updated"),
        (status(daemon_set(), updatedNumberScheduled=1), "1 of 3 pods updated"),
    ],
    "it has a single pod, its strategy is Recreate or maxUnavailable covers all pods, without allow_downtime": [
        (
            deployment(replicas=1),
            "it has a single pod, so replacing it is an outage; allow_downtime, or the annotation",
        ),
        (deployment(strategy={"type": "Recreate"}), "its strategy is Recreate"),
        (
            deployment(strategy={"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%"}}),
            "maxUnavailable lets all 3 pods be away at once",
        ),
    ],
}


@pytest.mark.parametrize(
    ("found", "reason"),
    [case for cases in REFUSED.values() for case in cases],
    ids=[f"{refusal[:40]}-{n}" for refusal, cases in REFUSED.items() for n, _ in enumerate(cases)],
)
async def test_refused(found: Json, reason: str) -> None:
    kube = holding(found)
    with pytest.raises(Refused, match=reason):
        await plan(ACTION, kube, at(found))

    assert [what for what, *_ in kube.asked] == ["get"]


@pytest.mark.parametrize(("target", "reason"), NO_WORKLOADS.items())
async def test_refused_because_it_is_no_workload_or_not_there(target: str, reason: str) -> None:
    with pytest.raises((Fault, Permanent), match=reason):
        await plan(ACTION, holding(deployment()), elsewhere(at(deployment()), target))


def test_each_refusal_that_it_names_is_provoked_here() -> None:
    assert {*REFUSED, NO_WORKLOAD} == set(Restart.refuses)


@pytest.mark.parametrize("found", [case[0] for case in list(REFUSED.values())[-1]])
async def test_downtime_can_be_allowed(found: Json) -> None:
    assert (await plan(ACTION, holding(found), at(found), allow_downtime=True)).needed
    allowing = noted(found, {"paramedic/allow-downtime": "true"})
    assert (await plan(ACTION, holding(allowing), at(found))).needed
    forbidding = noted(found, {"paramedic/allow-downtime": "false"})
    with pytest.raises(Refused, match="allow-downtime"):
        await plan(ACTION, holding(forbidding), at(found), allow_downtime=True)


@pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.APPROVE, Mode.AUTO])
async def test_the_target_may_lower_the_mode(mode: Mode) -> None:
    found = noted(deployment(), {"paramedic/mode": str(mode)})

    assert (await plan(ACTION, holding(found), at(found))).most is mode


async def test_an_edit_between_plan_and_apply_is_not_written_over() -> None:
    found = deployment()
    kube = holding(found)
    write = (await plan(ACTION, kube, at(found))).write
    kube.hold(metadata(found, generation=3))
    with pytest.raises(Changed):
        await apply(ACTION, kube, at(found), write)

    assert kube.written == []


async def test_planned_anew_it_does_not_believe_what_others_have_read() -> None:
    found = deployment()
    kube = holding(found)
    await plan(ACTION, kube, at(found))
    await plan(ACTION, kube, at(found, attempt=2))

    assert kube.ages == [1.0, 0.0]


async def test_after_a_lost_answer_the_target_tells() -> None:
    found = deployment()
    kube = holding(found)
    write = (await plan(ACTION, kube, at(found))).write
    assert await ACTION.observe(write, KEY, at(found), tools_of(kube)) is False
    kube.lost = UnknownOutcome("no answer within 10s")
    with pytest.raises(UnknownOutcome):
        await apply(ACTION, kube, at(found), write)

    assert await ACTION.observe(write, KEY, at(found), tools_of(kube)) is True


async def test_a_stateful_set_whose_pod_hangs_gets_it_replaced() -> None:
    """Its controller would wait for that pod for ever, instead of restarting it."""
    found = status(stateful_set(), readyReplicas=2, availableReplicas=2)
    place = Shelf().hold(found)

    def seen_by_its_controller(_: float) -> None:
        generation = kube.objects[place]["metadata"]["generation"]
        kube.hold(status(kube.objects[place], observedGeneration=generation, updateRevision="api-c"))

    kube = Shelf(passing=seen_by_its_controller)
    kube.hold(found, *[pod(f"api-{n}", "api-b", found, ready=n != 1) for n in range(3)])
    write = (await plan(ACTION, kube, at(found))).write
    applied = await apply(ACTION, kube, at(found), write)

    assert kube.deleted == ["api-1"]
    assert (applied.seen, applied.halted) == ({"generation": 3, "replaced": ["api-1"]}, "")


def test_what_it_says_about_itself() -> None:
    params = ACTION.Params.model_validate({"settle": "40s"})

    assert ACTION.once(params, RESOURCES) is Once.CAS
    assert ACTION.takes(params, RESOURCES) == 60.0
    assert ACTION.mutates(params)


@pytest.mark.parametrize("bad", [{"settle": "0s"}, {"settle": "301s"}, {"allow_downtime": "perhaps"}, {"target": "x"}])
def test_parameters_that_make_no_sense(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        ACTION.Params.model_validate(bad)
