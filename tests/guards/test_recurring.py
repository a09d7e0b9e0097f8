"""Guard `recurring`: what has been treated again and again, and is back, is left to a person."""

import pytest
from msgspec import structs

from paramedic.core.model import Claim, Verdict
from paramedic.core.words import Answer
from paramedic.guards.recurring import Recurring
from tests.contract.plugin_scene import RUN, Ledger, ago, at_once, seen, tools

SCOPE = "recurring/restart/main/shop/deployment/api"


def judge(*ages: float, scope: str = SCOPE, target: str = RUN.target, **params: object) -> Verdict:
    """`ages`: how many seconds ago each treatment was, the oldest first."""
    guard = Recurring()
    ledger = Ledger({scope: [ago(age) for age in ages]})
    scene = seen(uses=ledger, target=target, run=structs.replace(RUN, target=target))
    return at_once(guard.judge(guard.Params.model_validate(params), scene, tools()))


@pytest.mark.parametrize(
    ("ages", "reason"),
    [
        ((), "not treated within 4h"),
        ((9000,), "treated once within 4h"),
        ((9000, 60), "treated 2 times within 4h"),
    ],
)
def test_a_few_times_are_allowed_and_each_is_counted(ages: tuple[float, ...], reason: str) -> None:
    verdict = judge(*ages)

    assert (verdict.answer, verdict.reason) == (Answer.ALLOW, reason)
    assert verdict.claims == (Claim(SCOPE, limit=3, per=14400.0),)


def test_then_it_denies_for_good_and_says_why() -> None:
    """Without `again`: the run is refused, and so a person is told."""
    verdict = judge(9000, 5000, 600)

    assert (verdict.answer, verdict.again, verdict.claims) == (Answer.DENY, None, ())
    assert verdict.reason == "treated 3 times within 4h, the last 10m ago, and it is back: once more would not help"
    assert verdict.seen["treated"] == 3


def test_treatments_age() -> None:
    assert judge(14400, 5000, 600).answer is Answer.ALLOW
    assert judge(14399.9, 5000, 600).answer is Answer.DENY


def test_another_target_or_playbook_is_another_matter() -> None:
    assert judge(3, 2, 1, scope="recurring/restart/main/shop/deployment/web").answer is Answer.ALLOW
    assert judge(3, 2, 1, scope="recurring/scale/main/shop/deployment/api").answer is Answer.ALLOW


def test_evidence_is_bounded_and_the_key_short() -> None:
    assert len(judge(*range(50, 0, -1), max=10).seen["latest"]) == 5
    (claim,) = judge(target="hook/\n\u202e" + "x" * 65536).claims
    assert claim.scope.isprintable()
    assert len(claim.scope) <= 200


@pytest.mark.parametrize("bad", [{"max": 0}, {"max": 101}, {"within": 0}, {"within": "8d"}])
def test_parameters_that_make_no_sense(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Recurring.Params.model_validate(bad)
