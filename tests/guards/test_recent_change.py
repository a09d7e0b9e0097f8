"""`recent_change`: a change right before the alert speaks for going back, one after it or none at all against it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from paramedic.cluster.port import Json
from paramedic.cluster.resources import CONTROLLER_REVISIONS, DAEMON_SETS, STATEFUL_SETS
from paramedic.core.model import Exemplar, Firing, Verdict
from paramedic.core.words import Answer
from paramedic.errors import Missing, Permanent, Temporary, UnknownOutcome
from paramedic.guards.recent_change import RecentChange
from paramedic.plugin import Deployed, Tools
from tests.contract.fake_kube import (
    FakeKube,
    controller_revision,
    replica_set,
    template,
    with_revisions,
    workload,
)
from tests.contract.plugin_scene import NOW, RUN, Wire, ago, seen

API = "main/shop/deployment/api"
BEGAN = ago(240)  # the alert began four minutes ago
RESTARTED = "kubectl.kubernetes.io/restartedAt"
ALERT = Exemplar("a1", {"alertname": "HighErrorRate"}, {}, BEGAN)


@dataclass
class Log:
    """Reported changes, and what was asked for."""

    changes: list[Deployed] = field(default_factory=list)
    asked: list[tuple[str, str, datetime]] = field(default_factory=list)
    raises: Exception | None = None

    async def since(self, target: str, service: str, moment: datetime) -> Sequence[Deployed]:
        self.asked.append((target, service, moment))
        if self.raises is not None:
            raise self.raises
        return [one for one in self.changes if one.at >= moment]


def at(seconds_before_alert: float) -> str:
    """A moment so long before the alert began, as the API writes it."""
    return (BEGAN - timedelta(seconds=seconds_before_alert)).strftime("%Y-%m-%dT%H:%M:%SZ")


async def judge(
    kube: FakeKube, log: Log | None = None, target: str = API, firing: Firing | None = None, **params: Any
) -> Verdict:
    guard = RecentChange()
    run = msgspec.structs.replace(RUN, target=target)
    told = Firing(open=1, total=1, since=ago(230), seen_at=NOW)
    scene = seen(told if firing is None else firing, run=run, alert=ALERT)
    tools = Tools(http=Wire(), kube=kube, changes=log or Log())
    return await guard.judge(guard.Params.model_validate({"within": "1h", **params}), scene, tools)


def released(before: float, *, thing: Json | None = None) -> FakeKube:
    """api:41 long ago, api:42 so long before the alert."""
    return with_revisions(replica_set(1, at(30 * 86400), "api:41"), replica_set(2, at(before), "api:42"), thing=thing)


async def test_a_release_right_before_the_alert_allows_and_says_what_changed() -> None:
    verdict = await judge(released(60))

    assert (verdict.answer, verdict.reason) == (Answer.ALLOW, "change 5m ago: api:41 → api:42")
    assert verdict.seen == {
        "alert_began": BEGAN.isoformat(),
        "change": {"at": (BEGAN - timedelta(seconds=60)).isoformat(), "from": "api:41", "to": "api:42"},
    }


@pytest.mark.parametrize(
    ("before", "answer", "reason"),
    [
        (3600, Answer.ALLOW, "change 1h4m ago: api:41 → api:42"),
        (3601, Answer.DENY, "no change within 1h before the alert; the last was 1h4m ago: api:41 → api:42"),
        (0, Answer.ALLOW, "change 4m ago: api:41 → api:42"),
        (-60, Answer.ALLOW, "change 3m ago: api:41 → api:42"),
        (-61, Answer.DENY, "changed 2m59s ago, after the alert began: api:41 → api:42"),
    ],
)
async def test_its_edges(before: float, answer: Answer, reason: str) -> None:
    verdict = await judge(released(before))

    assert (verdict.answer, verdict.reason) == (answer, reason)


async def test_the_slack_is_a_parameter() -> None:
    assert (await judge(released(-100), slack="2m")).answer is Answer.ALLOW
    assert (await judge(released(-1), slack="0")).answer is Answer.DENY


async def test_a_restart_is_no_change() -> None:
    """Ours or kubectl's: the same template with another moment in it is the same release, as old as it is."""
    kube = with_revisions(
        replica_set(1, at(30 * 86400), "api:41"),
        replica_set(2, at(7200), "api:42"),
        replica_set(3, at(30), "api:42", annotations={RESTARTED: at(30)}),
        thing=restarted(),
    )

    verdict = await judge(kube)

    assert verdict.answer is Answer.DENY
    assert verdict.reason == "no change within 1h before the alert; the last was 2h4m ago: api:41 → api:42"


def restarted() -> Json:
    """The workload after a restart."""
    thing = workload()
    thing["spec"]["template"] = template("api:42", annotations={RESTARTED: at(30)})
    return thing


