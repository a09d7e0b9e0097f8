"""Taking back what was done for a time: in which modes, how it may end, who is told."""

import pytest

from paramedic.core.effects import Apply, Observe, Page
from paramedic.core.words import Kind, Mode, Once, Outcome, Phase, Purpose
from tests.core import builders
from tests.core.builders import book, bundle, check, firing, policy, resolved, step
from tests.core.scaling import HALF_HOUR, KEY, clear, due, scale, scaled
from tests.core.story import Story, changed, failure

# -- modes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [Mode.OFF, Mode.SHADOW, Mode.APPROVE])
def test_it_goes_on_in_every_mode_but_freeze(mode: Mode) -> None:
    story = clear(scaled())
    story.mode = mode

    story.wait(HALF_HOUR)

    assert story.one(Apply).purpose is Purpose.EXPIRE


def test_in_freeze_it_stays_people_are_told_once_and_it_is_tried_again() -> None:
    story = clear(scaled())
    pages = len(story.paged())
    story.mode = Mode.FREEZE

    story.wait(HALF_HOUR + 600)

    assert (len(story.all_of(Apply)), story.incident.run) == (1, None)
    assert len(story.paged()) == pages + 1
    page = story.one(Page)
    assert (page.to, page.verb) == ("alice", "trigger")
    assert "a temporary change is still there: api from 3 to 6: the switch is at freeze" in page.text
    assert story.texts("expire") == ["not taken back for now: the switch is at freeze: nothing writes"]

    story.send_all()
    story.mode = Mode.AUTO
    story.wait(60)
    story.apply(summary="api has 3")
    assert story.incident.temporaries == ()
    assert [page.verb for page in story.open_effects(Page)] == ["resolve"]


def test_a_switch_thrown_just_before_the_write_is_told_once_too() -> None:
    """The gate says no; the next looks at it say nothing more."""
    story = due(scaled())
    story.mode = Mode.FREEZE
    pages = len(story.paged())

    story.apply(failure(Kind.REFUSED, "the switch is at freeze: nothing writes"))
    assert story.ended.outcome is Outcome.REFUSED
    story.wait(300)

    assert (len(story.paged()), story.incident.runs) == (pages + 1, 2)
    assert len(story.incident.temporaries) == 1


def test_whoever_had_it_is_told_that_something_is_left() -> None:
    story = scaled()
    story.act("bob", "ack")
    story.mode = Mode.FREEZE

    clear(story).wait(HALF_HOUR)

    assert [(page.to, page.verb) for page in story.open_effects(Page)] == [("bob", "trigger")]


def test_without_a_policy_the_timeline_says_it() -> None:
    world = bundle(book(), rules=(builders.rule(escalation=""),), policies=(policy(),))
    story = Story(world)
    story.deliver(firing())
    story.judge()
    story.plan("api from 3 to 6", undo={"replicas": 3}, lasts=60.0)
    story.apply()
    story.mode = Mode.FREEZE
    clear(story).wait(600)

    assert story.said("nobody: the rule names no escalation policy. a temporary change is still there")


def test_a_page_about_what_is_left_is_tried_again_though_all_is_resolved() -> None:
    story = clear(scaled())
    story.mode = Mode.FREEZE
    story.wait(HALF_HOUR)

    story.send(failure())
    story.wait(30)

    assert [page.tries for page in story.open_effects(Page)] == [2]


# -- how it ends ------------------------------------------------------------------------------------------------------


def test_what_somebody_changed_since_is_left_alone_and_wakes_nobody() -> None:
    story = due(scaled())
    pages = len(story.paged())

    story.apply(changed("replicas is 5, not 6; last changed by kubectl-edit"))

    assert story.ended.outcome is Outcome.CANCELLED
    assert story.ended.reason == (
        "somebody changed it since, so it is left as it is: replicas is 5, not 6; last changed by kubectl-edit"
    )
    assert (story.incident.temporaries, len(story.paged())) == ((), pages)


def test_a_failure_that_passes_is_tried_again_under_the_same_key() -> None:
    story = due(scaled())

    story.apply(failure())
    story.wait(5)

    assert [write.key for write in story.open_effects(Apply)] == [f"{KEY}/expire"]


