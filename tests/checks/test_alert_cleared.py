"""Check `alert_cleared`: cleared means certain, and long enough; a doubt hands over instead (promise 11)."""

import pytest

from paramedic.checks.alert_cleared import AlertCleared
from paramedic.core.model import Firing, Verdict
from paramedic.core.words import Answer
from tests.contract.plugin_scene import CLEARED, FIRING, ago, at_once, seen, tools


def ask(firing: Firing, stays: object = 0) -> Verdict:
    check = AlertCleared()
    return at_once(check.ask(check.Params.model_validate({"stays": stays}), seen(firing), tools()))


def test_it_passes_once_nothing_fires() -> None:
    verdict = ask(CLEARED)

    assert (verdict.name, verdict.answer) == ("alert_cleared", Answer.PASS)
    assert verdict.reason == "alert cleared for 1m30s"
    assert verdict.seen == {"open": 0, "doubted": 0, "total": 1}


@pytest.mark.parametrize(("open_", "reason"), [(1, "the alert is still firing"), (3, "3 alerts are still firing")])
def test_it_fails_while_something_fires(open_: int, reason: str) -> None:
    verdict = ask(Firing(open=open_, total=3, since=ago(60)))

    assert (verdict.answer, verdict.reason, verdict.again) == (Answer.FAIL, reason, None)


@pytest.mark.parametrize(("stays", "answer"), [("1m30s", Answer.PASS), ("1m31s", Answer.FAIL)])
def test_it_must_stay_away_and_says_for_how_much_longer(stays: str, answer: Answer) -> None:
    verdict = ask(CLEARED, stays)

    assert verdict.answer is answer
    assert verdict.again == (1.0 if answer is Answer.FAIL else None)


def test_the_reason_names_both_durations() -> None:
    assert ask(CLEARED, "2m").reason == "cleared for 1m30s, 2m is wanted"


def test_clearing_ahead_of_our_clock_has_only_just_cleared() -> None:
    assert ask(Firing(total=1, cleared_at=ago(-60)), "2m").again == 120.0


@pytest.mark.parametrize(
    "firing",
    [
        Firing(),
        Firing(total=1),
        Firing(total=1, doubted=1, cleared_at=ago(600)),
    ],
)
def test_what_was_never_seen_or_is_in_doubt_is_unknown(firing: Firing) -> None:
    assert ask(firing).answer is Answer.UNKNOWN


def test_firing_for_certain_outweighs_a_doubt() -> None:
    assert ask(Firing(open=1, total=2, doubted=1, since=ago(5))).answer is Answer.FAIL
    assert ask(FIRING).answer is Answer.FAIL