async def test_another_template_with_the_same_image_is_a_change() -> None:
    thing = workload()
    thing["spec"]["template"] = template("api:42", terminationGracePeriodSeconds=5)
    kube = with_revisions(
        replica_set(1, at(86400), "api:42"),
        replica_set(2, at(60), "api:42", terminationGracePeriodSeconds=5),
        thing=thing,
    )

    assert (await judge(kube)).reason == "change 5m ago: api:42 with another template"


async def test_the_first_release_is_a_change_with_nothing_before_it() -> None:
    verdict = await judge(with_revisions(replica_set(1, at(60), "api:42")))

    assert (verdict.answer, verdict.reason) == (Answer.ALLOW, "change 5m ago: api:42, the first that is kept")


async def test_revisions_of_somebody_else_do_not_count() -> None:
    """Another Deployment with the same labels, or an object of the same name that was there before."""
    strange = replica_set(9, at(10), "api:99")
    strange["metadata"]["ownerReferences"][0]["uid"] = "another"
    kube = with_revisions(replica_set(2, at(7200), "api:42"), strange)

    assert (await judge(kube)).answer is Answer.DENY


def managed(*times: tuple[str, Json]) -> list[Json]:
    return [{"manager": "kubectl-rollout", "operation": "Update", "time": time, "fieldsV1": f} for time, f in times]


TEMPLATE: Json = {"f:spec": {"f:template": {"f:spec": {}}}}
REPLICAS: Json = {"f:spec": {"f:replicas": {}}}


@pytest.mark.parametrize(("before", "answer"), [(300, Answer.ALLOW), (7200, Answer.DENY), (-90, Answer.DENY)])
async def test_going_back_to_an_older_release_is_a_change_of_its_own_moment(before: float, answer: Answer) -> None:
    """The ReplicaSet that somebody went back to is as old as ever: who set the template last, and when, is recorded."""
    fields = managed((at(before), TEMPLATE), (at(0), REPLICAS), ("nonsense", TEMPLATE))
    kube = with_revisions(
        replica_set(3, at(86400), "api:41"),
        replica_set(2, at(10000), "api:42"),
        thing=workload("api:41", managedFields=fields),
    )

    verdict = await judge(kube)

    assert verdict.answer is answer
    assert "api:42 → api:41 (an older one)" in verdict.reason


@pytest.mark.parametrize("absent", [False, True])
async def test_a_change_that_nobody_dated_is_unknown(absent: bool) -> None:
    """Neither its objects nor its fields say when it came into force, or its controller has not seen it yet."""
    went_back = with_revisions(
        replica_set(3, at(86400), "api:41"), replica_set(2, at(60), "api:42"), thing=workload("api:41")
    )
    unseen = with_revisions(replica_set(3, at(86400), "api:41"), thing=workload("api:43"))

    for kube, image in ((went_back, "api:41"), (unseen, "api:43")):
        verdict = await judge(kube, absent=absent)
        assert (verdict.answer, verdict.reason) == (Answer.UNKNOWN, f"it changed to {image}, and nothing tells when")


@pytest.mark.parametrize(("resource", "kind"), [(STATEFUL_SETS, "statefulset"), (DAEMON_SETS, "daemonset")])
async def test_the_other_kinds_keep_their_revisions_elsewhere(resource: Any, kind: str) -> None:
    kube = FakeKube()
    kube.put(resource, workload())
    kube = with_more(kube, controller_revision(1, at(86400), "api:41"), controller_revision(2, at(60), "api:42"))

    assert (await judge(kube, target=f"main/shop/{kind}/api")).reason == "change 5m ago: api:41 → api:42"


def with_more(kube: FakeKube, *revisions: Json) -> FakeKube:
    for one in revisions:
        kube.put(CONTROLLER_REVISIONS, one)
    return kube


REPORTED = Deployed(BEGAN - timedelta(seconds=120), API, "", "api:42", "https://ci.example/7", "ci")


async def test_a_reported_change_counts_where_the_objects_tell_of_none() -> None:
    log = Log([REPORTED])
    verdict = await judge(released(86400), log)

    assert verdict.answer is Answer.ALLOW
    assert verdict.reason == "change 6m ago: this workload to api:42, reported by ci"
    assert verdict.seen["reported"] == [
        {
            "at": REPORTED.at.isoformat(),
            "of": API,
            "version": "api:42",
            "url": "https://ci.example/7",
            "by": "ci",
        }
    ]
    assert log.asked == [(API, "", BEGAN - timedelta(hours=1))]


async def test_a_report_after_the_alert_neither_allows_nor_denies() -> None:
    """CI often reports when it is done, minutes after what it did: only the objects say that somebody is repairing."""
    late = Deployed(BEGAN + timedelta(seconds=120), API, "", "api:42")

    assert (await judge(released(60), Log([late]))).answer is Answer.ALLOW
    assert (await judge(released(86400), Log([late]))).answer is Answer.DENY


