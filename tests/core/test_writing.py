"""What becomes of a write: tried again, refused, stopped, or waiting for what somebody else holds.

Promise 3: a step changes its target at most once per attempt.
"""

from datetime import datetime

from paramedic.core.effects import Apply, Check
from paramedic.core.events import Applied, Held
from paramedic.core.model import Claim
from paramedic.core.words import Answer, Kind, Once, Outcome, Phase, Stage
from tests.core.builders import HOUR, MINUTE, after, book, bundle, check, firing, guard, resolved, step
from tests.core.story import Story, deny, failure, writing, yes

KEY = "INC-1/1/1/1"


# -- failures that are known ------------------------------------------------------------------------------------------


def test_a_temporary_failure_is_tried_three_times_under_the_same_key() -> None:
    story = writing()

    for tried in (1, 2):
        story.apply(failure(delay=3.0))
        assert (story.run.stage, story.due_in("retry")) == (Stage.RETRYING, 3.0 * tried)
        story.wait(3.0 * tried)
    story.apply(failure(message="still refused"))

    assert [write.key for write in story.all_of(Apply)] == [KEY] * 3
    assert (story.ended.outcome, story.ended.reason) == (Outcome.FAILED, "still refused")
    assert story.texts("apply")[:2] == [
        "try 1 of 3 failed: connection refused",
        "try 2 of 3 failed: connection refused",
    ]


def test_a_retry_that_helps_goes_on_as_if_nothing_had_been() -> None:
    story = writing()
    story.apply(failure())
    story.wait(1)

    story.apply()

    assert story.run.stage is Stage.VERIFYING


def test_a_retry_after_ten_seconds_asks_the_guards_first() -> None:
    """Promise 5."""
    story = writing()
    story.apply(failure(delay=30.0))

    story.wait(30)

    assert story.run.stage is Stage.REJUDGING
    story.judge(deny("budget"))
    assert (story.ended.outcome, len(story.all_of(Apply))) == (Outcome.REFUSED, 1)


def test_a_permanent_failure_is_not_tried_again() -> None:
    story = writing()

    story.apply(failure(Kind.PERMANENT, "422: no such workload"))

    assert (story.ended.outcome, len(story.all_of(Apply))) == (Outcome.FAILED, 1)
    assert story.paged() == [(1, "alice"), (2, "bob")]


def test_a_write_that_the_gate_refuses_refuses_the_run() -> None:
    story = writing()

    story.apply(failure(Kind.REFUSED, "the switch is at freeze: nothing writes"))

    assert (story.ended.outcome, story.ended.acted) == (Outcome.REFUSED, False)
    assert story.ended.reason == "the switch is at freeze: nothing writes"


# -- stopping while a write is under way ------------------------------------------------------------------------------


def test_an_alert_that_clears_while_a_write_waits_ends_the_run_as_cleared() -> None:
    """The gate refuses it, because the alert no longer fires: that is no refusal to worry about."""
    story = writing()
    story.deliver(resolved(ends=20))
    assert story.run.stop == "the alert cleared"

    story.apply(failure(Kind.REFUSED, "the run was stopped: the alert cleared"))

    assert (story.ended.outcome, story.incident.phase) == (Outcome.CLEARED, Phase.RESOLVED)
    assert story.ended.reason == "the alert cleared before anything was written"


def test_an_alert_that_clears_during_a_write_is_verified_then() -> None:
    story = writing()
    story.deliver(resolved(ends=20))

    story.apply()

    assert (story.run.stage, story.run.stop, len(story.open_effects(Check))) == (Stage.VERIFYING, "", 1)
    story.check()
    assert (story.ended.outcome, story.incident.fixed_by) == (Outcome.FIXED, "paramedic")


def test_an_alert_that_comes_back_before_the_write_left_lets_it_go() -> None:
    story = writing()
    story.deliver(resolved(ends=20))

    story.deliver(firing(starts=30))

    assert (story.run.stop, story.run.stage) == ("", Stage.APPLYING)
    story.apply()
    assert story.run.stage is Stage.VERIFYING


def test_no_failed_write_is_tried_again_for_an_alert_that_cleared() -> None:
    story = writing()
    story.deliver(resolved(ends=20))

    story.apply(failure())

    assert (story.ended.outcome, "retry" in story.incident.timers) == (Outcome.CLEARED, False)


def test_a_person_who_stops_a_run_has_it_stopped_once_the_write_is_back() -> None:
    story = writing()

    story.act("carol", "cancel", run=1)

    assert (story.run.stage, story.run.stop) == (Stage.APPLYING, "cancelled by carol")
    story.apply()
    assert (story.ended.outcome, story.ended.reason, story.ended.acted) == (
        Outcome.CANCELLED,
        "cancelled by carol",
        True,
    )


def test_stopped_by_a_person_it_ends_even_if_the_alert_cleared_meanwhile() -> None:
    story = writing()
    story.act("carol", "cancel", run=1)
    story.deliver(resolved(ends=20))

    story.apply()

    assert story.ended.outcome is Outcome.CANCELLED
    assert story.open_effects(Check) == []


def test_a_cancelled_run_whose_write_got_lost_says_so() -> None:
    story = writing(Once.CAS)
    story.act("carol", "cancel", run=1)

    story.apply(failure(Kind.UNKNOWN, "no answer"))
    story.observe(False)

    assert (story.ended.outcome, len(story.all_of(Apply))) == (Outcome.CANCELLED, 1)


# -- claims -----------------------------------------------------------------------------------------------------------


