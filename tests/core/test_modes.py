"""Modes and approvals: how much may be done, and what a person has to say first. Promise 12: shadow changes nothing."""

from typing import Any

import pytest

from paramedic.core.draft import Draft
from paramedic.core.effects import Apply, Judge, Page, Plan
from paramedic.core.events import Judged, Planned
from paramedic.core.model import Change
from paramedic.core.words import Mode, Outcome, Phase, Stage
from tests.core.builders import book, bundle, firing, resolved, rule, step, verified
from tests.core.story import Story, deny, whole_story, yes


def two_steps(**first: Any) -> Story:
    return Story(bundle(book(steps=(step("drain", **first), step("restart")))))


# -- modes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["global", "rule", "playbook"])
def test_each_place_that_names_a_mode_may_lower_it(place: str) -> None:
    """Promise 12 from every side: shadow anywhere is shadow."""
    world = bundle(
        book(mode=Mode.SHADOW if place == "playbook" else Mode.AUTO),
        rules=(rule(mode=Mode.SHADOW if place == "rule" else None),),
    )
    story = Story(world, Mode.SHADOW if place == "global" else Mode.AUTO)
    story.deliver(firing())
    story.judge()

    story.plan()

    assert (story.ended.outcome, story.all_of(Apply)) == (Outcome.SHADOWED, [])


def test_no_place_may_raise_it() -> None:
    story = Story(bundle(rules=(rule(mode=Mode.AUTO),)), Mode.SHADOW)
    story.deliver(firing())
    story.judge()

    story.plan()

    assert story.ended.outcome is Outcome.SHADOWED


def test_shadow_changes_nothing_goes_through_all_steps_and_pages_what_it_would_have_done() -> None:
    """Promise 12."""
    story = two_steps()
    story.mode = Mode.SHADOW
    story.deliver(firing())
    story.judge()
    story.plan("drain node-3")
    story.plan("restart api")

    assert story.all_of(Apply) == []
    assert story.texts("shadow") == ["would now: drain node-3", "would now: restart api"]
    assert (story.ended.outcome, story.ended.acted) == (Outcome.SHADOWED, False)
    assert story.texts("page") == [
        "level 1 alice: not treated: the mode is shadow: it would have done: drain node-3; restart api"
    ]


def test_in_shadow_a_step_that_only_collects_is_carried_out() -> None:
    story = two_steps(mutates=False)
    story.mode = Mode.SHADOW
    story.deliver(firing())
    story.judge()
    story.plan("collect logs of api")

    assert story.one(Apply).step == 0
    assert story.paged() == []
    story.apply(summary="logs collected")
    story.plan("restart api")
    assert story.ended.outcome is Outcome.SHADOWED


def test_collecting_alone_fixes_nothing() -> None:
    story = Story(bundle(book(steps=(step("collect", mutates=False),))))
    story.until_write()
    story.apply()

    assert (story.ended.outcome, story.ended.acted) == (Outcome.DONE, False)
    story.deliver(resolved(ends=20))
    assert story.incident.fixed_by == "itself"


@pytest.mark.parametrize("mode", [Mode.OFF, Mode.FREEZE])
def test_in_off_and_freeze_nothing_is_even_judged(mode: Mode) -> None:
    story = Story(mode=mode)

    story.deliver(firing())

    assert story.incident.runs == 0
    assert story.texts("refused") == [f"restart: the mode is {mode}"]
    assert story.texts("page") == [f"level 1 alice: not treated: the mode is {mode}"]


@pytest.mark.parametrize(
    ("mode", "outcome"), [(Mode.OFF, "refused"), (Mode.FREEZE, "refused"), (Mode.SHADOW, "shadowed")]
)
def test_a_switch_thrown_in_the_middle_counts_for_the_next_write(mode: Mode, outcome: str) -> None:
    story = Story()
    story.deliver(firing())
    story.judge()

    story.mode = mode
    story.plan()

    assert (story.ended.outcome, story.all_of(Apply)) == (outcome, [])


@pytest.mark.parametrize("mode", [Mode.OFF, Mode.FREEZE])
def test_what_the_switch_refuses_says_who_has_set_it_and_why(mode: Mode) -> None:
    story = Story()
    story.deliver(firing())
    asked = story.one(Judge)
    story.fold(Judged(story.now, Mode.AUTO, asked.n, asked.run, (yes(),)))
    plan = story.one(Plan)
    change = Change("restart api", {}, digest="d1")
    story.fold(Planned(story.now, mode, plan.n, plan.run, change=change, switch="alice: moving house"))

    assert story.ended.reason == f"the mode is {mode} (alice: moving house)"