def test_one_that_fails_pages_is_tried_again_later_and_given_up_at_last() -> None:
    story = due(scaled())
    pages = len(story.paged())

    story.apply(failure(Kind.PERMANENT, "not allowed: patch deployments.apps"))

    assert (story.ended.outcome, len(story.paged())) == (Outcome.FAILED, pages + 1)
    assert "could not be taken back: api from 3 to 6: not allowed: patch deployments.apps; tried again in 10m" in (
        story.open_effects(Page)[-1].text
    )
    story.wait(600)
    story.apply(failure(Kind.PERMANENT, "not allowed"))
    assert len(story.paged()) == pages + 1
    story.wait(1200)
    story.send_all()
    story.apply(failure(Kind.PERMANENT, "not allowed"))

    assert story.incident.temporaries == ()
    assert story.open_effects(Page)[-1].text.endswith("it is not tried again, a person has to")
    story.send_all()
    story.wait(3600)
    assert not story.incident.open


def test_the_incident_is_not_closed_before_people_have_heard_of_it() -> None:
    """Long after it was resolved: the page about what is left counts from there."""
    story = clear(scaled(lasts=7200.0))
    story.wait(7200)
    for wait in (600, 1200, 0):
        story.send_all()
        story.apply(failure(Kind.PERMANENT, "not allowed"))
        story.wait(wait)
    assert story.incident.temporaries == ()

    story.send()
    story.send(failure(delay=300.0))
    story.wait(240)
    assert story.incident.open
    story.wait(60)

    assert [page.tries for page in story.open_effects(Page)] == [2]


def test_an_answer_that_got_lost_is_looked_for_under_its_own_key() -> None:
    story = due(scaled())

    story.lose()

    assert story.one(Observe).key == f"{KEY}/expire"
    story.observe(True)
    assert (story.ended.outcome, story.incident.temporaries) == (Outcome.DONE, ())


def test_one_that_is_not_there_is_made_again() -> None:
    story = due(scaled())
    story.lose()

    story.observe(False)

    assert story.one(Apply).key == f"{KEY}/expire"


def test_one_of_which_nobody_knows_is_told_and_looked_at_again_before_anything_is_written() -> None:
    """Promise 3."""
    story = due(scaled())
    pages = len(story.paged())
    story.lose()

    story.observe(None)

    assert (story.ended.outcome, len(story.paged())) == (Outcome.UNKNOWN, pages + 1)
    assert "nobody can say whether a temporary change was taken back" in story.open_effects(Page)[-1].text
    story.wait(600)
    assert (story.open_effects(Apply), story.one(Observe).key) == ([], f"{KEY}/expire")
    story.observe(False)
    story.apply(summary="api has 3")
    assert story.incident.temporaries == ()


def test_one_that_cannot_be_looked_at_is_for_a_person() -> None:
    story = Story(bundle(book(steps=(step("scale", once=Once.NONE, verify=(check(within=5),)),))))
    due(scale(story))
    pages = len(story.paged())

    story.lose()

    assert (story.ended.outcome, story.incident.temporaries, len(story.paged())) == (Outcome.UNKNOWN, (), pages + 1)
    assert story.open_effects(Page)[-1].text.endswith("it is not tried again, a person has to")


def test_one_whose_target_knows_its_key_is_sent_again_under_it() -> None:
    story = Story(bundle(book(steps=(step("scale", once=Once.KEY, verify=(check(within=5),)),))))
    due(scale(story))
    for _ in range(3):
        story.lose()
        story.wait(10)
    assert story.ended.outcome is Outcome.UNKNOWN

    story.wait(600)

    assert story.one(Apply).key == f"{KEY}/expire"


def test_what_fails_after_a_freeze_is_told_as_well() -> None:
    story = clear(scaled())
    story.mode = Mode.FREEZE
    story.wait(HALF_HOUR)
    pages = len(story.paged())
    story.mode = Mode.AUTO
    story.wait(60)

    story.apply(failure(Kind.PERMANENT, "not allowed"))

    assert len(story.paged()) == pages + 1