def hold(story: Story, until: datetime | None = None) -> None:
    asked = story.one(Apply)
    scope = "budget/shop" if until else "target/main/api"
    story.fold(Held(story.now, story.mode, asked.n, scope, "INC-7.1", until))


def test_a_held_target_waits_and_says_for_whom() -> None:
    """Promise 4."""
    story = writing()

    hold(story)
    hold(story)

    assert story.texts("waits") == ["target/main/api is held by INC-7.1"]
    assert (story.run.stage, len(story.open_effects(Apply))) == (Stage.APPLYING, 1)


def test_waiting_for_a_target_is_told_after_five_minutes() -> None:
    story = writing()
    story.send_all()
    hold(story)

    story.wait(5 * MINUTE)

    assert story.paged() == [(1, "alice"), (2, "bob")]
    assert story.said("the treatment has waited 5m for what another run holds")
    assert len(story.open_effects(Apply)) == 1


def test_nobody_is_told_about_waiting_once_the_alert_has_cleared() -> None:
    story = writing()
    hold(story)
    story.deliver(resolved(ends=20))

    story.wait(5 * MINUTE)

    assert story.paged() == [(1, "alice")]


def test_a_write_that_got_its_target_is_not_told_as_waiting() -> None:
    story = writing()
    hold(story)

    story.apply()

    assert "held" not in story.incident.timers


def test_for_a_budget_that_is_used_up_it_waits_and_asks_the_guards_again() -> None:
    """As a run does that was judged a moment later: two that are judged at once are not told apart by luck."""
    story = writing()
    story.send_all()
    hold(story)

    hold(story, until=after(HOUR))

    assert (story.run.stage, story.due_in("again")) == (Stage.WAITING, HOUR)
    assert "held" not in story.incident.timers, "it does not wait for a target any more"
    assert story.texts("waits")[-1] == "budget/shop is used up until 10:00:00 UTC"
    assert story.incident.paging.reason == "not treated yet: budget/shop is used up until 10:00:00 UTC"
    assert story.open_effects(Apply) == []
    story.wait(HOUR)
    assert story.run.stage is Stage.REJUDGING
    story.judge(yes())
    assert len(story.open_effects(Apply)) == 1


def test_never_sooner_than_in_a_second() -> None:
    """Whatever a claim and its guard may not agree about, they do not keep the service busy with it."""
    story = writing()

    hold(story, until=after(0.003))

    assert story.due_in("again") == 1.0


def test_for_a_budget_that_is_used_up_for_longer_than_a_run_may_wait_it_is_refused() -> None:
    story = writing()

    hold(story, until=after(HOUR + 1))

    assert (story.ended.outcome, story.ended.reason) == (
        Outcome.REFUSED,
        "budget/shop is used up until 10:00:01 UTC",
    )
    assert story.open_effects(Apply) == []


def test_one_that_has_acted_does_not_wait_for_a_budget_with_all_that_it_holds() -> None:
    story = Story(bundle(book(steps=(step(), step()))))
    story.deliver(firing())
    story.until_write().apply()
    story.plan()

    hold(story, until=after(MINUTE))

    assert (story.ended.outcome, story.ended.reason) == (
        Outcome.FAILED,
        "halted after 1 of 2 steps: budget/shop is used up until 09:01:00 UTC",
    )


def test_a_late_word_about_claims_changes_nothing() -> None:
    story = writing()
    asked = story.one(Apply)
    story.apply()
    before = story.incident

    story.fold(Held(story.now, story.mode, asked.n, "target/main/api", "INC-7.1"))

    assert story.incident == before


def test_a_write_asks_for_what_its_guards_claimed_and_an_undo_for_targets_only() -> None:
    world = bundle(book(guards=(guard("budget"),), steps=(step(on_failure="undo", verify=(check(within=0),)),)))
    story = Story(world)
    story.deliver(firing())
    story.judge(yes("budget", Claim("budget/shop", 5, HOUR)))
    story.plan(undo={"replicas": 3})
    story.apply()
    story.check(Answer.FAIL)

    remedy, undo = story.all_of(Apply)
    assert [claim.scope for claim in remedy.claims] == ["budget/shop", "target/main/api"]
    assert [claim.scope for claim in undo.claims] == ["target/main/api"]


def test_an_answer_that_comes_twice_counts_once() -> None:
    story = writing()
    asked = story.one(Apply)
    story.apply()
    before = story.incident

    story.fold(Applied(story.now, story.mode, asked.n, 1, summary="again"))

    assert story.incident == before
    assert len(story.texts("late")) == 1


def test_a_write_that_has_waited_long_asks_the_guards_again_first() -> None:
    story = writing()
    asked = story.one(Apply)
    story.fold(Held(story.now, story.mode, asked.n, "target/main/api", "INC-7.1"))
    story.wait(60)
    story.fold(Held(story.now, story.mode, asked.n, "", ""))

    assert (story.run.stage, "held" in story.incident.timers) == (Stage.REJUDGING, False)
    assert story.open_effects(Apply) == []
    story.judge()
    again = story.one(Apply)
    assert (again.key, again.n > asked.n) == (asked.key, True)


def test_one_that_the_guards_refuse_after_that_has_written_nothing() -> None:
    story = writing()
    asked = story.one(Apply)
    story.wait(60)
    story.fold(Held(story.now, story.mode, asked.n, "", ""))
    story.judge(deny())

    assert (story.ended.outcome, story.ended.acted) == (Outcome.REFUSED, False)
