"""Whether it helped: checks, one after the other. A check that cannot know hands over and never undoes (promise 11)."""

from typing import Any

import pytest

from paramedic.core.bundle import CheckSpec
from paramedic.core.effects import Apply, Check
from paramedic.core.events import Checked
from paramedic.core.model import Verdict
from paramedic.core.words import Answer, Outcome, Phase, Stage
from tests.core.builders import MINUTE, book, bundle, check, firing, resolved, step, verified
from tests.core.story import Story


def verifying(*checks: CheckSpec, **about: Any) -> Story:
    return Story(bundle(book(steps=(step(verify=checks or (check(),), **about),)))).until_verifying()


def test_a_check_is_asked_at_once_after_the_write() -> None:
    story = verifying()

    assert (story.one(Check).check, story.run.stage) == (0, Stage.VERIFYING)


def test_a_check_that_passes_makes_it_fixed() -> None:
    story = verifying()
    story.deliver(resolved(ends=20))

    story.check(reason="alert cleared for 12s")

    assert (story.ended.outcome, story.ended.reason) == (Outcome.FIXED, "every check passed")
    assert story.texts("check") == ["alert_cleared: alert cleared for 12s"]
    assert (story.incident.phase, story.incident.fixed_by) == (Phase.RESOLVED, "paramedic")


@pytest.mark.parametrize("answer", [Answer.FAIL, Answer.UNKNOWN, Answer.ERROR])
def test_a_check_that_does_not_pass_is_asked_again_until_its_time_is_up(answer: Answer) -> None:
    story = verifying(check(within=25, every=10))

    asked = 0
    while story.incident.run is not None and asked < 10:
        story.check(answer)
        asked += 1
        story.wait(story.due_in("check") if "check" in story.incident.timers else 0.0)

    assert asked == 4  # at 0, 10, 20 and 25 s
    assert (story.ended.ended_at - story.incident.opened_at).total_seconds() == 25


def test_the_check_itself_may_say_when_to_ask_again() -> None:
    story = verifying(check(within=600, every=10))

    story.check(Answer.FAIL, again=120.0)
    assert story.due_in("check") == 120.0
    story.wait(120)
    story.check(Answer.FAIL, again=0.0)
    assert story.due_in("check") == pytest.approx(0.1)


def answered(story: Story, answer: Answer, *, final: bool) -> None:
    """The check under way answers; `final`: more time would not mend it."""
    asked = story.one(Check)
    verdict = Verdict("rollout", answer, "its rollout made no progress for 600s", final=final)
    story.fold(Checked(story.now, story.mode, asked.n, asked.run, verdict))


def test_a_failure_that_time_will_not_mend_is_not_waited_for() -> None:
    story = verifying(check(within=600))

    answered(story, Answer.FAIL, final=True)

    assert story.ended.outcome is Outcome.INEFFECTIVE
    assert (story.ended.ended_at - story.incident.opened_at).total_seconds() < 1
    assert story.texts("check") == ["rollout: failed: its rollout made no progress for 600s"]


@pytest.mark.parametrize(("answer", "final"), [(Answer.FAIL, False), (Answer.UNKNOWN, True)])
def test_everything_else_is_given_its_time(answer: Answer, final: bool) -> None:
    """What cannot be known now may be known later, whatever the check says."""
    story = verifying(check(within=600))

    answered(story, answer, final=final)

    assert story.run.stage is Stage.VERIFYING
    assert "check" in story.incident.timers


def test_a_treatment_that_did_not_help_pages_the_next_level_with_the_reason() -> None:
    story = verifying(check(within=0))

    story.check(Answer.FAIL, "the alert is still firing")

    assert story.ended.outcome is Outcome.INEFFECTIVE
    assert story.paged() == [(1, "alice"), (2, "bob")]
    assert story.texts("check") == ["alert_cleared: not within 0s: the alert is still firing"]
    assert story.said("treated, and not cleared: alert_cleared: the alert is still firing")


@pytest.mark.parametrize("answer", [Answer.UNKNOWN, Answer.ERROR])
@pytest.mark.parametrize("on_failure", ["stop", "undo", "next"])
def test_a_check_that_cannot_know_hands_over_and_undoes_nothing(answer: Answer, on_failure: str) -> None:
    """Promise 11."""
    world = bundle(book(steps=(step(verify=(check(within=0),), on_failure=on_failure), step("second"))))
    story = Story(world)
    story.deliver(firing())
    story.judge()
    story.plan(undo={"replicas": 3})
    story.apply()

    story.check(answer, "no such series")

    assert (story.ended.outcome, len(story.all_of(Apply))) == (Outcome.UNKNOWN, 1)
    assert story.ended.reason == "alert_cleared cannot tell: no such series"
    assert story.texts("check") == ["alert_cleared: cannot be known, given up after 0s: no such series"]
    assert story.paged() == [(1, "alice"), (2, "bob")]


def test_checks_are_asked_one_after_the_other_each_with_its_own_time() -> None:
    story = verifying(check("http", within=60), check("alert_cleared", within=300))

    story.wait(30)
    story.check()

    assert (story.one(Check).check, story.run.check) == (1, 1)
    assert story.run.deadline is not None
    assert (story.run.deadline - story.now).total_seconds() == 300
    story.check()
    assert story.ended.outcome is Outcome.FIXED


def test_the_check_looks_again_when_the_alert_clears() -> None:
    story = verifying()
    story.check(Answer.FAIL)
    assert story.open_effects(Check) == []
    story.now = story.now.replace(second=4)

    story.deliver(resolved(ends=3))

    assert (len(story.open_effects(Check)), "check" in story.incident.timers) == (1, False)


def test_a_look_that_is_under_way_is_not_asked_for_twice() -> None:
    story = verifying()

    story.deliver(resolved(ends=3))

    assert len(story.open_effects(Check)) == 1


def test_fixed_while_the_alert_still_fires_leaves_the_incident_open() -> None:
    """An `http` check has passed; that the alert clears is for its source to say."""
    story = verifying(check("http"))

    story.check()

    assert (story.ended.outcome, story.incident.phase) == (Outcome.FIXED, Phase.RESPONDING)
    story.deliver(resolved(ends=60))
    assert (story.incident.phase, story.incident.fixed_by) == (Phase.RESOLVED, "paramedic")


def test_a_person_who_takes_over_ends_the_verification() -> None:
    story = verifying()

    story.act("alice", "take")

    assert (story.ended.outcome, story.open_effects(Check)) == (Outcome.CANCELLED, [])


def test_where_the_playbook_says_stop_a_failure_pages_nobody_further() -> None:
    story = Story(bundle(verified(on_failure="stop", steps=(step(verify=(check(within=0),)),)))).until_verifying()
    story.send_all()

    story.check(Answer.FAIL)

    assert story.ended.outcome is Outcome.INEFFECTIVE
    assert story.paged() == [(1, "alice")]
    story.wait(15 * MINUTE)
    assert story.paged() == [(1, "alice"), (2, "bob")]
