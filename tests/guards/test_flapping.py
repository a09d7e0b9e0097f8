"""Guard `flapping`: what comes and goes is left until it has made up its mind."""

import pytest
from msgspec import structs

from paramedic.core.model import Turn, Verdict
from paramedic.core.words import Answer
from paramedic.guards.flapping import Flapping
from tests.contract.plugin_scene import FIRING, ago, at_once, seen, tools


def judge(*ages: float, **params: object) -> Verdict:
    """`ages`: how many seconds ago each turn was, the oldest first; the first is one to firing."""
    guard = Flapping()
    turns = tuple(Turn(ago(age), n % 2 == 0) for n, age in enumerate(ages))
    given = guard.Params.model_validate({"turns": 3, "within": "10m"} | params)
    return at_once(guard.judge(given, seen(structs.replace(FIRING, turns=turns)), tools()))


def test_a_first_firing_is_no_flapping() -> None:
    verdict = judge(5)

    assert (verdict.answer, verdict.reason) == (Answer.ALLOW, "it turned once within 10m")
    assert verdict.seen == {"turns": 1, "latest": [ago(5).isoformat()]}


def test_so_many_turns_deny_and_it_says_when_it_looks_again() -> None:
    verdict = judge(500, 300, 100)

    assert verdict.answer is Answer.DENY
    assert verdict.reason == "it turned 3 times within 10m, which is flapping; calm in 1m40s"
    assert verdict.again == 100.0


def test_one_turn_less_is_calm() -> None:
    assert judge(300, 100).answer is Answer.ALLOW


def test_with_more_turns_it_waits_until_fewer_than_too_many_are_left() -> None:
    assert judge(590, 580, 400, 300, 100).again == 200.0  # the 400 must age too
    assert judge(590, 580, 400, 300, 100, turns=5).again == 10.0


def test_turns_age_to_the_second() -> None:
    assert judge(600, 100, 50).answer is Answer.ALLOW
    denied = judge(599, 100, 50)
    assert (denied.answer, denied.again) == (Answer.DENY, 1.0)


def test_an_incident_of_before_turns_were_kept_is_calm() -> None:
    verdict = judge()

    assert (verdict.answer, verdict.reason) == (Answer.ALLOW, "it turned 0 times within 10m")


def test_evidence_is_bounded() -> None:
    assert len(judge(*range(40, 20, -1), turns=20).seen["latest"]) == 5


@pytest.mark.parametrize("bad", [{"turns": 1}, {"turns": 21}, {"within": 0}, {"within": "2d"}])
def test_parameters_that_make_no_sense(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Flapping.Params.model_validate(bad)
