"""Guard `still_firing`: no remedy for what is over (promise 5), and none for what nobody is sure of (promise 11)."""

import pytest

from paramedic.core.model import Firing, Verdict
from paramedic.core.words import Answer
from paramedic.guards.still_firing import StillFiring
from tests.contract.plugin_scene import CLEARED, FIRING, ago, at_once, seen, tools


def judge(firing: Firing, **params: object) -> Verdict:
    guard = StillFiring()
    return at_once(guard.judge(guard.Params.model_validate(params), seen(firing), tools()))


def test_it_allows_while_an_alert_fires_and_says_since_when() -> None:
    verdict = judge(FIRING)

    assert (verdict.name, verdict.answer, verdict.reason) == ("still_firing", Answer.ALLOW, "firing for 4m12s")
    assert verdict.seen == {"open": 1, "doubted": 0, "since": ago(252).isoformat()}
    assert verdict.claims == ()


def test_it_denies_for_good_once_nothing_fires() -> None:
    verdict = judge(CLEARED)

    assert verdict.answer is Answer.DENY
    assert verdict.reason == "no longer firing (cleared 1m30s ago)"
    assert verdict.again is None


def test_it_denies_what_never_fired() -> None:
    assert judge(Firing()).reason == "no longer firing"


@pytest.mark.parametrize(("wanted", "answer"), [("4m", Answer.ALLOW), ("4m12s", Answer.ALLOW), ("4m13s", Answer.DENY)])
def test_what_is_too_young_waits_for_the_rest(wanted: str, answer: Answer) -> None:
    verdict = judge(FIRING, **{"for": wanted})

    assert verdict.answer is answer
    assert verdict.again == (1.0 if answer is Answer.DENY else None)


def test_the_reason_names_both_durations() -> None:
    assert judge(FIRING, **{"for": "15m"}).reason == "firing for 4m12s only, 15m is wanted"


def test_a_start_ahead_of_our_clock_waits_too() -> None:
    verdict = judge(Firing(open=1, total=1, since=ago(-30)), **{"for": "1m"})

    assert (verdict.answer, verdict.again) == (Answer.DENY, 90.0)


@pytest.mark.parametrize(
    "firing", [Firing(open=0, total=1, doubted=1, cleared_at=ago(5)), Firing(open=1, total=1, since=None)]
)
def test_what_is_not_certain_is_unknown(firing: Firing) -> None:
    assert judge(firing).answer is Answer.UNKNOWN


def test_one_certain_alert_outweighs_a_doubted_one() -> None:
    assert judge(Firing(open=1, total=2, doubted=1, since=ago(60))).answer is Answer.ALLOW
