"""Guard `budget`: so many runs in so much time; judged here, and made certain by the claim in the intent's commit."""

import pytest

from paramedic.core.model import Claim, Verdict
from paramedic.core.words import Answer
from paramedic.guards.budget import Budget
from tests.contract.plugin_scene import Ledger, ago, at_once, seen, tools

SHOP = "budget/3600s/namespace/shop"


def judge(used: dict[str, list[float]] | None = None, **params: object) -> Verdict:
    guard = Budget()
    ledger = Ledger({scope: [ago(seconds) for seconds in ages] for scope, ages in (used or {}).items()})
    given = guard.Params.model_validate({"max": 3, "per": "1h", "across": "namespace"} | params)
    return at_once(guard.judge(given, seen(uses=ledger), tools()))


def test_within_the_budget_it_allows_and_claims_one_use() -> None:
    verdict = judge({SHOP: [1800, 60]})

    assert (verdict.answer, verdict.reason) == (Answer.ALLOW, "2 of 3 used in the last 1h")
    assert verdict.seen == {"scope": SHOP, "used": 2, "max": 3}
    assert verdict.claims == (Claim(SHOP, limit=3, per=3600.0),)


def test_beyond_it_denies_and_says_when_the_next_one_is_free() -> None:
    verdict = judge({SHOP: [3000, 1800, 60]})

    assert (verdict.answer, verdict.claims) == (Answer.DENY, ())
    assert verdict.reason == "3 of 3 used in the last 1h, the next in 10m"
    assert verdict.again == 600.0


def test_a_budget_that_was_made_smaller_waits_until_enough_has_aged() -> None:
    verdict = judge({SHOP: [3000, 2400, 1800, 60]}, max=2)

    assert verdict.reason.startswith("4 of 2 used")
    assert verdict.again == 1800.0  # the two oldest must age, and so must the third


def test_uses_age() -> None:
    """As in the claim, one that is exactly as old as the budget is over: else the run would wait for nothing."""
    assert judge({SHOP: [7200, 3700, 3600]}).reason == "0 of 3 used in the last 1h"
    assert judge({SHOP: [3599.9, 1, 1]}).answer is Answer.DENY


@pytest.mark.parametrize(
    ("across", "scope"),
    [
        ("namespace", SHOP),
        ("cluster", "budget/3600s/cluster/main"),
        ("count", "budget/3600s/count/3"),
        ("playbook", "budget/3600s/playbook/restart"),
        ("target", "budget/3600s/target/main/shop/deployment/api"),
        ("all", "budget/3600s/all/"),
    ],
)
def test_what_shares_a_budget(across: str, scope: str) -> None:
    assert judge(across=across).claims[0].scope == scope
    assert judge({scope: [1, 2, 3]}, across=across).answer is Answer.DENY


def test_the_playbook_is_what_shares_unless_said_otherwise() -> None:
    assert Budget.Params.model_validate({"max": 1, "per": "1h"}) == Budget.Params.model_validate(
        {"max": 1, "per": 3600, "across": "playbook"}
    )


def test_budgets_of_different_length_do_not_eat_into_each_other() -> None:
    assert judge({SHOP: [1, 2, 3]}, per="1d").answer is Answer.ALLOW


def test_a_parameter_that_the_run_lacks_is_unknown_and_so_denies() -> None:
    """Promise 11."""
    verdict = judge(across="zone")

    assert (verdict.answer, verdict.claims) == (Answer.UNKNOWN, ())


@pytest.mark.parametrize("bad", [{"max": 0}, {"max": 1.5}, {"per": 0}, {"across": "Name Space"}, {"max": 10_001}])
def test_parameters_that_make_no_sense(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Budget.Params.model_validate({"max": 1, "per": "1h"} | bad)
