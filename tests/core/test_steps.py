"""The inside of a run: plans, fresh answers, conditions, and from one step to the next."""

from typing import Any

import pytest

from paramedic.core.effects import Apply, Judge, Page, Plan
from paramedic.core.events import Judged
from paramedic.core.words import Answer, Kind, Outcome, Phase, Stage
from paramedic.errors import Fault
from tests.core.builders import When, book, bundle, check, firing, resolved, step, verified
from tests.core.story import Story, deny, failure, yes


def no_value(_: object) -> bool:
    raise Fault("${params.x}", "has no value")


NEVER = When("1 == 2", lambda scope: False)
ALWAYS = When("1 == 1", lambda scope: True)
ODD = When("params.x > 1", no_value)


def two_steps(**first: Any) -> Story:
    return Story(bundle(book(steps=(step("drain", **first), step("restart")))))


# -- plan and write ---------------------------------------------------------------------------------------------------


def test_a_step_plans_before_it_writes() -> None:
    """Promise 3: absolute values and prior ones are in the state before anything leaves."""
    story = Story()
    story.deliver(firing())
    story.judge()
    assert story.all_of(Apply) == []

    story.plan("scale api to 4", prior={"replicas": 3})

    write = story.one(Apply)
    assert (write.key, write.timeout, write.playbook) == ("INC-1/1/1/1", 10.0, "restart")
    assert story.run.change is not None
    assert (story.run.change.write, story.run.change.prior) == ({"do": "scale api to 4"}, {"replicas": 3})
    assert story.incident.phase is Phase.RESPONDING


def test_a_run_that_did_something_and_verifies_nothing_is_done() -> None:
    story = Story().until_write()

    story.apply()

    assert (story.ended.outcome, story.ended.acted) == (Outcome.DONE, True)
    assert story.ended.reason == "done; nothing verifies it"


def test_a_target_that_is_as_wanted_is_not_written_but_verified() -> None:
    story = Story(bundle(verified()))
    story.deliver(firing())
    story.judge()

    story.plan("api has 4 replicas already", needed=False)

    assert (story.run.stage, story.all_of(Apply)) == (Stage.VERIFYING, [])
    story.deliver(resolved(ends=20))
    story.check()
    assert (story.ended.outcome, story.ended.acted) == (Outcome.DONE, False)
    assert story.incident.fixed_by == "itself"


@pytest.mark.parametrize("kind", [Kind.TEMPORARY, Kind.UNKNOWN])
def test_a_plan_that_fails_for_now_is_tried_three_times(kind: Kind) -> None:
    """Planning only reads, so that even an unknown outcome may be repeated."""
    story = Story()
    story.deliver(firing())
    story.judge()

    for tried in (1, 2):
        story.plan(failed=failure(kind, delay=2.0))
        assert (story.run.stage, story.due_in("retry")) == (Stage.RETRYING, 2.0 * tried)
        story.wait(2.0 * tried)
    story.plan(failed=failure(kind))

    assert (story.ended.outcome, len(story.all_of(Plan))) == (Outcome.FAILED, 3)


def test_a_plan_that_cannot_be_made_fails_and_hands_over() -> None:
    story = Story()
    story.deliver(firing())
    story.judge()

    story.plan(failed=failure(Kind.PERMANENT, "no such deployment"))

    assert (story.ended.outcome, story.ended.reason) == (Outcome.FAILED, "no such deployment")
    assert story.texts("page") == ["level 1 alice: the treatment failed: no such deployment"]


def test_a_plan_that_is_refused_refuses() -> None:
    story = Story()
    story.deliver(firing())
    story.judge()

    story.plan(failed=failure(Kind.REFUSED, "the set of targets is empty"))

    assert story.ended.outcome is Outcome.REFUSED


def test_the_page_says_what_is_being_done() -> None:
    story = Story().until_write()

    assert [page.text for page in story.open_effects(Page)] == ["HighErrorRate api: being treated: restart api"]


def test_answers_that_went_stale_are_asked_for_again_before_the_write() -> None:
    """Promise 5: what the write relies on is at most 10 seconds old."""
    story = Story()
    story.deliver(firing())
    story.judge()
    story.wait(11)

    story.plan()

    assert (story.run.stage, story.all_of(Apply)) == (Stage.REJUDGING, [])
    story.judge()
    assert story.one(Apply).step == 0


def test_a_guard_that_has_changed_its_mind_stops_the_write() -> None:
    story = Story()
    story.deliver(firing())
    story.judge()
    story.wait(11)
    story.plan()

    story.judge(deny(reason="in the change freeze"))

    assert (story.ended.outcome, story.all_of(Apply)) == (Outcome.REFUSED, [])


def test_a_guard_that_wants_a_wait_before_the_write_does_not_lose_the_plan() -> None:
    story = Story()
    story.deliver(firing())
    story.judge()
    story.wait(11)
    story.plan()

    story.judge(deny(again=30.0))
    story.wait(30)
    story.judge()

    assert len(story.all_of(Plan)) == 1
    assert story.one(Apply).step == 0


# -- conditions and several steps -------------------------------------------------------------------------------------


