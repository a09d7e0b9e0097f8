"""A target that changed between plan and write: nothing was written, so the step is judged and planned anew, bounded.

And an action that stopped between two of its writes: what it did by then is said, and a person goes on.
"""

import pytest

from paramedic.core.effects import Apply, Judge, Plan
from paramedic.core.words import Answer, Kind, Mode, Once, Outcome, Purpose, Stage
from tests.core.builders import book, bundle, check, firing, resolved, step, verified
from tests.core.story import Story, changed, deny, failure, writing


def anew(story: Story, summary: str = "restart api") -> None:
    """The pause is over, the guards allow, and there is another plan."""
    story.wait(10)
    story.judge()
    story.plan(summary)


def test_a_target_that_changed_is_judged_and_planned_anew_under_the_next_attempt() -> None:
    story = writing(Once.CAS)

    story.apply(changed("the generation is 8, not 7"))

    assert (story.run.stage, story.run.attempt, story.run.change) == (Stage.RETRYING, 2, None)
    assert story.texts("changed") == [
        "the target changed between plan and write: planned anew: the generation is 8, not 7"
    ]
    story.wait(2)
    assert story.one(Judge).run == 1
    story.judge()
    assert story.one(Plan).attempt == 2
    story.plan("restart api at generation 8")
    assert [write.key for write in story.all_of(Apply)] == ["INC-1/1/1/1", "INC-1/1/1/2"]
    story.apply()
    assert (story.run.stage, story.run.steps[0].attempt) == (Stage.VERIFYING, 2)


def test_it_waits_until_no_read_is_answered_from_before() -> None:
    """Reads may be a second old: planned at once, it would be planned against what has just been refused."""
    story = writing(Once.CAS)

    story.apply(changed())

    assert story.due_in("retry") == 1.5
    anew(story)
    story.apply(changed())
    assert story.due_in("retry") == 3.0


def test_three_attempts_in_all() -> None:
    story = writing(Once.CAS)
    story.apply(changed())
    for _ in range(2):
        anew(story)
        story.apply(changed("it never rests"))

    assert (story.ended.outcome, story.ended.reason, story.ended.acted) == (Outcome.FAILED, "it never rests", False)
    assert [write.key[-1] for write in story.all_of(Apply)] == ["1", "2", "3"]
    assert story.paged() == [(1, "alice"), (2, "bob")]


def test_the_next_plan_is_approved_anew() -> None:
    """An approval is for one plan."""
    story = Story(bundle(book(steps=(step(once=Once.CAS),))), Mode.APPROVE).until_write()
    story.act("carol", "approve", run=1)
    story.judge()
    story.apply(changed())
    assert story.run.approved_by == ""

    anew(story, "restart api as it is now")

    assert (story.run.stage, story.run.approved_by) == (Stage.APPROVAL, "")
    assert len(story.all_of(Apply)) == 1
    story.act("carol", "approve", run=1)
    story.judge()
    assert story.one(Apply).key == "INC-1/1/1/2"


def test_guards_have_their_say_again() -> None:
    story = writing(Once.CAS)
    story.apply(changed())
    story.wait(2)

    story.judge(deny("recent_change", reason="it was released 2s ago"))

    assert (story.ended.outcome, story.ended.reason) == (Outcome.REFUSED, "recent_change: it was released 2s ago")


def test_a_plan_that_met_a_change_is_made_anew_as_well() -> None:
    """The dry run of the write compares too."""
    story = Story(bundle(verified()))
    story.deliver(firing())
    story.judge()
    for _ in range(2):
        story.plan(failed=changed())
        story.wait(5)
        story.judge()
    assert story.texts("changed")[0].startswith("the target changed while it was planned: planned anew")

    story.plan(failed=changed("again"))

    assert (story.ended.outcome, story.ended.reason) == (Outcome.FAILED, "again")
    assert story.all_of(Apply) == []


def test_an_alert_that_clears_meanwhile_ends_it() -> None:
    story = writing(Once.CAS)
    story.apply(changed())

    story.deliver(resolved(ends=1))

    assert (story.ended.outcome, story.ended.acted) == (Outcome.CLEARED, False)


def test_a_run_that_was_to_stop_is_not_planned_anew() -> None:
    story = writing(Once.CAS)
    story.act("alice", "cancel", run=1)

    story.apply(changed())

    assert (story.ended.outcome, story.all_of(Plan)[-1].attempt) == (Outcome.CANCELLED, 1)


