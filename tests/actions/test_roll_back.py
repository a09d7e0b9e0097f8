"""Action `roll_back`: to the version before, whatever its number; back again once; and each reason not to."""

from copy import deepcopy

import pytest

from paramedic.actions.roll_back import RollBack
from paramedic.cluster.port import Json
from paramedic.cluster.resources import Place
from paramedic.cluster.revisions import fingerprint, plain
from paramedic.cluster.writes import RUN
from paramedic.core.words import Mode, Once
from paramedic.errors import Changed, Fault, Permanent, Refused, Temporary, UnknownOutcome
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
    controller_revision,
    daemon_set,
    deployment,
    metadata,
    noted,
    pod,
    replica_set,
    stateful_set,
    status,
    template,
)
from tests.cluster.shelf import Shelf
from tests.contract.plugin_scene import RESOURCES

ACTION = RollBack()
EIGHT, NINE, TEN = "2026-05-12T08:00:00Z", "2026-05-12T09:00:00Z", "2026-05-12T10:00:00Z"
OLD, BAD = template("api:41"), template("api:42")
KINDS = pytest.mark.parametrize("found", [deployment(), stateful_set(), daemon_set()], ids=lambda one: one["kind"])


def released(found: Json, *templates: Json) -> Shelf:
    """A workload that had these templates one after the other; the last is the present one."""
    kube = Shelf()
    found = deepcopy(found)
    found["spec"]["template"] = templates[-1] if templates else found["spec"]["template"]
    kube.hold(found)
    for number, one in enumerate(templates, 1):
        created = f"2026-05-12T{number:02}:00:00Z"
        if found["kind"] == "Deployment":
            kube.hold(replica_set(number, one, created, uid=found["metadata"]["uid"]))
        else:
            kube.hold(controller_revision(f"api-{number}", number, one, created, found))
    return kube


def present(kube: Shelf, found: Json) -> tuple[Place, Json]:
    return next((place, one) for place, one in kube.objects.items() if place.resource.kind == found["kind"])


@KINDS
async def test_it_writes_the_template_of_before(found: Json) -> None:
    kube = released(found, template("api:40"), OLD, BAD)
    change = await plan(ACTION, kube, at(found))
    applied = await apply(ACTION, kube, at(found), change.write)

    short = f"{found['kind'].lower()}/api.shop"
    assert change.summary == f"roll back {short}, image api:42 → api:41"
    assert (change.write["image"], change.write["revision"], change.prior) == ("api:41", "api-2", {"image": "api:42"})
    assert (applied.summary, applied.halted) == (f"{short} goes to api:41", "")
    _, after = present(kube, found)
    assert after["spec"]["template"] == OLD
    assert after["spec"].get("replicas") == found["spec"].get("replicas")
    assert after["metadata"]["annotations"] == found["metadata"]["annotations"] | {
        RUN: KEY,
        "paramedic/rolled-back-from": "image=api:42;incident=INC-12",
    }


async def test_a_plan_reads_twice_and_only_its_own_revisions() -> None:
    found = deployment()
    kube = released(found, OLD, BAD)
    await plan(ACTION, kube, at(found))

    assert [(what, place.resource.plural, *more) for what, place, *more in kube.asked] == [
        ("get", "deployments"),
        ("list", "replicasets", "app=api", ""),
    ]


@pytest.mark.parametrize(
    "bent",
    [
        status(deployment(), updatedReplicas=1, replicas=4),
        condition(deployment(), "Progressing", "False", "ProgressDeadlineExceeded"),
        metadata(deployment(), generation=7),
        status(deployment(), availableReplicas=0),
        deployment(replicas=1),
        deployment(strategy={"type": "Recreate"}),
    ],
)
async def test_a_rollout_that_hangs_is_what_it_is_for(bent: Json) -> None:
    assert (await plan(ACTION, released(bent, OLD, BAD), at(bent))).write["image"] == "api:41"


@KINDS
async def test_after_a_restart_it_does_not_return_to_the_image_that_was_restarted(found: Json) -> None:
    """Restart, then roll back: a plain undo would only take the restart back."""
    restarted = template("api:42", restarted="2026-05-12T09:10:00Z")
    change = await plan(ACTION, released(found, OLD, BAD, restarted), at(found))

    assert change.write["image"] == "api:41"


async def test_fields_of_a_newer_api_come_along() -> None:
    old = deepcopy(OLD)
    old["spec"]["containers"][0]["fieldOfNextYear"] = {"deep": [1, 2]}
    kube = released(deployment(), old, BAD)
    await apply(ACTION, kube, at(deployment()), (await plan(ACTION, kube, at(deployment()))).write)

    assert present(kube, deployment())[1]["spec"]["template"] == old


