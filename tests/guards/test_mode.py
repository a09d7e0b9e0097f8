"""Guard `mode`: only where automation may do so much; the mode of each place is evidence."""

import pytest

from paramedic.core.model import Verdict
from paramedic.core.words import Answer, Mode
from paramedic.guards.mode import ModeGuard
from tests.contract.plugin_scene import at_once, seen, tools


def judge(least: str | None = None, **modes: Mode) -> Verdict:
    guard = ModeGuard()
    params = guard.Params.model_validate({} if least is None else {"least": least})
    places = {place.rstrip("_"): mode for place, mode in modes.items()}
    return at_once(guard.judge(params, seen(modes=lambda: places), tools()))


def test_the_mode_of_each_place_is_evidence() -> None:
    verdict = judge(global_=Mode.AUTO, rule=Mode.APPROVE, playbook=Mode.AUTO, target=Mode.APPROVE)

    assert (verdict.answer, verdict.reason) == (Answer.ALLOW, "the mode is approve")
    assert verdict.seen == {"global": "auto", "rule": "approve", "playbook": "auto", "target": "approve"}


@pytest.mark.parametrize(
    ("least", "mode", "allowed"),
    [
        *(("shadow", mode, mode not in (Mode.OFF, Mode.FREEZE)) for mode in Mode),
        *(("approve", mode, mode in (Mode.APPROVE, Mode.AUTO)) for mode in Mode),
        *(("auto", mode, mode is Mode.AUTO) for mode in Mode),
    ],
)
def test_what_is_enough(least: str, mode: Mode, allowed: bool) -> None:
    verdict = judge(least, global_=mode)

    assert verdict.answer is (Answer.ALLOW if allowed else Answer.DENY)
    assert verdict.again is None, "a mode does not pass by itself"


def test_anything_above_off_is_enough_unless_said_otherwise() -> None:
    assert judge(global_=Mode.SHADOW).answer is Answer.ALLOW
    assert judge(global_=Mode.OFF).answer is Answer.DENY


@pytest.mark.parametrize("place", ["global_", "rule", "playbook", "target"])
def test_each_place_may_lower_it_and_the_reason_names_the_place(place: str) -> None:
    verdict = judge("auto", **({"global_": Mode.AUTO} | {place: Mode.SHADOW}))

    assert verdict.answer is Answer.DENY
    assert verdict.reason == f"the mode is shadow ({place.rstrip('_')}), at least auto is wanted"


def test_two_places_that_are_equally_low_are_both_named() -> None:
    assert "(rule, target)" in judge("auto", global_=Mode.AUTO, rule=Mode.OFF, target=Mode.OFF).reason


def test_without_the_global_mode_nothing_is_known() -> None:
    """Promise 11."""
    assert judge(playbook=Mode.AUTO).answer is Answer.UNKNOWN
    assert judge().answer is Answer.UNKNOWN


@pytest.mark.parametrize("bad", ["off", "freeze", "AUTO", "", 3])
def test_parameters_that_make_no_sense(bad: object) -> None:
    with pytest.raises(ValueError, match="validation error"):
        ModeGuard.Params.model_validate({"least": bad})
