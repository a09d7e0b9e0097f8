"""Guards `when` and `window`: a condition that must be exactly true, and the time of day."""

from typing import Any

import pytest

from paramedic.core.model import Verdict
from paramedic.core.words import Answer
from paramedic.errors import Fault
from paramedic.guards.when import When
from paramedic.guards.window import WindowGuard
from tests.contract.plugin_scene import NOW, RESOURCES, at_once, seen, tools


def when(**params: Any) -> Verdict:
    guard = When()
    return at_once(guard.judge(guard.Params.model_validate(params), seen(), tools()))


def window(**params: str) -> Verdict:
    guard = WindowGuard()
    return at_once(guard.judge(guard.Params.model_validate(params), seen(), tools()))


def test_a_condition_that_is_true_allows() -> None:
    verdict = when(condition=True, text="params.count >= 2")

    assert (verdict.answer, verdict.reason) == (Answer.ALLOW, "params.count >= 2 is true")


def test_a_condition_that_is_false_denies_and_shows_itself() -> None:
    verdict = when(condition=False, text="params.count >= 2\n")

    assert (verdict.answer, verdict.reason) == (Answer.DENY, "params.count >= 2 is false")
    assert when(condition=False).reason == "the condition is false"


def test_text_that_nobody_evaluated_is_unknown_whatever_it_says() -> None:
    """Promise 11: a guard that cannot know denies."""
    for text in ("true", "1", "params.count >= 2"):
        assert when(condition=text).answer is Answer.UNKNOWN


@pytest.mark.parametrize("condition", [1, 1.0, None, [], {}])
def test_nothing_else_passes_for_true(condition: object) -> None:
    with pytest.raises(ValueError, match="validation error"):
        when(condition=condition)


@pytest.mark.parametrize(
    ("params", "answer", "reason"),
    [
        ({"inside": "change-freeze"}, Answer.ALLOW, "inside change-freeze"),
        ({"inside": "night"}, Answer.DENY, "outside night"),
        ({"outside": "night"}, Answer.ALLOW, "outside night"),
        ({"outside": "change-freeze"}, Answer.DENY, "inside change-freeze"),
        ({"inside": "lost"}, Answer.UNKNOWN, "there is no window lost"),
        ({"outside": "lost"}, Answer.UNKNOWN, "there is no window lost"),
    ],
)
def test_windows(params: dict[str, str], answer: Answer, reason: str) -> None:
    verdict = window(**params)

    assert (verdict.answer, verdict.reason) == (answer, reason)
    assert verdict.again is None
    assert verdict.seen == {"window": next(iter(params.values())), "at": NOW.isoformat()}


@pytest.mark.parametrize("bad", [{}, {"inside": "a", "outside": "b"}, {"inside": ""}, {"inside": "a\nb"}])
def test_exactly_one_window_is_named(bad: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        WindowGuard.Params.model_validate(bad)


@pytest.mark.parametrize("where", ["inside", "outside"])
def test_the_window_must_exist(where: str) -> None:
    guard = WindowGuard()
    guard.refers(guard.Params.model_validate({where: "night"}), RESOURCES)
    with pytest.raises(Fault) as caught:
        guard.refers(guard.Params.model_validate({where: "nigth"}), RESOURCES)

    assert (caught.value.where, caught.value.what) == (where, 'there is no window "nigth"')
    assert caught.value.right == "windows: change-freeze, night"