async def test_the_controllers_hash_does_not_come_along() -> None:
    change = await plan(ACTION, released(deployment(), OLD, BAD), at(deployment()))
    [operation] = change.write["change"]

    assert operation["value"]["metadata"]["labels"] == {"app": "api"}


@KINDS
async def test_it_can_be_taken_back_once(found: Json) -> None:
    kube = released(found, OLD, BAD)
    change = await plan(ACTION, kube, at(found))
    await apply(ACTION, kube, at(found), change.write)
    for _ in range(3):
        await apply(ACTION, kube, at(found), change.undo, f"{KEY}/undo")

    _, after = present(kube, found)
    assert after["spec"]["template"] == BAD
    assert after["metadata"]["annotations"][RUN] == f"{KEY}/undo"
    assert len(kube.written) == 2
    assert change.undo is not None
    assert await ACTION.observe(change.undo, f"{KEY}/undo", at(found), tools_of(kube)) is True


async def test_what_somebody_put_there_since_is_not_taken_back() -> None:
    kube = released(deployment(), OLD, BAD)
    change = await plan(ACTION, kube, at(deployment()))
    await apply(ACTION, kube, at(deployment()), change.write)
    place, after = present(kube, deployment())
    kube.hold(metadata(after | {"spec": after["spec"] | {"template": template("api:43")}}, generation=9))
    with pytest.raises(Changed, match="left as it is"):
        await apply(ACTION, kube, at(deployment()), change.undo, f"{KEY}/undo")

    assert kube.objects[place]["spec"]["template"] == template("api:43")


async def test_planned_anew_after_a_person_did_it_it_does_not_go_further_back() -> None:
    """Between plan and apply somebody ran `kubectl rollout undo`: the numbers moved, and one more would be too much."""
    found = deployment()
    kube = released(found, template("api:40"), OLD, BAD)
    write = (await plan(ACTION, kube, at(found))).write
    kube.hold(metadata(found | {"spec": found["spec"] | {"template": OLD}}, generation=3))
    kube.hold(replica_set(4, OLD, "2026-05-12T02:00:00Z", name="api-2"))
    with pytest.raises(Changed):
        await apply(ACTION, kube, at(found), write)
    with pytest.raises(Refused, match="it was rolled back already: api:41"):
        await plan(ACTION, kube, at(found, attempt=2))

    assert kube.written == []


REFUSED: Cases = {
    **BOTH_REFUSE,
    "its annotation paramedic/rollback-safe says that an older version must not run any more": [
        (noted(deployment(), {"paramedic/rollback-safe": "false"}), "an older version must not run any more"),
        (deployment(template=template(**{"paramedic/rollback-safe": "false"})), "an older version must not run"),
    ],
    "there is no older revision with another template, or it keeps none (revisionHistoryLimit: 0)": [
        (deployment(), "no older revision"),
        (stateful_set(), "no older revision"),
        (deployment(revisionHistoryLimit=0), "revisionHistoryLimit is 0"),
    ],
}


@pytest.mark.parametrize(
    ("found", "reason"),
    [case for cases in REFUSED.values() for case in cases],
    ids=[f"{refusal[:40]}-{n}" for refusal, cases in REFUSED.items() for n, _ in enumerate(cases)],
)
async def test_refused(found: Json, reason: str) -> None:
    kube = released(found)
    with pytest.raises(Refused, match=reason):
        await plan(ACTION, kube, at(found))


async def test_refused_because_it_was_rolled_back_already() -> None:
    kube = released(deployment(), OLD, BAD)
    kube.hold(
        metadata(deployment(template=OLD), generation=3), replica_set(3, OLD, "2026-05-12T01:00:00Z", name="api-1")
    )
    with pytest.raises(Refused, match="it was rolled back already: api:41, which it has now, is older than api:42"):
        await plan(ACTION, kube, at(deployment()))


async def test_refused_because_the_images_are_the_same() -> None:
    """Another command, another limit: it may be meant, and then the playbook says so."""
    other = deepcopy(BAD)
    other["spec"]["containers"][0]["args"] = ["--fast"]
    kube = released(deployment(), other, BAD)
    with pytest.raises(Refused, match="api-1, the revision before, has the same image api:42: same_image would allow"):
        await plan(ACTION, kube, at(deployment()))

    assert (await plan(ACTION, kube, at(deployment()), same_image=True)).write["change"][0]["value"] == other


async def test_the_same_short_name_from_another_registry_is_another_image() -> None:
    other = deepcopy(BAD)
    other["spec"]["containers"][0]["image"] = "mirror.example/shop/api:42"

    assert (await plan(ACTION, released(deployment(), other, BAD), at(deployment()))).needed


async def test_refused_because_the_template_is_too_large_to_keep() -> None:
    huge = template("api:42", notes="x" * 140_000)
    with pytest.raises(Refused, match=r"^spec\.template: the present one and the one before have 14\d{4} bytes"):
        await plan(ACTION, released(deployment(), OLD, huge), at(deployment()))


