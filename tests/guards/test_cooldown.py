"""Guard `cooldown`: not again so soon, by target, playbook or parameter; the claim makes it hold (promise 4)."""

import pytest
from msgspec import structs

from paramedic.core.model import Claim, Run, Verdict
from paramedic.core.words import Answer
from paramedic.guards.cooldown import Cooldown
from tests.contract.plugin_scene import RUN, Ledger, ago, at_once, seen, tools

TARGET = "cooldown/restart/main/shop/deployment/api"


def judge(used: dict[str, list[float]] | None = None, *, run: Run = RUN, per: str = "target") -> Verdict:
    guard = Cooldown()
    ledger = Ledger({scope: [ago(seconds) for seconds in ages] for scope, ages in (used or {}).items()})
    params = guard.Params.model_validate({"for": "15m", "per": per})
    return at_once(guard.judge(params, seen(run=run, uses=ledger), tools()))


def test_the_first_run_is_allowed_and_claims_its_turn() -> None:
    verdict = judge()

    assert (verdict.answer, verdict.reason) == (Answer.ALLOW, "not used in the last 15m")
    assert verdict.claims == (Claim(TARGET, limit=1, per=900.0),)


def test_a_run_too_soon_is_told_when_it_was_used_and_until_when_it_waits() -> None:
    verdict = judge({TARGET: [3600, 240]})

    assert verdict.answer is Answer.DENY
    assert verdict.reason == "used 4m ago, again from 09:25:00 UTC (in 11m)"
    assert verdict.again == 660.0
    assert verdict.claims == ()
    assert verdict.seen == {
        "scope": TARGET,
        "last": "2026-05-12T09:10:00+00:00",
        "until": "2026-05-12T09:25:00+00:00",
    }


def test_a_use_that_is_old_enough_does_not_count() -> None:
    assert judge({TARGET: [901]}).answer is Answer.ALLOW
    assert judge({TARGET: [899]}).answer is Answer.DENY


@pytest.mark.parametrize(
    ("per", "scope"),
    [
        ("target", TARGET),
        ("playbook", "cooldown/restart"),
        ("namespace", "cooldown-by/restart/namespace/shop"),
        ("count", "cooldown-by/restart/count/3"),
    ],
)
def test_what_cools_down(per: str, scope: str) -> None:
    assert judge(per=per).claims[0].scope == scope
    assert judge({scope: [60]}, per=per).answer is Answer.DENY


def test_another_target_is_not_held_up() -> None:
    assert judge({"cooldown/restart/main/shop/deployment/web": [60]}).answer is Answer.ALLOW


def test_a_parameter_that_the_run_lacks_is_unknown_and_so_denies() -> None:
    """Promise 11."""
    verdict = judge(per="zone")

    assert (verdict.answer, verdict.claims) == (Answer.UNKNOWN, ())
    assert 'no parameter "zone"' in verdict.reason


def test_no_target_is_too_long_or_too_odd_to_be_claimed() -> None:
    scopes = set()
    for target in ("x\0" * 40_000, "x\0" * 40_001, "x" * 500, "\ud800", "caf\u00e9", "a\nb"):
        scope = judge(run=structs.replace(RUN, target=target)).claims[0].scope
        scopes.add(scope)
        assert len(scope) <= 200
        assert scope.isprintable()
        assert scope.isascii()
        assert scope.startswith("cooldown/restart/")

    assert len(scopes) == 6


@pytest.mark.parametrize("bad", [{}, {"for": 0}, {"for": "-1s"}, {"for": "1h", "per": "A b"}, {"for": "1h", "x": 1}])
def test_parameters_that_make_no_sense(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Cooldown.Params.model_validate(bad)


def test_it_has_cooled_down_at_the_moment_that_it_names() -> None:
    """As in the claim: else the run would wait for nothing, and a second more."""
    assert judge({TARGET: [900]}).answer is Answer.ALLOW
    assert judge({TARGET: [899.9]}).answer is Answer.DENY
