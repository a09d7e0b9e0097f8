"""Guard `storm`: so many targets in so short a time, and then nothing for a while."""

import pytest

from paramedic.core.model import Claim, Verdict
from paramedic.core.words import Answer
from paramedic.guards.storm import Storm
from tests.contract.plugin_scene import Ledger, ago, at_once, seen, tools

ALL = "storm/300s/all/"


def judge(used: list[float] | None = None, scope: str = ALL, **params: object) -> Verdict:
    guard = Storm()
    given = guard.Params.model_validate({"max": 3} | params)
    ledger = Ledger({scope: [ago(seconds) for seconds in sorted(used or [], reverse=True)]})
    return at_once(guard.judge(given, seen(uses=ledger), tools()))


def test_few_targets_are_no_storm_and_one_more_is_claimed() -> None:
    verdict = judge([100, 10])

    assert (verdict.answer, verdict.reason) == (Answer.ALLOW, "2 of 3 targets treated in the last 5m")
    assert verdict.seen == {"scope": ALL, "treated": 2, "max": 3}
    assert verdict.claims == (Claim(ALL, limit=3, per=300.0),)


def test_many_at_once_halt_everything_for_ten_minutes_from_the_last_one() -> None:
    verdict = judge([200, 100, 10])

    assert (verdict.answer, verdict.again, verdict.claims) == (Answer.DENY, 590.0, ())
    assert verdict.reason == ("storm: 3 of 3 targets treated in the last 5m; nothing is treated for another 9m50s")
    assert verdict.seen["until"] == "2026-05-12T09:23:50+00:00"


@pytest.mark.parametrize(("last", "answer"), [(599, Answer.DENY), (600, Answer.ALLOW), (601, Answer.ALLOW)])
def test_the_halt_outlasts_the_window_in_which_targets_are_counted(last: float, answer: Answer) -> None:
    assert judge([last + 20, last + 10, last]).answer is answer


def test_the_same_number_over_a_longer_time_is_none() -> None:
    assert judge([700, 350, 10]).answer is Answer.ALLOW
    assert judge([310, 200, 10]).answer is Answer.ALLOW
    assert judge([309, 200, 10]).answer is Answer.DENY


def test_the_figures_where_nothing_is_said() -> None:
    given = Storm.Params.model_validate({})

    assert (given.max, given.within, given.halt, given.percent, given.most) == (10, 300.0, 600.0, 20.0, 10)
    assert judge([1.0 * n for n in range(10)], max=10).answer is Answer.DENY
    assert judge([1.0 * n for n in range(9)], max=10).answer is Answer.ALLOW


@pytest.mark.parametrize(("pool", "most"), [(1, 1), (5, 1), (6, 2), (10, 2), (50, 10), (500, 10)])
def test_a_fifth_of_the_pool_is_a_storm_too(pool: int, most: int) -> None:
    assert Storm.Params.model_validate({"pool": pool}).most == most
    assert judge([1.0 * n for n in range(most)], max=10, pool=pool).answer is Answer.DENY
    assert judge([1.0 * n for n in range(most - 1)], max=10, pool=pool).answer is Answer.ALLOW


@pytest.mark.parametrize(
    ("across", "scope"),
    [("all", ALL), ("playbook", "storm/300s/playbook/restart"), ("cluster", "storm/300s/cluster/main")],
)
def test_what_is_counted_together(across: str, scope: str) -> None:
    assert judge(across=across).claims[0].scope == scope
    assert judge([1, 2, 3], scope, across=across).answer is Answer.DENY


def test_a_parameter_that_the_run_lacks_is_unknown_and_so_denies() -> None:
    """Promise 11."""
    verdict = judge(across="zone")

    assert (verdict.answer, verdict.claims) == (Answer.UNKNOWN, ())


def test_it_lets_one_more_go_when_the_halt_is_over() -> None:
    """The moment it names is the moment from which it allows."""
    verdict = judge([200, 100, 10])
    assert verdict.again is not None

    assert judge([200 + verdict.again, 100 + verdict.again, 10 + verdict.again]).answer is Answer.ALLOW
    assert judge([], max=1).seen["treated"] == 0


@pytest.mark.parametrize("bad", [{"max": 0}, {"within": 0}, {"halt": 0}, {"percent": 0}, {"percent": 101}, {"pool": 0}])
def test_parameters_that_make_no_sense(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Storm.Params.model_validate(bad)
