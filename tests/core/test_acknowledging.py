"""What an acknowledgement, a snooze and a push by hand do to the climb; and what whoever has it is told."""

from typing import Any

from paramedic.core.bundle import AckTerms, Level
from paramedic.core.effects import Page
from paramedic.core.words import Answer
from tests.core.builders import (
    HOUR,
    MINUTE,
    after,
    book,
    bundle,
    check,
    firing,
    guard,
    policy,
    step,
)
from tests.core.story import Story

LEVELS = [(1, "alice"), (2, "bob"), (3, "carol")]


def paging(**terms: Any) -> Story:
    """An alert fires whose guards read, so that nothing is known of a treatment yet."""
    return Story(bundle(book(guards=(guard("metric", inline=False),)), policies=(policy(**terms),)))


def level_one(**terms: Any) -> Story:
    """Level 1 has been paged, and its page has gone out."""
    story = paging(**terms)
    story.deliver(firing())
    story.wait(2)
    story.send()
    return story


# -- acknowledging ----------------------------------------------------------------------------------------------------


def test_an_acknowledgement_stops_the_climb_and_tells_the_pager() -> None:
    story = level_one()

    story.act("alice", "ack")

    assert (story.incident.paging.acked_by, "climb" in story.incident.timers) == ("alice", False)
    assert [(page.verb, page.dedup_key) for page in story.open_effects(Page)] == [("acknowledge", "INC-1/1/1")]
    story.wait(50 * MINUTE)
    assert story.paged() == LEVELS[:1]


def test_acknowledged_before_it_was_due_nobody_is_paged() -> None:
    story = paging()
    story.deliver(firing())
    story.act("bob", "ack")

    story.deliver(firing(pod="b"))
    story.wait(50 * MINUTE)

    assert story.paged() == []


def test_when_the_hold_runs_out_the_same_level_is_paged_under_a_new_key() -> None:
    story = level_one()
    story.wait(15 * MINUTE)
    story.act("bob", "ack")

    story.wait(HOUR)

    assert story.paged() == [*LEVELS[:2], (2, "bob")]
    assert story.all_of(Page)[-1].dedup_key == "INC-1/2/2"
    assert story.said("the acknowledgement by bob has run out; the alert still fires")
    story.wait(16 * MINUTE)
    assert story.paged()[-1] == (3, "carol")


def test_whoever_has_it_is_reminded_and_nobody_else() -> None:
    story = level_one(ack=AckTerms(hold=HOUR, remind=20 * MINUTE))
    story.act("bob", "ack")

    story.wait(50 * MINUTE)

    assert story.paged() == [(1, "alice"), (1, "bob"), (1, "bob")]
    assert story.texts("page")[-1] == "bob, who has it: still open, acknowledged 40m ago"
    keys = [page.dedup_key for page in story.all_of(Page) if page.verb == "trigger"]
    assert len(set(keys)) == 3


def test_somebody_who_cannot_be_paged_is_not_reminded() -> None:
    story = level_one(ack=AckTerms(hold=HOUR, remind=20 * MINUTE))
    story.act("root", "ack")

    story.wait(50 * MINUTE)

    assert story.paged() == [(1, "alice")]


def test_snoozed_it_rests_until_then_and_is_paged_again() -> None:
    story = level_one()

    story.act("alice", "snooze", until=after(3 * HOUR))
    assert [page.verb for page in story.open_effects(Page)] == ["acknowledge"]
    story.deliver(firing(pod="b"))
    story.wait(3 * HOUR - 3)
    assert story.paged() == [(1, "alice")]
    story.wait(3)

    assert story.paged() == [(1, "alice"), (1, "alice")]
    assert story.texts("snoozed") == ["until 2026-03-02 12:00 UTC", "the snooze is over; the alert still fires"]
    assert story.incident.paging.snoozed_until is None


def test_by_hand_it_goes_to_the_next_level_whoever_has_it() -> None:
    story = level_one()
    story.act("alice", "ack")

    story.act("alice", "escalate")

    assert story.paged() == LEVELS[:2]
    assert (story.incident.paging.acked_by, "ack" in story.incident.timers) == ("", False)
    assert "level 2 bob" in story.texts("page")


# -- handing over -----------------------------------------------------------------------------------------------------


def failing(story: Story) -> None:
    story.deliver(firing())
    story.judge()
    story.plan()
    story.apply()
    story.check(Answer.FAIL, "still firing")


UNHELPFUL = book(steps=(step(verify=(check(within=0),)),))


def test_a_treatment_that_did_not_help_goes_to_the_next_level_at_once() -> None:
    story = Story(bundle(UNHELPFUL))

    failing(story)

    assert story.paged() == LEVELS[:2]
    assert story.due_in("climb") == 16 * MINUTE


def test_at_the_last_level_it_is_told_once_more() -> None:
    story = Story(bundle(UNHELPFUL, policies=(policy(levels=(Level(0, ("alice",)),)),)))

    failing(story)

    assert story.paged() == [(1, "alice"), (1, "alice")]
    assert story.said("level 1 alice again: treated, and not cleared")


def test_where_the_pager_climbs_its_level_is_told_once_more() -> None:
    story = Story(bundle(UNHELPFUL, policies=(policy(climbs="pagerduty"),)))

    failing(story)

    assert story.paged() == [(1, "alice"), (1, "alice")]


def test_whoever_has_it_is_told_and_nobody_else_woken() -> None:
    story = Story(bundle(UNHELPFUL))
    story.deliver(firing())
    story.act("bob", "ack")
    story.judge()
    story.plan()
    story.apply()
    story.check(Answer.FAIL, "still firing")

    assert story.paged() == [(1, "bob")]
    assert "/told/" in story.open_effects(Page)[-1].dedup_key


def test_where_whoever_has_it_cannot_be_paged_the_level_is_told() -> None:
    """Acknowledged by an operating-system user, say: the news must reach somebody."""
    story = Story(bundle(UNHELPFUL))
    story.deliver(firing())
    story.act("root", "ack")
    story.judge()
    story.plan()
    story.apply()
    story.check(Answer.FAIL, "still firing")

    assert story.paged() == [(1, "alice")]
    assert story.said("root has it and is not among the people")
