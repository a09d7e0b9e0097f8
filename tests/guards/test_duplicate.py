"""Guard `duplicate`: what another incident is treating already is left to it for now."""

import pytest
from msgspec import structs

from paramedic.core.model import Claim, Verdict
from paramedic.core.words import Answer
from paramedic.guards.duplicate import Duplicate
from tests.contract.plugin_scene import RUN, Ledger, at_once, seen, tools

TARGET, ALERT = "target/main/shop/deployment/api", "alert/a1"


def judge(*held: str, target: str = RUN.target, **params: object) -> Verdict:
    guard = Duplicate()
    ledger = Ledger(holders=dict.fromkeys(held, "INC-3.1"))
    scene = seen(uses=ledger, target=target, run=structs.replace(RUN, target=target))
    return at_once(guard.judge(guard.Params.model_validate(params), scene, tools()))


def test_where_nobody_else_is_it_allows_and_claims_the_alert() -> None:
    verdict = judge()

    assert (verdict.answer, verdict.reason) == (Answer.ALLOW, "nobody else is treating it")
    assert verdict.seen == {"target": TARGET, "alert": ALERT}
    assert verdict.claims == (Claim(ALERT),)


def test_the_target_that_another_run_is_treating_is_left_to_it() -> None:
    verdict = judge(TARGET)

    assert verdict.answer is Answer.DENY
    assert verdict.reason == "INC-3.1 is treating main/shop/deployment/api already; looking again in 1m"
    assert (verdict.again, verdict.claims) == (60.0, ())
    assert verdict.seen == {"target": TARGET, "by": "INC-3.1"}


def test_so_is_the_same_alert_of_another_source() -> None:
    assert "INC-3.1 is treating the same alert already" in judge(ALERT).reason


@pytest.mark.parametrize(
    ("by", "held", "answer"),
    [
        ("target", ALERT, Answer.ALLOW),
        ("target", TARGET, Answer.DENY),
        ("alert", TARGET, Answer.ALLOW),
        ("alert", ALERT, Answer.DENY),
        ("both", "target/other", Answer.ALLOW),
    ],
)
def test_what_must_not_be_the_same(by: str, held: str, answer: Answer) -> None:
    verdict = judge(held, by=by)

    assert verdict.answer is answer
    assert verdict.claims == ((Claim(ALERT),) if answer is Answer.ALLOW and by != "target" else ())


def test_it_looks_again_as_often_as_said() -> None:
    assert judge(TARGET, every="5m").again == 300.0


def test_a_hostile_target_is_found_under_its_own_name_and_told_in_one_short_line() -> None:
    target = "hook/a\n\u202e" + "x" * 65536
    verdict = judge(f"target/{target}", target=target)

    assert verdict.answer is Answer.DENY
    assert verdict.reason.isprintable()
    assert len(verdict.reason) < 250
    assert all(len(value) <= 200 for value in verdict.seen.values())
    assert all(len(value) <= 200 for value in judge(target=target).seen.values())


@pytest.mark.parametrize("bad", [{"by": "label"}, {"every": 0}, {"every": "2h"}])
def test_parameters_that_make_no_sense(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Duplicate.Params.model_validate(bad)
