"""Guard `one_at_a_time`: one run at a time in what fails together; the claim is what makes it so."""

import pytest

from paramedic.core.model import Claim, Verdict
from paramedic.core.words import Answer
from paramedic.guards.one_at_a_time import OneAtATime
from tests.contract.plugin_scene import Ledger, at_once, seen, tools


def judge(domain: str = "postgres/main", *held: str) -> Verdict:
    guard = OneAtATime()
    ledger = Ledger(holders=dict.fromkeys(held, "INC-3.1"))
    return at_once(guard.judge(guard.Params.model_validate({"domain": domain}), seen(uses=ledger), tools()))


def test_it_claims_the_domain_for_itself_alone() -> None:
    verdict = judge()

    assert (verdict.answer, verdict.reason) == (Answer.ALLOW, "nobody else acts in postgres/main")
    assert verdict.claims == (Claim("domain/postgres/main"),)
    assert verdict.seen == {"scope": "domain/postgres/main"}


def test_while_somebody_is_in_it_the_claim_waits_and_the_reason_says_so() -> None:
    verdict = judge("postgres/main", "domain/postgres/main")

    assert (verdict.answer, verdict.claims) == (Answer.ALLOW, (Claim("domain/postgres/main"),))
    assert verdict.reason == "INC-3.1 acts in postgres/main, so this waits for its turn"
    assert verdict.seen["by"] == "INC-3.1"


@pytest.mark.parametrize("domain", ["", " ", "postgres/", "/main", "postgres//main", "postgres/ "])
def test_a_name_with_an_empty_part_is_unknown_and_never_stands_for_all(domain: str) -> None:
    """Promise 11."""
    verdict = judge(domain)

    assert (verdict.answer, verdict.claims) == (Answer.UNKNOWN, ())


@pytest.mark.parametrize("name", ["a\nb", "a\u202eb", "\x00", "é" * 400, "a/../b", "';drop table hold;--"])
def test_a_hostile_name_is_one_short_printable_key_of_its_own(name: str) -> None:
    (claim,) = judge(name).claims

    assert claim.scope.isprintable()
    assert claim.scope.isascii()
    assert len(claim.scope) <= 200
    assert claim.scope != judge(name + "x").claims[0].scope
    assert judge(name).reason.isprintable()


def test_parameters_that_make_no_sense() -> None:
    for bad in ({}, {"domain": "x" * 1001}, {"domain": 3}):
        with pytest.raises(ValueError, match="validation error"):
            OneAtATime.Params.model_validate(bad)
