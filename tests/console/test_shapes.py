"""The shapes people see follow from the stored state, and ids are read as people write them."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from paramedic.console.models import RunView
from paramedic.console.shapes import catalog_of, detail_of, incident_number, line_of, run_number, run_of, runs_of
from paramedic.core.model import Change, Temporary, Verdict
from paramedic.core.words import Answer, Outcome, Phase, Severity, Stage
from paramedic.errors import Fault
from tests.console.seed import NOW, an_incident, approval, past, run
from tests.console.serving import Catalog


@pytest.mark.parametrize(
    ("text", "number"), [("12", 12), ("INC-12", 12), ("inc-12", 12), ("0", 0), ("9" * 18, 10**18 - 1)]
)
def test_ids_of_incidents(text: str, number: int) -> None:
    assert incident_number(text) == number


@pytest.mark.parametrize(
    "text", ["", "INC-", "x", "12.1", "-1", "1e3", " 12", "12 ", "INC-INC-12", "9" * 19, "¹²", "١٢", "0x1", "12;--"]
)
def test_what_is_no_id_of_an_incident_is_said(text: str) -> None:
    with pytest.raises(Fault, match="is not the id of an incident; write INC-12 or 12"):
        incident_number(text)


@pytest.mark.parametrize(("text", "ids"), [("12.1", (12, 1)), ("INC-12.3", (12, 3)), ("inc-1.10", (1, 10))])
def test_ids_of_runs(text: str, ids: tuple[int, int]) -> None:
    assert run_number(text) == ids


@pytest.mark.parametrize("text", ["", "12", "INC-12", "12.", ".1", "12.x", "12.1.1", "12.-1", "1." + "9" * 30])
def test_what_is_no_id_of_a_run_is_said(text: str) -> None:
    with pytest.raises(Fault, match="is not the id of"):
        run_number(text)


def test_a_hostile_id_is_quoted_in_the_message() -> None:
    with pytest.raises(Fault) as caught:
        incident_number("\x1b[31m\u202e" * 100)

    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_a_line_of_the_list() -> None:
    line = line_of(an_incident(5, severity=Severity.P1, owner="carol"), NOW)

    assert line.model_dump(mode="json") == {
        "id": "INC-5",
        "title": "HighErrorRate shop/api-5",
        "severity": "P1",
        "phase": "responding",
        "open": True,
        "standing": {"text": "nothing is being done; carol has it", "person": False, "next": []},
        "opened_at": "2026-05-12T02:26:00Z",
        "updated_at": "2026-05-12T02:26:00Z",
        "resolved_at": None,
        "fixed_by": "",
        "source": "main",
        "rule": "high-error-rate",
        "owner": "carol",
        "acknowledged_by": "",
        "firing": 1,
    }


def test_the_detail_says_what_the_line_says_and_more() -> None:
    incident = an_incident(5, previous=3, recurrence=2, parked="odd", phase=Phase.DETECTED)

    detail, line = detail_of(incident, NOW), line_of(incident, NOW)

    assert detail.model_dump().items() >= line.model_dump().items()
    assert (detail.previous, detail.recurrence, detail.parked) == ("INC-3", 2, "odd")
    assert detail.alerts[0].labels == {"alertname": "HighErrorRate", "job": "api"}
    assert detail.alerts_total == 1
    assert detail.paging.policy == "sre-critical"
    assert detail.run is None


def test_an_active_run_shows_its_plan() -> None:
    active = runs_of(approval(12))[-1]

    assert (active.id, active.stage, active.outcome) == ("INC-12.1", Stage.APPROVAL, None)
    assert active.deadline is not None
    assert active.plan is not None
    assert active.plan.write == {"image": "api:41"}
    assert active.plan.prior == {"image": "api:42"}
    assert active.plan.undo == {"image": "api:42"}
    assert active.plan.digest == "d1" * 32


def test_an_active_run_shows_the_last_answer_of_each_guard_in_the_order_of_the_playbook() -> None:
    answers = {2: Verdict("budget", Answer.DENY, "5 of 5 used"), 0: Verdict("still_firing", Answer.ALLOW, "for 4m")}
    [shown] = runs_of(an_incident(7, run=replace(run(), answers=answers)))

    assert [(one.guard, one.answer, one.reason) for one in shown.guards] == [
        ("still_firing", "allow", "for 4m"),
        ("budget", "deny", "5 of 5 used"),
    ]


def test_a_plan_shows_no_environment() -> None:
    """A template goes into a plan whole, and whoever may look at incidents may not look into pods."""
    patch = [{"op": "replace", "path": "/spec/template", "value": {"env": [{"name": "A", "value": "hunter2"}]}}]
    change = Change("image api:42 → api:41", {"image": "api:41", "change": patch}, {}, {"change": patch}, "d1" * 32)

    plan = runs_of(an_incident(12, run=run(change=change)))[-1].plan

    assert plan is not None
    assert plan.write["image"] == "api:41"
    assert plan.write["change"][0]["value"] == {"env": [{"name": "A", "value": "(hidden)"}]}
    assert "hunter2" not in str(plan)


def test_a_run_without_a_plan_has_none() -> None:
    assert runs_of(an_incident(12, run=run(Stage.JUDGING, change=None)))[-1].plan is None


def test_what_was_done_for_a_time_says_until_when_and_by_which_run() -> None:
    until = NOW + timedelta(minutes=20)
    kept = Temporary(2, "r", "p", 0, "t", "INC-12/2/1/1", "api from 3 to 6", {"replicas": 3}, NOW, until, told=True)

    (shown,) = detail_of(an_incident(12, temporaries=(kept,)), NOW).temporaries

    assert (shown.run, shown.target, shown.summary) == ("INC-12.2", "t", "api from 3 to 6")
    assert (shown.since, shown.until, shown.stranded) == (NOW, until, True)


def test_ended_runs_come_before_the_active_one() -> None:
    incident = an_incident(12, past=(past(Outcome.INEFFECTIVE, "not cleared"),), run=run(n=2))

    ended, active = runs_of(incident)

    assert (ended.id, ended.outcome, ended.stage, ended.reason) == (
        "INC-12.1",
        Outcome.INEFFECTIVE,
        None,
        "not cleared",
    )
    assert (active.id, active.outcome) == ("INC-12.2", None)


@pytest.mark.parametrize(("number", "found"), [(1, "INC-12.1"), (2, "INC-12.2"), (3, None), (12, None)])
def test_a_run_by_its_number(number: int, found: str | None) -> None:
    shown: RunView | None = run_of(an_incident(12, past=(past(Outcome.FIXED),), run=run(n=2)), number)

    assert (shown.id if shown is not None else None) == found


def test_the_catalog_is_counted_and_its_faults_told() -> None:
    shown = catalog_of(Catalog())

    assert shown.bundle == "4f1c9a"
    assert shown.counts["people"] == 6
    assert shown.counts["rules"] == 0
    assert [fault.model_dump() for fault in shown.faults] == [
        {"where": "rules/uk.yaml:58:3", "what": "can never match", "right": "move it up"}
    ]


def test_a_catalog_that_was_never_good_has_no_bundle() -> None:
    shown = catalog_of(Catalog(bundle=None))

    assert (shown.bundle, shown.counts) == (None, {})
