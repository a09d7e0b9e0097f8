"""Guard `attempts`: so many tries, further and further apart, then a person."""

import pytest
from msgspec import structs

from paramedic.core.model import Claim, Verdict
from paramedic.core.words import Answer
from paramedic.guards.attempts import Attempts
from tests.contract.plugin_scene import RUN, Ledger, ago, at_once, seen, tools

SCOPE = "attempts/restart/main/shop/deployment/api"


def judge(*ages: float, scope: str = SCOPE, target: str = RUN.target, **params: object) -> Verdict:
    """`ages`: how many seconds ago each treatment was, the oldest first."""
    guard = Attempts()
    ledger = Ledger({scope: [ago(age) for age in ages]})
    scene = seen(uses=ledger, target=target, run=structs.replace(RUN, target=target))
    return at_once(guard.judge(guard.Params.model_validate({"max": 8, "within": "2h"} | params), scene, tools()))


def test_the_first_attempt_is_allowed_and_counted() -> None:
    verdict = judge()

    assert (verdict.answer, verdict.reason) == (Answer.ALLOW, "0 of 8 attempts within 2h")
    assert verdict.claims == (Claim(SCOPE, limit=8, per=7200.0),)


@pytest.mark.parametrize(("before", "pause"), [(1, 60), (2, 120), (3, 240), (4, 480), (5, 600), (7, 600)])
def test_each_pause_is_twice_the_one_before_up_to_the_longest(before: int, pause: float) -> None:
    earlier = [3600.0 + n for n in range(before - 1, 0, -1)]
    denied, allowed = judge(*earlier, pause - 1.0), judge(*earlier, pause)

    assert (denied.answer, denied.again, denied.claims) == (Answer.DENY, 1.0, ())
    assert denied.reason.endswith(" ago, the next in 1s")
    assert allowed.answer is Answer.ALLOW
    assert allowed.claims == (Claim(SCOPE, limit=8, per=7200.0), Claim(SCOPE, limit=1, per=pause))


def test_when_all_are_used_up_it_denies_for_good() -> None:
    verdict = judge(3000, 2000, 700, max=3)

    assert (verdict.answer, verdict.again) == (Answer.DENY, None)
    assert verdict.reason == "3 of 3 attempts within 2h, the last 11m40s ago: it is left to a person"
    assert verdict.seen == {"scope": SCOPE, "used": 3, "max": 3, "last": ago(700).isoformat()}


def test_attempts_age() -> None:
    assert judge(7201, 7200, max=1).answer is Answer.ALLOW
    assert judge(7199.9, max=1).answer is Answer.DENY


def test_without_backoff_only_their_number_counts() -> None:
    verdict = judge(0.5, backoff=0)

    assert verdict.answer is Answer.ALLOW
    assert verdict.claims == (Claim(SCOPE, limit=8, per=7200.0),)


def test_two_in_an_hour_a_minute_apart_unless_said_otherwise() -> None:
    params = Attempts.Params.model_validate({})
    assert params == Attempts.Params.model_validate({"max": 2, "within": "1h", "backoff": "1m", "longest": "10m"})


def test_another_target_or_playbook_has_attempts_of_its_own() -> None:
    assert judge(5, scope="attempts/restart/main/shop/deployment/web").answer is Answer.ALLOW
    assert judge(5, scope="attempts/scale/main/shop/deployment/api").answer is Answer.ALLOW


def test_a_hostile_target_makes_a_short_printable_key() -> None:
    (claim,) = judge(target="hook/\n\u202e" + "x" * 65536).claims

    assert claim.scope.isprintable()
    assert len(claim.scope) <= 200


@pytest.mark.parametrize(
    "bad", [{"max": 0}, {"max": 101}, {"within": 0}, {"within": "8d"}, {"backoff": "11m"}, {"longest": 0}]
)
def test_parameters_that_make_no_sense(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Attempts.Params.model_validate(bad)