@pytest.mark.parametrize(("target", "reason"), NO_WORKLOADS.items())
async def test_refused_because_it_is_no_workload_or_not_there(target: str, reason: str) -> None:
    with pytest.raises((Fault, Permanent), match=reason):
        await plan(ACTION, released(deployment(), OLD, BAD), elsewhere(at(deployment()), target))


def test_each_refusal_that_it_names_is_provoked_here() -> None:
    assert {
        *REFUSED,
        NO_WORKLOAD,
        "it was rolled back already: the present template is older than another one that was tried since",
        "the revision before has the same images, without same_image",
        "its pod template is larger than an incident keeps",
    } == set(RollBack.refuses)


async def test_another_object_under_the_same_name_is_not_written() -> None:
    found = deployment()
    kube = released(found, OLD, BAD)
    write = (await plan(ACTION, kube, at(found))).write
    kube.hold(metadata(found, uid="made-anew"))
    with pytest.raises(Changed, match="replaced by another object"):
        await apply(ACTION, kube, at(found), write)


async def test_revisions_that_cannot_be_read_are_no_plan() -> None:
    kube = released(deployment(), OLD, BAD)
    kube.fails["list"] = Temporary("429", delay=7)
    with pytest.raises(Temporary):
        await plan(ACTION, kube, at(deployment()))


async def test_a_conflict_that_carries_our_key_is_success() -> None:
    found = deployment()
    kube = released(found, OLD, BAD)
    write = (await plan(ACTION, kube, at(found))).write
    kube.lost = UnknownOutcome("reset by peer")
    with pytest.raises(UnknownOutcome):
        await apply(ACTION, kube, at(found), write)
    kube.lost = None

    assert (await apply(ACTION, kube, at(found), write)).summary == "deployment/api.shop goes to api:41"
    assert len(kube.written) == 1


async def test_a_stateful_set_gets_its_stuck_pod_replaced() -> None:
    """Going back alone would wait for the broken pod for ever."""
    found = status(stateful_set(), updateRevision="api-2", currentRevision="api-1", updatedReplicas=1)
    kube = released(found, OLD, BAD)
    place, owner = present(kube, found)
    kube.hold(*[pod(f"api-{n}", "api-1" if n < 2 else "api-2", owner, ready=n < 2) for n in range(3)])

    def looks(_: float) -> None:
        generation = kube.objects[place]["metadata"]["generation"]
        kube.objects[place] = status(kube.objects[place], observedGeneration=generation, updateRevision="api-1")

    kube.passing = looks
    change = await plan(ACTION, kube, at(found))
    applied = await apply(ACTION, kube, at(found), change.write)

    assert kube.deleted == ["api-2"]
    assert (applied.seen["replaced"], applied.halted) == (["api-2"], "")


async def test_a_refusal_before_the_pod_is_deleted_halts_it() -> None:
    found = status(stateful_set(), updateRevision="api-2")
    kube = released(found, OLD, BAD)
    place, owner = present(kube, found)
    kube.hold(pod("api-2", "api-2", owner, ready=False))
    change = await plan(ACTION, kube, at(found))
    kube.passing = lambda _: kube.hold(status(kube.objects[place], observedGeneration=9, updateRevision="api-1"))
    kube.meanwhile["delete"] = [Refused("the alert no longer fires, by the newest delivery")]
    applied = await apply(ACTION, kube, at(found), change.write)

    assert applied.halted == "a pod in the way was not replaced: the alert no longer fires, by the newest delivery"
    assert present(kube, found)[1]["spec"]["template"] == OLD


async def test_what_the_record_keeps_is_enough_to_repeat_it() -> None:
    change = await plan(ACTION, released(deployment(), OLD, BAD), at(deployment()))

    assert change.write["template"] == fingerprint(OLD)
    assert change.undo is not None
    assert (change.undo["still"], change.undo["template"], change.undo["image"]) == (
        fingerprint(OLD),
        fingerprint(BAD),
        "api:42",
    )
    assert change.undo["change"][0]["value"] == plain(BAD)
    assert len(change.digest) == 64


async def test_the_target_may_lower_the_mode() -> None:
    found = noted(deployment(), {"paramedic/mode": "approve"})

    assert (await plan(ACTION, released(found, OLD, BAD), at(found))).most is Mode.APPROVE


def test_what_it_says_about_itself() -> None:
    params = ACTION.Params.model_validate({})

    assert ACTION.once(params, RESOURCES) is Once.CAS
    assert ACTION.takes(params, RESOURCES) == 30.0


@pytest.mark.parametrize("bad", [{"settle": 0}, {"same_image": "perhaps"}, {"to": "api:41"}, {"revision": 3}])
def test_parameters_that_make_no_sense(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        ACTION.Params.model_validate(bad)