def test_a_write_that_may_have_left_before_is_not_planned_anew() -> None:
    """The first try may be in effect: what changed the target may be ourselves (promise 3)."""
    story = writing(Once.KEY)
    story.apply(failure(Kind.UNKNOWN, "reset"))
    story.wait(5)

    story.apply(changed())

    assert (story.ended.outcome, len(story.all_of(Plan))) == (Outcome.UNKNOWN, 1)


def test_a_change_after_the_target_was_looked_at_is_planned_anew() -> None:
    story = writing(Once.CAS)
    story.lose()
    story.observe(False)

    story.apply(changed())

    assert (story.run.attempt, story.run.unsure) == (2, False)


def test_the_step_after_begins_with_its_first_attempt() -> None:
    story = Story(bundle(book(steps=(step("drain", once=Once.CAS), step("restart", once=Once.CAS))))).until_write()
    story.apply(changed())
    anew(story)
    story.apply()
    story.plan("restart api")

    assert story.one(Apply).key == "INC-1/1/2/1"


def undoing() -> Story:
    """What was done did not help, and is being taken back."""
    story = Story(bundle(book(steps=(step(once=Once.CAS, on_failure="undo", verify=(check(within=0),)),))))
    story.deliver(firing())
    story.judge()
    story.plan(undo={"replicas": 3})
    story.apply()
    story.check(Answer.FAIL, "still firing")
    assert story.one(Apply).purpose is Purpose.UNDO
    return story


def test_an_undo_whose_target_was_changed_since_is_left_alone_and_reported() -> None:
    story = undoing()

    story.apply(changed("replicas is 5, not 6; last changed by kubectl-edit"))

    assert story.ended.outcome is Outcome.INEFFECTIVE
    assert story.ended.reason.endswith(
        "somebody changed it since, so it is left as it is: replicas is 5, not 6; last changed by kubectl-edit"
    )
    assert len(story.all_of(Apply)) == 2
    assert story.paged() == [(1, "alice"), (2, "bob")]


# -- halted ----------------------------------------------------------------------------------------------------------


def test_an_action_that_stopped_between_two_writes_ends_the_run_and_says_what_was_done() -> None:
    story = writing(Once.CAS)

    story.apply(summary="the template is back at api:41", halted="the switch is at freeze: nothing writes")

    assert (story.ended.outcome, story.ended.acted) == (Outcome.FAILED, True)
    assert story.ended.reason == (
        "halted: the switch is at freeze: nothing writes; done by then: the template is back at api:41"
    )
    assert story.texts("apply") == ["the template is back at api:41"]
    assert story.paged() == [(1, "alice"), (2, "bob")]


def test_what_stopped_half_way_is_neither_verified_nor_followed_by_the_next_step() -> None:
    story = Story(bundle(book(steps=(step(verify=(check(),), on_failure="next"), step("drain"))))).until_write()

    story.apply(halted="the alert no longer fires")

    assert (story.ended.outcome, len(story.all_of(Plan))) == (Outcome.FAILED, 1)


def test_an_undo_that_stopped_half_way_is_told() -> None:
    story = undoing()

    story.apply(summary="one of two pods replaced", halted="the fence is gone")

    assert story.ended.outcome is Outcome.FAILED
    assert story.ended.reason.startswith("our change was not wholly taken back: halted: the fence is gone")


# -- what the target allows -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("most", "outcome", "reason"),
    [
        (Mode.OFF, Outcome.REFUSED, "the mode is off, which is the most that the target allows"),
        (Mode.SHADOW, Outcome.SHADOWED, "it would have done: restart api"),
    ],
)
def test_a_target_may_lower_the_mode(most: Mode, outcome: Outcome, reason: str) -> None:
    story = Story(bundle(verified()))
    story.deliver(firing())
    story.judge()

    story.plan(most=most)

    assert (story.ended.outcome, story.ended.reason, story.all_of(Apply)) == (outcome, reason, [])


def test_a_target_may_ask_for_approvals() -> None:
    story = Story(bundle(verified()))
    story.deliver(firing())
    story.judge()

    story.plan(most=Mode.APPROVE)

    assert (story.run.stage, story.all_of(Apply)) == (Stage.APPROVAL, [])


def test_a_target_can_not_raise_the_mode() -> None:
    story = Story(bundle(verified()), Mode.SHADOW)
    story.deliver(firing())
    story.judge()

    story.plan(most=Mode.AUTO)

    assert story.ended.outcome is Outcome.SHADOWED
