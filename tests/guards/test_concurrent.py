"""Guard `concurrent`: at most so many runs at once; the claim of a place is what makes it so."""

import pytest
from msgspec import structs

from paramedic.core.claims import slots
from paramedic.core.model import Claim, Verdict
from paramedic.core.words import Answer
from paramedic.guards.concurrent import Concurrent
from tests.contract.plugin_scene import RUN, Ledger, at_once, seen, tools

SHOP = Claim("concurrent/namespace/shop", limit=3)


def judge(taken: int = 0, *, claim: Claim = SHOP, namespace: object = "shop", **params: object) -> Verdict:
    guard = Concurrent()
    ledger = Ledger(holders={scope: f"INC-{n}.1" for n, scope in enumerate(slots(claim)[:taken], 1)})
    run = structs.replace(RUN, params=RUN.params | {"namespace": namespace})
    given = guard.Params.model_validate({"max": 3, "across": "namespace"} | params)
    return at_once(guard.judge(given, seen(run=run, uses=ledger), tools()))


def test_it_claims_one_of_so_many_places() -> None:
    verdict = judge(2)

    assert (verdict.answer, verdict.reason) == (Answer.ALLOW, "others have 2 of 3 places")
    assert verdict.claims == (SHOP,)
    assert verdict.seen == {"scope": SHOP.scope, "taken": 2, "max": 3}


def test_where_all_are_taken_the_claim_waits_and_the_reason_says_so() -> None:
    verdict = judge(3)

    assert (verdict.answer, verdict.claims) == (Answer.ALLOW, (SHOP,))
    assert verdict.reason == "others have 3 of 3 places, so this waits for one"


@pytest.mark.parametrize(
    ("across", "scope"),
    [
        ("playbook", "concurrent/playbook/restart"),
        ("all", "concurrent/all/"),
        ("cluster", "concurrent/cluster/main"),
        ("count", "concurrent/count/3"),
    ],
)
def test_what_shares_the_places(across: str, scope: str) -> None:
    assert judge(across=across).claims == (Claim(scope, limit=3),)


def test_the_playbook_is_what_shares_unless_said_otherwise() -> None:
    assert Concurrent.Params.model_validate({"max": 2}) == Concurrent.Params.model_validate(
        {"max": 2, "across": "playbook"}
    )


def test_a_parameter_that_the_run_lacks_or_that_is_empty_is_unknown() -> None:
    """Promise 11: nothing never stands for everything."""
    assert judge(across="zone").answer is Answer.UNKNOWN
    assert judge(namespace="").answer is Answer.UNKNOWN
    assert judge(namespace=None).answer is Answer.UNKNOWN


def test_a_hostile_value_is_one_short_printable_key() -> None:
    claims = [judge(namespace=name).claims[0] for name in ("a\nb", "a\u202eb", "x" * 65536, "slot/1/concurrent/all/")]

    assert all(claim.scope.isprintable() and len(claim.scope) <= 200 for claim in claims)
    assert len({scope for claim in claims for scope in slots(claim)}) == 12


@pytest.mark.parametrize("bad", [{"max": 0}, {"max": 101}, {"max": 1.5}, {}, {"max": 1, "across": "Name Space"}])
def test_parameters_that_make_no_sense(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Concurrent.Params.model_validate(bad)