def test_an_alert_that_comes_back_calls_off_what_has_not_left() -> None:
    """What was to be taken back may be what helped."""
    story = due(scaled())
    story.apply(failure(delay=60.0))

    story.deliver(firing(starts=HALF_HOUR))

    assert story.incident.past[-1].reason == "the alert fires again"
    assert (story.run.purpose, len(story.incident.temporaries)) == (Purpose.REMEDY, 1)


def test_an_alert_that_comes_back_is_treated_when_the_write_under_way_has_come_back() -> None:
    story = due(scaled())
    story.deliver(firing(starts=HALF_HOUR))
    assert story.run.purpose is Purpose.EXPIRE

    story.apply(failure(Kind.REFUSED, "the alert fires again"))

    assert (story.run.purpose, len(story.incident.temporaries)) == (Purpose.REMEDY, 1)
    assert not story.said("a temporary change is still there")


def test_an_alert_that_comes_and_goes_meanwhile_is_resolved_at_the_end() -> None:
    story = due(scaled())
    story.deliver(firing(starts=HALF_HOUR))
    story.deliver(resolved(starts=HALF_HOUR, ends=HALF_HOUR + 1))
    assert story.run.stop == ""

    story.apply(summary="api has 3")

    assert (story.ended.outcome, story.incident.phase) == (Outcome.DONE, Phase.RESOLVED)


def test_a_person_may_keep_the_change() -> None:
    story = due(scaled())
    story.apply(failure(delay=60.0))

    story.act("alice", "cancel", run=2)

    assert (story.ended.outcome, story.incident.temporaries) == (Outcome.CANCELLED, ())
    story.wait(3600)
    assert not story.incident.open


def test_a_change_that_is_kept_while_its_write_is_under_way_keeps_the_incident_open() -> None:
    """A closed incident hears no answer, and would hold the target for ever."""
    story = clear(scaled(lasts=3 * HALF_HOUR))
    story.wait(3 * HALF_HOUR)
    story.act("alice", "cancel", run=2)

    story.wait(300)
    assert (story.incident.open, story.run.purpose) == (True, Purpose.EXPIRE)

    story.apply(summary="api has 3 again")
    story.wait(3600)
    assert (story.incident.open, story.ended.n) == (False, 2)


def test_a_treatment_that_supersedes_the_one_that_made_it_waits_for_it() -> None:
    """It is not that treatment any more that is under way."""
    story = Story(
        bundle(
            book(steps=(step("scale", once=Once.CAS, verify=(check(within=5),)),)),
            book("other", supersedes=("restart",)),
            rules=(builders.rule(), builders.rule("slow", "Slow", playbook="other")),
        )
    )
    scale(story)
    due(story)

    story.deliver(firing(starts=HALF_HOUR, name="Slow"))

    assert story.run.stop == ""
    story.apply(summary="api has 3")
    assert (story.run.playbook, story.incident.temporaries) == ("other", ())


def test_being_taken_over_does_not_forget_it() -> None:
    story = due(scaled())
    story.deliver(firing(starts=HALF_HOUR))
    story.act("alice", "take")

    story.apply(failure())

    assert (story.ended.outcome, len(story.incident.temporaries)) == (Outcome.CANCELLED, 1)


def test_taking_back_is_no_treatment() -> None:
    """Neither does it stand for one that was tried, nor has it fixed anything."""
    story = due(scaled())
    story.apply(summary="api has 3")

    story.wait(10)
    story.deliver(firing(starts=HALF_HOUR + 10))

    assert (story.run.purpose, len(story.incident.fixes)) == (Purpose.REMEDY, 1)


def test_a_page_that_is_open_when_the_alert_comes_back_is_resolved_with_it() -> None:
    story = clear(scaled())
    story.mode = Mode.FREEZE
    story.wait(HALF_HOUR)
    story.send_all()
    story.deliver(firing(starts=HALF_HOUR))
    story.wait(10)
    story.send_all()

    story.deliver(resolved(starts=HALF_HOUR, ends=HALF_HOUR + 10))

    keys = {page.dedup_key for page in story.open_effects(Page) if page.verb == "resolve"}
    assert any("/told/" in key for key in keys)
    assert len(keys) == 2
