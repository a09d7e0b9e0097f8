"""One page: sent, failed, tried again, withdrawn. Promise 7: a page that fails takes the policy's second channel."""

from typing import Any

import pytest

from paramedic.core.bundle import AckTerms, Level
from paramedic.core.effects import Page
from paramedic.core.escalation import unwanted
from paramedic.core.events import Paged
from paramedic.core.words import Kind, Mode
from tests.core.builders import HOUR, MINUTE, book, bundle, firing, guard, policy, resolved
from tests.core.story import Story, failure


def level_one(**terms: Any) -> Story:
    """Level 1 is about to be paged."""
    story = Story(bundle(book(guards=(guard("metric", inline=False),)), policies=(policy(**terms),)))
    story.deliver(firing())
    story.wait(2)
    return story


def test_a_page_that_fails_takes_the_second_channel_at_once() -> None:
    """Promise 7."""
    story = level_one()

    story.send(failure(message="503"))

    assert story.paged() == [(1, "alice"), (1, "alice-mail")]
    assert story.open_effects(Page)[-1].second
    assert story.texts("page")[1:] == ["level 1 alice failed: 503", "level 1 alice-mail (second channel)"]


def test_and_it_is_tried_again_under_its_own_key() -> None:
    story = level_one()
    story.send(failure())
    story.send_all()

    story.wait(5)

    page = story.one(Page)
    assert (page.to, page.dedup_key, page.tries) == ("alice", "INC-1/1/1", 2)
    story.send()
    story.wait(10 * MINUTE)
    assert story.open_effects(Page) == []


def test_a_page_is_tried_five_times_and_the_second_channel_taken_once() -> None:
    story = level_one(levels=(Level(0, ("alice",), ("alice-mail",)),))
    for _ in range(5):
        story.send(failure(), to="alice")
        story.wait(MINUTE)

    assert story.paged() == [(1, "alice"), (1, "alice-mail"), *[(1, "alice")] * 4]
    story.wait(HOUR)
    assert [page.to for page in story.open_effects(Page)] == ["alice-mail"]


def test_a_failure_for_good_is_not_tried_again() -> None:
    story = level_one(levels=(Level(0, ("alice",)),))

    story.send(failure(Kind.PERMANENT, "400"))
    story.wait(HOUR)

    assert story.paged() == [(1, "alice")]


def test_an_unknown_outcome_is_sent_again_under_its_key() -> None:
    """Notifiers deduplicate by key: once too often is better than never."""
    story = level_one()

    story.send(failure(Kind.UNKNOWN, "no answer"))
    story.wait(5)

    assert [page.dedup_key for page in story.open_effects(Page) if page.to == "alice"] == ["INC-1/1/1"]


def test_a_second_channel_that_fails_takes_no_third() -> None:
    story = level_one(levels=(Level(0, ("alice",), ("alice-mail", "bob")),))
    story.send(failure(Kind.PERMANENT, "400"))
    rounds = 0
    while story.open_effects(Page) and rounds < 20:
        story.send(failure(Kind.PERMANENT, "400"))
        rounds += 1

    assert story.paged() == [(1, "alice"), (1, "alice-mail"), (1, "bob")]


def test_several_failures_are_tried_again_at_the_first_moment_due() -> None:
    story = level_one(levels=(Level(0, ("alice", "bob")),))
    story.send(failure(delay=5.0))
    story.wait(3)
    story.send(failure(delay=60.0))

    assert story.due_in("repage") == 2.0


def test_a_notifier_may_ask_for_a_longer_wait() -> None:
    story = level_one()

    story.send(failure(delay=40.0))

    assert story.due_in("repage") == 40.0


def test_a_failed_resolve_is_tried_again_too() -> None:
    story = level_one()
    story.send()
    story.deliver(resolved(ends=20))

    story.send(failure())
    story.wait(5)

    assert (story.one(Page).verb, story.one(Page).dedup_key) == ("resolve", "INC-1/1/1")


def test_a_resolve_that_is_to_be_tried_again_survives_the_alert_coming_back() -> None:
    story = level_one()
    story.send()
    story.deliver(resolved(ends=20))
    story.send(failure())

    story.deliver(firing(starts=30))
    story.wait(5)

    assert ("resolve", "INC-1/1/1") in [(page.verb, page.dedup_key) for page in story.open_effects(Page)]


def test_a_failed_page_that_nobody_needs_any_more_is_left() -> None:
    story = level_one()
    story.act("bob", "ack")

    story.send(failure())
    story.wait(HOUR - 1)

    assert story.paged() == [(1, "alice")]


def test_an_acknowledgement_ends_the_retries() -> None:
    story = level_one()
    story.send(failure())
    story.send_all()

    story.act("bob", "ack")
    story.wait(MINUTE)

    assert "trigger" not in [page.verb for page in story.open_effects(Page)]


# -- pages that need not leave any more -------------------------------------------------------------------------------


def test_a_page_that_waits_is_wanted() -> None:
    story = level_one()

    assert unwanted(story.incident, story.one(Page)) == ""


@pytest.mark.parametrize(
    ("how", "why"), [("resolved", "resolved before it was sent"), ("ack", "acknowledged before it was sent")]
)
def test_a_page_overtaken_by_events_is_not_sent_and_nothing_of_it_remains(how: str, why: str) -> None:
    """A resolve cancels unsent triggers: nothing is left to acknowledge or resolve either."""
    story = level_one()
    page = story.one(Page)
    if how == "ack":
        story.act("bob", "ack")
    else:
        story.deliver(resolved(ends=20))

    assert unwanted(story.incident, page) == why
    story.fold(Paged(story.now, Mode.AUTO, page.n, failure=failure(Kind.REFUSED, why)))

    assert story.open_effects(Page) == []
    assert story.incident.paging.sent == ()
    assert f"level 1 alice not sent: {why}" in story.texts("page")


def test_acknowledging_and_resolving_are_always_sent() -> None:
    story = level_one()
    story.send()
    story.act("bob", "ack")
    acknowledge = story.one(Page)
    story.deliver(resolved(ends=20))

    assert unwanted(story.incident, acknowledge) == ""
    assert unwanted(story.incident, story.open_effects(Page)[-1]) == ""


def test_what_somebody_who_has_it_is_told_is_sent_all_the_same() -> None:
    story = level_one(ack=AckTerms(hold=HOUR, remind=20 * MINUTE))
    story.send()
    story.act("bob", "ack")
    story.send()
    story.wait(20 * MINUTE)

    assert unwanted(story.incident, story.one(Page)) == ""


def test_a_late_answer_of_a_page_changes_nothing() -> None:
    story = level_one()
    page = story.one(Page)
    story.send()
    before = story.incident

    story.fold(Paged(story.now, Mode.AUTO, page.n, failure=failure()))

    assert story.incident == before


# -- bounds -----------------------------------------------------------------------------------------------------------


def test_the_pages_of_one_incident_stay_bounded() -> None:
    """The oldest are resolved: nobody needs them any more."""
    story = level_one(ack=AckTerms(hold=HOUR, remind=5 * MINUTE))
    story.send_all()
    for _ in range(8):
        story.act("alice", "ack")
        story.wait(HOUR)
        story.send_all()

    assert len(story.incident.paging.sent) == 50
    assert story.paged("resolve")[0] == (1, "alice")


def test_whatever_a_title_or_a_reason_holds_a_page_is_one_printable_line() -> None:
    story = Story()
    story.deliver(firing(job="a\nb" + "x" * 5000))
    story.wait(2)

    text = story.one(Page).text

    assert text.isprintable()
    assert len(text) <= 1000
