"""Paging as a policy: who is told, when the next level is, and what ends it. Promises 6 and 7."""

from typing import Any

from paramedic.core.bundle import AckTerms, Level, Person
from paramedic.core.effects import Judge, Page
from paramedic.core.words import Kind
from tests.core.builders import (
    HOUR,
    MINUTE,
    Turns,
    after,
    book,
    bundle,
    firing,
    guard,
    people,
    policy,
    resolved,
    rule,
)
from tests.core.story import Story, deny, failure

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


# -- level 1 ----------------------------------------------------------------------------------------------------------


def test_level_one_waits_at_most_two_seconds_for_the_guards() -> None:
    story = paging()
    story.deliver(firing())

    story.wait(1.9)
    assert story.paged() == []
    story.wait(0.1)

    assert story.paged() == [(1, "alice")]
    assert story.one(Page).text == "HighErrorRate api"


def test_as_soon_as_the_guards_have_answered_it_is_paged_with_what_they_said() -> None:
    story = paging()
    story.deliver(firing())

    story.judge(deny("metric", reason="0.01 is not above 0.1"))

    assert story.one(Page).text == "HighErrorRate api: not treated: metric: 0.01 is not above 0.1"
    assert "page" not in story.incident.timers
    story.wait(10)
    assert story.paged() == [(1, "alice")]


def test_further_alerts_page_nobody_again() -> None:
    story = level_one()

    story.deliver(firing(pod="b"), firing(pod="c"))
    story.wait(10)

    assert story.paged() == [(1, "alice")]


def test_an_alert_that_clears_within_the_two_seconds_pages_nobody() -> None:
    story = paging()
    story.deliver(firing())
    story.deliver(resolved(ends=1))

    story.wait(HOUR)

    assert story.all_of(Page) == []


def test_a_rule_without_a_policy_pages_nobody() -> None:
    story = Story(bundle(rules=(rule(escalation=""),)))
    story.deliver(firing())

    story.wait(HOUR)

    assert (story.all_of(Page), set(story.incident.timers)) == ([], {"expiry"})


def test_a_page_names_its_incident_its_level_and_its_key() -> None:
    """The deduplication key is incident/generation/level: level 2 under level 1's key would page nobody."""
    story = level_one()
    story.wait(15 * MINUTE)

    assert [(page.dedup_key, page.notifier) for page in story.all_of(Page)] == [
        ("INC-1/1/1", "webhook"),
        ("INC-1/1/2", "webhook"),
    ]


def test_several_people_of_one_level_have_keys_of_their_own() -> None:
    story = level_one(levels=(Level(0, ("alice", "bob")),))

    assert [(page.to, page.dedup_key) for page in story.all_of(Page)] == [
        ("alice", "INC-1/1/1"),
        ("bob", "INC-1/1/1/bob"),
    ]


def test_the_timeline_says_which_pages_are_dry() -> None:
    story = Story(bundle(staff={"alice": Person("alice", "log")}))
    story.deliver(firing())
    story.wait(2)

    assert [entry.note for _, entry in story.entries if entry.kind == "page"] == ["dry"]


# -- the climb --------------------------------------------------------------------------------------------------------


def test_a_page_nobody_acknowledges_climbs_every_level() -> None:
    """Promise 7."""
    story = level_one()

    story.wait(15 * MINUTE)
    assert story.paged() == LEVELS[:2]
    story.send()
    story.wait(15 * MINUTE)
    assert story.paged() == LEVELS
    story.wait(24 * HOUR)
    assert story.paged() == LEVELS
    assert "level 2 bob (level 1 not acknowledged)" in story.texts("page")


def test_the_next_level_counts_from_the_page_that_was_sent() -> None:
    """Promise 6: an outage does not fire all levels at once."""
    story = paging()
    story.deliver(firing())
    story.wait(2)
    story.wait(30)
    story.send()

    assert story.due_in("climb") == 15 * MINUTE


def test_or_from_one_minute_after_it_was_due() -> None:
    """Promise 6: nor does an outage stop the climb."""
    story = paging()
    story.deliver(firing())
    story.wait(2)
    assert story.due_in("climb") == 16 * MINUTE

    story.wait(5 * MINUTE)
    story.send()

    assert story.due_in("climb") == 11 * MINUTE