async def test_a_service_is_asked_for_by_its_name_also_for_what_is_no_workload() -> None:
    log = Log([Deployed(BEGAN, "", "checkout", "v7", by="ci")])
    verdict = await judge(FakeKube(), log, target="hook/123", service="checkout")

    assert (verdict.answer, verdict.reason) == (Answer.ALLOW, "change 4m ago: checkout to v7, reported by ci")
    assert log.asked[0][:2] == ("hook/123", "checkout")


async def test_what_is_no_workload_and_no_service_is_unknown() -> None:
    for target in ("hook/123", "main/shop/pod/api-1", "main/shop/deployment/../x"):
        verdict = await judge(FakeKube(), target=target)
        assert verdict.answer is Answer.UNKNOWN
        assert verdict.reason == f"{target} is no workload, and no service is named whose changes count"


@pytest.mark.parametrize(
    ("fails", "error"),
    [
        ("get deployments", Missing("deployment api in shop does not exist")),
        ("get deployments", Temporary("not reached")),
        ("list replicasets", Permanent("not allowed: list replicasets.apps in shop")),
        ("list replicasets", UnknownOutcome("no answer")),
    ],
)
async def test_what_cannot_be_read_is_unknown_whatever_was_reported(fails: str, error: Exception) -> None:
    kube = released(60)
    kube.fails[fails] = error
    verdict = await judge(kube, Log([REPORTED]))

    assert (verdict.answer, verdict.reason) == (Answer.UNKNOWN, f"what changed cannot be read: {error}")


async def test_reports_that_cannot_be_read_are_unknown() -> None:
    assert (await judge(released(60), Log(raises=Temporary("the database is away")))).answer is Answer.UNKNOWN


async def test_a_selector_of_everything_is_unknown() -> None:
    thing = workload()
    thing["spec"]["selector"] = {}

    assert (await judge(released(60, thing=thing))).answer is Answer.UNKNOWN


class TestAbsent:
    """Before a restart: a release right before the alert means going back instead."""

    @pytest.mark.parametrize(
        ("before", "answer"),
        [(60, Answer.DENY), (3600, Answer.DENY), (3601, Answer.ALLOW), (-30, Answer.DENY), (-200, Answer.DENY)],
    )
    async def test_a_change_before_the_alert_or_since_denies(self, before: float, answer: Answer) -> None:
        assert (await judge(released(before), absent=True)).answer is answer

    async def test_its_reasons(self) -> None:
        denied, allowed = await judge(released(60), absent=True), await judge(released(86400), absent=True)

        assert denied.reason == "change 5m ago: api:41 → api:42"
        assert allowed.reason == "no change within 1h before the alert; the last was 1d ago: api:41 → api:42"

    async def test_a_reported_change_denies_too(self) -> None:
        assert (await judge(released(86400), Log([REPORTED]), absent=True)).answer is Answer.DENY
        late = Deployed(BEGAN + timedelta(seconds=200), API, "", "api:42")
        assert (await judge(released(86400), Log([late]), absent=True)).answer is Answer.DENY

    async def test_a_change_long_after_a_long_firing_alert_began_is_no_recent_one(self) -> None:
        guard = RecentChange()
        alert = msgspec.structs.replace(ALERT, starts_at=ago(10 * 86400))
        kube = with_revisions(
            replica_set(1, ago(30 * 86400).isoformat(), "api:41"), replica_set(2, ago(5 * 86400).isoformat(), "api:42")
        )
        tools = Tools(http=Wire(), kube=kube, changes=Log())
        params = guard.Params.model_validate({"within": "1h", "absent": True})

        assert (await guard.judge(params, seen(alert=alert), tools)).answer is Answer.ALLOW


async def test_the_alert_began_when_it_says_unless_that_is_still_to_come() -> None:
    guard, kube = RecentChange(), released(60)
    tools = Tools(http=Wire(), kube=kube, changes=Log())
    params = guard.Params.model_validate({"within": "1h"})
    began = {
        name: (await guard.judge(params, scene, tools)).seen["alert_began"]
        for name, scene in {
            "said": seen(Firing(open=1, since=ago(200)), alert=ALERT),
            "to come": seen(Firing(open=1, since=ago(200)), alert=msgspec.structs.replace(ALERT, starts_at=ago(-9999))),
            "not said": seen(Firing(open=1, since=ago(200))),
            "unknown": seen(Firing(open=1)),
        }.items()
    }

    assert began == {
        "said": BEGAN.isoformat(),
        "to come": ago(200).isoformat(),
        "not said": ago(200).isoformat(),
        "unknown": RUN.started_at.isoformat(),
    }


@pytest.mark.parametrize("params", [{"within": "0"}, {"within": "8d"}, {"slack": "2h"}, {"service": "x" * 201}])
def test_its_bounds(params: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"within|slack|service"):
        RecentChange.Params.model_validate({"within": "1h", **params})
