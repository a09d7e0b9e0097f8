"""What an incident waits for is one true sentence, and whether it is a person that it waits for is never missed."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from paramedic.console.standing import MARKS, standing
from paramedic.core.model import Approval, Ask, Firing, Incident, Paging, Storm, Temporary, Timer
from paramedic.core.words import Outcome, Phase, Purpose, Stage
from tests.console.seed import NOW, an_incident, approval, paged, past, run

LATER = NOW + timedelta(minutes=30)
ACKED = Paging(policy="p", level=1, acked_by="bob", acked_at=NOW - timedelta(minutes=3))
SNOOZED = Paging(policy="p", level=1, acked_by="bob", acked_at=NOW, snoozed_until=LATER)


def parked(**changes: Any) -> Incident:
    return an_incident(12, parked="KeyError: 'x'", **changes)


@pytest.mark.parametrize(
    ("incident", "text"),
    [
        (an_incident(12), "nothing is being done"),
        (an_incident(12, firing=Firing(open=0, total=1)), "clear; waiting whether it stays so"),
        (an_incident(12, run=run(Stage.JUDGING)), "asking the guards of roll-back-bad-change"),
        (an_incident(12, run=run(Stage.APPLYING)), "writing: image api:42 → api:41"),
        (an_incident(12, run=run(Stage.VERIFYING)), "checking whether it helped: image api:42 → api:41"),
        (
            an_incident(12, run=run(Stage.PLANNING, change=None)),
            "planning roll-back-bad-change on main/shop/deployment/api",
        ),
        (
            an_incident(12, run=run(Stage.RETRYING, change=None)),
            "failed for the moment, trying again: roll-back-bad-change on main/shop/deployment/api",
        ),
        (
            an_incident(12, run=run(), paging=ACKED),
            "checking whether it helped: image api:42 → api:41; acknowledged by bob 3m ago",
        ),
        (an_incident(12, paging=SNOOZED), "nothing is being done; snoozed by bob until 03:01"),
        (an_incident(12, owner="carol", paging=ACKED), "nothing is being done; carol has it"),
        (an_incident(12, past=(past(Outcome.FIXED),), paging=ACKED), "restart fixed; acknowledged by bob 3m ago"),
        (an_incident(12, open=False, fixed_by="paramedic"), "fixed by paramedic"),
        (an_incident(12, phase=Phase.RESOLVED, fixed_by="itself"), "cleared by itself"),
        (an_incident(12, phase=Phase.RESOLVED, fixed_by="closed by hand"), "closed by hand"),
        (
            an_incident(12, phase=Phase.RESOLVED, fixed_by="itself", timers={"quiet": Timer(3, LATER)}),
            "cleared by itself; closed at 03:01 if it stays away",
        ),
        (an_incident(12, open=False), "over"),
        (an_incident(12, storm=7), "held back by storm INC-7"),
        (an_incident(12, storm=7, timers={"storm": Timer(3, LATER)}), "held back by storm INC-7, goes on at 03:01"),
        (
            an_incident(12, kind="storm", firing=Firing(), storming=Storm(children=73), paging=ACKED),
            "73 incidents are held back by it; acknowledged by bob 3m ago",
        ),
    ],
)
def test_nobody_is_asked_for_what_is_in_hand(incident: Incident, text: str) -> None:
    said = standing(incident, NOW)

    assert (said.text, said.person, said.next) == (text, False, [])


def test_what_was_done_for_a_time_is_said_until_it_is_taken_back() -> None:
    kept = Temporary(1, "r", "p", 0, "main/shop/deployment/api", "INC-12/1/1/1", "api from 3 to 6", {}, NOW, LATER)
    timers = {"quiet": Timer(3, LATER), "expire": Timer(4, LATER)}
    incident = an_incident(12, phase=Phase.RESOLVED, fixed_by="paramedic", temporaries=(kept,), timers=timers)

    said = standing(incident, NOW)

    assert (said.text, said.person) == ("fixed by paramedic; for a time, taken back at 03:01: api from 3 to 6", False)
    expiring = msgspec.structs.replace(incident, run=run(Stage.UNDOING, purpose=Purpose.EXPIRE))
    assert standing(expiring, NOW).text == "fixed by paramedic; taking our change back: image api:42 → api:41"


def test_what_could_not_be_taken_back_is_for_a_person() -> None:
    kept = Temporary(1, "r", "p", 0, "t", "INC-12/1/1/1", "api from 3 to 6", {}, NOW, NOW, told=True)
    incident = an_incident(12, phase=Phase.RESOLVED, temporaries=(kept,))

    said = standing(incident, NOW)

    assert (said.text, said.person) == ("over; for a time: api from 3 to 6", True)
    assert any(mark in msgspec.json.encode(incident) for mark in MARKS)


def test_taking_back_says_nothing_about_what_fires_now() -> None:
    taken_back = msgspec.structs.replace(past(Outcome.FAILED), purpose=Purpose.EXPIRE)

    assert standing(an_incident(12, past=(taken_back,)), NOW).text == "nothing is being done"


ACK_OR_TAKE = ["paramedic incidents ack INC-12", "paramedic incidents take INC-12"]


@pytest.mark.parametrize(
    ("incident", "text"),
    [
        (paged(12, 2), "nothing is being done; level 2 was paged, nobody has acknowledged"),
        (
            paged(12, 1, run=run()),
            "checking whether it helped: image api:42 → api:41; level 1 was paged, nobody has acknowledged",
        ),
        (
            an_incident(12, past=(past(Outcome.REFUSED, "not_firing: KubeAPIDown is firing"),)),
            "restart refused: not_firing: KubeAPIDown is firing",
        ),
        (
            an_incident(12, past=(past(Outcome.UNKNOWN, "the answer never came"),)),
            "restart unknown: the answer never came",
        ),
        (
            an_incident(12, run=run(Stage.UNKNOWN)),
            "nobody knows whether the write took effect: image api:42 → api:41",
        ),
    ],
)
def test_a_person_is_asked_for_what_nobody_has_in_hand(incident: Incident, text: str) -> None:
    said = standing(incident, NOW)

    assert (said.text, said.person, said.next) == (text, True, ACK_OR_TAKE)


def test_an_approval_says_what_until_when_and_how() -> None:
    said = standing(approval(12), NOW)

    assert said.text == "waits for an approval of INC-12.1 until 02:41: image api:42 → api:41"
    assert said.person
    assert said.next == ["paramedic runs approve INC-12.1", "paramedic runs deny INC-12.1"]


def test_an_approval_by_several_says_by_whom_and_how_many_are_missing() -> None:
    asked = run(Stage.APPROVAL, asks=(Ask(2, ("dba", "sre")),), approvals=(Approval("dan", NOW, "d", (0,)),))
    said = standing(msgspec.structs.replace(approval(12), run=asked), NOW)

    assert said.text.startswith("waits for one more approval by dba or sre for INC-12.1 until 02:41: ")


@pytest.mark.parametrize("changes", [{"owner": "carol"}, {"paging": ACKED}, {"paging": SNOOZED}])
def test_an_approval_is_asked_for_even_if_somebody_has_the_incident(changes: dict[str, Any]) -> None:
    assert standing(approval(12, **changes), NOW).person


def test_an_approval_without_its_timer_is_still_an_approval() -> None:
    said = standing(msgspec.structs.replace(approval(12), timers={}), NOW)

    assert said.text == "waits for an approval of INC-12.1: image api:42 → api:41"


@pytest.mark.parametrize("changes", [{}, {"owner": "carol"}, {"run": run()}, {"paging": ACKED}])
def test_a_parked_incident_always_asks_for_a_person(changes: dict[str, Any]) -> None:
    said = standing(parked(**changes), NOW)

    assert said.text == "automation stopped by a fault of its own: KeyError: 'x'"
    assert said.person
    assert said.next == ["paramedic incidents take INC-12"]


def test_a_snooze_that_is_over_is_no_snooze() -> None:
    over = msgspec.structs.replace(SNOOZED, snoozed_until=NOW, acked_by="")

    said = standing(an_incident(12, paging=over), NOW)

    assert said.person
    assert "snoozed" not in said.text


def test_what_came_of_an_earlier_firing_says_nothing_about_this_one() -> None:
    said = standing(an_incident(12, recurrence=1, past=(past(Outcome.REFUSED, "then"),)), NOW)

    assert (said.text, said.person) == ("nothing is being done", False)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_that_leaves_the_alert_firing_asks_for_a_person(outcome: Outcome) -> None:
    said = standing(an_incident(12, past=(past(outcome),)), NOW)

    assert said.person is (outcome not in (Outcome.FIXED, Outcome.DONE, Outcome.CLEARED, Outcome.CANCELLED))


@pytest.mark.parametrize("stage", list(Stage))
def test_every_stage_has_words(stage: Stage) -> None:
    incident = an_incident(12, run=run(stage), timers={"approval": Timer(1, LATER)})

    text = standing(incident, NOW).text

    assert text
    assert "{" not in text
    assert text != stage


@pytest.mark.parametrize(
    "incident",
    [approval(12), parked(), an_incident(12, past=(past(Outcome.UNKNOWN),))],
    ids=["approval", "parked", "?"],
)
def test_a_search_for_the_marks_finds_what_a_person_must_decide(incident: Incident) -> None:
    assert any(mark in msgspec.json.encode(incident) for mark in MARKS)


def test_no_label_can_pass_for_a_mark() -> None:
    """A label may hold the very bytes; in the stored state its quotes are escaped."""
    incident = an_incident(12, title=b" ".join(MARKS).decode())

    assert not any(mark in msgspec.json.encode(incident) for mark in MARKS)