def test_a_page_that_never_goes_out_does_not_stop_the_climb() -> None:
    story = paging()
    story.deliver(firing())
    story.wait(2)

    story.wait(33 * MINUTE)

    assert story.paged() == LEVELS


def test_a_late_word_that_level_one_was_sent_does_not_touch_level_twos_timer() -> None:
    story = paging()
    story.deliver(firing())
    story.wait(2)
    story.wait(16 * MINUTE)
    due = story.incident.timers["climb"]

    story.send(to="alice")

    assert story.incident.timers["climb"] == due


def test_where_the_pager_climbs_paramedic_does_not() -> None:
    story = level_one(climbs="pagerduty")

    story.wait(HOUR)

    assert story.paged() == LEVELS[:1]
    assert "climb" not in story.incident.timers


def test_a_response_that_is_overdue_is_on_the_timeline() -> None:
    story = level_one(respond=10 * MINUTE)

    story.wait(10 * MINUTE)

    assert story.texts("overdue") == ["nobody acknowledged within 10m"]


def test_who_has_the_watch_is_decided_when_the_page_is_due() -> None:
    rota = Person("rota", rota=Turns("alice", "bob", after(10 * MINUTE)))
    story = Story(
        bundle(policies=(policy(levels=(Level(0, ("rota",)), Level(15 * MINUTE, ("rota",)))),), staff=people(rota))
    )
    story.deliver(firing())
    story.wait(2)
    story.send()

    story.wait(15 * MINUTE)

    assert story.paged() == [(1, "alice"), (2, "bob")]
    assert "level 1 alice (on call for rota)" in story.texts("page")


def test_somebody_who_is_not_among_the_people_is_told_to_the_log() -> None:
    story = Story(bundle(staff={}))
    story.deliver(firing())
    story.wait(2)

    assert [(page.to, page.notifier) for page in story.all_of(Page)] == [("alice", "log")]


# -- the end ----------------------------------------------------------------------------------------------------------


def test_every_page_that_went_out_is_resolved() -> None:
    """Whatever its level, its channel and its key."""
    story = paging(ack=AckTerms(hold=HOUR, remind=20 * MINUTE))
    story.deliver(firing())
    story.wait(2)
    story.send(failure())
    story.send_all()
    story.wait(16 * MINUTE)
    story.send_all()
    story.act("bob", "ack")
    story.wait(2 * HOUR)
    story.send_all()
    open_keys = {page.dedup_key for page in story.all_of(Page) if page.verb == "trigger"}

    story.deliver(resolved(ends=60))

    assert len(open_keys) == 7
    assert {page.dedup_key for page in story.open_effects(Page) if page.verb == "resolve"} == open_keys
    assert set(story.incident.timers) == {"quiet"}
    assert [entry.note for _, entry in story.entries if entry.kind == "resolved"] == ["7 pages resolved"]


def test_reopened_it_is_paged_from_level_one_under_new_keys() -> None:
    story = level_one()
    story.act("alice", "ack")
    story.deliver(resolved(ends=20))
    story.send_all()
    story.now = after(60)

    story.deliver(firing(starts=60))
    story.wait(2)

    assert story.incident.paging.acked_by == ""
    assert (story.paged(), story.all_of(Page)[-1].dedup_key) == ([(1, "alice")] * 2, "INC-1/2/1")


def test_a_page_waits_for_nobody_else() -> None:
    """Promise 7: pages have a lane of their own; a guard that hangs holds nothing up."""
    story = paging()
    story.deliver(firing())

    story.wait(2)

    assert len(story.open_effects(Judge)) == 1
    assert story.paged() == [(1, "alice")]


def test_a_failure_that_is_for_good_leaves_nothing_to_resolve() -> None:
    story = paging(levels=(Level(0, ("alice",)),))
    story.deliver(firing())
    story.wait(2)
    story.send(failure(Kind.PERMANENT, "no such channel"))

    story.deliver(resolved(ends=60))

    assert story.open_effects(Page) == []