def test_a_step_whose_condition_is_false_is_skipped_and_recorded() -> None:
    """Promise 8."""
    story = Story(bundle(book(steps=(step("drain", when=NEVER), step("restart", when=ALWAYS)))))
    story.deliver(firing())
    story.judge()

    assert story.one(Plan).step == 1
    assert story.texts("step") == ["drain skipped: 1 == 2 is false"]
    assert [record.outcome for record in story.run.steps] == ["skipped"]


def test_a_condition_that_cannot_be_decided_fails_the_step() -> None:
    story = Story(bundle(book(steps=(step(when=ODD),))))
    story.deliver(firing())

    story.judge()

    assert story.ended.outcome is Outcome.FAILED
    assert "its condition cannot be decided: ${params.x}: has no value" in story.ended.reason


def test_when_no_step_is_wanted_nothing_was_done() -> None:
    story = Story(bundle(book(steps=(step(when=NEVER),))))
    story.deliver(firing())

    story.judge()

    assert (story.ended.outcome, story.ended.reason) == (Outcome.DONE, "nothing needed changing")


def test_steps_follow_one_another_each_under_its_own_key() -> None:
    story = two_steps()
    story.until_write()
    story.apply()
    story.plan()
    story.apply()

    assert [write.key for write in story.all_of(Apply)] == ["INC-1/1/1/1", "INC-1/1/2/1"]
    assert story.ended.outcome is Outcome.DONE


def test_a_run_halted_in_the_middle_says_how_far_it_came() -> None:
    story = two_steps()
    story.until_write()
    story.apply()
    story.plan(failed=failure(Kind.REFUSED, "the switch is at freeze"))

    assert story.ended.outcome is Outcome.FAILED
    assert story.ended.reason == "halted after 1 of 2 steps: the switch is at freeze"


def test_an_alert_that_clears_between_two_steps_needs_no_further_one() -> None:
    story = two_steps()
    story.until_write()
    story.apply()

    story.deliver(resolved(ends=20))

    assert (story.ended.outcome, story.ended.reason) == (Outcome.DONE, "the alert cleared; no further step is needed")
    assert story.incident.fixed_by == "paramedic"


@pytest.mark.parametrize("on_failure", ["stop", "next"])
def test_what_the_first_step_has_fixed_needs_no_second_one(on_failure: str) -> None:
    """A ladder: restart, and only if that did not help, roll back."""
    ladder = (step("restart", on_failure=on_failure, verify=(check(),)), step("roll_back", verify=(check(),)))
    story = Story(bundle(book(steps=ladder))).until_verifying()
    story.deliver(resolved(ends=20))

    story.check(Answer.PASS)

    assert len(story.all_of(Plan)) == 1
    assert (story.ended.outcome, story.incident.fixed_by) == (Outcome.FIXED, "paramedic")
    assert story.said("roll_back is not needed any more: the alert cleared")


def test_what_only_collects_goes_on_although_the_alert_has_cleared() -> None:
    steps = (step("restart", verify=(check(),)), step("logs", mutates=False))
    story = Story(bundle(book(steps=steps))).until_verifying()
    story.deliver(resolved(ends=20))

    story.check(Answer.PASS)

    assert len(story.all_of(Plan)) == 2


def test_on_failure_next_tries_the_next_step() -> None:
    story = two_steps(on_failure="next")
    story.until_write()

    story.apply(failure(Kind.PERMANENT, "no such node"))

    assert (story.run.step, story.run.tries) == (1, 1)
    story.plan()
    story.apply()
    assert story.ended.outcome is Outcome.DONE


def test_the_last_step_that_failed_makes_the_run_ineffective() -> None:
    story = Story(bundle(book(steps=(step("drain", on_failure="next", verify=(check(within=0.0),)), step(when=NEVER)))))
    story.until_write()
    story.apply()
    story.check(Answer.FAIL, "still firing")

    assert story.ended.outcome is Outcome.INEFFECTIVE
    assert "alert_cleared: still firing" in story.ended.reason


def test_a_check_that_failed_before_the_last_step_is_no_fix() -> None:
    """ "Fixed" is said only where a check has passed after what was done."""
    first = step("drain", on_failure="next", verify=(check(within=0.0),))
    story = Story(bundle(book(steps=(first, step("restart")))))
    story.until_write()
    story.apply()
    story.check(Answer.FAIL)
    story.plan()
    story.apply()

    assert (story.ended.outcome, story.ended.reason) == (Outcome.DONE, "done; nothing verifies it")


# -- late answers -----------------------------------------------------------------------------------------------------


def test_a_late_answer_changes_nothing_but_the_timeline() -> None:
    story = Story()
    story.deliver(firing())
    asked = story.one(Judge)
    story.judge()
    before = story.incident

    story.fold(Judged(story.now, story.mode, asked.n, asked.run, (deny(),)))

    assert story.incident == before
    assert story.texts("late") == ["an answer came after its run had gone on without it"]


def test_the_answer_of_a_run_that_is_over_changes_nothing() -> None:
    story = Story()
    story.deliver(firing())
    asked = story.one(Judge)
    story.deliver(resolved(ends=20))
    before = story.incident

    story.fold(Judged(story.now, story.mode, asked.n, asked.run, (yes(),)))

    assert story.incident == before
