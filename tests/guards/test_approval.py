"""Guard `approval`: whom it asks, what it refuses to be told, and what it says once people have said yes."""

from typing import Any

import pytest
from pydantic import ValidationError

from paramedic.core.model import Ask
from paramedic.core.words import Answer
from paramedic.errors import Fault
from paramedic.guards.approval import ApprovalGuard, ApprovalParams
from paramedic.plugin import Resources
from tests.contract.plugin_scene import RUN, at_once, seen, tools

GUARD = ApprovalGuard()
KNOWN = Resources({}, {}, approvers={"dan": frozenset({"dan"}), "dba": frozenset({"dan", "eve"})})


def params(**told: Any) -> ApprovalParams:
    return ApprovalParams.model_validate(told)


def test_it_says_whom_to_ask_and_denies_until_then() -> None:
    verdict = at_once(GUARD.judge(params(of=2, **{"from": ["dba", "dan"]}, within="4m"), seen(), tools()))

    assert (verdict.answer, verdict.again) == (Answer.DENY, None)
    assert verdict.reason == "waits until 2 of dba, dan approve within 4m"
    assert verdict.asks == Ask(2, ("dba", "dan"), 240.0, 120.0)
    assert verdict.seen == {"of": 2, "from": ["dba", "dan"]}


def test_when_it_escalates_can_be_said() -> None:
    verdict = at_once(GUARD.judge(params(within="10m", escalate_after="1m"), seen(), tools()))

    assert verdict.asks == Ask(1, ("approver",), 600.0, 60.0)


def test_once_it_is_approved_it_allows() -> None:
    verdict = at_once(GUARD.judge(params(), seen(run=replace_run(approved_by="dan, eve")), tools()))

    assert (verdict.answer, verdict.reason, verdict.asks) == (Answer.ALLOW, "approved by dan, eve", None)


def replace_run(**about: Any) -> Any:
    return type(RUN)(**{name: getattr(RUN, name) for name in RUN.__struct_fields__ if name not in about}, **about)


@pytest.mark.parametrize(
    "told",
    [
        {"of": 0},
        {"of": 11},
        {"from": []},
        {"within": "0s"},
        {"within": "2d"},
        {"within": "5m", "escalate_after": "5m"},
        {"form": ["dba"]},
    ],
)
def test_what_makes_no_sense_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        params(**told)


def test_names_must_mean_somebody_who_may_approve() -> None:
    with pytest.raises(Fault, match='"dbas" is no person, role or team with anybody who may approve') as raised:
        GUARD.refers(params(**{"from": ["dba", "dbas"]}), KNOWN)

    assert (raised.value.where, raised.value.right) == ("from.1", "those who may: dan, dba")


def test_there_must_be_as_many_people_as_are_asked_for() -> None:
    GUARD.refers(params(of=2, **{"from": ["dba"]}), KNOWN)
    with pytest.raises(Fault, match="3 have to approve, and only 2 can"):
        GUARD.refers(params(of=3, **{"from": ["dba", "dan"]}), KNOWN)


def test_it_asks_people_and_so_never_before_there_is_a_plan() -> None:
    assert GUARD.asked == "people"
    assert GUARD.escapes["from"] == "literal", "an alert must not choose who approves"