@pytest.mark.parametrize(("said", "words"), [("alice: too much", " (alice: too much)"), ("", "")])
def test_who_has_set_the_switch_is_said_of_no_other_place(said: str, words: str) -> None:
    story = whole_story()
    draft = Draft(story.incident, story.bundle, story.now, Mode.OFF, said)

    assert (draft.by_switch(Mode.OFF), draft.by_switch(Mode.SHADOW)) == (words, "")


# -- approval ---------------------------------------------------------------------------------------------------------


def asking() -> Story:
    """A plan waits for its approval."""
    return Story(bundle(verified()), Mode.APPROVE).until_write()


def test_in_approve_the_plan_waits_for_a_person_and_says_so() -> None:
    story = asking()

    assert (story.run.stage, story.due_in("approval")) == (Stage.APPROVAL, 600.0)
    assert story.texts("page") == [
        "level 1 alice: restart api. It waits 10m for an approval: paramedic runs approve INC-1.1;"
        " the guards said: fine"
    ]


def test_nothing_is_reserved_while_waiting_for_an_approval() -> None:
    """Claims are taken with the intent of a write, and none has been asked for."""
    assert asking().all_of(Apply) == []


def test_after_the_approval_the_guards_are_asked_again() -> None:
    story = asking()
    story.wait(8)

    story.act("carol", "approve", run=1)

    assert (story.run.stage, story.run.approved_by, "approval" in story.incident.timers) == (
        Stage.REJUDGING,
        "carol",
        False,
    )
    assert story.all_of(Apply) == []
    story.judge()
    assert story.one(Apply).key == "INC-1/1/1/1"


def test_a_guard_may_still_refuse_what_was_approved() -> None:
    story = asking()
    story.act("carol", "approve", run=1)

    story.judge(deny("budget"))

    assert (story.ended.outcome, story.all_of(Apply)) == (Outcome.REFUSED, [])


def test_an_approval_nobody_gives_is_denied_and_goes_to_the_next_level() -> None:
    story = asking()
    story.send_all()
    story.wait(300)
    assert story.paged() == [(1, "alice"), (2, "bob")], "halfway, while there is time left"

    story.wait(300)

    assert (story.ended.outcome, story.ended.reason) == (Outcome.DENIED, "nobody approved within 10m")
    assert story.paged() == [(1, "alice"), (2, "bob"), (3, "carol")]


def test_a_denial_ends_the_run_with_its_reason() -> None:
    story = asking()

    story.act("carol", "deny", run=1, text="it is a migration")

    assert (story.ended.outcome, story.ended.reason) == (Outcome.DENIED, "denied by carol: it is a migration")
    assert story.all_of(Apply) == []


def test_an_approval_is_for_one_plan_the_next_step_asks_again() -> None:
    story = two_steps()
    story.mode = Mode.APPROVE
    story.until_write()
    story.act("carol", "approve", run=1)
    story.judge()
    story.apply()
    story.plan("restart api")

    assert (story.run.stage, story.run.step, story.run.approved_by) == (Stage.APPROVAL, 1, "")


def test_an_alert_that_clears_needs_no_approval_any_more() -> None:
    story = asking()

    story.deliver(resolved(ends=20))

    assert (story.ended.outcome, story.incident.phase) == (Outcome.CLEARED, Phase.RESOLVED)
    assert "approval" not in story.incident.timers


def test_whoever_has_acknowledged_already_is_told_that_an_approval_waits() -> None:
    story = Story(bundle(verified()), Mode.APPROVE)
    story.deliver(firing())
    story.act("alice", "ack")
    story.judge()

    story.plan()

    assert [(page.to, "approval" in page.text) for page in story.open_effects(Page)] == [("alice", True)]


def test_whoever_was_paged_before_the_approval_was_wanted_is_told() -> None:
    """Guards took their time, level 1 knows only of the alert: the request must not go unheard."""
    story = Story(bundle(verified()), Mode.APPROVE)
    story.deliver(firing())
    story.wait(5)
    story.judge()

    story.plan()

    assert story.paged() == [(1, "alice"), (1, "alice")]
    assert story.said("level 1 alice again: restart api. It waits 10m")


def test_a_rule_that_pages_late_pages_for_an_approval_at_once() -> None:
    story = Story(bundle(rules=(rule(page_after=300.0),)), Mode.APPROVE).until_write()

    assert story.paged() == [(1, "alice")]
