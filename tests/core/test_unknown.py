"""Outcomes nobody knows are never repeated blindly (promise 3): what keeps a write from happening twice decides."""

from typing import Any

import pytest

from paramedic.core.effects import Apply, Judge, Observe, Page, Plan
from paramedic.core.events import Interrupted
from paramedic.core.words import Kind, Once, Outcome, Stage
from tests.core.builders import HOUR, MINUTE, after, book, bundle, firing, resolved, step
from tests.core.story import Story, deny, failure, writing

KEY = "INC-1/1/1/1"


def lost(once: Once, how: str, **about: Any) -> Story:
    """The answer never came, or the process died: for the core it is the same."""
    story = writing(once, **about)
    if how == "interrupted":
        story.lose()
    else:
        story.apply(failure(Kind.UNKNOWN, "no answer within 10s"))
    return story


HOW = pytest.mark.parametrize("how", ["no answer", "interrupted"])


@HOW
def test_a_write_that_nothing_protects_is_never_repeated_and_a_person_decides(how: str) -> None:
    story = lost(Once.NONE, how)

    assert (story.ended.outcome, story.ended.acted) == (Outcome.UNKNOWN, True)
    assert len(story.all_of(Apply)) == 1
    assert story.paged() == [(1, "alice"), (2, "bob")]
    assert story.said("nobody can say whether the treatment took effect")
    story.wait(HOUR)
    assert len(story.all_of(Apply)) == 1


@HOW
def test_a_write_that_its_target_knows_by_key_is_sent_again_under_it(how: str) -> None:
    story = lost(Once.KEY, how)

    story.wait(1)

    assert [write.key for write in story.all_of(Apply)] == [KEY, KEY]
    story.apply()
    assert (story.run.stage, story.run.unsure) == (Stage.VERIFYING, False)


def test_a_key_is_sent_a_bounded_number_of_times_and_then_a_person_decides() -> None:
    """Three answers lost is not a failure: the write may well be in effect."""
    story = lost(Once.KEY, "no answer")
    for _ in range(2):
        story.wait(5)
        story.apply(failure(Kind.UNKNOWN, "no answer within 10s"))

    assert (story.ended.outcome, story.ended.acted, len(story.all_of(Apply))) == (Outcome.UNKNOWN, True, 3)


def test_what_may_have_been_written_is_not_called_a_failure() -> None:
    """The first answer was lost, the second try was turned away: the first may be in effect all the same."""
    story = lost(Once.KEY, "no answer", on_failure="next")
    story.wait(1)

    story.apply(failure(Kind.PERMANENT, "404"))

    assert (story.ended.outcome, story.ended.acted) == (Outcome.UNKNOWN, True)


def test_and_no_further_step_is_taken_on_top_of_it() -> None:
    story = Story(bundle(book(steps=(step("drain", on_failure="next"), step("restart"))))).until_write()
    story.apply(failure(Kind.UNKNOWN, "no answer within 10s"))
    story.wait(1)

    story.apply(failure(Kind.PERMANENT, "404"))

    assert (story.ended.outcome, {plan.step for plan in story.all_of(Plan)}) == (Outcome.UNKNOWN, {0})


def test_nor_is_it_called_refused_when_a_guard_says_no_to_the_second_try() -> None:
    story = lost(Once.KEY, "no answer")
    story.now = after(20)
    story.wait(1)

    story.judge(deny("budget", reason="used up"))

    assert story.ended.outcome is Outcome.UNKNOWN
    assert story.ended.reason == "budget: used up; whether the last write took effect is not known"


def test_nor_cleared_when_the_alert_clears_before_the_second_try() -> None:
    story = lost(Once.KEY, "no answer")

    story.deliver(resolved(ends=20))

    assert story.ended.outcome is Outcome.UNKNOWN
    assert story.ended.reason == "the alert cleared; whether the last write took effect is not known"


@HOW
@pytest.mark.parametrize("once", [Once.CAS, Once.UID])
def test_a_write_bound_to_its_target_is_looked_at_before_anything_else(once: Once, how: str) -> None:
    """Promise 3: after a crash the step observes first, under the same attempt."""
    story = lost(once, how)

    look = story.one(Observe)

    assert (look.key, look.attempt, len(story.all_of(Apply))) == (KEY, 1, 1)
    assert story.run.stage is Stage.OBSERVING


def test_seen_to_be_in_effect_it_is_verified() -> None:
    story = lost(Once.CAS, "interrupted")

    story.observe(True)

    assert (story.run.stage, story.run.acted, story.run.unsure) == (Stage.VERIFYING, True, False)
    assert len(story.all_of(Apply)) == 1


def test_seen_not_to_be_in_effect_it_is_made_under_the_same_attempt() -> None:
    story = lost(Once.CAS, "interrupted")

    story.observe(False)

    assert [(write.key, write.attempt) for write in story.all_of(Apply)] == [(KEY, 1), (KEY, 1)]


def test_long_after_the_crash_the_guards_are_asked_before_it_is_made() -> None:
    """Promise 5."""
    story = lost(Once.CAS, "interrupted")
    story.now = after(MINUTE)

    story.observe(False)

    assert (story.run.stage, len(story.all_of(Apply))) == (Stage.REJUDGING, 1)


def test_writing_and_looking_in_turns_comes_to_an_end() -> None:
    story = lost(Once.CAS, "no answer")
    rounds = 0
    while story.incident.run is not None and rounds < 10:
        story.observe(False)
        rounds += 1
        if story.incident.run is not None:
            story.apply(failure(Kind.UNKNOWN, "no answer"))

    assert (story.ended.outcome, len(story.all_of(Apply))) == (Outcome.FAILED, 3)
    assert story.ended.reason == "not in effect after 3 tries"


def test_a_target_that_does_not_tell_is_for_a_person() -> None:
    story = lost(Once.UID, "no answer")

    story.observe(None)

    assert (story.ended.outcome, story.ended.acted) == (Outcome.UNKNOWN, True)
    assert story.paged() == [(1, "alice"), (2, "bob")]


def test_a_look_that_fails_for_now_is_repeated_a_bounded_number_of_times() -> None:
    """Looking changes nothing."""
    story = lost(Once.UID, "no answer")

    for _ in range(2):
        story.observe(failed=failure())
        story.wait(5)
    story.observe(failed=failure(message="unreachable"))

    assert (story.ended.outcome, len(story.all_of(Observe))) == (Outcome.UNKNOWN, 3)
    assert len(story.all_of(Apply)) == 1


def test_a_step_that_only_collects_may_be_repeated_whatever_protects_it() -> None:
    story = lost(Once.NONE, "interrupted", mutates=False)

    story.wait(1)

    assert len(story.all_of(Apply)) == 2


def test_an_interruption_of_something_already_answered_changes_nothing() -> None:
    story = writing()
    asked = story.one(Apply)
    story.apply()
    before = story.incident

    story.fold(Interrupted(story.now, story.mode, asked.n))

    assert story.incident == before


def test_an_interrupted_page_is_said_to_go_out_again() -> None:
    story = writing()
    page = story.one(Page)

    story.fold(Interrupted(story.now, story.mode, page.n))

    assert story.said("level 1 alice may have gone out; sent again under the same key")
    assert story.open_effects(Page) == [page]


def test_an_interrupted_question_is_simply_asked_again() -> None:
    """Reads change nothing: the engine repeats them, and nothing is in doubt."""
    story = Story()
    story.deliver(firing())
    before, asked = story.incident, story.one(Judge)

    story.fold(Interrupted(story.now, story.mode, asked.n))

    assert (story.incident, story.one(Judge)) == (before, asked)
